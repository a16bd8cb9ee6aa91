"""The report in a terminal: the verdict first, its reason second, all on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.hostile import cut, printable, redacted_report
from reprocheck.model import Comparison, Finding, Report, Severity, Verdict
from reprocheck.numbers import counted
from reprocheck.reporters import base, beside
from reprocheck.reporters.accepted_words import judged_against, proposed
from reprocheck.reporters.console import laid_out
from reprocheck.reporters.plans import planned, planned_margins
from reprocheck.reporters.plots import interval_bar
from reprocheck.reporters.undeclared import undeclared
from reprocheck.reporters.used import (
    hardware_rows,
    package_rows,
    stage_times,
    time_taken,
    used,
)

COLORS = {
    Verdict.IDENTICAL: "green",
    Verdict.NUMERICALLY_EQUAL: "green",
    Verdict.REPRODUCED: "green",
    Verdict.NOT_WORSE: "green",
    Verdict.CONSISTENT: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_COMPARABLE: "yellow",
    Verdict.NOT_REPRODUCED: "red",
    Verdict.NOT_VERIFIED: "yellow",
    Verdict.INFORMATIONAL: "default",
}
SEVERITIES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
UNJUDGED = 3
"""Metrics that are not judged, shown by name."""
PACKAGES = 5
"""Packages that differ, shown without --verbose."""
EXPLAINED = "docs/findings.md of github.com/reprocheck/reprocheck"
SHORT = 72
"""Columns of a line that mends a finding, shown without --verbose."""
LABELS = len("Environment")
FEW = 2
"""Findings that are told whole without --verbose; of more, each on two lines."""
LEGEND = "○ original  ● mean of the reruns  ◉ both  ├─┤ its interval  │ margin"
MOST_LINES = 60
WRAPPING = ("Metric", "Margin")
"""Columns of names, which may wrap; the others hold numbers and verdicts."""
WORD, NARROW = 18, 10
"""Columns for a word of a name that should stay whole, and the least where there is no room."""
LAYOUTS = (
    (" ", "…", WORD, True),
    ("\n", "…", WORD, True),
    ("\n", "…", WORD, False),
    ("\n", "…\n", WORD, True),
    ("\n", "…\n", NARROW, True),
)
"""Of the table, the one to prefer first: what stands before the interval's level and between its
ends, the columns of a word, and whether the margin's source is told exactly."""


def render(report: Report, *, width: int = 80, color: bool = False, verbose: bool = False) -> str:
    """The report as lines of at most `width` columns; with `color`, with ANSI escapes.

    With `verbose`, every finding and metric is told, and more of the log.
    """
    clean = redacted_report(report)
    text = laid_out(_parts(clean, width, verbose), width=width, color=color)
    # A path that is broken into lines cannot be copied.
    return f"{text}Kept: {printable(str(clean.workspace))}\n" if clean.workspace else text


def _parts(report: Report, width: int, verbose: bool) -> Iterator[RenderableType]:
    yield _headline(report)
    yield _text(base.reason(report))
    for told in (judged_against(report), proposed(report)):
        if told:
            yield _text(told)
    yield _blocks(report, width, verbose)


def _blocks(report: Report, width: int, verbose: bool) -> RenderableType:
    """What follows the verdict, each block with an empty line above it."""
    dry = report.dry_run
    every = verbose or dry
    told_width = 10_000 if verbose else width
    blocks = [
        _failure(report, width, MOST_LINES if verbose else base.LOG_LINES),
        _planned(report) if dry else _table(report, width, verbose),
        *_told(report, verbose),
        _findings(report, width, verbose),
        _facts([*_shortened(used(report, every=every), told_width), *_plan(report, every)]),
        _packages(report, None if verbose else PACKAGES),
        _hardware(report, verbose),
        _last_lines(report, every),
    ]
    return Group(*(Padding(block, (1, 0, 0, 0)) for block in blocks if block is not None))


def _headline(report: Report) -> Text:
    lacking = base.shortfall(report)
    color = "default" if report.dry_run else "yellow" if lacking else COLORS[report.verdict]
    if base.misses_criteria(report):
        color = "red"
    line = Text(base.headline(report), style=f"bold {color}")
    if lacking:
        line.append(f", {lacking}")
    return line


