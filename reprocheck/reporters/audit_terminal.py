"""An audit in a terminal: the totals first, the step that rescues most second, on one screen."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.hostile import cut
from reprocheck.model import Audit, Finding, Grade, Severity
from reprocheck.numbers import counted
from reprocheck.reporters import audit_words as words
from reprocheck.reporters.console import laid_out

COLORS = {Grade.VERIFIABLE: "green", Grade.CAVEATS: "yellow", Grade.NOT_VERIFIABLE: "red"}
SEVERITIES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
FILLS = {Grade.VERIFIABLE: "█", Grade.CAVEATS: "▒", Grade.NOT_VERIFIABLE: "░"}
"""Of the bar, so that color alone says nothing."""
MOST_CAUSES, MOST_FINDINGS, MOST_RUNS = 6, 4, 5
"""Shown without --verbose."""
LONGEST_CODE = 30
WIDE = 120
"""Columns from which a run's name and day are shown beside it."""


def render(audit: Audit, *, width: int = 80, color: bool = False, verbose: bool = False) -> str:
    """The audit as lines of at most `width` columns; with `color`, with ANSI escapes.

    With `verbose`, every cause and finding is told, every run that is not verifiable now, and
    below that, in lines of any width, what mends them.
    """
    text = laid_out(_parts(audit, width, verbose), width=width, color=color)
    # A line that is broken cannot be pasted.
    return text + "".join(f"{line}\n" for line in _to_paste(audit)) if verbose else text


def _parts(audit: Audit, width: int, verbose: bool) -> Iterator[RenderableType]:
    yield Text(words.headline(audit), style=f"bold {_color(audit)}")
    told = words.rescue(audit)
    if told:
        yield Text(told if verbose else cut(told, 4 * width))
    if audit.runs:
        yield _below(_bar(audit, width))
        yield Text(_legend(audit))
    if audit.causes:
        yield _below(_causes(audit, width, verbose))
        yield from _more(len(audit.causes), MOST_CAUSES, "cause", verbose)
    if audit.findings:
        yield _below(_findings(audit, width, verbose))
        yield from _more(len(audit.findings), MOST_FINDINGS, "finding", verbose)
    if audit.count(Grade.VERIFIABLE) < len(audit.runs):
        yield _below(_runs(audit, width, verbose))
    yield _below(Text(_looked_at(audit), style="dim"))


def _below(block: RenderableType) -> RenderableType:
    return Padding(block, (1, 0, 0, 0))


def _color(audit: Audit) -> str:
    if not audit.runs:
        return "yellow"
    return COLORS[next(grade for grade in words.WORST_FIRST if audit.count(grade))]


def _bar(audit: Audit, width: int) -> Text:
    """The shares of the grades; each that has a run has a column."""
    columns = min(width, 78)
    bar = Text()
    shares = {grade: audit.count(grade) for grade in words.GRADES if audit.count(grade)}
    left, runs = columns, len(audit.runs)
    for i, (grade, count) in enumerate(shares.items(), start=1):
        later = len(shares) - i
        size = left if not later else min(left - later, max(1, round(columns * count / runs)))
        bar.append(FILLS[grade] * size, style=COLORS[grade])
        left -= size
    return bar


def _legend(audit: Audit) -> str:
    return "   ".join(
        f"{FILLS[grade]} {words.SHORT[grade]} {words.share(audit.count(grade), len(audit.runs))}"
        for grade in words.GRADES
    )


def _causes(audit: Audit, width: int, verbose: bool) -> RenderableType:
    heads = ("Cause", "Runs", "Alone", "As one of them has it")
    table = _table(heads, right=(1, 2))
    shown = audit.causes if verbose else audit.causes[:MOST_CAUSES]
    codes = [cut(words.safe(cause.code), LONGEST_CODE) for cause in shown]
    left = width - max(map(cell_len, codes)) - len("Runs") - len("Alone") - 2 * 3 - 2
    for cause, code in zip(shown, codes, strict=True):
        message = f"{cause.severity.value}: {words.safe(cause.message)}"
        told = message if verbose else cut(message, max(10, left))
        style = SEVERITIES[cause.severity]
        table.add_row(Text(code, style=style), str(cause.runs), str(cause.alone), Text(told))
    return Group(table, Text("Alone: runs of a better grade without it", style="dim"))


def _table(heads: tuple[str, ...], right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for i, head in enumerate(heads):
        table.add_column(head, overflow="fold", justify="right" if i in right else "left")
    return table


def _findings(audit: Audit, width: int, verbose: bool) -> RenderableType:
    found = words.worst(audit.findings)
    lines = [_finding(each, width, verbose) for each in found[: None if verbose else MOST_FINDINGS]]
    return Group(Text("Across the runs", style="dim"), *lines)


def _finding(finding: Finding, width: int, verbose: bool) -> Text:
    line = Text(f"{finding.severity.value} ", style=SEVERITIES[finding.severity])
    message = f"{words.safe(finding.code)}: {words.safe(finding.message)}"
    if not verbose:  # three lines, at whose ends words are wrapped
        line.append(cut(message, 3 * width - 40), style="default")
        return line
    line.append(f"{message} ({words.safe(finding.hint)})", style="default")
    return line


def _runs(audit: Audit, width: int, verbose: bool) -> RenderableType:
    runs = [run for run in words.ordered(audit.runs) if run.grade is not Grade.VERIFIABLE]
    wide = width >= WIDE
    extra = ("Name", "Started") if wide else ()
    table = _table(("Run, the worst first", *extra, "Why"))
    for run in runs if verbose else runs[:MOST_RUNS]:
        run_id = Text(words.safe(run.ref.run_id), style=COLORS[run.grade])
        name = cut(words.named(run), 24)
        more = (Text(name), words.day(run.started_at)) if wide else ()
        why = (
            words.why(run, 99) if verbose else cut(words.why(run, 3), width - (72 if wide else 34))
        )
        table.add_row(run_id, *more, Text(why))
    return table


def _more(count: int, most: int, noun: str, verbose: bool) -> Iterator[Text]:
    if count > most and not verbose:
        left = counted(count - most, f"more {noun}")
        yield Text(f"and {left} (--verbose shows more)", style="dim")


def _to_paste(audit: Audit) -> Iterator[str]:
    mended = [(cause.code, cause.fix) for cause in audit.causes]
    mended += [(finding.code, finding.fix) for finding in audit.findings]
    fixes = [(code, fix) for code, fix in dict.fromkeys(mended) if fix]
    if fixes:
        yield "\nTo paste:"
    for code, fix in fixes:
        yield f"# {words.safe(code)}"
        yield words.safe(fix)


def _looked_at(audit: Audit) -> str:
    kept = f", only {words.safe(audit.filter)}" if audit.filter else ""
    return f"Looked at: {words.subject(audit)}{kept}"
