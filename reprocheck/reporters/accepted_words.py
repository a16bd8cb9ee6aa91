"""Whose baseline counted, in the same words for every reporter; a renderer escapes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reprocheck.model import Acceptance, Report
from reprocheck.numbers import format_value

NAMES = 5
"""Metrics told by name."""


def judged_against(report: Report) -> str:
    """Whose accepted baseline the reruns were compared with; "" where it was the run's own."""
    found = report.acceptance
    gated = [each.metric for each in report.comparisons if each.gated]
    if found is None or not gated:
        return ""
    new = {each.metric: each.new for each in found.metrics if each.metric in gated}
    some = f" for {_listed(sorted(new))}" if len(new) < len(gated) else ""
    metrics = report.record.metrics if report.record else {}
    own = {name: metrics[name].value for name in new if name in metrics}
    judged = "To be judged" if report.dry_run else "Judged"
    return f"{judged} against the baseline that {_whose(found)}{some}{_own(own, new)}."


def proposed(report: Report) -> str:
    """What a pull request adds or changes and what counted nothing; "" where nothing."""
    found = report.proposed
    if found is None:
        return ""
    changes = [
        f"{each.metric} {format_value(_mean(each.old), _mean(each.new) - _mean(each.old))} → "
        f"{format_value(_mean(each.new), _mean(each.new) - _mean(each.old))}"
        for each in found.metrics
        if each.old != each.new
    ]
    return (
        f"Proposed: a new baseline that {_whose(found)}: {_listed(changes)}. It changed neither "
        "verdict nor exit code, and counts once it is on the base branch."
    )


def _whose(found: Acceptance) -> str:
    day = found.at.date().isoformat()
    who = f"{found.by} accepted on {day}" if found.by else f"was accepted on {day}"
    return f"{who} ({found.reason})" if found.reason else who


def _own(own: Mapping[str, float], new: Mapping[str, Sequence[float]]) -> str:
    told = {name: format_value(value, _mean(new[name]) - value) for name, value in own.items()}
    if not told:
        return ""
    if len(told) == len(new) == 1:
        return f"; the run's own value is {next(iter(told.values()))}"
    values = "value is" if len(told) == 1 else "values are"
    return f"; the run's own {values} {_listed([f'{k} {told[k]}' for k in sorted(told)])}"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(value / len(values) for value in values)


def _listed(told: Sequence[str]) -> str:
    more = f" and {len(told) - NAMES} more" if len(told) > NAMES else ""
    return ", ".join(told[:NAMES]) + more
