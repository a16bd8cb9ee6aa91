"""Margins: the largest difference that the user calls irrelevant."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping

from reprocheck.compare.ladder import TOLERANCES
from reprocheck.errors import ConfigError
from reprocheck.model import DeclaredMargin, Margin, MarginSource, Metric, MetricRule, Width
from reprocheck.numbers import format_percent, format_size


def margin_of(rule: MetricRule, original: float) -> Margin | None:
    """The margin around an original value; of an absolute and a relative one the larger."""
    declared = rule.margin
    if declared is None or not math.isfinite(original):
        return None
    width = _width(declared, original)
    return Margin(
        low=width.below, high=width.above, source=MarginSource.DECLARED, text=_text(declared)
    )


def check_margins(rules: Mapping[str, MetricRule], metrics: Mapping[str, Metric]) -> None:
    """Raise ConfigError for a margin or a resolution that cannot be meant, before any work."""
    for rule in rules.values():
        _check_resolution(rule)
        _check_dtype(rule)
        if rule.margin is not None:
            _check_forms(rule.metric, rule.margin)
            _check_logged(rule.metric, rule.margin, metrics)
            _check_width(rule, rule.margin, metrics[rule.metric].value)


def _width(declared: DeclaredMargin, original: float) -> Width:
    """In the metric's unit; on each side the larger of both forms."""
    absolute, relative = declared.absolute or Width.both(0), declared.relative or Width.both(0)
    size = abs(original)
    return Width(
        below=max(absolute.below, relative.below * size),
        above=max(absolute.above, relative.above * size),
    )


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


def _check_resolution(rule: MetricRule) -> None:
    if rule.resolution is not None and not _is_positive(rule.resolution):
        raise ConfigError(
            f"The resolution of {rule.metric} is {format_size(rule.resolution)}; "
            "it must be a number above 0.",
            hint="Give the smallest step in which the metric can change, as 1/360 of an accuracy "
            "over 360 examples.",
        )


def _check_dtype(rule: MetricRule) -> None:
    if rule.dtype is not None and rule.dtype not in TOLERANCES:
        raise ConfigError(
            f"The dtype of {rule.metric} is {rule.dtype!r}, which is not known.",
            hint=f"Use one of {', '.join(TOLERANCES)}.",
        )


def _check_forms(metric: str, declared: DeclaredMargin) -> None:
    forms = [form for form in (declared.absolute, declared.relative) if form is not None]
    for form in [side for width in forms for side in (width.below, width.above)]:
        if not _is_positive(form):
            raise ConfigError(
                f"The margin of {metric} ({declared.source}) is {format_size(form)}; "
                "it must be a number above 0.",
                hint="A margin is the largest difference that does not matter. Reruns that equal "
                "the original bit for bit need none.",
            )
    if not forms:
        raise ConfigError(
            f"The margin of {metric} ({declared.source}) has no value.",
            hint=f"Give an absolute or a relative one: --margin {metric}=0.005 or "
            f"--margin {metric}=1%.",
        )


def _check_logged(metric: str, declared: DeclaredMargin, metrics: Mapping[str, Metric]) -> None:
    if metric in metrics:
        return
    nearest = difflib.get_close_matches(metric, metrics, n=3, cutoff=0.5) or sorted(metrics)[:8]
    raise ConfigError(
        f"A margin is declared for {metric} ({declared.source}), which the run never logged.",
        hint=f"Nearest logged names: {', '.join(nearest)}." if nearest else "It logged no metric.",
    )


def _check_width(rule: MetricRule, declared: DeclaredMargin, original: float) -> None:
    if not math.isfinite(original):
        return
    sides = _width(declared, original)
    width = min(sides.below, sides.above)
    if width == 0.0:
        raise ConfigError(
            f"The relative margin of {rule.metric} ({declared.source}) comes to 0, "
            "because the original value is 0.",
            hint=f"Declare an absolute margin: --margin {rule.metric}=0.01.",
        )
    if rule.resolution is not None and width < rule.resolution:
        raise ConfigError(
            f"The margin of {rule.metric} ({declared.source}) is ±{format_size(width)}, below its "
            f"resolution {format_size(rule.resolution)}: no rerun could differ by so little.",
            hint="Declare a margin of at least the resolution.",
        )


def _is_positive(x: float) -> bool:
    return math.isfinite(x) and x > 0.0
