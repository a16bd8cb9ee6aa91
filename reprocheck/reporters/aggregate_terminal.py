"""The trends of runs in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.hostile import cut
from reprocheck.model import Aggregate, Standing, Trend
from reprocheck.reporters import trends
from reprocheck.reporters.audit_words import safe
from reprocheck.reporters.console import laid_out

COLORS = {
    Standing.HOLDS: "green",
    Standing.STOPPED: "red",
    Standing.UNCONFIRMED: "yellow",
    Standing.NEVER: "red",
    Standing.UNDECIDED: "yellow",
}
WIDE = 110
"""Columns from which names are shown, too."""


def render(aggregate: Aggregate, *, width: int = 80, color: bool = False) -> str:
    """The trends as lines of at most `width` columns; with `color`, with ANSI escapes."""
    return laid_out(_parts(aggregate, width), width=width, color=color)


def _parts(aggregate: Aggregate, width: int) -> Iterator[RenderableType]:
    whole = aggregate.measured and aggregate.verified == aggregate.total
    yield Text(trends.headline(aggregate), style=f"bold {'green' if whole else 'yellow'}")
    if aggregate.trends:
        yield Padding(_table(aggregate, width), (1, 0, 0, 0))
        yield Text(trends.LEGEND, style="dim")
    for problem in aggregate.problems:
        hint = f" ({safe(problem.hint)})" if problem.hint else ""
        yield Text(f"Not verified: {safe(problem.asked)}: {safe(problem.message)}{hint}")


def _table(aggregate: Aggregate, width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    wide = width >= WIDE
    for head in ("Run", *(("Name",) if wide else ()), "Last", "Verdict, and since when", "Metric"):
        table.add_column(head, overflow="fold", no_wrap=head in {"Run", "Last"})
    for trend in aggregate.trends:
        name = (Text(cut(safe(trend.name), 24)),) if wide else ()
        told = Text(f"{trends.verdict(trend)}\n")
        told.append(trends.since(trend), style=COLORS[trend.standing])
        table.add_row(
            Text(safe(trend.run_id) if wide else cut(safe(trend.run_id), 13)),
            *name,
            Text(trends.symbols(trend)),
            told,
            Text(_metric(trend)),
        )
    return table


def _metric(trend: Trend) -> str:
    name = trends.metric(trend)
    return f"{cut(safe(name), 24)}\n{trends.values(trend)}" if name else ""
