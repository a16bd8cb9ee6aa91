from __future__ import annotations

import pytest
from scipy import integrate, stats

from reprocheck.compare.distributions import clopper_pearson, consistency_bound, t_quantile, t_tail

BOUNDS = {3: 1.441, 4: 1.573, 5: 1.668, 6: 1.742, 8: 1.851, 10: 1.929}


@pytest.mark.parametrize(("freedom", "x"), [(1, 3.0), (2, -1.5), (4, 0.0), (9, 12.0), (30, 40.0)])
def test_tails_are_those_of_scipy_stats(freedom, x):
    assert t_tail(freedom, x) == pytest.approx(stats.t.sf(x, freedom), rel=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 99])
def test_quantiles_are_those_of_scipy_stats(freedom):
    assert t_quantile(freedom, 0.95) == pytest.approx(stats.t.ppf(0.95, freedom), rel=1e-12)


@pytest.mark.parametrize(("k", "bound"), BOUNDS.items())
def test_the_consistency_bound_has_its_known_values(k, bound):
    assert consistency_bound(k - 1, k**-0.5, 0.05) == pytest.approx(bound, abs=5e-4)


@pytest.mark.parametrize("k", [3, 5, 10, 30, 100])
def test_the_consistency_bound_has_level_alpha_by_integration(k):
    """P(|T| < c) of a noncentral t, over the distribution of the reruns' deviation."""
    shift = 2.8 * k**0.5
    critical = consistency_bound(k - 1, k**-0.5, 0.05) * k**0.5

    def accepted(sd):
        inside = stats.norm.cdf(critical * sd - shift) - stats.norm.cdf(-critical * sd - shift)
        return inside * stats.chi.pdf(sd, k - 1, scale=(k - 1) ** -0.5)

    level, _ = integrate.quad(accepted, 0, 6, points=[1.0], limit=200)
    assert level == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize(("events", "trials"), [(0, 5), (1, 5), (3, 8), (5, 5)])
def test_shares_have_scipys_exact_interval(events, trials):
    exact = stats.binomtest(events, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson(events, trials) == pytest.approx((exact.low, exact.high), abs=1e-12)
