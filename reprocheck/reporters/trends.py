"""What every report on the trends of runs says in the same words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from reprocheck.model import Aggregate, Standing, Trend, Verification
from reprocheck.numbers import counted, format_value
from reprocheck.reporters.base import GOOD, MARKS

SHOWN = 10
"""Verifications of a run, the newest ones."""

LEGEND = "✓ reproduced   ≈ consistent   ? inconclusive   ✗ not reproduced   ! not verified"

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"

STANDINGS = {
    Standing.HOLDS: "reproduces",
    Standing.STOPPED: "stopped reproducing",
    Standing.UNCONFIRMED: "to be confirmed",
    Standing.NEVER: "not known to reproduce",
    Standing.UNDECIDED: "undecided",
}


def headline(aggregate: Aggregate) -> str:
    """How many runs reproduce, the first thing that a report says."""
    if not aggregate.total:
        return "No run was verified"
    if not aggregate.measured:
        return "Nothing was measured"
    runs = counted(aggregate.total, "run")
    return f"{aggregate.verified} of {runs} {'reproduces' if aggregate.total == 1 else 'reproduce'}"


def symbols(trend: Trend) -> str:
    """The last verdicts, the oldest first."""
    return "".join(MARKS[each.verdict] for each in trend.history[-SHOWN:])


def verdict(trend: Trend) -> str:
    """What the newest verification found."""
    last = trend.last
    stage = f" ({last.failed_stage.value})" if last.failed_stage else ""
    return f"{last.verdict.value}{stage}"


def day(at: datetime | None) -> str:
    """The day, "never" for none."""
    return f"{at:%Y-%m-%d}" if at else "never"


def since(trend: Trend) -> str:
    """What its verifications say together, and since when."""
    if trend.standing is Standing.HOLDS and trend.last.verdict not in GOOD:  # it is not known now
        good = next(each for each in reversed(trend.history) if each.verdict in GOOD)
        return f"reproduced last on {day(good.at)}"
    return f"{STANDINGS[trend.standing]} since {day(trend.since)}"


def metric(trend: Trend) -> str:
    """The gated metric that is shown, "" where none was measured."""
    return next((name for each in reversed(trend.history) for name in sorted(each.means)), "")


def values(trend: Trend) -> str:
    """The metric's means as bars between their least and largest, and the newest one."""
    name = metric(trend)
    if not name:
        return ""
    known = [each.means[name] for each in trend.history if name in each.means]
    return f"{sparkline(trend.history[-SHOWN:], name)} {format_value(known[-1])}"


def sparkline(history: Sequence[Verification], name: str) -> str:
    """A bar for each verification, a dot where there is no finite mean."""
    means = [each.means.get(name, math.nan) for each in history]
    finite = [value for value in means if math.isfinite(value)]
    if not finite:
        return _GAP * len(means)
    low, high = min(finite), max(finite)
    return "".join(_bar(value, low, high) for value in means)


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return _GAP
    if low == high:
        return _BARS[3]
    # Halves, as the range of huge values is no number.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return _BARS[min(7, int(share * 8))] if math.isfinite(share) else _BARS[3]
