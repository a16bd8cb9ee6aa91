"""What holds for all numbers."""

from __future__ import annotations

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reprocheck.model import Change, Direction, Verdict

steady = settings(derandomize=True, deadline=None, max_examples=150)
plain = st.integers(-3000, 3000).map(lambda i: i / 1000)
reruns_of = st.lists(plain, min_size=3, max_size=8)
margins = st.floats(1e-3, 10)
GREEN = {Verdict.IDENTICAL, Verdict.NUMERICALLY_EQUAL, Verdict.REPRODUCED, Verdict.CONSISTENT}


def varies(reruns):
    return len(set(reruns)) > 1


@steady
@given(
    original=st.floats(),
    reruns=st.lists(st.floats(), min_size=1, max_size=6),
    margin=st.none() | st.floats(min_value=5e-324, max_value=1.7e308),
    resolution=st.none() | st.floats(min_value=5e-324, max_value=1.7e308),
    machine=st.booleans(),
)
def test_any_floats_have_a_verdict(judge_one, original, reruns, margin, resolution, machine):
    found = judge_one(original, reruns, margin=margin, resolution=resolution, same_machine=machine)
    assert found.decided
    assert found.sentence
    some_finite = any(map(math.isfinite, reruns))
    some_not = not all(map(math.isfinite, reruns))
    assert not (found.verdict in GREEN and some_finite and some_not and math.isfinite(original))


@steady
@given(value=st.floats(), k=st.integers(2, 6))
def test_copies_of_the_original_are_identical(judge_one, value, k):
    assert judge_one(value, [value] * k).verdict is Verdict.IDENTICAL


@steady
@given(original=plain, reruns=reruns_of, margin=margins, data=st.data())
def test_the_order_of_reruns_changes_nothing(judge_one, original, reruns, margin, data):
    shuffled = data.draw(st.permutations(reruns))
    one, other = (judge_one(original, x, margin=margin) for x in (reruns, shuffled))
    assert one.sentence == other.sentence
    assert one.comparisons[0].p_difference == other.comparisons[0].p_difference


@steady
@given(original=plain, reruns=reruns_of, margin=margins, power=st.integers(-8, 8))
def test_the_unit_changes_nothing(judge_one, original, reruns, margin, power):
    assume(varies(reruns))
    unit = 2.0**power
    one = judge_one(original, reruns, margin=margin)
    other = judge_one(original * unit, [x * unit for x in reruns], margin=margin * unit)
    assert other.verdict is one.verdict
    assert other.comparisons[0].p_equivalence == one.comparisons[0].p_equivalence


@steady
@given(original=plain, reruns=reruns_of, margin=margins, offset=st.integers(-9, 9))
def test_a_common_offset_changes_no_probability(judge_one, original, reruns, margin, offset):
    assume(varies(reruns))
    one = judge_one(original, reruns, margin=margin).comparisons[0]
    other = judge_one(original + offset, [x + offset for x in reruns], margin=margin).comparisons[0]
    for p in ("p_equivalence", "p_difference"):
        assert math.isclose(getattr(one, p), getattr(other, p), rel_tol=1e-6, abs_tol=1e-12)


@steady
@given(original=plain, reruns=reruns_of, margin=margins)
def test_turning_the_sign_swaps_worse_and_better(judge_one, original, reruns, margin):
    given_ = {"margin": margin, "direction": Direction.HIGHER}
    one = judge_one(original, reruns, **given_).comparisons[0]
    other = judge_one(-original, [-x for x in reruns], **given_).comparisons[0]
    swapped = {Change.WORSE: Change.BETTER, Change.BETTER: Change.WORSE, None: None}
    assert (other.verdict, other.change) == (one.verdict, swapped[one.change])


@steady
@given(original=plain, reruns=reruns_of, margin=margins, factor=st.floats(1, 100))
def test_a_wider_margin_only_helps(judge_one, original, reruns, margin, factor):
    narrow = judge_one(original, reruns, margin=margin).verdict
    wide = judge_one(original, reruns, margin=margin * factor).verdict
    assert not (narrow in GREEN and wide not in GREEN)
    assert not (wide is Verdict.NOT_REPRODUCED and narrow is not Verdict.NOT_REPRODUCED)