def _told(report: Report, verbose: bool) -> Iterator[RenderableType | None]:
    """What belongs to the verdict, then what does not; without `verbose` in one block."""
    blocks = [_judged(report, verbose), _beside(report, verbose)]
    unjudged = _unjudged(report, len(report.comparisons) if verbose else UNJUDGED)
    if unjudged:
        blocks.append([base.Fact(label="Not judged", text=unjudged)])
    for facts in blocks if verbose else [[fact for block in blocks for fact in block]]:
        yield _facts(facts) if facts else None


def _judged(report: Report, verbose: bool) -> list[base.Fact]:
    """What was found of the other metrics, and what else belongs to the verdict."""
    facts = [base.Fact(label="Found", text=t) for t in beside.sentences(report, every=verbose)]
    power = beside.power(report, every=verbose)
    facts += [base.Fact(label="Power", text=power)] if power else []
    return facts + [base.Fact(label="Note", text=text) for text in beside.notes(report)]


def _beside(report: Report, verbose: bool) -> list[base.Fact]:
    """What is no part of the verdict: success criteria, curves, products, predictions."""
    parted = "" if verbose else beside.parted(report)
    facts = [
        base.Fact(label="Criteria", text=text) for text in beside.criteria(report, every=verbose)
    ]
    facts += (
        [base.Fact(label="Curves", text=f"{parted} (--verbose shows more)")]
        if parted
        else beside.curves(report, every=verbose)
    )
    return [*facts, *beside.outputs(report, every=verbose), *undeclared(report, every=verbose)]


def _failure(report: Report, width: int, most: int) -> RenderableType | None:
    cause = base.cause(report)
    lines = [_text(cause)] if cause else []
    for line in base.last_lines(report, most):  # our own says what to do: it is shown whole
        ours = line.startswith("[reprocheck: ")
        lines.append(_text(f"  {line if ours else cut(line, width - 2)}"))
    return Group(*lines) if lines else None


def _table(report: Report, width: int, verbose: bool) -> RenderableType | None:
    """The judged metrics, with intervals on one line where there is room for that.

    Rather than breaking these, the short report names the margin's source less exactly.
    """
    rows = base.rows(report)
    if not rows:
        return None
    reruns = base.common_count(rows)
    level = base.levels(report)
    for gap, dots, word, exact in LAYOUTS:
        difference = f"Difference{gap}({level})" if level else "Difference"
        head = base.baseline_head(report)
        heads = ("Metric", head, reruns or "Reruns", difference, "Margin", "Verdict")
        cells = [_cells(row, not reruns, dots, exact or verbose) for row in rows]
        if _fits(heads, cells, width, word):
            judged = {each.metric: each for each in report.comparisons}
            legend = LEGEND.replace("original", head.lower())
            return _with_bars(legend, heads, cells, [judged[row.metric] for row in rows])
    return _columns(heads, cells, no_wrap=False)


def _with_bars(
    legend: str,
    heads: tuple[str, ...],
    rows: Sequence[tuple[Text, ...]],
    judged: Sequence[Comparison],
) -> RenderableType:
    """The table with each interval drawn below its verdict, as wide as that: it takes no room that
    a number needs."""
    widest = max(cell_len(line) for *_, verdict in rows for line in verdict.plain.split("\n"))
    bars = [interval_bar(each, widest) for each in judged]
    for (*_, verdict), bar in zip(rows, bars, strict=True):
        verdict.append(f"\n{bar}" if bar else "")
    table = _columns(heads, rows, no_wrap=True)
    return Group(table, Text(legend, style="dim")) if any(bars) else table


def _cells(row: base.Row, with_count: bool, dots: str, exact: bool) -> tuple[Text, ...]:
    reruns = [row.reruns, row.spread, row.count if with_count else ""]
    interval = dots.join(row.interval)
    source = printable(base.margin_source(row, exact=exact))
    verdict = f"{base.MARKS[row.judged]} {row.judged.value}"
    return (
        _text(row.metric),
        Text(row.original.replace(" (", "\n(")),
        Text("\n".join(part for part in reruns if part)),
        Text(f"{row.difference}\n{interval}".rstrip()),
        Text(f"{row.margin.replace('…', dots)}\n{source}".rstrip()),
        Text(f"{verdict}\n  {row.change}".rstrip(), style=COLORS[row.judged]),
    )


def _planned(report: Report) -> RenderableType | None:
    cells = [tuple(map(_text, texts)) for texts in planned_margins(report)]
    heads = ("Metric", base.baseline_head(report), "Margin")
    return _columns(heads, cells, no_wrap=False) if cells else None


