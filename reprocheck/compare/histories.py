"""Histories of a metric: what curves tell beside their final values. Shown, never judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from reprocheck.compare.ladder import Tolerance, same_bits, storable
from reprocheck.model import Direction, HistoryComparison, Metric, Pair

if TYPE_CHECKING:
    import numpy as np

    Curves = np.ndarray[tuple[int, int], np.dtype[np.float64]]

_NEGLIGIBLE = 1e-12
"""Of a step's range: below it a spread or a distance is rounding."""

Summary = Callable[[Sequence[float]], float]


def compare_histories(
    original: Metric, reruns: Sequence[Metric], direction: Direction, tolerance: Tolerance
) -> HistoryComparison | None:
    """The curves on the steps that all of them have; None without a rerun or below two steps.

    Of several values at one step the last counts. The best value leaves out what is not finite;
    an area over such a value is no number. The final values are the metric's own comparison.
    """
    curves = [_by_step(metric) for metric in (original, *reruns)]
    steps = sorted(set.intersection(*map(set, curves)))
    if not reruns or len(steps) < 2:
        return None
    ours, *theirs = ([curve[step] for step in steps] for curve in curves)
    best = _best(direction)
    return HistoryComparison(
        steps=len(steps),
        parted_at=_parted_at(steps, ours, theirs, tolerance),
        best=_pair(best, ours, theirs) if best else None,
        area=_pair(lambda values: _area(steps, values), ours, theirs),
        rank_p=rank_p([ours, *theirs]) if len(theirs) >= 2 else None,
    )


def rank_p(curves: Sequence[Sequence[float]]) -> float | None:
    """The share of the curves that are at least as unusual as the first, itself included.

    Full conformal: each of three curves or more, all of the same steps, is compared with the
    others by its largest distance from their mean in units of their standard deviation (ddof 1).
    For exchangeable curves P(p <= j/n) <= j/n, whatever their distribution. Steps with a value
    that is not finite are left out for all; None where no step is left.
    """
    import numpy as np

    values = np.asarray(curves, dtype=np.float64) / 2  # so that no range overflows
    values = values[:, np.isfinite(values).all(axis=0)]
    if values.shape[1] == 0:
        return None
    least, span = values.min(axis=0), np.ptp(values, axis=0)
    values = (values - least) / np.where(span > 0, span, 1.0)
    scores = [_unusualness(values, i) for i in range(len(values))]
    # Equal but for rounding counts as equal.
    return sum(score >= scores[0] * (1 - 1e-9) for score in scores) / len(scores)


def _unusualness(values: Curves, place: int) -> float:
    """The sup-norm of a curve's standardised distance from the others; inf where these agree."""
    import numpy as np

    others = np.delete(values, place, axis=0)
    distance = np.abs(values[place] - others.mean(axis=0))
    spread = others.std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(spread > _NEGLIGIBLE, distance / spread, np.inf)
    return float(np.where(distance > _NEGLIGIBLE, ratio, 0.0).max())


def _by_step(metric: Metric) -> dict[int, float]:
    return {point.step: storable(point.value) for point in metric.history}


def _parted_at(
    steps: Sequence[int],
    ours: Sequence[float],
    theirs: Sequence[Sequence[float]],
    tolerance: Tolerance,
) -> int | None:
    for place, step in enumerate(steps):
        if any(_differs(ours[place], values[place], tolerance.relative) for values in theirs):
            return step
    return None


def _differs(original: float, rerun: float, relative: float) -> bool:
    if same_bits(original, rerun):
        return False
    if not (math.isfinite(original) and math.isfinite(rerun)):
        return True
    return abs(original - rerun) > relative * max(abs(original), abs(rerun))


def _best(direction: Direction) -> Summary | None:
    match direction:
        case Direction.HIGHER:
            return lambda values: max(filter(math.isfinite, values), default=math.nan)
        case Direction.LOWER:
            return lambda values: min(filter(math.isfinite, values), default=math.nan)
        case Direction.UNKNOWN:
            return None


def _pair(summary: Summary, ours: Sequence[float], theirs: Sequence[Sequence[float]]) -> Pair:
    # Divided first: a sum of the largest numbers is infinite, their mean is not.
    rerun = sum(summary(values) / len(theirs) for values in theirs)
    return Pair(original=summary(ours), rerun=rerun)


def _area(steps: Sequence[int], values: Sequence[float]) -> float:
    """Under the curve, by trapezoids; over an infinite value as over NaN it is no number."""
    if not all(map(math.isfinite, values)):
        return math.nan
    corners = pairwise(zip(steps, values, strict=True))
    return sum((after - step) * (a / 2 + b / 2) for (step, a), (after, b) in corners)
