"""What every verdict says of the difference that it could have found."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from reprocheck.compare import judge
from reprocheck.compare.counts import counts_of
from reprocheck.compare.equivalence import is_outside
from reprocheck.model import Direction, Scale, Verdict

NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]


@pytest.mark.parametrize(
    ("original", "reruns", "given", "expected"),
    [
        (0.975, [0.975] * 3, {}, 0.0),
        (0.7, [0.7 + 1e-13] * 3, {}, 0.7e-9),
        (1.0, [1.0 + 5e-4] * 3, {"dtype": "float16"}, 1e-3),
        (0.9, [0.9271828182845] * 3, {"margin": 0.03}, 0.03),  # deterministic, reproduced
        (0.9, [0.9271828182845] * 3, {"margin": 0.01}, 0.01),  # deterministic, not reproduced
        (0.9, [0.9271828182845] * 3, {"same_machine": True}, 0.0),
        (0.9, [0.9271828182845] * 3, {}, None),  # no margin says what matters
        (math.nan, [math.nan] * 3, {}, None),
        (0.9, [0.91, 0.92], {"margin": 0.05}, None),  # too few to reject anything
    ],
)
def test_without_noise_it_is_the_margin_the_tolerance_or_any(
    judge_one, original, reruns, given, expected
):
    (found,) = judge_one(original, reruns, **given).comparisons
    assert found.detectable == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("share", [0.99, 1.0, 0.005])
@pytest.mark.parametrize("margin", [0.02, None])  # None: that of the test size
def test_near_a_bound_a_difference_of_that_size_is_found_in_80_percent(ask, share, margin):
    toward = 1 if share < 0.5 else -1
    found = ask(share, [share] * 4 + [share + toward / 200], 200, margin).comparisons[0]
    draws = np.random.default_rng(3).binomial(1000, share + toward * found.detectable, 3000)
    start = counts_of([share], [share] * 5, 200)
    moved = [replace(start, theirs=(int(x), 1000)) for x in draws]
    power = np.mean([_is_rejected(counts, found.margin) for counts in moved])
    assert 0.77 < power < 0.87  # the test jumps from event to event


def _is_rejected(counts, margin):
    return is_outside(counts.interval(0.05), margin) and counts.difference_p() <= 0.05


def test_a_tolerance_is_told_in_logarithms_under_scale_log(
    build_question, build_rule, build_trials
):
    rule = replace(build_rule("loss"), scale=Scale.LOG)
    question = build_question({"loss": 200.0}, rule, reruns=3)
    found = judge(question, build_trials(*[{"loss": 200.0 + 1e-10}] * 3)).comparisons[0]
    assert found.verdict is Verdict.NUMERICALLY_EQUAL
    assert found.detectable == pytest.approx(1e-9)


def test_under_noninferiority_the_harmful_side_counts(build_question, build_rule, build_trials):
    rule = build_rule("m", margin=0.03, direction=Direction.HIGHER)
    harmful = replace(rule, noninferiority=True)
    sizes = [
        judge(
            build_question({"m": 0.915}, each),
            build_trials(*({"m": value} for value in NOISY)),
        )
        .comparisons[0]
        .detectable
        for each in (rule, harmful)
    ]
    assert sizes[0] == sizes[1]


@pytest.fixture
def ask(build_question, build_rule, build_trials):
    def ask(original, reruns, test_size, margin):
        rule = replace(build_rule("accuracy", margin=margin), test_size=test_size)
        question = build_question({"accuracy": original}, rule, reruns=len(reruns))
        return judge(question, build_trials(*({"accuracy": value} for value in reruns)))

    return ask
