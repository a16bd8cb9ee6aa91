"""The verdict on one gated metric, `accuracy`, after all planned reruns."""

from __future__ import annotations

import math

import pytest

from reprocheck.compare import judge
from reprocheck.model import Change, Direction, Verdict

NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]  # mean 0.922, sd 0.0142
INF, NAN = math.inf, math.nan


def verdict(judgement):
    comparison = judgement.comparisons[0]
    return comparison.verdict, comparison.reason


def test_equivalence_within_the_margin_is_reproduced(judge_one):
    found = judge_one(0.915, NOISY, margin=0.05)
    assert verdict(found) == (Verdict.REPRODUCED, "equivalent")


def test_a_difference_outside_the_margin_is_not_reproduced(judge_one):
    found = judge_one(0.99, NOISY, margin=0.02)
    assert verdict(found) == (Verdict.NOT_REPRODUCED, "outside")


def test_a_difference_that_noise_explains_is_never_a_rejection(judge_one):
    found = judge_one(0.95, NOISY, margin=0.001)
    assert verdict(found) == (Verdict.INCONCLUSIVE, "noise")


def test_a_difference_seen_but_not_outside_the_margin_is_a_shift(judge_one):
    found = judge_one(0.97, NOISY, margin=0.04)
    assert verdict(found) == (Verdict.INCONCLUSIVE, "shift_detected")


@pytest.mark.parametrize(
    ("direction", "original", "change"),
    [
        (Direction.HIGHER, 0.99, Change.WORSE),
        (Direction.HIGHER, 0.85, Change.BETTER),
        (Direction.LOWER, 0.99, Change.BETTER),
        (Direction.UNKNOWN, 0.99, Change.CHANGED),
    ],
)
def test_the_direction_says_what_changed(judge_one, direction, original, change):
    found = judge_one(original, NOISY, margin=0.01, direction=direction).comparisons[0]
    assert (found.verdict, found.change) == (Verdict.NOT_REPRODUCED, change)


def test_without_a_margin_the_best_is_consistent(judge_one):
    assert verdict(judge_one(0.915, NOISY)) == (Verdict.CONSISTENT, "no_margin")


def test_without_a_margin_a_shift_on_another_machine_is_inconclusive(judge_one):
    assert verdict(judge_one(1.2, NOISY)) == (Verdict.INCONCLUSIVE, "shift_detected")
    assert judge_one(1.2, NOISY, same_machine=True).verdict is Verdict.NOT_REPRODUCED
    assert judge_one(1.2, NOISY, seeds="fresh").verdict is Verdict.NOT_REPRODUCED


def test_without_a_margin_four_reruns_reject_nothing(judge_one):
    found = judge_one(9.0, NOISY[:4], same_machine=True)
    assert verdict(found) == (Verdict.INCONCLUSIVE, "shift_detected")


@pytest.mark.parametrize("reruns", [[0.5], [0.5, 0.5001], [0.5, 0.5]])
def test_fewer_than_three_reruns_never_reject(judge_one, reruns):
    found = judge_one(0.9, reruns, margin=0.01, same_machine=True)
    assert verdict(found) == (Verdict.INCONCLUSIVE, "too_few")


def test_fewer_than_three_reruns_never_show_equivalence(judge_one):
    assert verdict(judge_one(0.9, [0.9001, 0.9002], margin=0.5))[1] == "too_few"


# --- the ladder ---------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 5])
def test_equal_bits_are_identical(judge_one, k):
    found = judge_one(0.975, [0.975] * k)
    assert verdict(found) == (Verdict.IDENTICAL, "bits")
    assert found.comparisons[0].notes == ()


def test_one_rerun_with_equal_bits_is_identical_beyond_chance_only(judge_one):
    assert verdict(judge_one(0.34821757311, [0.34821757311])) == (Verdict.IDENTICAL, "bits")
    assert verdict(judge_one(0.975, [0.975])) == (Verdict.INCONCLUSIVE, "chance")


def test_one_rerun_that_is_numerically_equal_counts_beyond_chance_only(judge_one):
    close = 0.34821757311
    found = judge_one(close, [math.nextafter(close, 1)])
    assert verdict(found) == (Verdict.NUMERICALLY_EQUAL, "tolerance")
    assert found.comparisons[0].max_ulps == 1
    assert found.comparisons[0].notes == (
        "The furthest rerun is 1 unit in the last place of a float64 away from the original.",
    )
    assert verdict(judge_one(0.975, [math.nextafter(0.975, 1)]))[1] == "chance"


def test_float_noise_is_numerically_equal_whatever_the_statistics_say(judge_one):
    found = judge_one(0.7, [0.7 + 1e-13] * 5, margin=1e-15)
    assert verdict(found) == (Verdict.NUMERICALLY_EQUAL, "tolerance")


def test_one_rerun_off_the_ladder_is_judged_by_statistics(judge_one):
    assert judge_one(0.7, [0.7] * 4 + [0.71], margin=0.1).verdict is Verdict.REPRODUCED


