"""The past verifications of a run in a terminal: a table, one sentence, and what changed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.durations import days
from reprocheck.hostile import cut, printable
from reprocheck.model import Past, PastChange, PastEntry
from reprocheck.numbers import counted, format_value
from reprocheck.reporters.base import MARKS, NOTHING
from reprocheck.reporters.terminal import COLORS

UNRECORDED = (
    "Not recorded, so that it may have: what lies outside of the environment, as system libraries "
    "and drivers in use, what a download gave, files that nothing declares (unless verified with "
    "--trace), other load on the machine, and chance."
)
METRICS = 4
CHANGES = 40
_SAME = "as above"
_LONGEST = 200


def render(past: Past, *, width: int = 80, color: bool = False) -> str:
    """The history as lines of at most `width` columns; with `color`, with ANSI escapes."""
    from reprocheck.reporters.console import laid_out

    return laid_out(_parts(past), width=width, color=color)


def _parts(past: Past) -> Iterator[RenderableType]:
    style = f"bold {COLORS[past.entries[-1].verification.verdict]}"
    yield Text(past.sentence, style=style)
    yield Text(f"Run {printable(past.run_id)}")
    yield Padding(_table(past), (1, 0, 0, 0))
    if past.older:
        yield Text(f"{counted(past.older, 'older report')} not looked at (--last)", style="dim")
    if past.before and past.after:
        yield Padding(_turn(past, past.before, past.after), (1, 0, 0, 0))


def _table(past: Past) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for head in ("When (UTC)", "Verdict", "Mean of n reruns", "Environment"):
        table.add_column(head, overflow="fold", no_wrap=head == "When (UTC)")
    before = ""
    for entry in past.entries:
        found = entry.verification
        verdict = Text(f"{MARKS[found.verdict]} {found.verdict.value}", style=COLORS[found.verdict])
        if found.failed_stage:
            verdict.append(f"\n  ({found.failed_stage.value})")
        if entry.accepted:
            verdict.append("\n  accepted baseline", style="default")
        ran = _ran(entry)
        shown = Text(_SAME, style="dim") if ran == before else Text(ran)
        table.add_row(Text(f"{found.at:%Y-%m-%d %H:%M}"), verdict, Text(_means(entry)), shown)
        before = ran
    return table


def _means(entry: PastEntry) -> str:
    means = list(entry.verification.means.items())
    lines = [
        f"{cut(printable(name), 24)} {format_value(mean)}, n={entry.counts.get(name, 0)}"
        for name, mean in means[:METRICS]
    ]
    if len(means) > METRICS:
        lines.append(f"and {len(means) - METRICS} more")
    return "\n".join(lines) or NOTHING


def _ran(entry: PastEntry) -> str:
    built = f"{printable(entry.environment)[:8]}, " if entry.environment else ""
    machine = f"\n{cut(printable(entry.machine), 40)}" if entry.machine else ""
    return f"{built}v{printable(entry.tool_version)[:20]}{machine}"


def _turn(past: Past, before: PastEntry, after: PastEntry) -> RenderableType:
    between = " and ".join(days(before.verification.at, after.verification.at))
    if not past.changes:
        return Text(f"Nothing that was recorded changed between {between}. {UNRECORDED}")
    table = Table(
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
        header_style="dim",
        title=f"What changed between {between}",
        title_justify="left",
        title_style="bold",
    )
    asked = any(each.asked for each in past.changes)
    for head in ("What", *(("Recorded",) if asked else ()), "Before", "After"):
        table.add_column(head, overflow="fold")
    for each in past.changes[:CHANGES]:
        table.add_row(*_cells(each, asked=asked))
    if len(past.changes) > CHANGES:
        table.add_row(Text(f"and {len(past.changes) - CHANGES} more (--json)", style="dim"))
    return table


def _cells(change: PastChange, *, asked: bool) -> Iterator[Text]:
    texts = (change.what, *((change.asked,) if asked else ()), change.before, change.after)
    return (Text(cut(printable(text), _LONGEST) or NOTHING) for text in texts)
