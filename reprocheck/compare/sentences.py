"""The sentence of each verdict. It says what was found and nothing more."""

from __future__ import annotations

import math

from reprocheck.compare import words
from reprocheck.compare.case import Case, Ruling
from reprocheck.compare.distributions import clopper_pearson
from reprocheck.compare.equivalence import smallest_margin
from reprocheck.compare.looks import Look
from reprocheck.compare.margins import known_spread
from reprocheck.model import Direction, Verdict
from reprocheck.numbers import counted, format_percent, format_size, format_value


def sentence_of(
    case: Case, ruling: Ruling, look: Look, p_difference: float | None, prospect: str
) -> str:
    """The sentence of a gated metric's verdict; it names the metric only where it must.

    `prospect`: what more reruns would do, "" where that is no question.
    """
    match ruling.verdict:
        case Verdict.IDENTICAL:
            text = _identical(case)
        case Verdict.NUMERICALLY_EQUAL:
            text = _numerically_equal(case)
        case Verdict.REPRODUCED | Verdict.NOT_WORSE:
            text = _equivalent(case, ruling, p_difference)
        case Verdict.CONSISTENT:
            text = _consistent(case, ruling)
        case Verdict.NOT_REPRODUCED:
            text = _not_reproduced(case, ruling)
        case Verdict.INCONCLUSIVE:
            text = _inconclusive(case, ruling, look, prospect)
        case _:
            text = not_comparable(case.metric, _why_not_comparable(case))
    return text + _step_note(case)


def not_comparable(metric: str, reason: str) -> str:
    """The sentence of a metric that is missing on one side, or has no number to compare."""
    return f"{metric} could not be compared: {reason}."


def informational(metric: str, original: float | None, mean: float | None, why: str) -> str:
    """The sentence of a metric that is not judged."""
    left = "not logged" if original is None else format_value(original)
    right = "not logged" if mean is None else format_value(mean)
    return f"{metric}: {left} → {right} (not judged: {why})."


def _identical(case: Case) -> str:
    gave = "The rerun gave" if len(case.reruns) == 1 else f"All {len(case.reruns)} reruns gave"
    if math.isfinite(case.original):
        return f"{gave} exactly the {_whose(case)} value, bit for bit."
    return f"{gave} {format_value(case.original)}, as the original did: a non-finite value."


def _numerically_equal(case: Case) -> str:
    one = len(case.reruns) == 1
    match_ = "The rerun matches" if one else f"All {len(case.reruns)} reruns match"
    tolerance = format_size(case.tolerance.relative)
    matched = "accepted values" if case.accepted else "original"
    return f"{match_} the {matched} to {tolerance}; the differences are floating-point noise."


def _equivalent(case: Case, ruling: Ruling, p_difference: float | None) -> str:
    if ruling.verdict is Verdict.NOT_WORSE:
        return _not_worse(case, ruling) + _failures_note(case)
    inside = f"inside the margin {_width(case)} ({case.margin.source.value})" if case.margin else ""
    reruns = _judged(case)
    if ruling.reason == "deterministic":
        return (
            f"Deterministic offset: all {reruns} reruns gave {words.mean(case)}, which differs "
            f"from {words.baseline(case)} by {_difference(case)}, {inside}."
        )
    text = (
        f"Across {reruns} reruns the mean differs from {words.baseline(case)} by "
        f"{words.with_interval(case)}, {inside}."
    )
    if p_difference is not None and p_difference <= case.plan.alpha:
        text += " A small systematic difference is visible but below the margin."
    return text + _failures_note(case)


def _not_worse(case: Case, ruling: Ruling) -> str:
    reruns = counted(_judged(case), "rerun")
    if case.margin is None or ruling.reason == "better":
        return f"{reruns} average {words.mean(case)}, better than {words.baseline(case)}."
    higher = case.rule.direction is Direction.HIGHER
    harm = case.margin.low if higher else case.margin.high
    return (
        f"Not worse than {words.baseline(case)}: across {reruns} the mean differs by "
        f"{words.with_interval(case)}, not by {words.size(case, harm)} or more for the worse "
        f"({case.margin.source.value}). Only that side was tested."
    )


def _consistent(case: Case, ruling: Ruling) -> str:
    reruns = counted(_judged(case), "rerun")
    if ruling.reason == "known_noise":
        return (
            f"The mean of {reruns} differs from {words.baseline(case)} by {_difference(case)}, "
            f"within the run-to-run noise known from elsewhere (SD {_known(case)}); too few to "
            "test more."
        )
    sample, interval = case.sample, words.shown_interval(case)
    supported = math.inf if interval is None else smallest_margin(interval)
    spread = math.nan if sample is None else sample.spread
    return (
        f"T{words.baseline(case)[1:]} lies within the run-to-run noise of {reruns} "
        f"(SD {words.size(case, spread)}); no margin was declared, so equivalence was "
        f"not tested. The data would support any margin ≥ {words.size(case, supported)}."
    )


def _known(case: Case) -> str:
    known = known_spread(case.rule, case.original, case.siblings)
    return "unknown" if known is None else words.size(case, known.value)


