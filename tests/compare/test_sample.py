from __future__ import annotations

import math
import statistics

import pytest
from scipy import stats

from reprocheck.compare.sample import summarise


def test_mean_and_spread_match_the_standard_library():
    reruns = [0.91, 0.93, 0.905, 0.94]
    sample = summarise([0.9], reruns)
    assert sample.mean == pytest.approx(statistics.fmean(reruns), rel=1e-15)
    assert sample.sd == pytest.approx(statistics.stdev(reruns), rel=1e-14)
    assert sample.difference == pytest.approx(statistics.fmean(reruns) - 0.9, rel=1e-13)
    assert sample.freedom == 3


@pytest.mark.parametrize(
    ("first", "step", "sd", "tolerance"),
    [(1000000.2, 0.1, 0.1, 1e-8), (10000000.2, 0.1, 0.1, 1e-7)],
)
def test_a_large_offset_costs_no_digits(first, step, sd, tolerance):
    """NIST StRD NumAcc3 and NumAcc4: 1001 values whose certified deviation is 0.1."""
    reruns = [first] + [first - step, first + step] * 500
    assert summarise([first], reruns).sd == pytest.approx(sd, rel=tolerance)


def test_equal_reruns_have_no_spread_at_all():
    assert summarise([0.2], [0.1] * 3).sd == 0.0
    assert summarise([0.2], [0.1] * 3).mean == 0.1


@pytest.mark.parametrize("scale", [1e-200, 1e300])
def test_no_magnitude_leaves_the_range(scale):
    sample = summarise([0.0], [scale, 3 * scale])
    assert sample.mean == pytest.approx(2 * scale)
    assert sample.sd == pytest.approx(math.sqrt(2) * scale)


def test_a_difference_beyond_the_range_is_infinite():
    assert summarise([-1.7e308], [1.7e308] * 2).difference == math.inf


def test_the_resolution_sets_a_floor_under_the_spread():
    sample = summarise([0.9], [0.91] * 3, 0.01 / math.sqrt(12))
    assert sample.sd == 0.0
    assert sample.spread == pytest.approx(0.01 / math.sqrt(12))


def test_one_rerun_has_no_interval():
    sample = summarise([0.9], [0.91])
    assert sample.sd is None
    assert sample.interval(0.05) is None
    assert sample.prediction(0.05) is None


def test_the_interval_of_the_difference_is_scipys():
    reruns = [0.91, 0.93, 0.905, 0.94]
    interval = summarise([0.9], reruns).interval(0.05)
    low, high = stats.t.interval(
        0.9, 3, loc=statistics.fmean(reruns) - 0.9, scale=stats.sem(reruns)
    )
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-12)
    assert interval.level == 90


@pytest.mark.parametrize(("k", "half"), [(2, 15.56), (3, 4.97), (4, 3.56), (5, 3.04), (8, 2.51)])
def test_the_prediction_interval_has_its_known_width(k, half):
    sample = summarise([0.0], [float(i) for i in range(k)])
    prediction = sample.prediction(0.05)
    assert (prediction.high - sample.mean) / sample.sd == pytest.approx(half, abs=0.01)
    assert prediction.level == 95
