"""The runs that are worth verifying again, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.hostile import cut
from reprocheck.model import Candidate, Top
from reprocheck.numbers import counted, format_value
from reprocheck.reporters.audit_words import safe
from reprocheck.reporters.base import MARKS
from reprocheck.reporters.console import laid_out
from reprocheck.reporters.trends import day

_NARROW = 100  # columns below which ids are cut


def render(top: Top, *, width: int = 80, color: bool = False) -> str:
    """The runs as lines of at most `width` columns; with `color`, with ANSI escapes."""
    return laid_out(_parts(top, width), width=width, color=color)


def headline(top: Top) -> str:
    """How many there are, the first thing that is said."""
    if not top.chosen:
        return "No run is to be verified"
    return f"{counted(len(top.chosen), 'run')} to verify, the most urgent first"


def left_out(top: Top) -> tuple[str, ...]:
    """What was found and is not among them, as sentences."""
    told = []
    if top.recent:
        told.append(f"{counted(len(top.recent), 'run')} left out: verified lately as they are")
    if top.further:
        told.append(f"{counted(top.further, 'more run')} beyond the limit")
    return tuple(safe(line) for line in (*told, *top.notes))


def _parts(top: Top, width: int) -> Iterator[RenderableType]:
    yield Text(headline(top), style="bold")
    if top.chosen:
        yield Padding(_table(top, width), (1, 0, 1, 0))
    for line in left_out(top):
        yield Text(line, style="dim")


def _table(top: Top, width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    with_value = any(each.value is not None for each in top.chosen)
    for head in ("Run", "Name", "Why", *(("Value",) if with_value else ()), "Verified"):
        table.add_column(head, overflow="fold", no_wrap=head in {"Run", "Verified", "Value"})
    for each in top.chosen:
        run_id = safe(each.ref.run_id)
        table.add_row(
            Text(cut(run_id, 13) if width < _NARROW else run_id),
            Text(cut(safe(each.name), 20)),
            Text(cut(safe(each.why), 200)),
            *((Text(_value(each)),) if with_value else ()),
            Text(_verified(each)),
        )
    return table


def _value(candidate: Candidate) -> str:
    return "" if candidate.value is None else format_value(candidate.value)


def _verified(candidate: Candidate) -> str:
    mark = f"{MARKS[candidate.verdict]} " if candidate.verdict else ""
    return f"{mark}{day(candidate.verified_at)}"
