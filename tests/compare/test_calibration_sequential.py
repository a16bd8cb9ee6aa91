"""Error rates of the decision rule, STATISTICS section 7: 2000 simulated runs a bar, fixed seeds.

Each bar stands beside a naive rule that it has to fail, so that no bar is too wide to tell.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reprocheck.compare.paths import decide_paths
from reprocheck.model import RerunPlan, Verdict

RUNS = 2000
SEQUENTIAL = RerunPlan(least=3, most=8)


def fixed(reruns):
    return RerunPlan(least=reruns, most=reruns)


def normal(generator, shape):
    return generator.standard_normal(shape)


def t3(generator, shape):
    return generator.standard_t(3, shape) / np.sqrt(3)


def lognormal(generator, shape):
    """Skewness 1.75."""
    mean, variance = np.exp(0.125), (np.exp(0.25) - 1) * np.exp(0.25)
    return (np.exp(0.5 * generator.standard_normal(shape)) - mean) / np.sqrt(variance)


def collapse(generator, shape):
    """One seed in ten collapses by 6 standard deviations of the others."""
    collapsed = generator.random(shape) < 0.1
    return (generator.standard_normal(shape) - 6 * collapsed) / np.sqrt(1 + 36 * 0.09)


def draw(seed, k, n=1, law=normal):
    """Originals and k reruns of an honest process with standard deviation 1."""
    generator = np.random.default_rng([20261121, seed, k, n])
    return law(generator, (RUNS, n)), law(generator, (RUNS, k))


def correlated(seed, k, metrics=5):
    """Originals and reruns of honest runs with metrics that correlate by 0.5."""
    generator = np.random.default_rng([20261121, seed, k])
    common = generator.standard_normal((RUNS, k + 1, 1))
    drawn = np.sqrt(0.5) * (common + generator.standard_normal((RUNS, k + 1, metrics)))
    return drawn[:, 0], drawn[:, 1:]


def percent(drawn, plan, margin, verdict):
    return 100 * decide_paths(*drawn, plan, margin).share(verdict)


def shares(drawn, plan, margin):
    """REPRODUCED and NOT_REPRODUCED in percent, and the mean number of reruns."""
    outcomes = decide_paths(*drawn, plan, margin)
    reproduced, rejected = Verdict.REPRODUCED, Verdict.NOT_REPRODUCED
    return (
        100 * outcomes.share(reproduced),
        100 * outcomes.share(rejected),
        outcomes.reruns.mean(),
    )


def alarms(drawn, plan):
    """Rejections in percent with a margin of 0, where the prediction test alone decides."""
    return percent(drawn, plan, 0.0, Verdict.NOT_REPRODUCED)


def peeking(drawn, looks, margin):
    """The same tests at an unspent 5 % at each look: REPRODUCED %, and the mean of the reruns."""
    found = [decide_paths(*drawn, fixed(k), margin).verdicts for k in looks]
    reproduced = np.array([codes == 1 for codes in found])
    decided = np.array([codes != 0 for codes in found])
    ended = np.where(decided.any(axis=0), looks[0] + decided.argmax(axis=0), looks[-1])
    first = np.where(decided.any(axis=0), decided.argmax(axis=0), len(looks) - 1)
    return 100 * reproduced[first, np.arange(len(first))].mean(), ended.mean()


def naive_t_alarms(drawn):
    """A one-sample t-test that takes the original for a number without noise."""
    originals, reruns = drawn
    return 100 * np.mean(stats.ttest_1samp(reruns, originals, axis=1).pvalue < 0.05)


def naive_reproductions(drawn):
    """Taking the absence of a significant difference for reproduction."""
    originals, reruns = drawn
    k = reruns.shape[1]
    error = reruns.std(axis=1, ddof=1) * np.sqrt(1 + 1 / k)
    t = abs(reruns.mean(axis=1) - originals[:, 0]) / error
    return 100 * np.mean(2 * stats.t.sf(t, k - 1) > 0.05)


def shifted(drawn, shift):
    return drawn[0], drawn[1] + shift


def at_the_margin(drawn, side=1, margin=2.8):
    """Original values that are numbers without luck, at the margin's end from the process."""
    return np.zeros_like(drawn[0]), drawn[1] + side * margin


# --- one original, fixed plans ------------------------------------------------------------


