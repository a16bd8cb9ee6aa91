"""What holds for all numbers."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reprocheck.compare import judge
from reprocheck.compare.ladder import TOLERANCES
from reprocheck.model import (
    Change,
    Condition,
    DeclaredMargin,
    Direction,
    MetricRule,
    RerunPlan,
    Scale,
    SeedPolicy,
    Sibling,
    Sigma,
    Verdict,
    Width,
)

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


# --- any rule, any plan -------------------------------------------------------------------

# Odd multiples of 2^-11: exact in all sums below, and never a whole number.
dyadic = st.integers(-1500, 1500).map(lambda i: (2 * i + 1) / 2048)
thorough = settings(steady, max_examples=100)


@st.composite
def problems(draw):
    """Originals, reruns, a rule's margin and a plan, in exact numbers."""
    plan = draw(
        st.sampled_from([RerunPlan(), RerunPlan(least=3, most=6), RerunPlan(least=4, most=4)])
    )
    sides = st.integers(1, 3000).map(lambda i: i / 1024)
    width = draw(st.none() | st.builds(Width, below=sides, above=sides))
    return {
        "originals": draw(st.lists(dyadic, min_size=1, max_size=3)),
        "reruns": draw(st.lists(dyadic, min_size=plan.most, max_size=plan.most)),
        "width": width,
        "plan": plan,
        "direction": draw(st.sampled_from(Direction)),
        "same_machine": draw(st.booleans()),
    }


@pytest.fixture(scope="session")
def solve(build_question, build_trials, build_metrics):
    """The judgement after the trial that ended them, and how many there were."""

    def until_decided(problem, extra=()):
        (original, *others), width = problem["originals"], problem["width"]
        declared = width and DeclaredMargin(absolute=width, source="--margin")
        rule = MetricRule(metric="a", margin=declared, direction=problem["direction"])
        question = replace(
            build_question({"a": original, **dict.fromkeys(extra, 1.5)}, rule, gates=["a"]),
            plan=problem["plan"],
            same_machine=problem["same_machine"],
            baselines=tuple(build_metrics({"a": x}) for x in others),
        )
        runs = [{"a": x, **dict.fromkeys(extra, x)} for x in problem["reruns"]]
        trials = build_trials(*runs)
        looks = ((k, judge(question, trials[:k])) for k in range(1, len(trials) + 1))
        return next((k, found) for k, found in looks if found.decided)

    return until_decided


def answer(solved):
    k, found = solved
    metric = found.comparisons[0]
    return k, found.stopped_by, metric.verdict, metric.reason, metric.change


def moved(problem, factor, offset=0.0):
    width = problem["width"]
    if width is not None:
        sides = Width(below=width.below * abs(factor), above=width.above * abs(factor))
        width = sides if factor > 0 else Width(below=sides.above, above=sides.below)
    return problem | {
        "originals": [factor * (x + offset) for x in problem["originals"]],
        "reruns": [factor * (x + offset) for x in problem["reruns"]],
        "width": width,
    }


@thorough
@given(problem=problems(), power=st.integers(-4, 8), offset=st.integers(-9, 9))
def test_neither_unit_nor_zero_point_change_an_answer(solve, problem, power, offset):
    assert answer(solve(moved(problem, 2.0**power, offset))) == answer(solve(problem))


@thorough
@given(problem=problems())
def test_turning_the_sign_turns_worse_and_better_in_any_plan(solve, problem):
    turned = {
        Direction.HIGHER: Direction.LOWER,
        Direction.LOWER: Direction.HIGHER,
        Direction.UNKNOWN: Direction.UNKNOWN,
    }
    mirrored = moved(problem, -1.0)
    other = mirrored | {"direction": turned[problem["direction"]]}
    assert answer(solve(other)) == answer(solve(problem))
    swapped = {Change.WORSE: Change.BETTER, Change.BETTER: Change.WORSE}
    *rest, change = answer(solve(problem))
    assert answer(solve(mirrored)) == (*rest, swapped.get(change, change))


