"""The verdict on one gated metric.

Two errors need two tests: D (prediction) guards against calling an honest run not reproduced,
E (equivalence) against calling a shifted one reproduced. That D does not reject is never
evidence for E.
"""

from __future__ import annotations

import math

from reprocheck.compare.case import Case, Look, Ruling, Rung
from reprocheck.compare.coarseness import is_coarse
from reprocheck.compare.equivalence import (
    FEWEST_RERUNS,
    equivalence_p,
    is_consistent,
    is_outside,
)
from reprocheck.compare.sample import Sample
from reprocheck.model import Change, Direction, Margin, Verdict

# Without a margin nothing tames heavy tails, and grids coarser than the noise look noiseless.
FEWEST_RERUNS_TO_REJECT = 5
LEVEL_WITHOUT_MARGIN = 0.01

_GOOD = (
    Verdict.IDENTICAL,
    Verdict.NUMERICALLY_EQUAL,
    Verdict.REPRODUCED,
    Verdict.CONSISTENT,
)


def rule_on(case: Case, look: Look, p_difference: float | None) -> Ruling:
    """The verdict at this look; `p_difference` is Holm-adjusted, None where D does not apply."""
    ruling = _rule(case, look, p_difference)
    if look.stopped_by == "unstable" and ruling.verdict in (*_GOOD, Verdict.INCONCLUSIVE):
        return _inconclusive("unstable")
    return ruling


def _rule(case: Case, look: Look, p_difference: float | None) -> Ruling:
    ruling = _without_statistics(case, look)
    if ruling is not None:
        return ruling
    if case.sample is None or not look.is_planned:
        return _inconclusive(look.stopped_by or "unfinished")
    ruling = _statistical(case, case.sample, look, p_difference)
    # Some reruns without a finite value: never a good verdict.
    if case.finite < len(case.reruns) and ruling.verdict is not Verdict.NOT_REPRODUCED:
        return _inconclusive("unstable")
    return ruling


def _without_statistics(case: Case, look: Look) -> Ruling | None:
    """What needs no noise model: the ladder, non-finite values and proven determinism."""
    if case.rung is not Rung.NONE:
        return _on_the_ladder(case, look)
    if not math.isfinite(case.original):
        return Ruling(verdict=Verdict.NOT_COMPARABLE, reason="non_finite")
    if case.sample is None:
        return _all_non_finite(case, look)
    if look.deterministic and case.repeats:
        return _noiseless(case, case.sample, look)
    return None


def _on_the_ladder(case: Case, look: Look) -> Ruling:
    if look.reruns == 1 and not look.beyond_chance:
        if look.stopped_by == "planned":
            return _inconclusive("chance")
        return _inconclusive(look.stopped_by or "unfinished")
    if case.rung is Rung.TOLERANCE:
        return Ruling(verdict=Verdict.NUMERICALLY_EQUAL, reason="tolerance")
    reason = "bits" if math.isfinite(case.original) else "non_finite"
    return Ruling(verdict=Verdict.IDENTICAL, reason=reason)


def _all_non_finite(case: Case, look: Look) -> Ruling:
    if (look.deterministic and case.repeats) or (look.is_planned and look.reruns >= FEWEST_RERUNS):
        return Ruling(verdict=Verdict.NOT_REPRODUCED, reason="non_finite", change=Change.CHANGED)
    return _inconclusive("too_few" if look.is_planned else look.stopped_by or "unfinished")


def _statistical(case: Case, sample: Sample, look: Look, p_difference: float | None) -> Ruling:
    if sample.reruns < FEWEST_RERUNS:
        return _inconclusive("too_few")
    if sample.sd == 0.0 and not is_coarse(sample.mean, case.rule.resolution):
        return _noiseless(case, sample, look)
    if sample.spread == 0.0:
        return _coarse_and_noiseless(case, sample, look)
    p = 1.0 if p_difference is None else p_difference
    if case.margin is None:
        return _without_margin(case, sample, look, p)
    return _with_margin(case, case.margin, look, p)


def _with_margin(case: Case, margin: Margin, look: Look, p_difference: float) -> Ruling:
    sample = case.sample
    interval = sample.interval(look.alpha) if sample else None
    if sample is None or interval is None:
        return _inconclusive("too_few")
    differs = p_difference <= look.alpha
    if equivalence_p(sample, margin) < look.alpha:
        return Ruling(verdict=Verdict.REPRODUCED, reason="equivalent")
    if differs and is_outside(interval, margin):
        return _not_reproduced(case, sample, "outside")
    return _inconclusive("shift_detected" if differs else "noise")


def _without_margin(case: Case, sample: Sample, look: Look, p_difference: float) -> Ruling:
    # The same seed on another machine moves a number a little, and D finds any little shift.
    excused = look.same_seed and not look.same_machine
    enough = sample.reruns >= FEWEST_RERUNS_TO_REJECT
    if p_difference <= min(LEVEL_WITHOUT_MARGIN, look.alpha) and enough and not excused:
        return _not_reproduced(case, sample, "outside")
    if p_difference <= look.alpha:
        return _inconclusive("shift_detected")
    if is_consistent(sample, look.alpha):
        return Ruling(verdict=Verdict.CONSISTENT, reason="no_margin")
    return _inconclusive("noise")


def _noiseless(case: Case, sample: Sample, look: Look) -> Ruling:
    """The reruns are one number, so their difference is no noise: only its size counts."""
    if case.margin is not None and _is_within(case, sample, case.margin):
        return Ruling(verdict=Verdict.REPRODUCED, reason="deterministic")
    # Reruns that do not vary have no seed that matters, whatever the plan's seeds are.
    if case.margin is None and not look.same_machine:
        return _inconclusive("shift_detected")
    return _not_reproduced(case, sample, "deterministic")


def _coarse_and_noiseless(case: Case, sample: Sample, look: Look) -> Ruling:
    inside = case.margin is not None and _is_within(case, sample, case.margin)
    if not inside and sample.reruns < FEWEST_RERUNS_TO_REJECT:
        return _inconclusive("too_few")
    return _noiseless(case, sample, look)


def _is_within(case: Case, sample: Sample, margin: Margin) -> bool:
    # 0.95 - 0.945 is a little more than 0.005 in binary.
    slack = 4 * math.ulp(max(abs(case.original), abs(sample.mean)))
    return -margin.low - slack <= sample.difference <= margin.high + slack


def _not_reproduced(case: Case, sample: Sample, reason: str) -> Ruling:
    change = _change(case.rule.direction, sample.difference)
    return Ruling(verdict=Verdict.NOT_REPRODUCED, reason=reason, change=change)


def _change(direction: Direction, difference: float) -> Change:
    if direction is Direction.UNKNOWN:
        return Change.CHANGED
    rose_well = (difference > 0) == (direction is Direction.HIGHER)
    return Change.BETTER if rose_well else Change.WORSE


def _inconclusive(reason: str) -> Ruling:
    return Ruling(verdict=Verdict.INCONCLUSIVE, reason=reason)