def test_the_tolerance_follows_the_dtype(judge_one):
    reruns = [1.0 + 5e-4] * 5
    found = judge_one(1.0, reruns, dtype="float16")
    assert found.verdict is Verdict.NUMERICALLY_EQUAL
    assert "1 unit in the last place of a float16" in found.comparisons[0].notes[0]
    assert judge_one(1.0, reruns).verdict is not Verdict.NUMERICALLY_EQUAL


# --- no spread ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "margin", "expected"),
    [
        (5, 0.03, (Verdict.REPRODUCED, "equivalent")),
        (3, 0.03, (Verdict.REPRODUCED, "equivalent")),
        (
            3,
            0.022,
            (Verdict.INCONCLUSIVE, "shift_detected"),
        ),  # steps of 0.01 hide a spread of 0.003
        (5, 0.01, (Verdict.NOT_REPRODUCED, "outside")),
        (4, 0.01, (Verdict.INCONCLUSIVE, "too_few")),
    ],
)
def test_a_coarse_value_that_stays_needs_five_reruns_to_reject(judge_one, k, margin, expected):
    assert verdict(judge_one(0.9, [0.92] * k, margin=margin)) == expected


def test_a_fine_value_that_stays_is_deterministic(judge_one):
    found = judge_one(0.9, [0.9271828182845] * 3, margin=0.01)
    assert verdict(found) == (Verdict.NOT_REPRODUCED, "deterministic")


def test_a_difference_that_is_proven_exact_has_no_interval(
    build_question, build_rule, build_trials
):
    history = [0.31, 0.57, 0.72, 0.88, 0.92]
    question = build_question({"a": [*history[:-1], 0.9]}, build_rule("a", margin=0.01))
    found = judge(question, build_trials({"a": history}, {"a": history}))
    assert verdict(found) == (Verdict.NOT_REPRODUCED, "deterministic")
    assert found.comparisons[0].interval is None


def test_a_margin_is_inclusive_in_decimals(judge_one):
    assert 0.95 - 0.945 > 0.005
    assert judge_one(0.95 + 1e-8, [0.945 + 1e-8] * 5, margin=0.005).verdict is Verdict.REPRODUCED


def test_a_value_that_stays_needs_a_margin_or_the_same_machine_to_be_rejected(judge_one):
    assert verdict(judge_one(0.9, [0.92] * 5)) == (Verdict.INCONCLUSIVE, "shift_detected")
    assert verdict(judge_one(0.9, [0.92] * 5, seeds="fresh"))[0] is Verdict.INCONCLUSIVE
    assert judge_one(0.9, [0.92] * 5, same_machine=True).verdict is Verdict.NOT_REPRODUCED


def test_a_resolution_gives_the_spread_that_the_grid_hides(judge_one):
    found = judge_one(0.9, [0.91] * 5, margin=0.012, resolution=0.01)
    assert verdict(found)[0] is Verdict.INCONCLUSIVE
    assert judge_one(0.9, [0.91] * 5, margin=0.02, resolution=0.01).verdict is Verdict.REPRODUCED
    far = judge_one(0.9, [0.5] * 5, margin=0.02, resolution=0.01)
    assert verdict(far) == (Verdict.NOT_REPRODUCED, "outside")


# --- values that are no numbers -----------------------------------------------------------


@pytest.mark.parametrize(
    ("original", "reruns", "expected"),
    [
        (NAN, [NAN] * 3, (Verdict.IDENTICAL, "non_finite")),
        (1.7976931348623157e308, [INF] * 3, (Verdict.IDENTICAL, "non_finite")),
        (INF, [INF, -INF, INF], (Verdict.NOT_COMPARABLE, "non_finite")),
        (NAN, [0.9, 0.91, 0.92], (Verdict.NOT_COMPARABLE, "non_finite")),
        (0.9, [NAN, INF, NAN], (Verdict.NOT_REPRODUCED, "non_finite")),
        (0.9, [1.7976931348623157e308] * 3, (Verdict.NOT_REPRODUCED, "non_finite")),
        (0.9, [NAN, NAN], (Verdict.INCONCLUSIVE, "too_few")),
        (0.9, [0.9, NAN, 0.9, 0.9, 0.9], (Verdict.INCONCLUSIVE, "unstable")),
        (0.9, [0.9, NAN, NAN], (Verdict.INCONCLUSIVE, "unstable")),
    ],
)
def test_non_finite_values(judge_one, original, reruns, expected):
    assert verdict(judge_one(original, reruns, margin=0.5)) == expected


def test_finite_reruns_beside_others_can_still_be_rejected(judge_one):
    found = judge_one(2.0, [*NOISY, NAN], margin=0.01).comparisons[0]
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert "1 of 6 reruns ended in a non-finite value" in found.sentence


def test_a_run_without_a_seed_is_not_excused_by_the_same_seed(judge_one):
    """Its reruns vary as it does: another machine is no better explanation than for any run."""
    assert judge_one(1.6, NOISY).verdict is Verdict.INCONCLUSIVE
    assert judge_one(1.6, NOISY, seeded=False).verdict is Verdict.NOT_REPRODUCED