@pytest.mark.parametrize("k", [3, 5, 8, 10])
def test_the_prediction_test_has_its_level(k):
    drawn = draw(1, k)
    assert 3.4 <= alarms(drawn, fixed(k)) <= 6.6
    assert naive_t_alarms(drawn) > 15  # 17 % at k = 3, 32 % at k = 5


@pytest.mark.parametrize(("n", "k"), [(2, 3), (2, 10), (3, 5), (5, 5)])
def test_the_pooled_prediction_test_has_its_level(n, k):
    assert 3.4 <= alarms(draw(2, k, n), fixed(k)) <= 6.6


def test_welchs_test_would_alarm_too_often_with_two_originals():
    originals, reruns = draw(2, 10, 2)
    welch = stats.ttest_ind(reruns, originals, axis=1, equal_var=False).pvalue
    assert 100 * np.mean(welch < 0.05) > 8  # 10 %


@pytest.mark.parametrize("k", [3, 5, 8, 10])
@pytest.mark.parametrize("side", [-1, 1])
def test_equivalence_has_its_size_at_the_margin(k, side):
    drawn = at_the_margin(draw(3 + side, k), side)
    assert 3.4 <= percent(drawn, fixed(k), 2.8, Verdict.REPRODUCED) <= 6.6
    assert np.mean(abs(drawn[1].mean(axis=1)) < 2.8) > 0.45  # by the point estimate


@pytest.mark.parametrize(("margin", "low", "high"), [(2.8, 88, 92.5), (2.0, 63, 70)])
def test_honest_runs_are_reproduced(margin, low, high):
    drawn = draw(5, 5)
    assert low <= percent(drawn, fixed(5), margin, Verdict.REPRODUCED) <= high
    assert not low <= naive_reproductions(drawn) <= high  # 95 %, whatever the margin


@pytest.mark.parametrize(("margin", "low", "high"), [(2.8, 0.0, 0.5), (2.0, 0.3, 1.9)])
def test_honest_runs_are_hardly_ever_rejected(margin, low, high):
    drawn = draw(6, 5)
    assert low <= percent(drawn, fixed(5), margin, Verdict.NOT_REPRODUCED) <= high
    assert alarms(drawn, fixed(5)) > high  # 5 %: the prediction test without the margin


def test_a_shift_of_6_sd_is_found():
    drawn = shifted(draw(7, 5), 6.0)
    reproduced, rejected, _ = shares(drawn, fixed(5), 2.8)
    assert rejected >= 95
    assert reproduced <= 0.3
    # A rank among five reruns has p >= 1/6: it never rejects. And 1.8 % are "not different".
    assert naive_reproductions(drawn) > 0.3


def test_a_process_shifted_by_the_margin_is_called_either_way_alike():
    drawn = shifted(draw(8, 5), 2.8)
    reproduced, rejected, _ = shares(drawn, fixed(5), 2.8)
    assert 18.5 <= reproduced <= 24.5
    assert 18.5 <= rejected <= 24.5
    assert naive_reproductions(drawn) > 45


def test_no_evidence_of_a_difference_is_not_taken_for_equivalence():
    drawn = shifted(draw(9, 3), 5.0)
    assert percent(drawn, fixed(3), 2.8, Verdict.REPRODUCED) <= 2
    assert naive_reproductions(drawn) > 30  # 38 %


# --- without a margin ---------------------------------------------------------------------


def test_without_a_margin_honest_runs_are_rarely_rejected():
    drawn = draw(10, 5)
    assert 0.3 <= percent(drawn, fixed(5), None, Verdict.NOT_REPRODUCED) <= 1.8
    assert alarms(drawn, fixed(5)) > 3.4  # at 5 % instead of 1 %


@pytest.mark.parametrize("k", [5, 8, 10])
def test_consistency_has_its_size_at_2_8_sd(k):
    drawn = at_the_margin(draw(11, k))
    assert 3.4 <= percent(drawn, fixed(k), None, Verdict.CONSISTENT) <= 6.6
    reruns = drawn[1]
    ratio = abs(reruns.mean(axis=1)) / reruns.std(axis=1, ddof=1)
    # 2.8 times the estimated spread as if it were known: 9 to 15 %
    plugged_in = 2.8 - stats.t.ppf(0.95, k - 1) / np.sqrt(k)
    assert 100 * np.mean(ratio < plugged_in) > 8


