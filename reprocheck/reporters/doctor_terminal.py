"""What a machine offers, in a terminal: a line for each thing, and below it what mends it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.doctor.base import Answer, Check, Status
from reprocheck.hostile import printable
from reprocheck.numbers import counted
from reprocheck.reporters.console import laid_out

_STYLES = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.MISSING: "dim",
    Status.ERROR: "bold red",
}


def render(answer: Answer, *, width: int = 80, color: bool = False) -> str:
    """The answer as lines of at most `width` columns; with `color`, with ANSI escapes."""
    return laid_out(_parts(answer), width=width, color=color)


def _parts(answer: Answer) -> Iterator[RenderableType]:
    yield Text(printable(_headline(answer)), style="bold")
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Check", no_wrap=False, max_width=20)
    table.add_column("Status", no_wrap=True)
    table.add_column("Found, and what mends it", overflow="fold")
    for check in answer.checks:
        status = Text(check.status.value, style=_STYLES[check.status])
        table.add_row(Text(printable(check.name)), status, _found(check))
    yield Padding(table, (1, 0, 0, 0))


def _headline(answer: Answer) -> str:
    broken = answer.broken
    if broken:
        names = ", ".join(check.name for check in broken)
        return f"Needed here, and missing or broken: {names}"
    worth = sum(check.status is Status.WARNING for check in answer.checks)
    also = f"; {counted(worth, 'warning')}" if worth else ""
    return f"Nothing that is needed here is missing or broken{also}"


def _found(check: Check) -> Text:
    found = Text(printable(check.told))
    if check.mend:
        found.append(f"\n→ {printable(check.mend)}", style="bold")
    return found
