"""The verdict on one gated metric.

Two errors need two tests: D (prediction) guards against calling an honest run not reproduced,
E (equivalence) against calling a shifted one reproduced. That D does not reject is never
evidence for E.
"""

from __future__ import annotations

import math
from dataclasses import replace

from reprocheck.compare.case import Case, Ruling, Rung, resolution_of
from reprocheck.compare.coarseness import is_coarse
from reprocheck.compare.distributions import fisher_more_p, t_quantile
from reprocheck.compare.equivalence import equivalence_p, is_consistent, is_outside
from reprocheck.compare.looks import Look
from reprocheck.compare.margins import known_spread
from reprocheck.compare.prediction import difference_p
from reprocheck.compare.sample import Sample
from reprocheck.model import FIRST_LOOK, Change, Direction, Margin, Verdict

# Without a margin nothing tames heavy tails, and grids coarser than the noise look noiseless.
FEWEST_RERUNS_TO_REJECT = 5
LEVEL_WITHOUT_MARGIN = 0.01

GOOD = (
    Verdict.IDENTICAL,
    Verdict.NUMERICALLY_EQUAL,
    Verdict.REPRODUCED,
    Verdict.NOT_WORSE,
    Verdict.CONSISTENT,
)
OPEN = "unfinished"
"""The reason of a verdict that a later look may change."""


def rule_on(case: Case, look: Look, p_difference: float | None) -> Ruling:
    """The verdict if this look were the last; `p_difference` is Holm-adjusted, None where D does
    not apply. Where it is too early to judge, the reason is "unfinished"."""
    ruling = _without_statistics(case, look)
    if ruling is not None:
        return ruling
    if case.sample is None or not case.judged:
        return _inconclusive(OPEN)
    ruling = _statistical(case, case.sample, look, p_difference)
    return _with_failures(case, ruling) if case.finite < len(case.reruns) else ruling


def finish(ruling: Ruling, look: Look, *, may_change: bool) -> Ruling:
    """The ruling as it stands once it is known why the trials ended, or that they go on."""
    if look.stopped_by == "unstable" and ruling.verdict in (*GOOD, Verdict.INCONCLUSIVE):
        return _inconclusive("unstable")
    if ruling.verdict is not Verdict.INCONCLUSIVE or ruling.reason == "unstable":
        return ruling
    if look.stopped_by == "" and may_change:
        return _inconclusive(OPEN)
    if look.stopped_by == "budget" and (may_change or ruling.reason == OPEN):
        return _inconclusive("budget")
    return ruling


def _without_statistics(case: Case, look: Look) -> Ruling | None:
    """What needs no noise model: the ladder, non-finite values and proven determinism."""
    if case.rung is not Rung.NONE:
        return _on_the_ladder(case, look)
    if not case.is_value(case.original):
        reason = "failures" if math.isfinite(case.original) else "non_finite"
        return Ruling(verdict=Verdict.NOT_COMPARABLE, reason=reason)
    if case.sample is None:
        return _all_failed(case, look)
    if look.deterministic and case.repeats:
        return _deterministic(case, case.sample, look)
    return None


def _deterministic(case: Case, sample: Sample, look: Look) -> Ruling:
    if not sample.original_sd:
        return _noiseless(case, sample, look)
    # The originals vary, so the difference from their mean is no exact number. All copies are
    # one draw, and no correction for other metrics is known here: the stricter level.
    one = replace(sample, reruns=1, sd=None)
    p = difference_p(one)
    if case.margin is None:
        return _without_margin(case, one, look, 1.0 if p is None else p)
    found = p is not None and p <= LEVEL_WITHOUT_MARGIN
    return _with_margin(case, sample, case.margin, 0.0 if found else 1.0)


def _on_the_ladder(case: Case, look: Look) -> Ruling:
    if look.reruns == 1 and not look.beyond_chance:
        return _few(case, "chance") if case.judged else _inconclusive(OPEN)
    if case.rung is Rung.TOLERANCE:
        return Ruling(verdict=Verdict.NUMERICALLY_EQUAL, reason="tolerance")
    reason = "bits" if math.isfinite(case.original) else "non_finite"
    return Ruling(verdict=Verdict.IDENTICAL, reason=reason)


