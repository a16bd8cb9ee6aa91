"""What difference a verdict could have found: every verdict says it."""

from __future__ import annotations

import math

from reprocheck.compare.case import Case, Ruling, Rung
from reprocheck.compare.names import is_share
from reprocheck.compare.power import POWER, detectable_difference
from reprocheck.compare.sample import Sample
from reprocheck.compare.verdicts import (
    FEWEST_RERUNS_TO_REJECT,
    LEVEL_WITHOUT_MARGIN,
    tested_margin,
)
from reprocheck.model import FIRST_LOOK, Scale


def detectable(case: Case, ruling: Ruling) -> float | None:
    """The true difference that would have been called NOT_REPRODUCED with a chance of 80 %.

    Where nothing varies it is sure: any difference (0) of equal bits, one beyond the tolerance or
    beyond the margin. None where there are too few reruns to find one, or no number to compare.
    """
    if case.sample is None or not math.isfinite(case.original):
        return None
    if ruling.reason == "deterministic":
        return _half_width(case) or 0.0
    if case.rung is Rung.NONE:
        return _by_statistics(case, case.sample)
    return {"bits": 0.0, "tolerance": _tolerated(case)}.get(ruling.reason)


def _tolerated(case: Case) -> float:
    width = case.tolerance.width(case.original)
    return math.log1p(width / case.original) if case.rule.scale is Scale.LOG else width


def _by_statistics(case: Case, sample: Sample) -> float | None:
    margin = _half_width(case)
    fewest = FIRST_LOOK if margin else FEWEST_RERUNS_TO_REJECT
    if sample.reruns < fewest or not 0.0 < sample.spread < math.inf:
        return None
    level = case.level if margin else min(LEVEL_WITHOUT_MARGIN, case.plan.alpha)
    level /= case.selection.best_of if case.selection else 1
    if case.counts is not None:
        return case.counts.detectable(margin, level, POWER)
    found = detectable_difference(sample.spread, sample.reruns, margin, level, sample.originals)
    share = case.rule.test_size is not None or is_share(case.metric)
    return None if share and 0.0 <= case.original <= 1.0 < found else found  # no share differs so


def _half_width(case: Case) -> float | None:
    """The margin's, of its wider side; under noninferiority of the harmful one."""
    if case.margin is None:
        return None
    tested = tested_margin(case, case.margin)
    sides = (side for side in (tested.low, tested.high) if math.isfinite(side))
    return max(sides, default=None)
