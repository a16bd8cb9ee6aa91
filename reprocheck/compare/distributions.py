"""Quantiles and tails, from scipy.special: it imports several times faster than scipy.stats."""

from __future__ import annotations

import math
from functools import cache


def t_tail(freedom: int, x: float) -> float:
    """P(T > x) of Student's t."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -x))


@cache
def t_quantile(freedom: int, level: float) -> float:
    """The x with P(T <= x) = level of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, level))


@cache
def wellek_bound(reruns: int, alpha: float) -> float:
    """The largest |d|/s at which one original and k reruns are called consistent.

    Wellek's one-sample t-test for equivalence at 2.8 standard deviations (two honest single
    runs differ by less in 95 %, ISO 5725), by the noncentral F distribution.
    """
    from scipy.special import ncfdtri

    squared = float(ncfdtri(1, reruns - 1, reruns * 2.8**2, alpha))
    return math.sqrt(squared / reruns)


def clopper_pearson(events: int, trials: int) -> tuple[float, float]:
    """The exact 95 % interval of a proportion."""
    from scipy.special import betaincinv

    low = 0.0 if events == 0 else float(betaincinv(events, trials - events + 1, 0.025))
    high = 1.0 if events == trials else float(betaincinv(events + 1, trials - events, 0.975))
    return low, high
