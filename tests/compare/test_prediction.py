from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from reprocheck.compare.prediction import difference_p, holm
from reprocheck.compare.sample import summarise

RERUNS = [0.912, 0.931, 0.905, 0.94, 0.922]


@pytest.mark.parametrize("original", [0.85, 0.915, 0.99])
def test_p_is_that_of_a_pooled_two_sample_test_with_one_original(original):
    """With n = 1 the pooled variance is the reruns', so D is the ordinary two-sample t-test."""
    expected = stats.ttest_ind(RERUNS, [original], equal_var=True).pvalue
    assert difference_p(summarise([original], RERUNS)) == pytest.approx(expected, rel=1e-10)


def test_reruns_without_spread_have_no_p():
    assert difference_p(summarise([0.9], [0.91] * 4)) is None
    assert difference_p(summarise([0.9], [0.91])) is None
    assert difference_p(summarise([0.9], [0.91] * 4, 0.01)) is not None


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_that_of_statsmodels(seed):
    p = np.random.default_rng(seed).uniform(0, 0.2, 6)
    _, expected, *_ = multipletests(p, method="holm")
    adjusted = holm({str(i): float(value) for i, value in enumerate(p)}, family=6)
    assert [adjusted[str(i)] for i in range(6)] == pytest.approx(expected.tolist())


def test_tests_without_a_p_value_still_count_in_the_family():
    assert holm({"a": 0.01}, family=4) == {"a": 0.04}
