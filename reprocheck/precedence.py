"""What counts where an option, the run's experiment definition and reprocheck.yaml all declare.

For a margin: --margin, then the definition, then the file. For all else the definition, then the
file. What is declared later than the definition and looser is told, whichever counts.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TypeVar

from reprocheck.compare import check_criteria, check_margins
from reprocheck.compare.margins import width_of
from reprocheck.compare.names import is_share
from reprocheck.errors import ConfigError
from reprocheck.metric_rules import refuse_contradictions
from reprocheck.model import (
    DeclaredMargin,
    Direction,
    ExperimentDefinition,
    Finding,
    Gates,
    Metric,
    MetricRule,
    Require,
    Scale,
    Severity,
    Width,
)
from reprocheck.numbers import format_percent, format_size, format_value
from reprocheck.schema import pointer

_T = TypeVar("_T")

OPTION = "--margin"
DEFINITION = "the experiment definition"

Rules = Mapping[str, MetricRule]


def combine(
    rules: Rules, definition: ExperimentDefinition | None, metrics: Mapping[str, Metric]
) -> tuple[Rules, tuple[Finding, ...]]:
    """The rules that count, of the config with its options and the definition; and what in the
    config or the options is looser than what was declared before.

    `metrics` are the original's: a fraction and an absolute margin are compared at its value.
    Raises `ConfigError` where the two contradict each other.
    """
    defined, broken = _sound(definition.rules if definition else {}, metrics)
    combined: dict[str, MetricRule] = {}
    findings: list[Finding] = list(broken)
    for name in dict.fromkeys((*rules, *defined)):
        later, earlier = rules.get(name), defined.get(name)
        value = metrics[name].value if name in metrics else math.nan
        findings += _looser(later, earlier, value)
        combined[name] = _combined(later, earlier)
        refuse_contradictions(combined[name])
        findings += _wide(combined[name], value)
    return combined, (*findings, *_never_logged(definition, rules, metrics))


def left_out(definition: ExperimentDefinition | None, gates: Gates) -> tuple[Finding, ...]:
    """The primary metrics of the definition that are not judged."""
    missing = (
        [name for name in definition.primary if name not in gates.metrics] if definition else []
    )
    return tuple(
        _finding(
            "ungated-primary",
            name,
            f"{name} is a primary metric of {DEFINITION}, and is not judged; what is judged is "
            f"{', '.join(gates.metrics) or 'nothing'} ({gates.reason})",
            f"judge it too: --gate {name}",
        )
        for name in missing
    )


def _sound(rules: Rules, metrics: Mapping[str, Metric]) -> tuple[Rules, tuple[Finding, ...]]:
    """The definition's rules, without those that do not fit what the run logged.

    It is a record that nobody can mend now: what would be wrong usage in a config is a finding.
    """
    sound, findings = {}, []
    for name, rule in rules.items():
        logged = rule if name in metrics else dataclasses.replace(rule, margin=None)
        try:
            check_margins({name: logged}, metrics)
            if name in metrics:
                check_criteria({name: logged}, metrics, Require.CONSISTENT)
            sound[name] = logged
        except ConfigError as error:
            told = f"what {DEFINITION} says about {name} does not count: {error.message}"
            findings.append(_finding("broken-definition", name, told, error.hint))
    return sound, tuple(findings)


def _combined(later: MetricRule | None, earlier: MetricRule | None) -> MetricRule:
    if later is None or earlier is None:
        return later or earlier or MetricRule(metric="")
    by_option = later.margin is not None and later.margin.source == OPTION
    defined = earlier.margin
    return dataclasses.replace(
        later,
        margin=later.margin if by_option or defined is None else defined,
        direction=_first(earlier.direction, later.direction, Direction.UNKNOWN),
        scale=_first(earlier.scale, later.scale, Scale.LINEAR),
        noninferiority=earlier.noninferiority or later.noninferiority,
        test_size=_first(earlier.test_size, later.test_size, None),
        least=_first(earlier.least, later.least, None),
        most=_first(earlier.most, later.most, None),
        place=later.place or earlier.place,
    )


def _first(earlier: _T, later: _T, undeclared: _T) -> _T:
    return later if earlier == undeclared else earlier


# --- what is looser than what was declared before -----------------------------------------


def _looser(
    later: MetricRule | None, earlier: MetricRule | None, value: float
) -> Iterator[Finding]:
    if later is None:
        return
    yield from _looser_margins(later, earlier, value)
    if earlier is None:
        return
    if later.noninferiority and not earlier.noninferiority:
        yield _finding(
            "looser-margin",
            later.metric,
            f"{later.place} asks only whether {later.metric} is worse, {earlier.place} whether it "
            "is equal on both sides",
            "remove noninferiority, or put it into the definition before the run",
        )
    yield from _looser_criteria(later, earlier)


def _wide(rule: MetricRule, value: float) -> Iterator[Finding]:
    """A margin of half the value lets nearly everything pass; 0.01 around a loss of 0.001 may be
    meant."""
    declared = rule.margin
    if declared is None or rule.scale is Scale.LOG or not math.isfinite(value):
        return
    share = is_share(rule.metric) or rule.test_size is not None
    width = width_of(declared, value)
    if (declared.relative or share) and min(width.below, width.above) >= 0.5 * abs(value) > 0:
        yield _finding(
            "wide-margin",
            rule.metric,
            f"the margin of {rule.metric} {_told(declared)} is half of the recorded "
            f"{format_value(value)} or more: REPRODUCED says little within it",
            "declare the largest difference that does not matter for the metric's use",
        )


def _looser_margins(
    later: MetricRule, earlier: MetricRule | None, value: float
) -> Iterator[Finding]:
    value = value if math.isfinite(value) else 1.0
    by_option = later.margin is not None and later.margin.source == OPTION
    in_order = (
        earlier.margin if earlier else None,
        later.overridden if by_option else later.margin,
        later.margin if by_option else None,
    )
    counts = later.margin if by_option else in_order[0] or in_order[1]
    declared = [margin for margin in in_order if margin is not None]
    for before, after in combinations(declared, 2):
        if _is_wider(width_of(after, value), width_of(before, value)):
            yield _finding(
                "looser-margin",
                later.metric,
                f"the margin of {later.metric} {_told(after)} is wider than {_told(before)}, which "
                f"was declared before; {_told(counts or after)} counts",
                "a margin should be what does not matter, known before the reruns are",
            )


def _looser_criteria(later: MetricRule, earlier: MetricRule) -> Iterator[Finding]:
    for bound, after, before in (
        ("min", later.least, earlier.least),
        ("max", later.most, earlier.most),
    ):
        if after is None or before is None or after == before:
            continue
        if (after < before) == (bound == "min"):
            yield _finding(
                "looser-criterion",
                later.metric,
                f"the success criterion {bound} {format_size(after)} of {later.metric} "
                f"({later.place}) is looser than {format_size(before)} ({earlier.place}), which "
                "was declared before the run and counts",
                f"remove {bound} from the config",
            )


def _is_wider(width: Width, other: Width) -> bool:
    slack = 1 + 1e-9  # 0.5 % of 2 is 0.01, but not in binary
    return width.below > other.below * slack or width.above > other.above * slack


def _told(declared: DeclaredMargin) -> str:
    forms = []
    if declared.absolute is not None:
        forms.append(_sides(declared.absolute, percent=False))
    if declared.relative is not None:
        forms.append(_sides(declared.relative, percent=True))
    return f"{' or '.join(forms)} ({declared.place or declared.source})"


def _sides(width: Width, *, percent: bool) -> str:
    below, above = (
        format_percent(100 * side) if percent else format_size(side)
        for side in (width.below, width.above)
    )
    return above if width.below == width.above else f"-{below}, +{above}"


# --- what the run did not log -------------------------------------------------------------


def _never_logged(
    definition: ExperimentDefinition | None, rules: Rules, metrics: Mapping[str, Metric]
) -> Iterator[Finding]:
    for name in (*definition.primary, *definition.secondary) if definition else ():
        if name not in metrics and not (name in rules and rules[name].expr):
            yield _finding(
                "undelivered-metric",
                name,
                f"{DEFINITION} names the metric {name}, which the run never logged",
                "log every metric that the definition names",
            )


def _finding(code: str, metric: str, message: str, hint: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        message=message,
        hint=hint,
        pointer=pointer(["definition", "metrics", metric]),
    )