def _all_failed(case: Case, look: Look) -> Ruling:
    """No rerun ended in a value that counts."""
    ours, theirs = failures(case)
    if ours[0] and fisher_more_p(ours, theirs) > case.level:
        return _inconclusive("unstable" if case.judged else OPEN)
    # A recipe that is known to collapse at times may do so three times in a row.
    described = any(is_described(case, x) for x in case.reruns)
    enough = look.reruns >= (FEWEST_RERUNS_TO_REJECT if described else FIRST_LOOK)
    if (look.deterministic and case.repeats) or (case.judged and enough):
        return Ruling(verdict=Verdict.NOT_REPRODUCED, reason=_failure(case), change=_failed(case))
    if not case.judged:
        return _inconclusive(OPEN)
    return _inconclusive("unstable" if described else "too_few")


def _statistical(case: Case, sample: Sample, look: Look, p_difference: float | None) -> Ruling:
    if sample.reruns < FIRST_LOOK:
        return _few(case, "too_few")
    p = 1.0 if p_difference is None else p_difference
    alike = sample.sd == 0.0 and not sample.original_sd and sample.sigma is None
    if alike and case.counts is None:
        return _without_spread(case, sample, look, p)
    return _by_spread(case, sample, look, p)


def _without_spread(case: Case, sample: Sample, look: Look, p_difference: float) -> Ruling:
    """Equal reruns: of a fine value no noise, of a coarse one noise that its grid may hide."""
    resolution = resolution_of(case.rule, [*case.baselines, *case.reruns])
    if not is_coarse(_value_of(case, sample), resolution or None):
        return _noiseless(case, sample, look)
    ruling = _by_spread(case, sample, look, p_difference)
    few = not resolution and sample.reruns < FEWEST_RERUNS_TO_REJECT
    return _inconclusive("too_few") if few and ruling.verdict is Verdict.NOT_REPRODUCED else ruling


def _by_spread(case: Case, sample: Sample, look: Look, p_difference: float) -> Ruling:
    if case.margin is None:
        return _without_margin(case, sample, look, p_difference)
    return _with_margin(case, sample, case.margin, p_difference)


def _few(case: Case, reason: str) -> Ruling:
    """One or two reruns show no spread: only a known one can tell anything."""
    sample = case.sample
    known = known_spread(case.rule, case.original, case.siblings)
    if known is None or sample is None or sample.reruns >= FIRST_LOOK:
        return _inconclusive(reason)
    error = known.value * math.sqrt(1 / sample.originals + 1 / sample.reruns)
    if abs(sample.difference) <= t_quantile(known.freedom, 1 - case.plan.alpha / 2) * error:
        return Ruling(verdict=Verdict.CONSISTENT, reason="known_noise")
    return _inconclusive("too_few")


def _with_margin(case: Case, sample: Sample, margin: Margin, p_difference: float) -> Ruling:
    counts, interval, tested = case.counts, case.interval, tested_margin(case, margin)
    if interval is None:
        return _inconclusive("too_few")
    inside = (
        equivalence_p(sample, tested) < case.level
        if counts is None
        else counts.is_inside(tested, case.level)
    )
    if inside:
        return _equivalent(case, "equivalent")
    differs = p_difference <= case.plan.alpha
    if differs and is_outside(interval, tested):
        return _not_reproduced(case, sample.difference, "outside")
    return _inconclusive("shift_detected" if differs else "noise")


def _without_margin(case: Case, sample: Sample, look: Look, p_difference: float) -> Ruling:
    enough = sample.reruns >= FEWEST_RERUNS_TO_REJECT
    change = _change(case.rule.direction, sample.difference)
    if case.rule.noninferiority and change is Change.BETTER and p_difference <= look.plan.alpha:
        return Ruling(verdict=Verdict.NOT_WORSE, reason="better")
    if (
        p_difference <= min(LEVEL_WITHOUT_MARGIN, look.plan.alpha)
        and enough
        and not is_excused(sample, look)
    ):
        return _not_reproduced(case, sample.difference, "outside")
    if p_difference <= look.plan.alpha:
        return _inconclusive("shift_detected")
    if is_consistent(sample, look.plan.alpha):
        return Ruling(verdict=Verdict.CONSISTENT, reason="no_margin")
    return _inconclusive("noise")


