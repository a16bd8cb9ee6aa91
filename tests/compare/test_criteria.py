from __future__ import annotations

import math

import numpy as np
import pytest

from reprocheck.compare.criteria import check_criteria, judge_criteria
from reprocheck.errors import ConfigError
from reprocheck.model import Condition, MetricRule, Outcome, Require, Scale

MEETS, MISSES, UNDECIDED = Outcome.MEETS, Outcome.MISSES, Outcome.UNDECIDED


def rule(least=None, most=None, **given):
    given = {"metric": "accuracy", "place": "reprocheck.yaml:4", **given}
    return MetricRule(least=least, most=most, **given)


def judged(values, least=None, most=None, alpha=0.05, proven=False, **given):
    [result] = judge_criteria(rule(least, most, **given), values, alpha=alpha, proven=proven)
    return result


def test_without_a_criterion_there_is_no_result():
    assert judge_criteria(rule(), [0.9, 0.91], alpha=0.05, proven=False) == ()


@pytest.mark.parametrize(
    ("values", "unlogged", "told"),
    [([], 5, "5 of 5 reruns did not log it"), ([0.95] * 5, 1, "1 of 6 reruns did not log it")],
)
def test_what_a_rerun_did_not_log_is_undecided(values, unlogged, told):
    [result] = judge_criteria(rule(0.9), values, alpha=0.05, proven=False, unlogged=unlogged)
    assert result.outcome is UNDECIDED
    assert result.sentence.endswith(f"is undecided: {told}.")


def test_both_bounds_have_their_results():
    results = judge_criteria(rule(0.8, 0.9), [0.91, 0.92, 0.915], alpha=0.05, proven=False)
    assert [(each.bound, each.outcome) for each in results] == [("min", MEETS), ("max", MISSES)]


def test_the_limit_is_the_one_sided_t_bound():
    result = judged([0.91, 0.92, 0.915], least=0.9)
    # 0.915 - t(0.95; 2) 0.005 / sqrt 3, with t(0.95; 2) = 2.919986 of the tables
    assert result.limit == pytest.approx(0.915 - 2.9199855803537 * 0.005 / math.sqrt(3), rel=1e-12)
    assert result.level == pytest.approx(95)
    assert result.sentence == (
        "accuracy meets its criterion min 0.9: the reruns average 0.915, at least 0.906571 "
        "with 95 % confidence."
    )


@pytest.mark.parametrize(
    ("bound", "outcome", "told"),
    [
        ({"least": 0.91}, UNDECIDED, "at least 0.906571 and at most 0.923429, each with 95 %"),
        ({"least": 0.93}, MISSES, "at most 0.923429 with 95 % confidence"),
        ({"most": 0.93}, MEETS, "at most 0.923429 with 95 % confidence"),
        ({"most": 0.91}, UNDECIDED, "at least 0.906571 and at most 0.923429, each with 95 %"),
        ({"most": 0.9}, MISSES, "at least 0.906571 with 95 % confidence"),
    ],
)
def test_a_bound_on_the_right_side_decides(bound, outcome, told):
    result = judged([0.91, 0.92, 0.915], **bound)
    assert result.outcome is outcome
    assert told in result.sentence
    assert (result.limit is None) == (outcome is UNDECIDED)


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([], UNDECIDED),
        ([0.95], UNDECIDED),
        ([math.nan], UNDECIDED),
        ([0.95, math.nan], UNDECIDED),
        ([math.nan, math.inf], MISSES),
        ([0.95, 0.951, 0.952, math.nan], UNDECIDED),
        ([0.85, 0.851, 0.852, math.nan], MISSES),
        ([0.95, 0.951, 0.952, 1.7976931348623157e308], UNDECIDED),  # as a SQL store keeps infinity
    ],
)
def test_a_rerun_that_is_no_number_never_meets(values, outcome):
    assert judged(values, least=0.9).outcome is outcome


def test_a_collapsed_rerun_never_meets():
    condition = Condition(operator="<", value=0.5)
    result = judged([0.95, 0.951, 0.952, 0.1], least=0.9, failure_if=condition)
    assert result.outcome is UNDECIDED
    assert result.mean == pytest.approx(0.951)
    assert "1 of 4 reruns collapsed" in result.sentence
    assert judged([0.1, 0.2], least=0.9, failure_if=condition).outcome is MISSES


@pytest.mark.parametrize(
    ("values", "outcome"),
    [([0.9], MEETS), ([0.9, 0.9], MEETS), ([0.8999], MISSES), ([math.nan], MISSES)],
)
def test_a_proven_value_decides_itself(values, outcome):
    result = judged(values, least=0.9, proven=True)
    assert result.outcome is outcome
    assert "without any noise" in result.sentence


