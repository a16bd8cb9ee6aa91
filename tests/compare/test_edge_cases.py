"""Every row of the specification's table of edge cases, and what was once judged wrongly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from scipy import stats

from reprocheck.compare import check_margins, judge
from reprocheck.compare.sample import summarise
from reprocheck.errors import ConfigError
from reprocheck.model import (
    Change,
    Condition,
    DeclaredMargin,
    Direction,
    MarginSource,
    MetricRule,
    RerunPlan,
    Scale,
    Sibling,
    Sigma,
    Verdict,
    Width,
)

NAN, INF = math.nan, math.inf
NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]
COLLAPSED = Condition(operator="<", value=0.5)
CURVE = [0.9, 0.72, 0.56, 0.49, 0.47]


def rule(absolute=None, relative=None, **given):
    declared = None
    if absolute or relative:
        declared = DeclaredMargin(
            absolute=Width.both(absolute) if absolute else None,
            relative=Width.both(relative) if relative else None,
            source="--margin",
        )
    return MetricRule(metric="accuracy", margin=declared, **given)


@pytest.fixture(scope="session")
def ask(build_question, build_trials, build_metrics):
    """The comparison of one metric by any rule, after all reruns of a fixed plan."""

    def compare(original, reruns, declared=None, baselines=(), siblings=(), **given):
        question = build_question(
            {"accuracy": original},
            declared or rule(),
            reruns=len(reruns),
            baselines=tuple(build_metrics({"accuracy": value}) for value in baselines),
            siblings=tuple(
                Sibling(run_id=str(i), metrics={"accuracy": x}) for i, x in enumerate(siblings)
            ),
            **given,
        )
        trials = build_trials(*({"accuracy": value} for value in reruns))
        return judge(question, trials).comparisons[0]

    return compare


def told(comparison):
    return comparison.verdict, comparison.reason


# --- reruns that do not vary --------------------------------------------------------------


def test_no_spread_and_equal_to_the_original_is_on_the_ladder(ask):
    assert told(ask(0.9, [0.9] * 3)) == (Verdict.IDENTICAL, "bits")
    assert told(ask(0.7, [0.7 + 1e-13] * 3)) == (Verdict.NUMERICALLY_EQUAL, "tolerance")


@pytest.mark.parametrize(
    ("margin", "expected"), [(0.05, Verdict.REPRODUCED), (0.01, Verdict.NOT_REPRODUCED)]
)
def test_a_proven_offset_is_judged_by_its_size_after_two_reruns(ask, margin, expected):
    found = ask(0.5, [CURVE] * 2, rule(margin))
    assert told(found) == (expected, "deterministic")


@pytest.mark.parametrize(
    ("k", "expected"), [(4, Verdict.INCONCLUSIVE), (5, Verdict.NOT_REPRODUCED)]
)
def test_a_coarse_value_that_stays_needs_five_reruns(ask, k, expected):
    assert ask(0.9, [0.92] * k, rule(0.01)).verdict is expected


def test_a_coarse_value_that_stays_is_no_proof_of_an_offset(ask):
    """Rounded to two decimals, three reruns of a noisy metric are often equal."""
    assert told(ask(0.9, [0.92] * 3, rule(0.02)))[0] is Verdict.INCONCLUSIVE
    found = ask(0.9, [0.92] * 3, rule(0.03))
    half = 2.919985580 * 0.01 / math.sqrt(12) / math.sqrt(3)  # t(.95, 2)
    assert found.interval.high - found.difference == pytest.approx(half, rel=1e-9)
    assert told(found) == (Verdict.REPRODUCED, "equivalent")


def test_a_known_resolution_gives_the_floor_of_the_spread(ask):
    found = ask(0.9, [0.92] * 5, rule(0.05, resolution=0.01))
    half = 2.131846786 * 0.01 / math.sqrt(12) / math.sqrt(5)  # t(.95, 4)
    assert found.interval.high - found.difference == pytest.approx(half, rel=1e-9)


def test_counts_have_the_floor_of_an_integer(ask):
    found = ask(12.0, [14.0] * 5, rule(8.0))
    half = 2.131846786 / math.sqrt(12) / math.sqrt(5)
    assert found.interval.high - found.difference == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize("given", [{"baselines": [0.9, 0.9]}, {"siblings": [0.9, 0.9, 0.9]}])
def test_reruns_noisier_than_equal_originals_are_told(ask, given):
    found = ask(0.9, NOISY, rule(0.1), **given)
    assert found.verdict is Verdict.REPRODUCED
    assert any("nondeterminism was introduced" in note for note in found.notes)


def test_equal_siblings_give_no_margin(ask):
    assert ask(0.9, NOISY, siblings=[0.9] * 4).margin is None


def test_two_sides_that_do_not_vary_differ_by_an_exact_number(ask):
    found = ask(0.5123456789, [0.7123456789] * 5, rule(0.1), baselines=[0.5123456789] * 2)
    assert told(found) == (Verdict.NOT_REPRODUCED, "deterministic")


def test_a_proven_offset_beside_originals_that_vary_is_no_exact_number(ask):
    originals = [0.47, 0.63]  # with the original 0.5: mean 0.533, sd 0.085
    near = ask(0.5, [[*CURVE, 0.51]] * 2, rule(0.03), baselines=originals)
    assert told(near) == (Verdict.INCONCLUSIVE, "noise")
    assert "only more originals would" in near.sentence
    inside = ask(0.5, [[*CURVE, 0.51]] * 2, rule(0.3), baselines=originals)
    assert inside.verdict is Verdict.REPRODUCED
    apart = ask(0.5, [[*CURVE, 1.13]] * 2, rule(0.03), baselines=originals)
    assert apart.verdict is Verdict.INCONCLUSIVE  # two copies are one draw: t = 6.1, 2 df
    far = ask(0.5, [[*CURVE, 3.5]] * 2, rule(0.03), baselines=originals)
    assert told(far) == (Verdict.NOT_REPRODUCED, "outside")


def test_originals_that_vary_much_more_than_the_reruns_widen_the_interval(ask):
    reruns = [0.9121, 0.9122, 0.912, 0.9121, 0.9123, 0.912, 0.9122, 0.9121]
    found = ask(0.9, reruns, rule(0.03), baselines=[0.93])
    error = math.hypot(0.015, 0.0)  # sd of 0.90 and 0.93 over the root of 2
    assert found.interval.high - found.difference > 6 * error  # t(.95, 1) = 6.31
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_spread_known_from_elsewhere_needs_no_second_interval(ask):
    known = rule(0.03, sigma=Sigma(value=0.01, freedom=1_000_000))
    reruns = [0.9121, 0.9122, 0.912, 0.9121, 0.9123, 0.912, 0.9122, 0.9121]
    found = ask(0.9, reruns, known, baselines=[0.93])
    half = 1.644854 * 0.01 * math.sqrt(1 / 2 + 1 / 8)
    assert found.interval.high - found.difference == pytest.approx(half, rel=1e-4)


def test_several_originals_are_told_by_their_mean(ask):
    found = ask(0.95, [0.9, 0.905, 0.91, 0.902, 0.908], rule(0.005), baselines=[0.951, 0.949])
    assert found.sentence.startswith("The mean 0.95 of 3 originals lies outside what rerunning")


# --- values that are no numbers -----------------------------------------------------------


def test_reruns_that_all_are_no_numbers_are_not_reproduced(ask):
    found = ask(0.9, [NAN, INF, NAN], rule(0.1))
    assert told(found) == (Verdict.NOT_REPRODUCED, "non_finite")


def test_some_reruns_that_are_no_numbers_are_never_reproduced(ask):
    found = ask(0.922, [*NOISY, NAN], rule(0.2))
    assert told(found) == (Verdict.INCONCLUSIVE, "unstable")
    assert "1 of 6 reruns ended in a non-finite value" in found.sentence
    assert "0.421 % to 64.1 %" in found.sentence  # Clopper and Pearson's interval of 1 in 6


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_an_original_that_is_no_number_is_only_equal_to_its_like(ask, value):
    assert told(ask(value, [value] * 3)) == (Verdict.IDENTICAL, "non_finite")
    assert told(ask(value, [value, 1.0, value])) == (Verdict.NOT_COMPARABLE, "non_finite")
    assert told(ask(value, [-value, -value, 0.0])) == (Verdict.NOT_COMPARABLE, "non_finite")


# --- trials -------------------------------------------------------------------------------


def test_a_crash_after_a_finished_trial_is_unstable(ask):
    assert told(ask(0.922, NOISY, rule(0.2), unstable=True)) == (Verdict.INCONCLUSIVE, "unstable")


@pytest.mark.parametrize("done", [2, 3])
def test_the_budget_for_all_trials_ends_undecided(build_question, build_trials, done):
    question = build_question({"accuracy": 0.922}, rule(0.001), over_budget=True)
    found = judge(question, build_trials(*({"accuracy": x} for x in NOISY[:done])))
    assert found.stopped_by == "budget"
    assert told(found.comparisons[0]) == (Verdict.INCONCLUSIVE, "budget")


def test_a_metric_missing_in_the_reruns_fails_and_a_new_one_is_shown(build_question, build_trials):
    found = judge(build_question({"a": 1.0}, reruns=3), build_trials(*[{"b": 1.0}] * 3))
    assert [each.verdict for each in found.comparisons] == [
        Verdict.NOT_COMPARABLE,
        Verdict.INFORMATIONAL,
    ]


# --- kinds of metrics ---------------------------------------------------------------------


def test_the_printed_interval_of_a_proportion_ends_at_its_bounds(ask):
    found = ask(0.9, [1.0, 0.8, 0.9], rule(test_size=100))
    assert (found.interval.low, found.interval.high) == pytest.approx((-0.168585, 0.1), abs=1e-6)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_near_a_bound_the_examples_are_counted(ask):
    found = ask(0.99, [0.98, 0.97, 0.99, 0.98, 0.99], rule(0.04, test_size=100))
    # Clopper and Pearson's 90 % interval of 9 errors in 500.
    assert found.interval.low == pytest.approx(-0.0212, abs=1e-4)
    assert found.interval.high == pytest.approx(0.00058, abs=1e-5)
    assert found.verdict is Verdict.REPRODUCED
    assert "errors are independent is assumed" in found.notes[0]


def test_the_prediction_near_a_bound_is_of_an_original(ask):
    found = ask(0.99, [0.9, 0.91, 0.9, 0.92, 0.9], rule(test_size=100))
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert found.prediction.low == pytest.approx(0.84)
    assert found.prediction.high == pytest.approx(0.96)
    for original in (0.97, 0.98, 1.0):  # outside: the test for a difference rejects
        inside = ask(original, [0.9, 0.91, 0.9, 0.92, 0.9], rule(test_size=100))
        assert inside.p_difference <= 0.05


def test_near_a_bound_the_reruns_needed_are_counted_too(ask):
    found = ask(0.99, [0.98, 0.97, 0.99, 0.98, 0.99], rule(test_size=100))
    assert (found.verdict, found.reruns_needed) == (Verdict.INCONCLUSIVE, 7)
    assert "about 7 reruns would" in found.sentence  # by Student's t six would
    limits = [stats.binomtest(b, n).proportion_ci(0.9).high for b, n in ((11, 600), (13, 700))]
    assert limits[0] > 0.03 > limits[1]


def test_errors_that_come_together_are_told(ask):
    found = ask(0.99, [0.99, 0.9, 0.99, 0.99, 0.9], rule(test_size=100))
    assert any("more than twice what independent errors let expect" in x for x in found.notes)


def test_a_selected_original_hides_larger_differences(ask):
    chosen, plain = (ask(0.95, NOISY, rule(0.02, best_of=n)).detectable for n in (10, None))
    assert chosen > 1.2 * plain


def test_spreads_beyond_comparison_are_told(ask):
    found = ask(0.9, [1e300, 2e300, 3e300], rule(0.1), baselines=[0.91])
    assert any("beyond comparison" in note for note in found.notes)


def test_a_perfect_score_that_stays_is_identical(ask):
    assert ask(1.0, [1.0] * 3, rule(test_size=100)).verdict is Verdict.IDENTICAL


def test_under_scale_log_everything_is_a_factor(ask):
    declared = rule(relative=0.1, scale=Scale.LOG, direction=Direction.LOWER)
    found = ask(20.0, [20.4, 19.8, 20.9], declared)
    assert found.margin.low == found.margin.high == math.log1p(0.1)
    ratios = [math.log(x / 20) for x in (20.4, 19.8, 20.9)]
    assert found.difference == pytest.approx(sum(ratios) / 3)
    assert found.verdict is Verdict.REPRODUCED
    other = ask(2e4, [2.04e4, 1.98e4, 2.09e4], declared)
    assert other.p_equivalence == pytest.approx(found.p_equivalence)


def test_a_value_without_a_logarithm_is_a_failure(ask):
    found = ask(3.0, [3.1, 0.0, 2.95, 3.02], rule(relative=0.2, scale=Scale.LOG))
    assert told(found) == (Verdict.INCONCLUSIVE, "unstable")
    assert "or one without a logarithm" in found.sentence


def test_a_collapsed_rerun_caps_the_verdict(ask):
    found = ask(0.92, [*NOISY, 0.1], rule(0.2, failure_if=COLLAPSED))
    assert told(found) == (Verdict.INCONCLUSIVE, "unstable")
    assert "1 of 6 reruns failed (< 0.5)" in found.sentence


def test_collapses_that_the_originals_have_too_are_the_recipes(ask):
    declared = rule(0.2, failure_if=COLLAPSED)
    found = ask(0.92, [*NOISY, 0.1], declared, baselines=[0.91, 0.1, 0.93])
    assert found.verdict is Verdict.REPRODUCED
    gone = ask(0.92, [*NOISY, NAN], declared, baselines=[0.91, 0.1, 0.93])
    assert gone.verdict is Verdict.INCONCLUSIVE  # NaN is none that the condition describes


def test_more_collapses_than_the_originals_have_are_a_change_for_the_worse(ask):
    declared = rule(0.2, failure_if=COLLAPSED)
    originals = [0.91, 0.93, 0.92, 0.9, 0.915, 0.92, 0.925]
    found = ask(0.92, [0.92, *[0.1] * 5], declared, baselines=originals)
    assert (found.verdict, found.reason, found.change) == (
        Verdict.NOT_REPRODUCED,
        "failures",
        Change.WORSE,
    )


def test_reruns_that_all_collapse_are_judged_beside_the_collapses_of_the_originals(ask):
    declared = rule(0.2, failure_if=COLLAPSED)
    assert ask(0.92, [0.1] * 5, declared).verdict is Verdict.NOT_REPRODUCED
    few = ask(0.92, [0.1] * 4, declared)  # half the runs may collapse: 6 % of the time all four
    assert told(few) == (Verdict.INCONCLUSIVE, "unstable")
    found = ask(0.92, [0.1] * 5, declared, baselines=[0.1, 0.2, 0.1, 0.3])
    assert told(found) == (Verdict.INCONCLUSIVE, "unstable")


def test_a_collapsed_sibling_does_not_widen_the_margin(ask):
    given = {"siblings": [0.92, 0.93, 0.91, 0.1]}
    found = ask(0.92, NOISY, rule(failure_if=COLLAPSED), **given)
    assert found.margin.source is MarginSource.SIBLINGS
    assert found.margin.high == pytest.approx(2.8 * 0.01)
    assert ask(0.92, NOISY, **given).margin.high > 1


def test_an_original_that_failed_itself_is_not_comparable(ask):
    found = ask(0.1, NOISY, rule(failure_if=COLLAPSED))
    assert told(found) == (Verdict.NOT_COMPARABLE, "failures")


def test_without_a_direction_a_metric_only_changes(ask):
    assert ask(0.99, NOISY, rule(0.01)).change is Change.CHANGED


def test_the_better_is_not_reproduced_either(ask):
    found = ask(0.85, NOISY, rule(0.01, direction=Direction.HIGHER))
    assert (found.verdict, found.change) == (Verdict.NOT_REPRODUCED, Change.BETTER)
    one_sided = rule(0.01, direction=Direction.HIGHER, noninferiority=True)
    assert ask(0.85, NOISY, one_sided).verdict is Verdict.NOT_WORSE


@pytest.mark.parametrize("name", ["latency_ms", "gpu.0.memory", "_runtime", "system/cpu", "fps"])
def test_what_the_hardware_does_is_judged_on_the_same_only(build_question, build_trials, name):
    trials = build_trials(*[{name: 1.0}] * 3)
    assert judge(build_question({name: 1.0}, reruns=3), trials).verdict is Verdict.NOT_COMPARABLE
    same = build_question({name: 1.0}, reruns=3, same_machine=True)
    assert judge(same, trials).verdict is Verdict.IDENTICAL


@pytest.mark.parametrize("reruns", [[0.5001], [0.5001, 0.52]])
def test_one_or_two_reruns_need_a_known_spread(ask, reruns):
    assert told(ask(0.5, reruns, rule(0.3))) == (Verdict.INCONCLUSIVE, "too_few")
    known = rule(0.3, sigma=Sigma(value=0.02, freedom=1_000_000))
    assert told(ask(0.5, reruns, known)) == (Verdict.CONSISTENT, "known_noise")
    far = [x + 0.07 for x in reruns]
    assert told(ask(0.5, far, known)) == (Verdict.INCONCLUSIVE, "too_few")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (rule(-0.1), "must be a number above 0"),
        (rule(0.001, resolution=0.01), "below its resolution"),
        (rule(0.001, test_size=100), "below its resolution"),
        (rule(0.1, scale=Scale.LOG), "is absolute"),
        (rule(scale=Scale.LOG, test_size=100), "a proportion is not judged on scale: log"),
    ],
)
def test_a_margin_that_cannot_be_meant_is_a_config_error(build_metrics, declared, message):
    with pytest.raises(ConfigError, match=message):
        check_margins({"accuracy": declared}, build_metrics({"accuracy": 0.9}))


def test_a_huge_offset_costs_no_digits():
    values = [1e7 + x for x in (0.2, 0.1, 0.3)]
    assert summarise(values, values).sd == pytest.approx(0.1, rel=1e-8)


# --- plans --------------------------------------------------------------------------------


def test_without_a_margin_a_plan_with_looks_has_one(build_question, build_trials):
    question = replace(build_question({"accuracy": 0.915}), plan=RerunPlan())
    reruns = [{"accuracy": x} for x in NOISY]
    assert not judge(question, build_trials(*reruns[:4])).decided
    found = judge(question, build_trials(*reruns))
    assert (found.decided, found.verdict) == (True, Verdict.CONSISTENT)