def _noiseless(case: Case, sample: Sample, look: Look) -> Ruling:
    """The reruns are one number, so their difference is no noise: only its size counts."""
    if case.margin is not None and _is_within(sample, tested_margin(case, case.margin)):
        return _equivalent(case, "deterministic")
    if case.rule.noninferiority and _change(case.rule.direction, sample.difference) is (
        Change.BETTER
    ):
        return _equivalent(case, "deterministic")
    # Reruns that do not vary have no seed that matters, whatever the plan's seeds are.
    if case.margin is None and not look.same_machine:
        return _inconclusive("shift_detected")
    return _not_reproduced(case, sample.difference, "deterministic")


def _with_failures(case: Case, ruling: Ruling) -> Ruling:
    """Some reruns have no value: their share is judged apart, and caps the verdict.

    Failures that the user described, and that the baselines have too, are part of the recipe.
    """
    ours, theirs = failures(case)
    if case.rule.failure_if and fisher_more_p(ours, theirs) <= case.level:
        return Ruling(verdict=Verdict.NOT_REPRODUCED, reason="failures", change=_failed(case))
    known = ours[0] > 0 and all(case.is_value(x) or is_described(case, x) for x in case.reruns)
    if ruling.verdict is Verdict.NOT_REPRODUCED or known:
        return ruling
    return _inconclusive("unstable")


def failures(case: Case) -> tuple[tuple[int, int], tuple[int, int]]:
    """Failures and runs, of the originals and of the reruns."""
    ours = sum(not case.is_value(x) for x in case.baselines)
    return (ours, len(case.baselines)), (len(case.reruns) - case.finite, len(case.reruns))


def is_described(case: Case, x: float) -> bool:
    """Whether the value is a failure that the user described."""
    return case.rule.failure_if is not None and case.rule.failure_if.holds(x)


def is_excused(sample: Sample, look: Look) -> bool:
    """Whether another machine may explain a difference that no margin says to matter.

    The same seed on another machine moves a number a little, and D finds any little shift;
    reruns that do not vary have no seed that matters, whatever the plan's seeds are.
    """
    return not look.same_machine and (look.same_seed or sample.sd == 0.0)


def tested_margin(case: Case, margin: Margin) -> Margin:
    """The margin that is tested: under noninferiority only its harmful side."""
    if not case.rule.noninferiority:
        return margin
    higher = case.rule.direction is Direction.HIGHER
    return Margin(
        low=margin.low if higher else math.inf,
        high=math.inf if higher else margin.high,
        source=margin.source,
        text=margin.text,
    )


def _is_within(sample: Sample, margin: Margin) -> bool:
    # 0.95 - 0.945 is a little more than 0.005 in binary.
    slack = 4 * math.ulp(max(abs(sample.original), abs(sample.mean)))
    return -margin.low - slack <= sample.difference <= margin.high + slack


def _equivalent(case: Case, reason: str) -> Ruling:
    if case.rule.noninferiority:
        return Ruling(verdict=Verdict.NOT_WORSE, reason=reason)
    return Ruling(verdict=Verdict.REPRODUCED, reason=reason)


def _not_reproduced(case: Case, difference: float, reason: str) -> Ruling:
    change = _change(case.rule.direction, difference)
    return Ruling(verdict=Verdict.NOT_REPRODUCED, reason=reason, change=change)


def _change(direction: Direction, difference: float) -> Change:
    if direction is Direction.UNKNOWN:
        return Change.CHANGED
    rose_well = (difference > 0) == (direction is Direction.HIGHER)
    return Change.BETTER if rose_well else Change.WORSE


def _failure(case: Case) -> str:
    return "non_finite" if not any(map(math.isfinite, case.reruns)) else "failures"


def _failed(case: Case) -> Change:
    return Change.WORSE if case.rule.failure_if else Change.CHANGED


def _value_of(case: Case, sample: Sample) -> float:
    """The value that all reruns have, in the metric's own unit."""
    return next((x for x in case.reruns if case.is_value(x)), sample.mean)


def _inconclusive(reason: str) -> Ruling:
    return Ruling(verdict=Verdict.INCONCLUSIVE, reason=reason)
