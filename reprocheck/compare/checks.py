"""What cannot be meant in the rules of metrics: told before anything is built."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping

from reprocheck.compare.ladder import TOLERANCES
from reprocheck.compare.margins import width_of
from reprocheck.compare.names import is_share
from reprocheck.errors import ConfigError
from reprocheck.model import DeclaredMargin, Metric, MetricRule, Scale
from reprocheck.numbers import format_percent, format_size, format_value


def check_margins(rules: Mapping[str, MetricRule], metrics: Mapping[str, Metric]) -> None:
    """Raise ConfigError for a margin, or what it is judged with, that cannot be meant.

    `metrics` are the run's, those of expressions included.
    """
    for rule in rules.values():
        _check_resolution(rule)
        _check_dtype(rule)
        if rule.margin is not None:
            _check_sizes(rule, rule.margin)
            declared = f"A margin is declared for {rule.metric} ({rule.margin.source})"
            _check_logged(rule.metric, declared, rule.margin.place, metrics)
        if rule.sigma is not None and not rule.place:  # of an option
            _check_logged(rule.metric, f"A sigma is given for {rule.metric} (--sigma)", "", metrics)
        if rule.metric in metrics:
            _check_value(rule, metrics[rule.metric].value)


def _check_value(rule: MetricRule, original: float) -> None:
    """What only the recorded value shows."""
    if rule.scale is Scale.LOG:
        _check_units(rule)
    _check_scale(rule, original)
    _check_proportion(rule, original)
    _check_failure(rule, original)
    if rule.margin is not None and math.isfinite(original):
        _check_width(rule, rule.margin, original)


def _check_units(rule: MetricRule) -> None:
    """What of several sources, an option and the config, does not fit a logarithm."""
    if rule.margin is not None and rule.margin.absolute is not None:
        raise _error(
            rule.margin.place,
            f"{_margin(rule, rule.margin)} is absolute, and differences on scale: log are factors.",
            f"Declare a relative one: --margin {rule.metric}=2%.",
        )
    if rule.test_size is not None:
        raise _error(
            rule.place,
            f"{rule.metric} has a test_size, and a proportion is not judged on scale: log.",
            "Remove one of the two.",
        )


def _check_resolution(rule: MetricRule) -> None:
    if rule.resolution is not None and not _is_positive(rule.resolution):
        raise _error(
            rule.place,
            f"The resolution of {rule.metric} is {format_size(rule.resolution)}; "
            "it must be a number above 0.",
            "Give the smallest step in which the metric can change, as 1/360 of an accuracy "
            "over 360 examples.",
        )


def _check_dtype(rule: MetricRule) -> None:
    if rule.dtype is not None and rule.dtype not in TOLERANCES:
        raise _error(
            rule.place,
            f"The dtype of {rule.metric} is {rule.dtype!r}, which is not known.",
            f"Use one of {', '.join(TOLERANCES)}.",
        )


def _check_sizes(rule: MetricRule, declared: DeclaredMargin) -> None:
    widths = [width for width in (declared.absolute, declared.relative) if width is not None]
    for size in [side for width in widths for side in (width.below, width.above)]:
        if not _is_positive(size):
            raise _error(
                declared.place,
                f"{_margin(rule, declared)} is {format_size(size)}; it must be a number above 0.",
                "A margin is the largest difference that does not matter. Reruns that equal "
                "the original bit for bit need none.",
            )
    if not widths:
        raise _error(
            declared.place,
            f"{_margin(rule, declared)} has no value.",
            f"Give an absolute or a relative one: --margin {rule.metric}=0.005 or "
            f"--margin {rule.metric}=1%.",
        )
    _check_fraction(rule, declared)


def _check_fraction(rule: MetricRule, declared: DeclaredMargin) -> None:
    """A relative margin that was given in percent."""
    if declared.relative is None:
        return
    size = max(declared.relative.below, declared.relative.above)
    if size >= (10.0 if rule.scale is Scale.LOG else 1.0):
        raise _error(
            declared.place,
            f"{_margin(rule, declared)} is {format_percent(100 * size)} of the original: nothing "
            "would be outside.",
            f"A relative margin is a fraction in the config, rel: 0.01 for 1 %, and --margin "
            f"{rule.metric}=1% on the command line.",
        )


def _check_logged(name: str, declared: str, place: str, metrics: Mapping[str, Metric]) -> None:
    if name in metrics:
        return
    near = difflib.get_close_matches(name, metrics, n=3, cutoff=0.5) or sorted(metrics)[:8]
    raise _error(
        place,
        f"{declared}, which the run never logged.",
        f"Nearest logged names: {', '.join(near)}." if near else "It logged no metric.",
    )


def _check_scale(rule: MetricRule, original: float) -> None:
    if rule.scale is Scale.LOG and not original > 0.0:
        raise _error(
            rule.place,
            f"{rule.metric} is {format_value(original)}, which has no place on scale: log.",
            "Only positive metrics are judged by factors; remove scale: log.",
        )


def _check_proportion(rule: MetricRule, original: float) -> None:
    if rule.test_size is not None and math.isfinite(original) and not 0.0 <= original <= 1.0:
        raise _error(
            rule.place,
            f"{rule.metric} is {format_value(original)}, which is no proportion of "
            f"{rule.test_size} examples.",
            "test_size is for metrics between 0 and 1; for a percentage give resolution and margin "
            "in its own unit instead.",
        )


def _check_failure(rule: MetricRule, original: float) -> None:
    if rule.failure_if is not None and rule.failure_if.holds(original):
        told = f"{rule.failure_if.operator} {format_size(rule.failure_if.value)}"
        raise _error(
            rule.place,
            f"By failure_if: {told} the recorded run itself has failed: {rule.metric} is "
            f"{format_value(original)}.",
            "Name a condition that only collapsed runs fulfil.",
        )


def _check_width(rule: MetricRule, declared: DeclaredMargin, original: float) -> None:
    sides = width_of(declared, original)
    width, metric = min(sides.below, sides.above), rule.metric
    if width == 0.0:
        raise _error(
            declared.place,
            f"The relative margin of {metric} ({declared.source}) comes to 0, "
            "because the original value is 0.",
            f"Declare an absolute margin: --margin {metric}=0.01.",
        )
    if width >= 1.0 >= original >= 0.0 and (rule.test_size or is_share(metric)):
        raise _error(
            declared.place,
            f"{_margin(rule, declared)} is ±{format_size(width)}, all that lies between 0 and 1.",
            f"Give it in the metric's unit, --margin {metric}={format_size(width / 100)}, or "
            f"relative to the original, --margin {metric}={format_size(width)}%.",
        )
    resolution = rule.resolution or (1 / rule.test_size if rule.test_size else 0.0)
    # 0.9 + 1/360 - 0.9 is a little less than 1/360 in binary.
    if width < resolution * (1 - 1e-9):
        raise _error(
            declared.place,
            f"{_margin(rule, declared)} is ±{format_size(width)}, below its resolution "
            f"{format_size(resolution)}: no rerun could differ by so little.",
            "Declare a margin of at least the resolution.",
        )


def _margin(rule: MetricRule, declared: DeclaredMargin) -> str:
    return f"The margin of {rule.metric} ({declared.source})"


def _error(place: str, message: str, hint: str) -> ConfigError:
    return ConfigError(f"{place}: {message}" if place else message, hint)


def _is_positive(x: float) -> bool:
    return math.isfinite(x) and x > 0.0
