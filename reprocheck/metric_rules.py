"""What a team says about metrics: entries of reprocheck.yaml, of an experiment definition, options.

The shape is judged by the schema before; here is what a schema cannot tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from reprocheck.errors import ConfigError, UsageError
from reprocheck.model import (
    Condition,
    DeclaredMargin,
    Direction,
    MetricRule,
    Scale,
    Sigma,
    Width,
)

_CONDITION = re.compile(r"\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*")
_SIDE = re.compile(r"([-+])([0-9.][-+0-9.eE]*)(%?)")
_LISTED = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|[-+]?inf|nan", re.IGNORECASE
)
_NUMBER = re.compile(r"([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(\S*)")


def metric_rule(metric: str, entry: Mapping[str, Any], source: str, place: str) -> MetricRule:
    """The rule of one entry; `source` names the file, `place` file and line.

    Raises `ConfigError` for keys that contradict each other.
    """
    sigma, margin = entry.get("sigma"), entry.get("margin")
    rule = MetricRule(
        metric=metric,
        gate=entry.get("gate"),
        margin=margin and _margin(margin, source, place),
        direction=Direction(entry.get("direction", "unknown")),
        resolution=_number(entry.get("resolution")),
        dtype=entry.get("dtype"),
        test_size=entry.get("test_size"),
        scale=Scale(entry.get("scale", "linear")),
        expr=entry.get("expr"),
        best_of=entry.get("best_of"),
        noninferiority=entry.get("noninferiority", False),
        sigma=sigma and Sigma(value=float(sigma["value"]), freedom=sigma["df"]),
        failure_if=_condition(metric, entry.get("failure_if"), place),
        least=_number(entry.get("min")),
        most=_number(entry.get("max")),
        place=place,
    )
    refuse_contradictions(rule)
    return rule


def parse_margin(text: str) -> tuple[str, DeclaredMargin]:
    """The metric and its margin from METRIC=VALUE.

    A value with % is relative. `METRIC=-0.01,+0.005` is how far reruns may lie below and above.

    Raises `UsageError`.
    """
    name, _, value = text.rpartition("=")
    number = _NUMBER.fullmatch(value)
    if number and number[2] not in ("", "%"):
        raise UsageError(
            f"--margin {text}: the unit '{number[2]}' is not known",
            "write a number in the metric's own unit, or a percentage of the original: "
            f"--margin {name}=0.005 or --margin {name}=2%",
        )
    sides = [_SIDE.fullmatch(part.strip()) for part in value.split(",")]
    width, relative = None, value.endswith("%")
    if number:
        width = Width.both(_size(number[1], relative))
    elif len(sides) == 2 and sides[0] and sides[1] and sides[0][3] == sides[1][3]:
        sizes = {side[1]: _size(side[2], relative) for side in sides if side}
        width = Width(below=sizes.get("-", 0.0), above=sizes.get("+", 0.0))
    if not name or width is None or not all(0 < x < math.inf for x in (width.below, width.above)):
        raise UsageError(
            f"--margin {text}: expected METRIC=VALUE with a value above 0",
            "write for example --margin accuracy=0.005, --margin loss=2% for a relative one, or "
            "--margin accuracy=-0.01,+0.005 for one that differs below and above",
        )
    return name, DeclaredMargin(
        absolute=None if relative else width,
        relative=width if relative else None,
        source="--margin",
    )


def parse_sigma(text: str) -> tuple[str, Sigma]:
    """The metric and its standard deviation from METRIC=SD or METRIC=SD/DF.

    Raises `UsageError`.
    """
    name, _, value = text.rpartition("=")
    size, _, freedom = value.partition("/")
    number = _size(size, relative=False)
    if not name or not 0 < number < math.inf or not re.fullmatch(r"[1-9][0-9]{0,5}|", freedom):
        raise UsageError(
            f"--sigma {text}: expected METRIC=SD with a value above 0, or METRIC=SD/DF",
            "write for example --sigma accuracy=0.004, or --sigma accuracy=0.004/9 for one "
            "estimated from 10 runs",
        )
    return name, Sigma(value=number, freedom=int(freedom or KNOWN))


def parse_values(option: str, texts: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The values of each metric from texts of the form METRIC=VALUE,VALUE…; nan and inf count.

    All lists of one option are equally long: the first values are one run's, and so on. Raises
    `UsageError`.
    """
    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, _, listed = text.rpartition("=")
        values = tuple(_value(part) for part in listed.split(","))
        if not name or None in values:
            raise UsageError(
                f"{option} {text}: expected METRIC=VALUE or METRIC=VALUE,VALUE,… with numbers",
                f"write for example {option} accuracy=0.91,0.92,0.90; nan and inf are values too",
            )
        if name in found:
            raise UsageError(f"{option}: {name} is given twice", "write all its values in one list")
        found[name] = tuple(value for value in values if value is not None)
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise UsageError(
            f"{option}: the lists are not equally long: {told}",
            "give a value of every metric for every run, nan where there was none",
        )
    return found


def _value(text: str) -> float | None:
    match = _LISTED.fullmatch(text.strip())
    if match is None:
        return None
    value = float(match[0])
    meant = "inf" in match[0].lower()  # 1e999 is a number that no double holds
    return value if meant or not math.isinf(value) else None


KNOWN = 1_000_000
"""Degrees of freedom of a standard deviation that is taken as known."""


def _size(text: str, relative: bool) -> float:
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number / 100 if relative else number


def _margin(margin: Mapping[str, Any], source: str, place: str) -> DeclaredMargin:
    return DeclaredMargin(
        absolute=_width(margin.get("abs")),
        relative=_width(margin.get("rel")),
        source=source,
        place=place,
    )


def _width(value: float | Mapping[str, float] | None) -> Width | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return Width(below=float(value["below"]), above=float(value["above"]))
    return Width.both(float(value))


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)  # YAML's 1 is an integer


def _condition(metric: str, text: str | None, place: str) -> Condition | None:
    if text is None:
        return None
    match = _CONDITION.fullmatch(text)
    value = _size(match[2], relative=False) if match else math.nan
    if match is None or math.isnan(value):
        raise ConfigError(
            f"{place}: failure_if of {metric} is '{text}', which is no condition",
            'write a comparison with a number, for example failure_if: "< 0.5"',
        )
    return Condition(operator=match[1], value=value)


def refuse_contradictions(rule: MetricRule) -> None:
    """Raises `ConfigError` for what one metric cannot be declared to be at once."""
    for wrong, why, hint in (
        (
            rule.noninferiority and rule.direction is Direction.UNKNOWN,
            "noninferiority needs to know which way is worse",
            "add direction: higher or direction: lower",
        ),
        (
            rule.scale is Scale.LOG and rule.margin and rule.margin.absolute,
            "an absolute margin does not fit scale: log, on which differences are factors",
            "declare a relative one: margin: {rel: 0.02}",
        ),
        (
            rule.scale is Scale.LOG and rule.test_size,
            "a proportion of test_size examples is not judged on scale: log",
            "remove one of the two",
        ),
        (
            rule.least is not None and rule.most is not None and rule.least > rule.most,
            f"the success criterion min {rule.least} is above max {rule.most}",
            "swap them",
        ),
    ):
        if wrong:
            raise ConfigError(f"{rule.place}: {rule.metric}: {why}", hint)
