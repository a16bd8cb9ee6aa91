"""Looking after every rerun: the level of each look, and one p-value for all looks so far.

With w = min p_j·K/j over the looks j, K the most reruns, F(w) is an ordinary p-value, F being
w's distribution for honest runs. By it Holm's correction and a level mean what they always mean.
F was simulated for looks from the third rerun on; a plan that looks later is conservative.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from reprocheck.compare.knots import KNOTS, LEVELS
from reprocheck.model import FIRST_LOOK, RerunPlan

MOST_RERUNS = 20  # the largest K with knots


def level_of(plan: RerunPlan, look: int) -> float:
    """The nominal level of a plan's look: alpha itself where there is only one."""
    return nominal_level(plan.alpha, look, plan.most) if plan.is_sequential else plan.alpha


def nominal_level(alpha: float, look: int, most: int) -> float:
    """The level that a single look's p-value has to meet for level alpha over all looks.

    It grows with the look in proportion. ValueError for a look outside 3..most, for `most`
    outside 3..20 and for an alpha outside 0..1.
    """
    _check_looks([look], most)
    return critical_value(alpha, most) * (look / most)


def critical_value(alpha: float, most: int) -> float:
    """The largest w = min p_j·K/j whose path-wise p is at most alpha; alpha itself at K = 3."""
    _check_looks([], most)
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"a level lies between 0 and 1, not at {alpha}")
    if most == FIRST_LOOK:
        return alpha
    by_union = alpha / _union_factor(most)
    if alpha < LEVELS[0]:
        return by_union
    return max(by_union, _interpolate(alpha, (*LEVELS, 1.0), (*KNOTS[most], 1.0)))


def path_p(p_values: Mapping[int, float], most: int) -> float:
    """The p-value of all looks so far, from each look's own p by its number of reruns.

    It never grows from look to look. ValueError for looks outside 3..most, for `most` outside
    3..20 and for no look at all.
    """
    if not p_values:
        raise ValueError("no look has been taken")
    _check_looks(p_values, most)
    return _probability(min(p * (most / look) for look, p in p_values.items()), most)


def _probability(w: float, most: int) -> float:
    """F(w); below its first knot, and wherever it is the smaller, the union bound."""
    if w <= 0.0 or w >= 1.0:
        return float(w > 0.0)
    if most == FIRST_LOOK:
        return w
    knots = KNOTS[most]
    simulated = _interpolate(max(w, knots[0]), (*knots, 1.0), (*LEVELS, 1.0))
    return min(simulated, w * _union_factor(most))


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """The y at x, by straight lines between the points' logarithms; x lies among the xs."""
    right = max(1, bisect_left(xs, x))
    if x == xs[right]:
        return ys[right]  # without a rounding error, so that a knot keeps its level
    share = math.log(x / xs[right - 1]) / math.log(xs[right] / xs[right - 1])
    y = ys[right - 1] * math.exp(share * math.log(ys[right] / ys[right - 1]))
    return min(y, ys[right])


def _union_factor(most: int) -> float:
    """P(w <= x) is at most x times this, since each look's p meets x·j/K with that chance."""
    return sum(range(FIRST_LOOK, most + 1)) / most


def _check_looks(looks: Mapping[int, float] | Sequence[int], most: int) -> None:
    if not FIRST_LOOK <= most <= MOST_RERUNS:
        raise ValueError(f"looks are planned for 3 to 20 reruns at most, not for {most}")
    outside = [look for look in looks if not FIRST_LOOK <= look <= most]
    if outside:
        raise ValueError(f"a look after {outside[0]} reruns is outside 3..{most}")
