"""Our numbers beside those of independent libraries, of published examples and of NIST."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import integrate, special, stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from reprocheck.compare.counts import counts_of
from reprocheck.compare.distributions import (
    clopper_pearson,
    consistency_bound,
    fisher_more_p,
    fisher_p,
    t_quantile,
    t_tail,
)
from reprocheck.compare.equivalence import equivalence_p
from reprocheck.compare.prediction import difference_p
from reprocheck.compare.sample import summarise
from reprocheck.model import Margin, MarginSource

EXACT = {"rel": 1e-10, "abs": 1e-300}
NIST = json.loads(Path(__file__).with_name("nist.json").read_text())
CASES = range(40)


def margin(low, high=None):
    high = low if high is None else high
    return Margin(low=low, high=high, source=MarginSource.DECLARED, text="")


def draw(case, originals, reruns):
    """A random metric: any unit, any shift, and margins on both sides."""
    generator = np.random.default_rng([20261121, case])
    unit, centre = 10.0 ** generator.uniform(-6, 6), generator.uniform(-50, 50)
    y = unit * (centre + generator.standard_normal(originals))
    x = unit * (centre + generator.uniform(-3, 3) + generator.standard_normal(reruns))
    low, high = unit * generator.uniform(0.5, 4, 2)
    return y.tolist(), x.tolist(), low, high


# --- independent libraries ----------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_one_original_is_statsmodels_test_of_a_mean(case):
    (y,), x, low, high = draw(case, 1, 3 + case % 8)
    sample, theirs = summarise([y], x), DescrStatsW(np.array(x))
    expected, *_ = theirs.ttost_mean(y - low, y + high)
    assert equivalence_p(sample, margin(low, high)) == pytest.approx(expected, **EXACT)
    interval, (least, most) = sample.interval(0.05), theirs.tconfint_mean(0.1)
    scale = max(abs(least), abs(most))  # ours is centred on the original, theirs on zero
    assert interval.low + y == pytest.approx(least, abs=1e-12 * scale)
    assert interval.high + y == pytest.approx(most, abs=1e-12 * scale)


@pytest.mark.parametrize("case", CASES)
def test_several_originals_are_statsmodels_pooled_test(case):
    y, x, low, high = draw(case, 2 + case % 3, 3 + case % 8)
    sample = summarise(y, x)
    means = CompareMeans(DescrStatsW(np.array(x)), DescrStatsW(np.array(y)))
    _, p, freedom = means.ttest_ind(usevar="pooled")
    assert difference_p(sample) == pytest.approx(p, **EXACT)
    assert sample.freedom == freedom
    if sample.welch is None:
        expected, *_ = ttost_ind(np.array(x), np.array(y), -low, high, usevar="pooled")
        assert equivalence_p(sample, margin(low, high)) == pytest.approx(expected, **EXACT)
        least, most = means.tconfint_diff(0.1, usevar="pooled")
        assert sample.interval(0.05).low == pytest.approx(least, rel=1e-9)
        assert sample.interval(0.05).high == pytest.approx(most, rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_enough_originals_must_pass_statsmodels_unequal_test_too(case):
    y, x, low, high = draw(case, 5 + case % 4, 5 + case % 7)
    both = [
        ttost_ind(np.array(x), np.array(y), -low, high, usevar=usevar)[0]
        for usevar in ("pooled", "unequal")
    ]
    found = equivalence_p(summarise(y, x), margin(low, high))
    assert found == pytest.approx(max(both), **EXACT)


@pytest.mark.parametrize("case", CASES)
def test_a_new_value_is_scipys_test_of_two_samples_of_which_one_is_single(case):
    (y,), x, _, _ = draw(case, 1, 3 + case % 8)
    spread, k = float(np.std(x, ddof=1)), len(x)
    statistic = (np.mean(x) - y) / (spread * math.sqrt(1 + 1 / k))
    assert difference_p(summarise([y], x)) == pytest.approx(
        2 * stats.t.sf(abs(statistic), k - 1), rel=1e-9
    )


@pytest.mark.filterwarnings("ignore")  # pingouin's imports warn of their own dependencies
def test_equivalence_is_pingouins():
    import pingouin

    for case in CASES:
        _, x, low, _ = draw(case, 1, 3 + case % 8)
        y = float(np.mean(x)) + low / 3
        table = pingouin.tost(np.array(x), y, bound=low)
        expected = float(table["p_val" if "p_val" in table else "pval"].iloc[0])
        assert equivalence_p(summarise([y], x), margin(low)) == pytest.approx(expected, rel=1e-8)


# --- published examples -------------------------------------------------------------------

# NCSS's yields and R's sleep data, as TOSTER's own tests and manual give their results.
YIELD_A = [452, 874, 554, 447, 356, 754, 558, 574, 664, 682, 547, 435, 245]
YIELD_B = [546, 547, 774, 465, 459, 665, 467, 365, 589, 534, 456, 651, 654, 665, 546, 537]
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_ncss_yields_pooled():
    sample = summarise(YIELD_B, YIELD_A)
    assert sample.difference == pytest.approx(-8.1153846, abs=5e-8)
    assert sample.freedom == 27
    assert sample.error_of_mean == pytest.approx(51.114285, abs=5e-7)
    error = sample.error_of_mean
    assert t_tail(27, (sample.difference + 110) / error) == pytest.approx(0.02821, abs=5e-6)
    assert t_tail(27, (110 - sample.difference) / error) == pytest.approx(0.01436, abs=5e-6)
    half = t_quantile(27, 0.975) * error
    assert sample.difference - half == pytest.approx(-112.99323, abs=5e-6)
    assert sample.difference + half == pytest.approx(96.76246, abs=5e-6)


def test_ncss_yields_by_welch():
    sample = summarise(YIELD_B, YIELD_A)
    error, freedom = sample.welch
    assert (error, freedom) == pytest.approx((53.618547, 19.169), abs=5e-4)
    interval = sample.interval(0.025)  # the wider of both
    assert (interval.low, interval.high) == pytest.approx((-120.27336, 104.04259), abs=5e-6)
    assert equivalence_p(sample, margin(110)) == pytest.approx(0.03628, abs=5e-6)


def test_toster_sleep():
    sample = summarise(SLEEP_2, SLEEP_1)
    error, freedom = sample.welch
    assert freedom == pytest.approx(17.776, abs=5e-4)
    assert (sample.difference + 0.5) / error == pytest.approx(-1.2719, abs=5e-5)
    welch = t_tail(freedom, (sample.difference + 0.5) / error)
    assert welch == pytest.approx(0.8901, abs=5e-5)
    assert equivalence_p(sample, margin(0.5)) >= welch  # the pooled test must pass too
    interval = sample.interval(0.05)
    assert (interval.low, interval.high) == pytest.approx((-3.0533815, -0.1066185), abs=5e-8)


# --- NIST ---------------------------------------------------------------------------------

GENERATED = {
    "NumAcc1": (10_000_002, 1, [10_000_001, 10_000_003, 10_000_002]),
    "NumAcc2": (1.2, 0.1, [1.2, *[1.1, 1.3] * 500]),
    "NumAcc3": (1_000_000.2, 0.1, [1_000_000.2, *[1_000_000.1, 1_000_000.3] * 500]),
    "NumAcc4": (10_000_000.2, 0.1, [10_000_000.2, *[10_000_000.1, 10_000_000.3] * 500]),
}
OBSERVED = {
    name: (NIST[name]["mean"], NIST[name]["sd"], NIST[name]["values"])
    for name in ("Lew", "Lottery", "Mavro", "Michelso")
}


@pytest.mark.parametrize("name", [*GENERATED, *OBSERVED])
def test_means_and_deviations_are_those_that_nist_certifies(name):
    mean, sd, values = (GENERATED | OBSERVED)[name]
    sample = summarise(values, values)
    assert sample.mean == pytest.approx(mean, rel=1e-14)
    assert sample.sd == pytest.approx(sd, rel=1e-8)


def test_the_f_statistic_is_the_one_that_nist_certifies():
    sample = summarise(*NIST["AtmWtAg"]["instruments"])
    statistic = (sample.difference / sample.error_of_prediction) ** 2
    assert statistic == pytest.approx(NIST["AtmWtAg"]["f"], rel=1e-8)


# --- distributions, at 50 digits or by another route --------------------------------------


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 9, 27, 99])
@pytest.mark.parametrize("level", [0.95, 0.975, 0.9767, 0.99125, 0.9999])
def test_quantiles_of_t_at_50_digits(freedom, level):
    with mpmath.workdps(50):
        x, nu = mpmath.mpf(t_quantile(freedom, level)), mpmath.mpf(freedom)
        tail = mpmath.betainc(nu / 2, 0.5, 0, nu / (nu + x * x), regularized=True) / 2
        density = mpmath.gamma((nu + 1) / 2) / mpmath.gamma(nu / 2) / mpmath.sqrt(nu * mpmath.pi)
        density *= (1 + x * x / nu) ** (-(nu + 1) / 2)
        error = (tail - (1 - mpmath.mpf(level))) / density  # a step of Newton's
        assert abs(error / x) < 1e-12


def accepted(critical, freedom, shift):
    """P(|T| < critical) of a noncentral t, over the distribution of the deviation."""

    def given(sd):
        inside = special.ndtr(critical * sd - shift) - special.ndtr(-critical * sd - shift)
        return inside * stats.chi.pdf(sd * freedom**0.5, freedom) * freedom**0.5

    parts = [integrate.quad(given, a, a + 0.5, epsabs=1e-13)[0] for a in np.arange(0, 6, 0.5)]
    return sum(parts)


@pytest.mark.parametrize(
    ("k", "bound"), [(3, 1.441), (4, 1.573), (5, 1.668), (6, 1.742), (8, 1.851), (10, 1.929)]
)
def test_welleks_bound_by_the_noncentral_t(k, bound):
    critical = consistency_bound(k - 1, k**-0.5, 0.05) * k**0.5
    assert accepted(critical, k - 1, 2.8 * k**0.5) == pytest.approx(0.05, rel=1e-6)
    assert critical / k**0.5 == pytest.approx(bound, abs=5e-4)


@pytest.mark.parametrize(("n", "k"), [(2, 3), (3, 5), (5, 8)])
def test_welleks_bound_for_several_originals(n, k):
    noise = math.sqrt(1 / n + 1 / k)
    critical = consistency_bound(n + k - 2, noise, 0.05) / noise
    assert accepted(critical, n + k - 2, 2.8 / noise) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize(("events", "trials"), [(0, 3), (1, 6), (3, 8), (8, 8), (9, 500)])
def test_clopper_and_pearson_are_scipys(events, trials):
    expected = stats.binomtest(events, trials).proportion_ci(0.95, "exact")
    assert clopper_pearson(events, trials) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize(("ours", "theirs"), [((0, 8), (5, 6)), ((1, 5), (2, 8)), ((2, 3), (8, 8))])
def test_fishers_one_sided_test_is_scipys(ours, theirs):
    table = [[events, trials - events] for events, trials in (theirs, ours)]
    expected = stats.fisher_exact(table, alternative="greater").pvalue
    assert fisher_more_p(ours, theirs) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_fishers_two_sided_test_is_scipys(case):
    generator = np.random.default_rng([20261121, 2, case])
    trials = generator.integers(1, 10 ** (1 + case % 5), 2)
    ours, theirs = (
        (int(generator.binomial(n, p)), int(n))
        for n, p in zip(trials, generator.choice([0.0, 0.01, 0.03, 0.5, 0.97, 1.0], 2), strict=True)
    )
    table = [[events, n - events] for events, n in (ours, theirs)]
    assert fisher_p(ours, theirs) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-7)


def test_counts_predict_what_fishers_test_does_not_reject():
    counts = counts_of([0.99], [0.97, 0.95, 0.96], 100)
    likely = [x for x in range(101) if stats.fisher_exact([[x, 100 - x], [288, 12]]).pvalue > 0.05]
    found = counts.prediction(0.05)
    assert (found.low, found.high) == pytest.approx((likely[0] / 100, likely[-1] / 100))
