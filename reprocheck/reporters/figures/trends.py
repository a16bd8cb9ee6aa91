"""Verifications over time: of one run, and of many runs together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from reprocheck.model import Verdict, Verification
from reprocheck.numbers import counted, format_percent, format_value
from reprocheck.reporters.base import GOOD, MARKS
from reprocheck.reporters.figures.base import Figure, finite, plain
from reprocheck.reporters.figures.canvas import LINE, WIDTH, Box, Panel, canvas
from reprocheck.reporters.figures.labels import width
from reprocheck.reporters.figures.scales import Scale, scale_of, ticks

SHOWN = 40
"""Verifications, or days, that are drawn: the newest ones."""
_HEIGHT = 150.0
_DAY = "2026-01-31"


def trend(history: Sequence[Verification], metric: str = "") -> Figure | None:
    """A run's verdicts in their order in time, over the reruns' mean of a metric where known.

    `history` is of one run, the oldest first. None for no verification.
    """
    if not history:
        return None
    shown = history[-SHOWN:]
    means = [each.means.get(metric, math.nan) for each in shown]
    alt = _trend_told(history, plain(metric), means)
    if not finite(means):
        means = [0.0] * len(shown)
        metric = ""
    y = scale_of(finite(means), pad=0.1)
    with canvas(_HEIGHT if metric else 80.0) as paper:
        panel = paper.panel(_box(y, paper.height, named=bool(metric)), _places(shown), y)
        if metric:
            panel.scale(3)
            panel.line(list(map(float, range(len(shown)))), means, "mean curve")
            panel.marks(list(map(float, range(len(shown)))), means, "mean", size=6)
        _write_verdicts(panel, shown)
        _write_days(panel, [each.at.date() for each in shown])
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def reproduced_share(histories: Mapping[str, Sequence[Verification]]) -> Figure | None:
    """By day, the share of the runs whose newest verification until then reproduced them.

    `histories` is by run id; their order in time does not matter. None for no verification.
    """
    days = sorted({each.at.date() for history in histories.values() for each in history})
    if not days:
        return None
    counts = [_count(histories, day) for day in days]
    alt = _share_told(days, counts)
    days, shares = days[-SHOWN:], [100 * good / known for good, known in counts[-SHOWN:]]
    y = Scale(low=0.0, high=100.0)
    with canvas(_HEIGHT) as paper:
        panel = paper.panel(_box(y, paper.height, named=True), _places(days), y)
        panel.scale(3)
        panel.line(list(map(float, range(len(days)))), shares, "mean curve")
        panel.marks(list(map(float, range(len(days)))), shares, "mean", size=6)
        panel.write(8, 14, "% of the runs", "quiet")
        _write_days(panel, days)
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def _count(histories: Mapping[str, Sequence[Verification]], day: date) -> tuple[int, int]:
    """How many runs reproduce as of a day, of those that were verified until then."""
    newest = [
        max(until, key=lambda each: each.at)
        for history in histories.values()
        if (until := [each for each in history if each.at.date() <= day])
    ]
    return sum(each.verdict in GOOD for each in newest), len(newest)


def _places(shown: Sequence[object]) -> Scale:
    """Evenly, as what is close in time would lie on one another."""
    last = float(max(1, len(shown) - 1))
    return Scale(low=0.0, high=last)


def _box(y: Scale, height: float, *, named: bool) -> Box:
    widest = max(width(each.text) for each in ticks(y, 3)) if named else 20.0
    left = min(130.0, widest + 18)
    return Box(left=left, top=LINE + 12, width=WIDTH - left - 16, height=height - 2 * LINE - 22)


def _write_verdicts(panel: Panel, shown: Sequence[Verification]) -> None:
    for place, each in enumerate(shown):
        good = "good" if each.verdict in GOOD else "bad"
        role = "fair" if each.verdict is Verdict.INCONCLUSIVE else good
        panel.write(panel.across(place), 16, MARKS[each.verdict], role, "middle")


def _write_days(panel: Panel, days: Sequence[date]) -> None:
    """As many days as have room, the first and the last among them."""
    most = max(2, int(panel.box.width // (width(_DAY) + 20)))
    step = max(1, math.ceil((len(days) - 1) / (most - 1)))
    y = panel.box.bottom + LINE + 4
    shown = [place for place in range(0, len(days), step) if place + step <= len(days) - 1]
    for place in [*shown, len(days) - 1]:
        panel.write_within(panel.across(place), y, f"{days[place]}", "number")


def _trend_told(history: Sequence[Verification], metric: str, means: Sequence[float]) -> str:
    good = sum(each.verdict in GOOD for each in history)
    last = history[-1]
    if len(history) == 1:
        text = f"One verification, on {last.at.date()}: {last.verdict.value}."
    else:
        text = (
            f"{len(history)} verifications from {history[0].at.date()} to {last.at.date()}, "
            f"{good} of them good; the last one is {last.verdict.value}."
        )
    known = finite(means)
    if not known:
        return text
    if len(known) == 1:
        return f"{text} The reruns' mean of {metric} was {format_value(known[0])}."
    return (
        f"{text} The reruns' mean of {metric} went from {format_value(known[0])} "
        f"to {format_value(known[-1])}."
    )


def _share_told(days: Sequence[date], counts: Sequence[tuple[int, int]]) -> str:
    (good, known), last = counts[-1], days[-1]
    share = format_percent(100 * good / known)
    text = f"As of {last}, {good} of {counted(known, 'run')} reproduced ({share})"
    if len(days) < 2:
        return f"{text}."
    return f"{text}; as of {days[0]} it was {counts[0][0]} of {counts[0][1]}."