def _not_reproduced(case: Case, ruling: Ruling) -> str:
    change = ruling.change.value if ruling.change else "changed"
    if ruling.reason == "failures":
        return f"More reruns failed than the originals do: {change}.{_failures_note(case)}"
    if case.sample is None:
        return (
            f"All {len(case.reruns)} reruns ended in a non-finite value "
            f"({', '.join(format_value(x) for x in case.reruns[:3])}); the original is "
            f"{format_value(case.original)}: {change}."
        )
    if ruling.reason == "deterministic":
        more = f"more than {_width(case)}" if case.margin else "no margin was declared"
        return (
            f"All {_judged(case)} reruns gave {words.mean(case)}, not {_originals(case)}: a "
            f"difference of {_difference(case)} without any noise, and "
            f"{more}: {change}."
        )
    return _outside(case, change) + _failures_note(case)


def _outside(case: Case, change: str) -> str:
    level = format_percent(100 * (1 - case.plan.alpha))
    text = (
        f"T{_originals(case)[1:]} lies outside what rerunning gives "
        f"({words.predicted(case)}, {level} prediction interval)"
    )
    if case.margin is None:
        return f"{text}; no margin was declared: {change}."
    return f"{text} and differs by more than {_width(case)}: {change}."


def _originals(case: Case) -> str:
    several = case.sample is not None and case.sample.originals > 1
    return words.baseline(case) if several else f"the {_whose(case)} {words.original(case)}"


def _whose(case: Case) -> str:
    return "accepted" if case.accepted else "original"


def _inconclusive(case: Case, ruling: Ruling, look: Look, prospect: str) -> str:
    done = f"{look.reruns} of at most {look.plan.most} reruns"
    match ruling.reason:
        case "unfinished":
            return f"After {done} nothing is decided{prospect and f'; {prospect}'}."
        case "budget":
            return f"The time budget ended after {done}, too early to settle it; {prospect}."
        case "unstable" if _failures_note(case):
            return f"The training is unstable; {prospect}.{_failures_note(case)}"
        case "unstable":
            return (
                f"A rerun crashed after {done} had finished: the training is unstable here; "
                f"{prospect}."
            )
        case "chance":
            return (
                f"The rerun agrees with the {_whose(case)} {words.original(case)}, but so coarse a "
                f"value can agree by chance, and one rerun cannot tell; {prospect}."
            )
        case _:
            return _unsettled(case, ruling, prospect)


def _unsettled(case: Case, ruling: Ruling, prospect: str) -> str:
    reruns = counted(_judged(case), "rerun")
    if case.sample is None:
        return f"{reruns} with a non-finite value cannot settle it; {prospect}."
    if ruling.reason == "shift_detected" and case.sample.sd == 0.0 and case.margin is None:
        return (
            f"All {reruns} gave {words.mean(case)}, not {_originals(case)}: a difference of "
            f"{_difference(case)}, which another machine may cause; no margin was declared to "
            f"judge it by; {prospect}."
        )
    margin = f"margin {_width(case)}" if case.margin else "no margin was declared"
    text = (
        f"{reruns} cannot settle it: the mean difference is {words.with_interval(case)}, "
        f"{margin}; {prospect}"
    )
    if ruling.reason == "shift_detected":
        text += ". The difference is more than the reruns' own noise"
    return f"{text}."


def _why_not_comparable(case: Case) -> str:
    values = ", ".join(format_value(rerun) for rerun in case.reruns[:5])
    return f"the original is {format_value(case.original)}, the reruns gave {values}"


def _failures_note(case: Case) -> str:
    total = len(case.reruns)
    bad = total - case.finite
    if bad == 0:
        return ""
    low, high = clopper_pearson(bad, total)
    return (
        f" {bad} of {total} reruns {_what_failed(case)} (95 % interval of that share: "
        f"{format_percent(100 * low)} to {format_percent(100 * high)})."
    )


def _what_failed(case: Case) -> str:
    failed = [x for x in case.reruns if not case.is_value(x)]
    condition, non_finite = case.rule.failure_if, "ended in a non-finite value"
    described = condition is not None and any(map(condition.holds, failed))
    if condition is not None and described:
        text = f"failed ({condition.operator} {format_size(condition.value)})"
        return text if all(map(condition.holds, failed)) else f"{text} or {non_finite}"
    if any(map(math.isfinite, failed)):
        return f"{non_finite} or one without a logarithm"
    return non_finite


def _step_note(case: Case) -> str:
    """Early stopping moves the last step honestly, so it is told and not judged."""
    if not case.last_steps or case.last_steps[0] in case.last_steps[1:]:
        return ""
    original, *reruns = case.last_steps
    steps = ", ".join(str(step) for step in sorted(set(reruns))[:5])
    return f" The original's last step is {original}, the reruns' {steps}."


def _judged(case: Case) -> int:
    """The reruns that the statistics are of."""
    return case.sample.reruns if case.sample else len(case.reruns)


def _difference(case: Case) -> str:
    return words.difference(case, words.shown_difference(case))


def _width(case: Case) -> str:
    return words.width(case, case.margin) if case.margin else "none"