# --- several looks ------------------------------------------------------------------------


@pytest.mark.parametrize("most", [5, 8, 10])
@pytest.mark.parametrize("side", [-1, 1])
def test_equivalence_has_its_size_over_several_looks(most, side):
    drawn = at_the_margin(draw(13 + side, most), side)
    plan = RerunPlan(least=3, most=most)
    assert 3.4 <= percent(drawn, plan, 2.8, Verdict.REPRODUCED) <= 6.6
    found = [decide_paths(*drawn, fixed(k), 2.8).verdicts == 1 for k in range(3, most + 1)]
    assert 100 * np.any(found, axis=0).mean() > 7.5  # 9.3 to 14.7 % at an unspent 5 %


@pytest.mark.parametrize("most", [5, 8, 10])
def test_the_prediction_test_keeps_its_level_over_several_looks(most):
    drawn = draw(15, most)
    assert 2.9 <= alarms(drawn, RerunPlan(least=3, most=most)) <= 6.6
    found = [decide_paths(*drawn, fixed(k), 0.0).verdicts == 3 for k in range(3, most + 1)]
    assert 100 * np.any(found, axis=0).mean() > 7.5  # 9.1 to 12.4 % at an unspent 5 %


def test_honest_runs_are_reproduced_by_fewer_reruns():
    drawn = draw(16, 8)
    reproduced, rejected, reruns = shares(drawn, SEQUENTIAL, 2.8)
    assert 92.3 <= reproduced <= 95.9
    assert rejected <= 0.5
    assert 4.55 <= reruns <= 4.85
    assert peeking(drawn, range(3, 9), 2.8)[0] > 95.9
    assert peeking(drawn, range(3, 9), 2.8)[1] < 4.55
    assert alarms(drawn, SEQUENTIAL) > 0.5


def test_a_shift_of_6_sd_is_found_by_fewer_reruns():
    drawn = shifted(draw(17, 8), 6.0)
    _, rejected, reruns = shares(drawn, SEQUENTIAL, 2.8)
    assert rejected >= 97
    assert 4.3 <= reruns <= 4.7
    assert percent(drawn, fixed(3), 2.8, Verdict.NOT_REPRODUCED) < 97
    assert peeking(drawn, range(3, 9), 2.8)[1] < 4.3


@pytest.mark.parametrize(("law", "most"), [(t3, 2.3), (lognormal, 2.3), (collapse, 3.3)])
def test_heavy_tails_raise_few_alarms(law, most):
    drawn = draw(18, 8, law=law)
    assert percent(drawn, SEQUENTIAL, 2.8, Verdict.NOT_REPRODUCED) <= most
    assert alarms(drawn, fixed(8)) > most  # the prediction test alone: 5 to 9 %


# --- several metrics ----------------------------------------------------------------------


def any_alone(drawn, plan, margin):
    """How often at least one metric is rejected when each is judged for itself, in percent."""
    originals, reruns = drawn
    alone = [
        decide_paths(originals[:, i], reruns[:, :, i], plan, margin).verdicts == 3
        for i in range(originals.shape[1])
    ]
    return 100 * np.any(alone, axis=0).mean()


def test_five_metrics_raise_no_more_alarms_than_one():
    drawn = correlated(19, 5)
    assert alarms(drawn, fixed(5)) <= 6.3
    assert any_alone(drawn, fixed(5), 0.0) > 15  # 20 % without Holm's correction


def test_five_metrics_over_several_looks():
    drawn = correlated(20, 8)
    reproduced, rejected, _ = shares(drawn, SEQUENTIAL, 2.8)
    assert 74 <= reproduced <= 81
    assert rejected <= 1.0
    assert any_alone(drawn, SEQUENTIAL, 0.0) > 10


def test_a_shift_of_6_sd_in_one_of_five_metrics():
    originals, reruns = correlated(21, 8)
    drawn = originals, reruns + np.array([6.0, 0, 0, 0, 0])
    reproduced, rejected, _ = shares(drawn, SEQUENTIAL, 2.8)
    assert rejected >= 85
    assert reproduced <= 0.2
    # On the mean over the metrics the shift would be 1.2 sd, well inside the margin.
    averaged = originals.mean(axis=1), drawn[1].mean(axis=2)
    assert percent(averaged, SEQUENTIAL, 2.8, Verdict.REPRODUCED) > 50
