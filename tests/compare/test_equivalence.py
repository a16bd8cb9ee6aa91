from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from reprocheck.compare.equivalence import (
    equivalence_p,
    is_consistent,
    is_outside,
    reruns_needed,
    smallest_margin,
)
from reprocheck.compare.sample import summarise
from reprocheck.model import Interval, Margin, MarginSource

RERUNS = [0.912, 0.931, 0.905, 0.94, 0.922]


def margin(low, high=None):
    high = low if high is None else high
    return Margin(low=low, high=high, source=MarginSource.DECLARED, text="")


@pytest.mark.parametrize("original", [0.85, 0.915, 0.922, 0.99])
@pytest.mark.parametrize(("low", "high"), [(0.01, 0.01), (0.05, 0.05), (0.02, 0.08)])
def test_p_is_that_of_statsmodels(original, low, high):
    p = equivalence_p(summarise([original], RERUNS), margin(low, high))
    expected, *_ = DescrStatsW(np.array(RERUNS)).ttost_mean(original - low, original + high)
    assert p == pytest.approx(expected, rel=1e-10)


def test_equivalence_and_a_disjoint_interval_exclude_each_other():
    for original in np.linspace(0.8, 1.0, 41):
        sample = summarise([float(original)], RERUNS)
        equivalent = equivalence_p(sample, margin(0.03)) < 0.05
        assert not (equivalent and is_outside(sample.interval(0.05), margin(0.03)))


def test_an_interval_that_touches_the_margin_is_not_outside():
    touching = Interval(low=0.1, high=0.2, level=90)
    assert not is_outside(touching, margin(0.1))
    assert is_outside(touching, margin(0.09))
    assert is_outside(Interval(low=-0.2, high=-0.1, level=90), margin(0.05, 1.0))


def test_the_smallest_margin_is_where_equivalence_begins():
    sample = summarise([0.915], RERUNS)
    least = smallest_margin(sample.interval(0.05))
    assert equivalence_p(sample, margin(1.0001 * least)) < 0.05
    assert equivalence_p(sample, margin(0.9999 * least)) > 0.05


def test_consistency_is_about_the_standardised_difference():
    sample = summarise([0.0], [2.0, 1.0, 3.0])  # mean 2, sd 1
    assert not is_consistent(sample, 0.05)  # 2 > 1.441
    assert is_consistent(summarise([1.0], [2.0, 1.0, 3.0]), 0.05)
    assert not is_consistent(summarise([1.0], [2.0, 2.0, 2.0]), 0.05)


def test_the_number_of_reruns_is_the_least_that_would_do():
    sample = summarise([0.0], [-1.0, 0.0, 1.0])  # difference 0, sd 1
    assert reruns_needed(sample, margin(1.0), 0.05) == 5  # t(.95, 4) / sqrt(5) = 0.953
    assert reruns_needed(sample, margin(0.5), 0.05) == 13


def test_one_more_rerun_may_be_enough():
    sample = summarise([0.0], [-0.8, 0.8, -0.8, 0.8])  # four do not: 2.353 * 0.924 / 2 > 0.9
    assert reruns_needed(sample, margin(0.9), 0.05) == 5


def test_no_number_of_reruns_helps_a_difference_outside_or_a_hopeless_spread():
    sample = summarise([0.0], [0.0, 1.0, 2.0])
    assert reruns_needed(sample, margin(1.0), 0.05) is None
    assert reruns_needed(sample, margin(1.01), 0.05) is None
    assert reruns_needed(summarise([0.0], [1.0]), margin(3.0), 0.05) is None


def test_without_any_spread_only_the_size_counts():
    sample = summarise([0.0], [1.0, 1.0, 1.0])
    assert equivalence_p(sample, margin(1.1)) == 0.0
    assert equivalence_p(sample, margin(1.0)) == 1.0
