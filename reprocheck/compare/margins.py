"""Margins: the largest difference that is called irrelevant, and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from reprocheck.compare.sample import summarise
from reprocheck.model import (
    DeclaredMargin,
    Direction,
    Margin,
    MarginSource,
    MetricRule,
    Scale,
    Sigma,
    Width,
)
from reprocheck.numbers import format_percent, format_size

REPEATABILITY = 2.8
"""1.96·√2: two honest single runs differ by less standard deviations in 95 % (ISO 5725)."""
FEWEST_SIBLINGS = 3
KNOWN = 1_000_000
"""Degrees of freedom of a standard deviation that is known: Student's t is then the normal."""


def is_value(rule: MetricRule, x: float) -> bool:
    """Whether a run with this value counts for the statistics: finite, and no failure."""
    failed = rule.failure_if is not None and rule.failure_if.holds(x)
    return math.isfinite(x) and not failed and (rule.scale is Scale.LINEAR or x > 0.0)


def margin_of(rule: MetricRule, original: float, siblings: Sequence[float] = ()) -> Margin | None:
    """The margin around an original value, from the first source that has one.

    Declared; else 2.8 standard deviations of three siblings or more; else the noise of a
    proportion of `test_size` examples. In logarithms under scale log. None: no source, or an
    original that is not finite.
    """
    if not math.isfinite(original):
        return None
    if rule.margin is not None:
        return _declared(rule, rule.margin, original)
    return _of_siblings(rule, siblings) or _of_test_size(rule, original)


def width_of(declared: DeclaredMargin, original: float) -> Width:
    """The declared widths in the metric's unit; on each side the larger of both forms."""
    absolute, relative = declared.absolute or Width.both(0.0), declared.relative or Width.both(0.0)
    size = abs(original)
    return Width(
        below=max(absolute.below, relative.below * size),
        above=max(absolute.above, relative.above * size),
    )


def noise_of_proportion(rule: MetricRule, original: float) -> float | None:
    """The run-to-run standard deviation of a proportion: √(err/2m), by which it is bounded.

    For a calibrated ensemble with independent errors Var = Σp²-Σp³ over classes is at most err/2
    an example, with equality for two classes.
    """
    if rule.test_size is None or not 0.0 <= original <= 1.0:
        return None
    return math.sqrt(_error_rate(rule.direction, original) / 2 / rule.test_size)


def known_spread(rule: MetricRule, original: float, siblings: Sequence[float] = ()) -> Sigma | None:
    """The run-to-run standard deviation that is known without reruns, from the best source.

    Declared; else of three siblings or more; else of a proportion of `test_size` examples.
    """
    if rule.sigma is not None:
        return rule.sigma
    values = _usable(rule, siblings)
    if len(values) >= FEWEST_SIBLINGS and (sd := summarise(values, values).sd):
        return Sigma(value=sd, freedom=len(values) - 1)
    noise = noise_of_proportion(rule, original)
    return Sigma(value=noise, freedom=KNOWN) if noise else None


def _declared(rule: MetricRule, declared: DeclaredMargin, original: float) -> Margin:
    width = width_of(declared, original)
    if rule.scale is Scale.LOG and declared.relative:
        width = _factors(declared.relative)
    return Margin(
        low=width.below, high=width.above, source=MarginSource.DECLARED, text=_text(declared)
    )


def _factors(relative: Width) -> Width:
    """In logarithms: log(1 + rel) on both sides; where the sides differ, below is what it says."""
    above = math.log1p(relative.above)
    if relative.below == relative.above:
        return Width.both(above)
    return Width(
        below=-math.log1p(-relative.below) if relative.below < 1.0 else math.inf, above=above
    )


def _of_siblings(rule: MetricRule, siblings: Sequence[float]) -> Margin | None:
    """Siblings give the margin's size and nothing else: they are no part of the baseline."""
    values = _usable(rule, siblings)
    if len(values) < FEWEST_SIBLINGS or len(set(values)) == 1:
        return None
    half = REPEATABILITY * (summarise(values, values).sd or 0.0)
    if not 0.0 < half < math.inf:
        return None
    text = f"{REPEATABILITY} standard deviations of {len(values)} siblings"
    return Margin(low=half, high=half, source=MarginSource.SIBLINGS, text=text)


def _usable(rule: MetricRule, siblings: Sequence[float]) -> list[float]:
    # One collapsed run would widen the margin until nothing is outside.
    return on_scale([x for x in siblings if is_value(rule, x)], rule.scale)


def _of_test_size(rule: MetricRule, original: float) -> Margin | None:
    noise = noise_of_proportion(rule, original)
    if noise is None or rule.test_size is None:
        return None
    half = max(1.96 * math.sqrt(2) * noise, 2 / rule.test_size)
    text = f"the noise of a proportion of {rule.test_size} examples"
    return Margin(low=half, high=half, source=MarginSource.TEST_SIZE, text=text)


def _error_rate(direction: Direction, original: float) -> float:
    match direction:
        case Direction.HIGHER:
            return 1.0 - original
        case Direction.LOWER:
            return original
        case _:
            return min(original, 1.0 - original)  # the narrower margin


def on_scale(values: Sequence[float], scale: Scale) -> list[float]:
    """The values as they are judged; on scale log what is not positive has no value."""
    if scale is Scale.LINEAR:
        return list(values)
    return [math.log(value) if value > 0.0 else math.nan for value in values]


def _text(declared: DeclaredMargin) -> str:
    forms = []
    if declared.absolute is not None:
        forms.append(_sides(declared.absolute, format_size))
    if declared.relative is not None:
        forms.append(_sides(declared.relative, lambda x: format_percent(100 * x)))
    return f"{' or '.join(forms)} ({declared.source})"


def _sides(width: Width, show: Callable[[float], str]) -> str:
    if width.below == width.above:
        return show(width.above)
    return f"-{show(width.below)}, +{show(width.above)}"