@thorough
@given(problem=problems())
def test_a_metric_that_is_no_gate_changes_nothing_in_any_plan(solve, problem):
    k, alone = solve(problem)
    same, shown = solve(problem, extra=("shown",))
    assert (same, replace(shown, comparisons=shown.comparisons[:1])) == (k, alone)


@thorough
@given(problem=problems(), factor=st.integers(1, 8))
def test_a_wider_margin_only_helps_at_every_look(solve, problem, factor):
    assume(problem["width"] is not None)
    size, reruns = len(problem["reruns"]), problem["reruns"]
    narrow = problem["width"]
    wide = Width(below=narrow.below * factor, above=narrow.above * factor)
    for k in range(3, size + 1):  # as fixed plans, so that both are looked at alike
        at = problem | {"reruns": reruns[:k], "plan": RerunPlan(least=k, most=k)}
        (_, one), (_, other) = solve(at), solve(at | {"width": wide})
        assert not (one.verdict in GREEN and other.verdict not in GREEN)
        if other.verdict is Verdict.NOT_REPRODUCED:
            assert one.verdict is Verdict.NOT_REPRODUCED


extreme = st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, 1.797e308, math.inf, 1.0])
anything = st.floats() | extreme | plain
positive = st.floats(min_value=5e-324, max_value=1.7e308) | st.sampled_from([1e-3, 0.5, 1.0])
widths = st.builds(Width, below=positive, above=positive)
rules = st.builds(
    MetricRule,
    metric=st.just("accuracy"),
    margin=st.none()
    | st.builds(
        DeclaredMargin,
        absolute=st.none() | widths,
        relative=st.none() | widths,
        source=st.just("--margin"),
    ),
    direction=st.sampled_from(Direction),
    resolution=st.none() | positive,
    dtype=st.none() | st.sampled_from(sorted(TOLERANCES)),
    test_size=st.none() | st.integers(1, 10**6),
    scale=st.sampled_from(Scale),
    best_of=st.none() | st.integers(1, 100),
    noninferiority=st.booleans(),
    sigma=st.none() | st.builds(Sigma, value=positive, freedom=st.integers(1, 10**6)),
    failure_if=st.none()
    | st.builds(Condition, operator=st.sampled_from(["<", "<=", ">", ">="]), value=anything),
    least=st.none() | anything,
    most=st.none() | anything,
)
plans = st.builds(
    RerunPlan,
    least=st.integers(1, 8),
    most=st.integers(1, 12),
    alpha=st.floats(1e-6, 0.49),
    seeds=st.sampled_from(SeedPolicy),
)
values = st.lists(anything, max_size=6)
# What a sentence would show of a number or an object that nobody formatted.
UNFORMATTED = re.compile(r"\bnan\b|None|[0-9]e\+|<[A-Z]\w+\.|Decimal|np\.")


@settings(steady, max_examples=250)
@given(rule=rules, plan=plans, original=anything, reruns=values, others=values, data=st.data())
def test_any_rule_has_a_verdict_for_any_floats(
    build_question, build_trials, build_metrics, rule, plan, original, reruns, others, data
):
    runs = tuple(Sibling(run_id="r", metrics={"accuracy": x}) for x in others)
    given_ = data.draw(st.sampled_from(["baselines", "siblings", "peers"]))
    listed = tuple(build_metrics({"accuracy": x}) for x in others)
    question = replace(
        build_question({"accuracy": original, "loss": 0.5}, rule),
        **{given_: listed if given_ == "baselines" else runs},
        plan=plan,
        same_machine=data.draw(st.booleans()),
        over_budget=data.draw(st.booleans()),
        unstable=data.draw(st.booleans()),
    )
    found = judge(question, build_trials(*({"accuracy": x, "loss": 0.5} for x in reruns)))
    told = [found.sentence, found.needed]
    for comparison in found.comparisons:
        told += [comparison.sentence, *comparison.notes]
    assert all(comparison.sentence for comparison in found.comparisons)
    assert not [text for text in told if UNFORMATTED.search(text)]
    if not reruns:
        assert found.verdict is Verdict.NOT_VERIFIED