def _fits(heads: tuple[str, ...], rows: Sequence[tuple[Text, ...]], width: int, word: int) -> bool:
    """Whether the columns that should not wrap leave room for the words of those that may."""
    used = 0
    for head, *cells in zip(heads, *rows, strict=True):
        told = "\n".join(map(str, (head, *cells)))
        parts = told.split() if head in WRAPPING else told.split("\n")
        widest = max(map(cell_len, parts))
        used += (min(word, widest) if head in WRAPPING else widest) + 2
    return used <= width + 2  # no gap after the last column


def _columns(heads: tuple[str, ...], rows: Sequence[tuple[Text, ...]], *, no_wrap: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for head in heads:
        # A line that may not wrap is cut where it has no room, and a cut number is another.
        table.add_column(Text(head), overflow="fold", no_wrap=no_wrap and head not in WRAPPING)
    for row in rows:
        table.add_row(*row)
    return table


def _unjudged(report: Report, most: int) -> str:
    told = base.unjudged(report)
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return f"{'; '.join(told[:most])}{more}"


def _packages(report: Report, most: int | None) -> RenderableType | None:
    """What was not installed as the run had it."""
    rows = package_rows(report)
    if not rows:
        return None
    shown = rows[:most]
    table = _columns(
        ("Package", "Asked", "Landed", "Grade"),
        [tuple(map(_text, row)) for row in shown],
        no_wrap=False,
    )
    left = len(rows) - len(shown)
    more = f"and {left} more (--verbose shows them)"
    return Group(table, Text(more, style="dim")) if left else table


def _hardware(report: Report, verbose: bool) -> RenderableType | None:
    """What the reruns compute on, where that is not what the run did."""
    rows = [tuple(map(_text, row)) for row in hardware_rows(report, every=verbose)]
    return _columns(("Hardware", "Asked", "Landed", "Grade"), rows, no_wrap=False) if rows else None


def _findings(report: Report, width: int, verbose: bool) -> RenderableType | None:
    told = base.findings(
        report, *(tuple(Severity) if verbose else (Severity.ERROR, Severity.WARNING))
    )
    most = 10_000 if verbose or len(told) <= FEW else 2 * width - 16  # words break early
    lines = [_finding(each, verbose, most) for each in told]
    notes = len(base.findings(report, Severity.NOTE))
    if notes and not verbose:
        lines.append(Text(f"{counted(notes, 'note')} (--verbose shows more)", style="dim"))
    if lines and verbose:
        lines.append(Text(f"{EXPLAINED} explains each code", style="dim"))
    return Group(*lines) if lines else None


def _finding(finding: Finding, verbose: bool, most: int) -> Text:
    style = SEVERITIES[finding.severity]
    line = Text(f"{finding.severity.value} {printable(finding.code)}: ", style=style)
    line.append(printable(finding.message), style="default")
    if finding.hint:
        line.append(f" ({printable(finding.hint)})", style="dim")
    line.truncate(max(20, most), overflow="ellipsis")
    if finding.fix and (verbose or len(finding.fix) <= SHORT):
        line.append(f"\n    {printable(finding.fix)}")
    return line


def _shortened(facts: Iterable[base.Fact], width: int) -> Iterator[base.Fact]:
    """Two lines are enough to know what was used; the JSON report has the whole text."""
    for fact in facts:
        text = cut(printable(fact.text), 2 * max(20, width - 16))
        yield base.Fact(label=fact.label, text=text)


def _facts(facts: Iterable[base.Fact]) -> RenderableType:
    """Labelled lines; a label that repeats is said once."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=LABELS)
    table.add_column(overflow="fold")
    before = ""
    for fact in facts:
        table.add_row(Text("" if fact.label == before else fact.label), _text(fact.text))
        before = fact.label
    return table


def _plan(report: Report, every: bool) -> list[base.Fact]:
    """What was planned; in few words also how long it took, which else has a block of its own."""
    facts = planned(report, every=every)
    took = "" if every else time_taken(report)
    return [*facts, base.Fact(label="Took", text=took)] if took else [*facts]


def _last_lines(report: Report, every: bool) -> RenderableType | None:
    facts = [base.Fact(label="Next", text=step) for step in base.next_steps(report)]
    if report.stages and (every or not time_taken(report)):
        facts.insert(0, base.Fact(label="Stages", text=stage_times(report)))
    return _facts(facts) if facts else None


def _text(text: str) -> Text:
    return Text(printable(text))
