"""The reports of a check in a terminal: each in full, or of many a line each."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from reprocheck.hostile import cut, printable
from reprocheck.model import Check, Problem, Report
from reprocheck.reporters import base, checked, terminal
from reprocheck.reporters.console import laid_out

ID = 8
"""Digits of a run's id."""
NAME, ANSWER = 20, 24


def render(
    check: Check, *, width: int = 80, color: bool = False, verbose: bool = False, short: bool
) -> str:
    """The reports as `terminal.render` has each, then the problems.

    `short`: the counts, and a line of each report, the worst first.
    """
    clean = checked.clean(check)
    if short:
        told = [laid_out(_lines(clean, width), width=width, color=color)]
    else:
        told = [
            terminal.render(each, width=width, color=color, verbose=verbose)
            for each in check.reports
        ]
    told += map(_problem, clean.problems)
    return "\n".join(told) or f"{checked.NOTHING_VERIFIED}.\n"


def _lines(check: Check, width: int) -> Iterator[RenderableType]:
    reports = checked.worst_first(check.reports)
    yield Text(checked.headline(check), style="bold")
    yield Text("")
    for report in reports:
        yield _line(report, width)


def _line(report: Report, width: int) -> Text:
    color = "default" if report.dry_run else terminal.COLORS[report.verdict]
    answer = f"{base.mark(report)}{checked.answer(report)}"
    name = report.record.name if report.record else ""
    line = Text(f"{cut(answer, ANSWER):<{ANSWER}} ", style=color)
    line.append(
        f"{printable(checked.run_id(report))[:ID]:<{ID}} {cut(printable(name), NAME):<{NAME}} "
    )
    line.append(printable(base.reason(report)))
    line.truncate(width, overflow="ellipsis")
    return line


def _problem(problem: Problem) -> str:
    hint = f" ({printable(problem.hint)})" if problem.hint else ""
    return f"{printable(problem.asked)}: {printable(problem.message)}{hint}\n"
