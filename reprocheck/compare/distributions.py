"""Quantiles and tails, from scipy.special: it imports several times faster than scipy.stats."""

from __future__ import annotations

import math
from functools import lru_cache

_MOST_TABLES = 5000  # for Fisher's test by our own sum


def t_tail(freedom: float, x: float) -> float:
    """P(T > x) of Student's t."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -x))


@lru_cache(maxsize=4096)
def t_quantile(freedom: float, level: float) -> float:
    """The x with P(T <= x) = level of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, level))


@lru_cache(maxsize=4096)
def consistency_bound(freedom: float, noise: float, alpha: float) -> float:
    """The largest |d|/s at which originals and reruns are called consistent.

    `noise` is the standard error of d in units of s, 1/√k for one original. Wellek's t-test for
    equivalence at 2.8 standard deviations (two honest single runs differ by less in 95 %, ISO
    5725), by the noncentral F distribution.
    """
    from scipy.special import ncfdtri

    squared = float(ncfdtri(1, freedom, (2.8 / noise) ** 2, alpha))
    return math.sqrt(squared) * noise


def clopper_pearson(events: int, trials: int, alpha: float = 0.025) -> tuple[float, float]:
    """The exact interval of a proportion, of level 1 - 2 alpha."""
    from scipy.special import betaincinv

    low = 0.0 if events == 0 else float(betaincinv(events, trials - events + 1, alpha))
    high = 1.0 if events == trials else float(betaincinv(events + 1, trials - events, 1 - alpha))
    return low, high


def share_exceeding(events: int, trials: int, chance: float) -> float:
    """The proportion by which at least so many events happen with that chance."""
    from scipy.special import betaincinv

    return float(betaincinv(events, trials - events + 1, chance)) if events else 0.0


@lru_cache(maxsize=1024)
def normal_quantile(level: float) -> float:
    """The x with P(X <= x) = level of the standard normal."""
    from scipy.special import ndtri

    return float(ndtri(level))


def f_tail(above: int, below: int, x: float) -> float:
    """P(F > x) of Fisher's F with `above` and `below` degrees of freedom."""
    from scipy.special import fdtrc

    return float(fdtrc(above, below, x))


@lru_cache(maxsize=4096)
def fisher_p(ours: tuple[int, int], theirs: tuple[int, int]) -> float:
    """The two-sided p-value of Fisher's exact test; each side is (events, trials).

    Of all tables with the same sums, those that are no likelier than this one.
    """
    if 2 * (ours[0] + theirs[0]) > ours[1] + theirs[1]:  # the rarer outcome has fewer tables
        ours, theirs = (ours[1] - ours[0], ours[1]), (theirs[1] - theirs[0], theirs[1])
    events = ours[0] + theirs[0]
    first, last = max(0, events - theirs[1]), min(events, ours[1])
    if last - first > _MOST_TABLES:
        from scipy.stats import fisher_exact  # slow to import, and rarely needed

        table = [[events, trials - events] for events, trials in (ours, theirs)]
        return float(fisher_exact(table)[1])
    logs = [0.0]  # of the tables' probabilities, up to a constant
    for hit in range(first, last):
        more = (ours[1] - hit) * (events - hit)
        less = (hit + 1) * (theirs[1] - events + hit + 1)
        logs.append(logs[-1] + math.log(more / less))
    likeliest, observed = max(logs), logs[ours[0] - first]
    # As R does, tables that differ by rounding only are equally likely.
    tail = math.fsum(math.exp(x - likeliest) for x in logs if x <= observed + 1e-7)
    return min(1.0, tail / math.fsum(math.exp(x - likeliest) for x in logs))


def fisher_more_p(ours: tuple[int, int], theirs: tuple[int, int]) -> float:
    """The one-sided p-value of Fisher's test that `theirs` has the larger share of events."""
    events, trials = ours[0] + theirs[0], ours[1] + theirs[1]
    most = min(events, theirs[1])
    ways = sum(
        math.comb(theirs[1], hit) * math.comb(ours[1], events - hit)
        for hit in range(theirs[0], most + 1)
        if events - hit <= ours[1]
    )
    return ways / math.comb(trials, events)