def test_a_proven_collapse_misses():
    condition = Condition(operator=">", value=0.9)
    assert judged([0.95], least=0.9, failure_if=condition, proven=True).outcome is MISSES


@pytest.mark.parametrize(
    ("count", "given", "outcome"),
    [
        (4, {}, UNDECIDED),
        (5, {}, MEETS),
        (3, {"resolution": 0.001}, MEETS),
        (3, {"resolution": 0.1}, UNDECIDED),
        (3, {"test_size": 1000}, MEETS),
        (3, {"test_size": 10}, UNDECIDED),
    ],
)
def test_equal_values_without_a_known_resolution_need_five(count, given, outcome):
    assert judged([0.95] * count, least=0.94, **given).outcome is outcome


def test_near_the_end_of_a_proportion_examples_are_counted():
    result = judged([1.0, 1.0, 1.0], least=0.985, test_size=100)
    assert result.limit == pytest.approx(0.05 ** (1 / 300))  # of 300 right ones in 300
    spread = judged([1.0, 1.0, 0.95], least=0.5, test_size=100)
    assert spread.limit < 0.95  # far more spread than counting allows for: t is more cautious


def test_on_scale_log_the_geometric_mean_is_judged():
    values = [1.0, 10.0, 100.0]
    result = judged(values, most=1e5, scale=Scale.LOG)
    assert result.mean == pytest.approx(10)
    half = 2.9199855803537 * math.log(10) / math.sqrt(3)
    assert result.limit == pytest.approx(10 * math.exp(half))
    assert judged([-1.0, *values], most=1e5, scale=Scale.LOG).outcome is UNDECIDED
    coarse = judged([100.0] * 3, most=105.0, scale=Scale.LOG, resolution=1.0)
    assert coarse.limit == pytest.approx(100 * math.exp(2.9199855803537 * 0.01 / 6))


@pytest.mark.parametrize("x", [5e-324, 1e308, -1e308, 0.0])
def test_no_value_is_too_large_or_small(x):
    for scale in Scale:
        assert judge_criteria(
            rule(x, x, scale=scale), [x, -x, x / 2, 1.0], alpha=0.05, proven=False
        )


def test_a_threshold_is_told_apart_from_a_limit_next_to_it():
    result = judged([0.90000001] * 5, least=0.9)
    assert "at least 0.90000001 with" in result.sentence


@pytest.mark.parametrize("bound", ["least", "most"])
@pytest.mark.parametrize("reruns", [3, 8])
def test_at_the_threshold_it_errs_at_its_level(bound, reruns):
    """A mean on the threshold itself: either answer is given in 5 %; 5000 runs, ±3.3 SE."""
    drawn = np.random.default_rng([20261121, reruns]).standard_normal((5000, reruns))
    outcomes = [judged(values, **{bound: 0.0}).outcome for values in drawn.tolist()]
    for wrong in (MEETS, MISSES):
        assert 4.0 <= 100 * outcomes.count(wrong) / 5000 <= 6.0


def test_near_the_end_of_a_proportion_it_errs_less_than_its_level():
    counts = np.random.default_rng(20261121).binomial(200, 0.99, (3000, 3))
    outcomes = [judged((row / 200).tolist(), least=0.99, test_size=200).outcome for row in counts]
    assert 100 * outcomes.count(MEETS) / 3000 <= 6.3
    assert 100 * outcomes.count(MISSES) / 3000 <= 6.3


def test_a_criterion_on_an_unknown_metric_is_refused(build_metrics):
    with pytest.raises(ConfigError) as caught:
        check_criteria(
            {"acuracy": rule(0.9, metric="acuracy")},
            build_metrics({"accuracy": 0.9}),
            Require.CONSISTENT,
        )
    assert caught.value.message.startswith("reprocheck.yaml:4: acuracy")
    assert "accuracy" in caught.value.hint


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (rule(math.nan), "is no number"),
        (rule(most=math.inf), "is no number"),
        (rule(0.0, scale=Scale.LOG), "does not fit scale: log"),
    ],
)
def test_a_criterion_that_cannot_be_meant_is_refused(build_metrics, declared, message):
    with pytest.raises(ConfigError, match=message):
        check_criteria({"accuracy": declared}, build_metrics({"accuracy": 0.9}), Require.CONSISTENT)


def test_required_criteria_must_be_declared(build_metrics):
    metrics = build_metrics({"accuracy": 0.9})
    with pytest.raises(ConfigError, match="no metric has one"):
        check_criteria({"accuracy": rule()}, metrics, Require.CRITERIA)
    check_criteria({"accuracy": rule(0.5)}, metrics, Require.CRITERIA)
    check_criteria({}, metrics, Require.CONSISTENT)
