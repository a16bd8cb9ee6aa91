"""Where the time of a verification went: its stages one after the other, and each trial."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from reprocheck.durations import format_duration
from reprocheck.model import Report, Stage, StageStatus
from reprocheck.numbers import counted
from reprocheck.reporters.figures.base import Figure
from reprocheck.reporters.figures.canvas import WIDTH, Box, Panel, canvas
from reprocheck.reporters.figures.labels import width
from reprocheck.reporters.figures.scales import Scale

_GUTTER = 104.0
_ROW = 22.0
_TRIALS = 20
"""Trials that are drawn."""
_LEAST_S = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bar:
    """A row: when it began, counted from the first stage, and how long it took."""

    name: str
    start_s: float
    duration_s: float
    role: str
    failed: bool = False
    skipped: bool = False

    @property
    def told(self) -> str:
        """How it went, in words."""
        if self.skipped:
            return "skipped"
        return ("✗ failed after " if self.failed else "") + format_duration(self.duration_s)


def timeline(report: Report) -> Figure | None:
    """The stages and trials as bars with their durations; None where no stage was reached."""
    if not report.stages:
        return None
    bars = tuple(_bars(report))
    end = max(*(bar.start_s + bar.duration_s for bar in bars), _LEAST_S)
    alt = _told(report)
    with canvas(_ROW * len(bars) + 8) as paper:
        box = Box(left=_GUTTER, top=4, width=WIDTH - _GUTTER - 4, height=_ROW * len(bars))
        rows = Scale(low=0.0, high=float(len(bars)))
        panel = paper.panel(box, Scale(low=0.0, high=end), rows)
        for place, bar in enumerate(reversed(bars)):
            _draw(panel, bar, place + 0.5)
        return Figure(svg=paper.svg(alt), alt=alt, caption=_caption(report))


def _bars(report: Report) -> Iterator[_Bar]:
    start = 0.0
    for result in report.stages:
        duration = _seconds(result.duration_s)
        yield _Bar(
            name=result.stage.value,
            start_s=start,
            duration_s=duration,
            role="stage",
            failed=result.status is StageStatus.FAILED,
            skipped=result.status is StageStatus.SKIPPED,
        )
        if result.stage is Stage.RERUN:
            yield from _trials(report, start)
        start += duration


def _trials(report: Report, start: float) -> Iterator[_Bar]:
    for trial in report.trials[:_TRIALS]:
        duration = _seconds(trial.duration_s)
        name = f"rerun {trial.index}"
        failed = trial.exit_code != 0
        yield _Bar(name=name, start_s=start, duration_s=duration, role="trial", failed=failed)
        start += duration


def _seconds(duration: float) -> float:
    return min(1e12, max(0.0, duration)) if math.isfinite(duration) else 0.0


def _draw(panel: Panel, bar: _Bar, at: float) -> None:
    trial = bar.role == "trial"
    _, y = panel.place(0.0, at)
    panel.write(20 if trial else 8, y + 4.5, bar.name, "quiet" if trial else "")
    thick = 0.22 if trial else 0.3
    ends = (bar.start_s, bar.start_s + bar.duration_s)
    role = f"{bar.role} failed" if bar.failed else bar.role
    if not bar.skipped:
        # A line of its own keeps the shortest one in sight.
        panel.block(ends, (at - thick, at + thick), role)
    _write_told(panel, bar, y + 4.5)


def _write_told(panel: Panel, bar: _Bar, y: float) -> None:
    """Beside the bar where there is room, else in front of it, else on it."""
    start, end = panel.across(bar.start_s), panel.across(bar.start_s + bar.duration_s)
    wide = width(bar.told) + 8
    role = "bad" if bar.failed else "quiet"
    if end + wide <= WIDTH:
        panel.write(end + 6, y, bar.told, role)
    elif start - wide >= panel.box.left:
        panel.write(start - 6, y, bar.told, role, "end")
    else:
        panel.write(end - 6, y, bar.told, f"on-{bar.role}", "end")


def _caption(report: Report) -> str:
    taken = [_seconds(each.duration_s) for each in report.stages]
    longest = report.stages[taken.index(max(taken))].stage.value
    return (
        f"The verification took {format_duration(sum(taken))}, "
        f"{format_duration(max(taken))} of it for {longest}."
    )


def _told(report: Report) -> str:
    total = format_duration(sum(_seconds(each.duration_s) for each in report.stages))
    stages = ", ".join(_stage(each.stage, each.status, each.duration_s) for each in report.stages)
    text = f"The verification took {total}: {stages}."
    if not report.trials:
        return text
    taken = [_seconds(trial.duration_s) for trial in report.trials]
    text += f" {counted(len(taken), 'rerun').capitalize()} took {format_duration(min(taken))}"
    if max(taken) > min(taken):
        text += f" to {format_duration(max(taken))}{' each' if len(taken) > 1 else ''}"
    failed = sum(trial.exit_code != 0 for trial in report.trials)
    if failed:
        text += f"; {failed} of them failed"
    return f"{text} ({_TRIALS} are drawn)." if len(taken) > _TRIALS else f"{text}."


def _stage(stage: Stage, status: StageStatus, duration_s: float) -> str:
    if status is StageStatus.SKIPPED:
        return f"{stage.value} skipped"
    failed = " (failed)" if status is StageStatus.FAILED else ""
    return f"{stage.value} {format_duration(duration_s)}{failed}"
