"""The sentence of each verdict. It says what was found and nothing more."""

from __future__ import annotations

import math

from reprocheck.compare.case import Case, Look, Ruling
from reprocheck.compare.distributions import clopper_pearson
from reprocheck.compare.equivalence import (
    MOST_RERUNS_PROPOSED,
    reruns_needed,
    smallest_margin,
)
from reprocheck.compare.sample import Sample
from reprocheck.model import Margin, Verdict
from reprocheck.numbers import format_difference, format_percent, format_size, format_value


def sentence_of(case: Case, ruling: Ruling, look: Look, p_difference: float | None) -> str:
    """The sentence of a gated metric's verdict; it names the metric only where it must."""
    match ruling.verdict:
        case Verdict.IDENTICAL:
            text = _identical(case)
        case Verdict.NUMERICALLY_EQUAL:
            text = _numerically_equal(case)
        case Verdict.REPRODUCED:
            text = _reproduced(case, ruling, look, p_difference)
        case Verdict.CONSISTENT:
            text = _consistent(case, look)
        case Verdict.NOT_REPRODUCED:
            text = _not_reproduced(case, ruling, look)
        case Verdict.INCONCLUSIVE:
            text = _inconclusive(case, ruling, look)
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
        return f"{gave} exactly the original value, bit for bit."
    return f"{gave} {format_value(case.original)}, as the original did: a non-finite value."


def _numerically_equal(case: Case) -> str:
    one = len(case.reruns) == 1
    match_ = "The rerun matches" if one else f"All {len(case.reruns)} reruns match"
    tolerance = format_size(case.tolerance.relative)
    return f"{match_} the original to {tolerance}; the differences are floating-point noise."


def _reproduced(case: Case, ruling: Ruling, look: Look, p_difference: float | None) -> str:
    sample, margin = _sampled(case), _margined(case)
    inside = f"inside the margin {_width(margin)} ({margin.source.value})"
    if ruling.reason == "deterministic":
        return (
            f"Deterministic offset: all {sample.reruns} reruns gave {_mean(case)}, which differs "
            f"from the reported {_original(case)} by {format_difference(sample.difference)}, "
            f"{inside}."
        )
    text = (
        f"Across {sample.reruns} reruns the mean differs from the reported {_original(case)} by "
        f"{_difference(sample, look)}, {inside}."
    )
    if p_difference is not None and p_difference <= look.alpha:
        text += " A small systematic difference is visible but below the margin."
    return text


def _consistent(case: Case, look: Look) -> str:
    sample = _sampled(case)
    interval = sample.interval(look.alpha)
    supported = math.inf if interval is None else smallest_margin(interval)
    return (
        f"The reported {_original(case)} lies within the run-to-run noise of {sample.reruns} "
        f"reruns (SD {format_size(sample.spread)}); no margin was declared, so equivalence was "
        f"not tested. The data would support any margin ≥ {format_size(supported)}."
    )


def _not_reproduced(case: Case, ruling: Ruling, look: Look) -> str:
    change = ruling.change.value if ruling.change else "changed"
    if case.sample is None:
        return (
            f"All {len(case.reruns)} reruns ended in a non-finite value "
            f"({', '.join(format_value(x) for x in case.reruns[:3])}); the original is "
            f"{format_value(case.original)}: {change}."
        )
    sample = case.sample
    if ruling.reason == "deterministic":
        more = f"more than {_width(case.margin)}" if case.margin else "no margin was declared"
        return (
            f"All {sample.reruns} reruns gave {_mean(case)}, not the original {_original(case)}: "
            f"a difference of {format_difference(sample.difference)} without any noise, and "
            f"{more}: {change}."
        )
    prediction = sample.prediction(look.alpha)
    half = math.nan if prediction is None else (prediction.high - prediction.low) / 2
    level = format_percent(100 * (1 - look.alpha))
    text = (
        f"The original {_original(case)} lies outside what rerunning gives ({_mean(case)} ± "
        f"{format_size(half)}, {level} prediction interval)"
    )
    if case.margin is None:
        text += f"; no margin was declared: {change}."
    else:
        text += f" and differs by more than {_width(case.margin)}: {change}."
    return text + _non_finite_note(case)


