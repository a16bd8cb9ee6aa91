"""A metric's numbers in words: the same in every sentence, in its unit or as factors."""

from __future__ import annotations

import math

from reprocheck.compare.case import Case
from reprocheck.model import Interval, Margin, Scale
from reprocheck.numbers import (
    format_change,
    format_percent,
    format_size,
    format_spread,
    format_value,
    format_width,
)


def difference(case: Case, x: float) -> str:
    """A difference with its sign; under scale log the relative change."""
    return format_change(x, case.rule.scale)


def size(case: Case, x: float) -> str:
    """A spread or a half-width."""
    return format_spread(x, case.rule.scale)


def width(case: Case, margin: Margin) -> str:
    """The margin, with both sides where they differ."""
    return format_width(margin.low, margin.high, case.rule.scale)


def with_interval(case: Case) -> str:
    """The difference and its interval at the present look."""
    text = difference(case, shown_difference(case))
    interval = shown_interval(case)
    if interval is None:
        return text
    low, high = difference(case, interval.low), difference(case, interval.high)
    return f"{text} ({format_percent(interval.level)} CI {low}…{high})"


def shown_difference(case: Case) -> float:
    """The difference of the reruns; 0 where there is none."""
    return case.sample.difference if case.sample else 0.0


def shown_interval(case: Case) -> Interval | None:
    """The interval of the difference: of a proportion no wider than it can be."""
    if case.sample is None or case.sample.spread == 0.0:
        return None  # without any noise there is nothing to be confident of
    found = case.interval
    if found is None or case.rule.test_size is None:
        return found
    least, most = -case.sample.original, 1.0 - case.sample.original
    return Interval(low=max(found.low, least), high=min(found.high, most), level=found.level)


def shown_prediction(case: Case) -> Interval | None:
    """The interval for the originals' mean as the reruns predict it, in the metric's unit."""
    if case.sample is None:
        return None
    counts, alpha = case.counts, case.plan.alpha
    found = counts.prediction(alpha) if counts else case.sample.prediction(alpha)
    if found is None or case.rule.scale is Scale.LINEAR:
        return found
    return Interval(low=_exp(found.low), high=_exp(found.high), level=found.level)


def predicted(case: Case) -> str:
    """The reruns' mean with that interval."""
    found = shown_prediction(case)
    if found is None:
        return mean(case)
    if case.rule.scale is Scale.LINEAR and case.counts is None:
        return f"{mean(case)} ± {format_size((found.high - found.low) / 2)}"
    apart = _apart(case)
    return f"{mean(case)}, {format_value(found.low, apart)}…{format_value(found.high, apart)}"


def shown_mean(case: Case) -> float | None:
    """The mean of the reruns in the metric's unit; the geometric one under scale log."""
    if case.sample is None:
        return None
    return _exp(case.sample.mean) if case.rule.scale is Scale.LOG else case.sample.mean


def original(case: Case) -> str:
    """The original's value, with as many digits as show the difference."""
    return format_value(case.original, _apart(case))


def baseline(case: Case) -> str:
    """What the reruns are compared with: the reported value, or the mean of several."""
    if case.sample is None or case.sample.originals == 1:
        return f"the {'accepted' if case.accepted else 'reported'} {original(case)}"
    value = case.sample.original
    shown = _exp(value) if case.rule.scale is Scale.LOG else value
    several = f"{case.sample.originals} {'accepted reruns' if case.accepted else 'originals'}"
    return f"the mean {format_value(shown, _apart(case))} of {several}"


def mean(case: Case) -> str:
    """The mean of the reruns, with as many digits as show the difference."""
    value = shown_mean(case)
    return "no value" if value is None else format_value(value, _apart(case))


def _apart(case: Case) -> float:
    """The difference in the metric's unit."""
    value = shown_mean(case)
    return 0.0 if value is None else value - case.original


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
