"""The report as GitHub-flavoured Markdown, for a comment or a job summary.

A run's text is written so that it stays text: no cell, link, image, mention, heading or fence of
its own. See https://github.github.com/gfm/ for what has a meaning there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reprocheck.detail import time
from reprocheck.durations import format_duration
from reprocheck.hostile import cut, printable, redacted_report
from reprocheck.model import Report, Severity, StageStatus
from reprocheck.numbers import counted
from reprocheck.reporters import base

LARGEST = 60_000
"""Bytes: GitHub takes comments up to 65,536 characters, and a caller may add to it."""

CELL = 160
PROSE = 2_000
ROWS = 40
PACKAGES = 300
PLAIN = frozenset(" ,;()%/'")
"""ASCII besides letters and digits that has no meaning in Markdown, HTML or a mention."""


def render(report: Report) -> str:
    """The report as Markdown, at most `LARGEST` bytes; what is folded is left out first."""
    clean = redacted_report(report)
    parts = list(_shown(clean))
    left = LARGEST - len("\n\n".join(parts).encode()) - 500
    omitted = []
    for title, body in _folded(clean):
        section = f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        left -= len(section.encode()) + 2
        if left < 0:
            omitted.append(title)
            left += len(section.encode()) + 2
        else:
            parts.append(section)
    if omitted:
        parts.append(f"Left out here for its length, but in the JSON report: {'; '.join(omitted)}.")
    parts.append(
        f"<sub>{prose(f'reprocheck {clean.tool_version}, {time(clean.created_at)}')}</sub>"
    )
    return "\n\n".join(parts) + "\n"


def prose(text: str, length: int = PROSE) -> str:
    """The text on one line, every character of it as it is and none with a meaning."""
    line = cut(printable(text), length)
    return "".join(_escaped(line, at) for at in range(len(line)))


def code(text: str, length: int = CELL) -> str:
    """The text as code, for names and values; also inside a table's cell."""
    return f"<code>{prose(text, length)}</code>" if text else ""


def fence(lines: Iterable[str]) -> str:
    """The lines as a block of code that none of them can end."""
    body = [printable(line) for line in lines]
    longest = max((len(run) for line in body for run in re.findall("`+", line)), default=0)
    marks = "`" * max(3, longest + 1)
    return "\n".join([f"{marks}text", *body, marks])


def _escaped(line: str, at: int) -> str:
    character = line[at]
    if character in PLAIN or not character.isascii() or character.isalnum():
        return character
    if character == "." and line[at - 1 : at].isdigit() and line[at + 1 : at + 2].isdigit():
        return character  # of a number
    # GitHub looks for mentions and issues after the entities are decoded.
    stop = "\u200b" if character in "@#" else ""
    return f"&#{ord(character)};{stop}"


# --- what is shown ------------------------------------------------------------------------


def _shown(report: Report) -> Iterator[str]:
    required = f", but {report.require.value} was required" if base.missed(report) else ""
    yield f"## {base.mark(report)}{prose(base.headline(report))}{required}"
    for line in (base.reason(report), base.cause(report)):
        if line:
            yield f"<p>{prose(line)}</p>"
    table = _planned(report) if report.dry_run else _metrics(report)
    if table:
        yield table
    told = base.unjudged(report)
    if told:
        more = f" and {len(told) - 6} more" if len(told) > 6 else ""
        yield f"Not judged: {', '.join(code(each) for each in told[:6])}{more}"
    for step in base.next_steps(report):
        yield f"**Next:** {prose(step)}"
    facts = [*base.used(report), *(base.plan(report) if report.dry_run else ())]
    yield _table(("Used", ""), [(fact.label, code(fact.text, 400)) for fact in facts])


def _metrics(report: Report) -> str:
    rows = base.rows(report)
    if not rows:
        return ""
    level = base.levels(report)
    reruns = base.common_count(rows)
    heads = (
        "Metric",
        "Original",
        reruns or "Reruns",
        "Difference",
        f"{level} interval".strip(),
        "Margin",
        "Verdict",
    )
    table = _table(heads, [_cells(row, with_count=not reruns) for row in rows[:ROWS]])
    return table if len(rows) <= ROWS else f"{table}\n\n{len(rows) - ROWS} more were judged."


def _cells(row: base.Row, *, with_count: bool) -> tuple[str, ...]:
    change = f" ({row.change})" if row.change else ""
    reruns = [row.reruns, row.spread, f"({row.count})" if with_count else ""]
    return (
        code(row.metric),
        row.original,
        " ".join(part for part in reruns if part),
        row.difference,
        " … ".join(row.interval),
        f"{row.margin} {code(row.source)}".rstrip(),
        prose(f"{base.MARKS[row.judged]} {row.judged.value}{change}"),
    )


def _planned(report: Report) -> str:
    planned = base.planned_margins(report)[:ROWS]
    rows = [(code(metric), value, prose(margin, CELL)) for metric, value, margin in planned]
    return _table(("Metric", "Original", "Margin"), rows) if rows else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


# --- what is folded -----------------------------------------------------------------------


def _folded(report: Report) -> Iterator[tuple[str, str]]:
    last = base.last_lines(report)
    if last:
        yield "Last lines of the output", fence(last)
    found = base.findings(report, *Severity)
    if found:
        yield counted(len(found), "finding"), _findings(report)
    if report.stages:
        yield "Stages", _stages(report)
    built = report.environment
    if built is not None and built.packages:
        names = [f"{package.name}=={package.version}" for package in built.packages[:PACKAGES]]
        more = len(built.packages) - len(names)
        lines = [*names, f"and {more} more"] if more else names
        yield counted(len(built.packages), "package"), fence(lines)


def _findings(report: Report) -> str:
    found = base.findings(report, *Severity)
    lines = [
        f"- **{each.severity.value}** {code(each.code)} {prose(each.message)}"
        + (f" *{prose(each.hint)}*" if each.hint else "")
        for each in found[:ROWS]
    ]
    if len(found) > ROWS:
        lines.append(f"- and {len(found) - ROWS} more")
    return "\n".join(lines)


def _stages(report: Report) -> str:
    rows = [
        (each.stage.value, each.status.value, format_duration(each.duration_s), prose(each.summary))
        for each in report.stages
        if each.status is not StageStatus.SKIPPED
    ]
    return _table(("Stage", "Status", "Time", "Summary"), rows)