def _inconclusive(case: Case, ruling: Ruling, look: Look) -> str:
    done = f"{look.reruns} of {look.planned} reruns"
    match ruling.reason:
        case "unfinished":
            return f"After {done} nothing is decided: they are judged together."
        case "budget":
            return f"The time budget ended after {done}, too early to judge."
        case "unstable" if _non_finite_note(case):
            return f"The training is unstable.{_non_finite_note(case)}"
        case "unstable":
            return f"A rerun crashed after {done} had finished: the training is unstable here."
        case "chance":
            return (
                f"The rerun agrees with the original {_original(case)}, but one rerun can agree "
                "with so coarse a value by chance."
            )
        case _:
            return _unsettled(case, ruling, look)


def _unsettled(case: Case, ruling: Ruling, look: Look) -> str:
    if case.sample is None:
        return f"{_count(look.reruns)} with a non-finite value cannot settle it."
    sample = case.sample
    if ruling.reason == "shift_detected" and sample.sd == 0.0:
        return (
            f"All {sample.reruns} reruns gave {_mean(case)}, not the original {_original(case)}: "
            f"a difference of {format_difference(sample.difference)}, which another machine may "
            "cause; no margin was declared to judge it by."
        )
    text = (
        f"{_count(look.reruns)} cannot settle it: the mean difference is "
        f"{_difference(sample, look)}, "
    )
    if case.margin is None:
        text += "and no margin was declared"
    else:
        text += f"margin {_width(case.margin)}; {_prospect(sample, case.margin, look)}"
    if ruling.reason == "shift_detected":
        text += ". The difference is more than the reruns' own noise"
    return f"{text}."


def _prospect(sample: Sample, margin: Margin, look: Look) -> str:
    """What more reruns would do if difference and spread stayed as they are."""
    if sample.sd is None or sample.spread == 0.0:
        return "more reruns would"
    if not -margin.low < sample.difference < margin.high:
        return "more reruns are not expected to reproduce it"
    needed = reruns_needed(sample, margin, look.alpha)
    about = f"more than {MOST_RERUNS_PROPOSED}" if needed is None else f"about {needed}"
    return f"{about} reruns would"


def _why_not_comparable(case: Case) -> str:
    values = ", ".join(format_value(rerun) for rerun in case.reruns[:5])
    return f"the original is {format_value(case.original)}, the reruns gave {values}"


def _non_finite_note(case: Case) -> str:
    total = len(case.reruns)
    bad = total - case.finite
    if bad == 0:
        return ""
    low, high = clopper_pearson(bad, total)
    return (
        f" {bad} of {total} reruns ended in a non-finite value (95 % interval of that share: "
        f"{format_percent(100 * low)} to {format_percent(100 * high)})."
    )


def _step_note(case: Case) -> str:
    """Early stopping moves the last step honestly, so it is told and not judged."""
    original, *reruns = case.last_steps
    if original in reruns:
        return ""
    steps = ", ".join(str(step) for step in sorted(set(reruns))[:5])
    return f" The original's last step is {original}, the reruns' {steps}."


def _difference(sample: Sample, look: Look) -> str:
    text = format_difference(sample.difference)
    interval = sample.interval(look.alpha)
    if interval is None:
        return text
    low, high = format_difference(interval.low), format_difference(interval.high)
    return f"{text} ({format_percent(interval.level)} CI {low}…{high})"


def _width(margin: Margin) -> str:
    if margin.low == margin.high:
        return f"±{format_size(margin.high)}"
    return f"-{format_size(margin.low)}…+{format_size(margin.high)}"


def _count(reruns: int) -> str:
    return "1 rerun" if reruns == 1 else f"{reruns} reruns"


def _original(case: Case) -> str:
    return format_value(case.original, _sampled(case).difference if case.sample else 0.0)


def _mean(case: Case) -> str:
    sample = _sampled(case)
    return format_value(sample.mean, sample.difference)


def _sampled(case: Case) -> Sample:
    if case.sample is None:
        raise ValueError(f"{case.metric} has no finite value to speak of")
    return case.sample


def _margined(case: Case) -> Margin:
    if case.margin is None:
        raise ValueError(f"{case.metric} has no margin to speak of")
    return case.margin
