"""Of a report's page: findings, stages, reruns with their logs, and how it was judged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from reprocheck.durations import format_duration
from reprocheck.hostile import cut
from reprocheck.model import Finding, Report, Severity, StageStatus, Trial
from reprocheck.numbers import counted, format_value
from reprocheck.reporters import base
from reprocheck.reporters.comment_method import judged_how
from reprocheck.reporters.html_figures import timeline
from reprocheck.reporters.html_parts import (
    LONGEST,
    NAME,
    SEVERITIES,
    Cell,
    Fold,
    Item,
    Section,
    code,
    number,
    table,
    words,
)

EXPLAINED = "https://github.com/reprocheck/reprocheck/blob/main/docs/findings.md"
MOST_FINDINGS = 200
MOST_METRICS = 8
LOGS = 240_000
"""Characters of all logs on the page, so that it stays one that a mail takes."""

_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_STATUS = {
    StageStatus.PASSED: ("✓", "good"),
    StageStatus.FAILED: ("✗", "bad"),
    StageStatus.SKIPPED: ("–", "quiet"),
}
_SIGNS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "i"}


def findings(report: Report) -> Iterator[Section]:
    """What the reader should know of the record and the verification, the worst first."""
    found = base.findings(report, *Severity)
    if not found:
        return
    more = len(found) - MOST_FINDINGS
    intro = f"{more} more are in the JSON report." if more > 0 else ""
    items = tuple(_finding(each) for each in found[:MOST_FINDINGS])
    yield Section(id="findings", title="Findings", intro=intro, items=items)


def _finding(each: Finding) -> Item:
    known = len(each.code) <= NAME and _CODE.fullmatch(each.code)
    return Item(
        text=cut(each.message, LONGEST),
        look=SEVERITIES[each.severity],
        mark=_SIGNS[each.severity],
        label=f"{each.severity.value} {cut(each.code, NAME)}",
        href=f"{EXPLAINED}#{each.code}" if known else "",
        hint=cut(each.hint, LONGEST),
        fix=cut(each.fix, LONGEST),
    )


# --- stages and reruns --------------------------------------------------------------------


def course(report: Report) -> Iterator[Section]:
    """How the verification went: its stages, its reruns, and their logs."""
    stages = table(
        "The stages of the verification",
        ("Stage", "How it ended", "Time", "What it did"),
        _stages(report),
    )
    reruns = table("The reruns", _heads(report), (_rerun(report, each) for each in report.trials))
    drawn = timeline(report)
    if stages or reruns:
        yield Section(
            id="course",
            title="How it went",
            figures=(drawn,) if drawn else (),
            tables=tuple(each for each in (stages, reruns) if each),
            folds=tuple(_logs(report)),
        )


def _stages(report: Report) -> Iterator[tuple[Cell, ...]]:
    for each in report.stages:
        mark, look = _STATUS[each.status]
        yield (
            words(each.stage.value),
            Cell(text=each.status.value, look=look, mark=mark, kind="short"),
            number(format_duration(each.duration_s)),
            words(each.summary),
        )


def _heads(report: Report) -> tuple[str, ...]:
    return ("Rerun", "Seed", "Exit code", "Time", *(cut(name, 60) for name in _gated(report)))


def _gated(report: Report) -> list[str]:
    return [each.metric for each in report.comparisons if each.gated][:MOST_METRICS]


def _rerun(report: Report, trial: Trial) -> tuple[Cell, ...]:
    look = "" if trial.exit_code == 0 else "bad"
    return (
        words(f"rerun {trial.index}"),
        code(base.NOTHING if trial.seed is None else trial.seed, 40),
        Cell(text=str(trial.exit_code), kind="number", look=look),
        number(format_duration(trial.duration_s)),
        *(number(_logged(report, trial, name)) for name in _gated(report)),
    )


def _logged(report: Report, trial: Trial, name: str) -> str:
    """What a rerun logged, in digits enough to tell it from the original."""
    if name not in trial.metrics:
        return base.NOTHING
    value = trial.metrics[name].value
    known = report.record.metrics.get(name) if report.record else None
    apart = value - known.value if known else 0.0
    return format_value(value, apart if math.isfinite(apart) else 0.0)


def _logs(report: Report) -> Iterator[Fold]:
    most = LOGS // max(1, len(report.trials))
    for trial in report.trials:
        lines = tuple(trial.log_tail[-most:].splitlines())
        path = trial.log.as_posix()
        facts = (base.Fact(label="Whole log", text=path),) if path != "." else ()
        more = "The JSON report has more lines." if len(trial.log_tail) > most else ""
        told = counted(len(lines), "line") if lines else "no line"
        if lines or facts:
            title = f"Log of rerun {trial.index}: the last {told}"
            notes = (more,) if more else ()
            yield Fold(title=title, facts=facts, lines=lines, notes=notes, is_long=True)


# --- how it was judged --------------------------------------------------------------------


def method(report: Report) -> Iterator[Section]:
    """What was tested, at which level, and what would have counted as what."""
    told = judged_how(report)
    if told:
        items = tuple(Item(text=each) for each in told)
        yield Section(id="method", title="How it was judged", items=items)
