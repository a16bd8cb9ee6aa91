"""The report as GitHub-flavoured Markdown, for a comment or a job summary.

A run's text is written so that it stays text: no cell, link, image, mention, heading or fence of
its own. See https://github.github.com/gfm/ for what has a meaning there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from reprocheck.detail import time
from reprocheck.durations import format_duration
from reprocheck.hostile import cut, printable, redacted_report
from reprocheck.model import Finding, Report, Severity, StageStatus
from reprocheck.numbers import counted
from reprocheck.reporters import base, beside
from reprocheck.reporters.plans import planned, planned_margins
from reprocheck.reporters.undeclared import UNVERSIONED, names, undeclared
from reprocheck.reporters.used import hardware_rows, package_rows, used

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
    first, last = list(_first(clean)), list(_last(clean))
    folded = (
        (title, f"<details><summary>{title}</summary>\n\n{body}\n\n</details>")
        for title, body in _folded(clean)
    )
    left = LARGEST - len("\n\n".join([*first, *last]).encode()) - 500
    told, left, omitted = _fitting(_told(clean), left)
    details, left, more = _fitting(folded, left)
    parts = [*first, *told, *last, *details]
    if omitted or more:
        titles = "; ".join([*omitted, *more])
        parts.append(f"Left out here for its length, but in the JSON report: {titles}.")
    parts.append(
        f"<sub>{prose(f'reprocheck {clean.tool_version}, {time(clean.created_at)}')}</sub>"
    )
    return "\n\n".join(parts) + "\n"


def _fitting(sections: Iterable[tuple[str, str]], left: int) -> tuple[list[str], int, list[str]]:
    """The sections that fit into so many bytes, what is left of these, and the other titles."""
    fitting, omitted = [], []
    for title, section in sections:
        size = len(section.encode()) + 2
        if size > left:
            omitted.append(title)
        else:
            fitting.append(section)
            left -= size
    return fitting, left, omitted


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


def _first(report: Report) -> Iterator[str]:
    lacking = base.shortfall(report)
    required = f", {lacking}" if lacking else ""
    yield f"## {base.mark(report)}{prose(base.headline(report))}{required}"
    for line in (base.reason(report), base.cause(report)):
        if line:
            yield f"<p>{prose(line)}</p>"
    table = _planned(report) if report.dry_run else _metrics(report)
    if table:
        yield table


def _told(report: Report) -> Iterator[tuple[str, str]]:
    """What stands beside the verdict; each part only as long as the comment has room for it."""
    power = beside.power(report, every=True)
    told = [*beside.sentences(report, every=True), *([power] if power else ())]
    told += beside.notes(report)
    if told:
        yield "what was found of each metric", _list(told)
    criteria = beside.criteria(report, every=True)
    if criteria:
        yield "success criteria", f"**Success criteria**\n\n{_list(criteria)}"
    seen = [*beside.curves(report, every=False), *beside.outputs(report, every=False)]
    if seen:
        lines = [f"- **{fact.label}** {prose(fact.text)}" for fact in seen[:ROWS]]
        yield "curves and products", "\n".join(["**Curves and products**\n", *lines])
    if report.undeclared:
        heading = f"**{UNVERSIONED[0].upper()}{UNVERSIONED[1:]}**"
        yield UNVERSIONED, f"{heading}\n\n{_list(names(report))}"
    for fact in undeclared(report, every=True) if report.undeclared == () else ():
        yield "trace", f"**{fact.label}** {prose(fact.text)}"


def _last(report: Report) -> Iterator[str]:
    told = base.unjudged(report)
    if told:
        more = f" and {len(told) - 6} more" if len(told) > 6 else ""
        yield f"Not judged: {', '.join(code(each) for each in told[:6])}{more}"
    for step in base.next_steps(report):
        yield f"**Next:** {prose(step)}"
    facts = [*used(report), *planned(report)]
    yield _table(("Used", ""), [(fact.label, code(fact.text, 400)) for fact in facts])


def _list(texts: Sequence[str]) -> str:
    lines = [f"- {prose(text)}" for text in texts[:ROWS]]
    return "\n".join([*lines, f"- and {len(texts) - ROWS} more"] if len(texts) > ROWS else lines)


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
    planned = planned_margins(report)[:ROWS]
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
    differing = package_rows(report)
    if differing:
        title = f"{counted(len(differing), 'package')} not as the run had them"
        yield title, _packages(differing)
    machines = hardware_rows(report, every=True)
    if machines:
        yield "Hardware", _hardware(machines)
    built = report.environment
    if built is not None and built.packages:
        names = [f"{package.name}=={package.version}" for package in built.packages[:PACKAGES]]
        more = len(built.packages) - len(names)
        lines = [*names, f"and {more} more"] if more else names
        yield counted(len(built.packages), "package"), fence(lines)


def _packages(rows: Sequence[tuple[str, ...]]) -> str:
    cells = [(code(name), code(asked), code(landed), grade) for name, asked, landed, grade in rows]
    table = _table(("Package", "Asked", "Landed", "Grade"), cells[:ROWS])
    return table if len(rows) <= ROWS else f"{table}\n\n{len(rows) - ROWS} more differ."


def _hardware(rows: Sequence[tuple[str, ...]]) -> str:
    cells = [(code(name), code(asked), code(landed), grade) for name, asked, landed, grade in rows]
    return _table(("Hardware", "Asked", "Landed", "Grade"), cells)


def _findings(report: Report) -> str:
    found = base.findings(report, *Severity)
    lines = [
        f"- **{each.severity.value}** {code(each.code)} {prose(each.message)}"
        + (f" *{prose(each.hint)}*" if each.hint else "")
        + _fix(each)
        for each in found[:ROWS]
    ]
    if len(found) > ROWS:
        lines.append(f"- and {len(found) - ROWS} more")
    return "\n".join(lines)


def _fix(finding: Finding) -> str:
    """The line that mends it, where it stands there as it is: an escaped @ is not to be pasted."""
    if not finding.fix or len(finding.fix) > PROSE or set("@#") & set(finding.fix):
        return ""
    return f" Mend it: {code(finding.fix, PROSE)}"


def _stages(report: Report) -> str:
    rows = [
        (each.stage.value, each.status.value, format_duration(each.duration_s), prose(each.summary))
        for each in report.stages
        if each.status is not StageStatus.SKIPPED
    ]
    return _table(("Stage", "Status", "Time", "Summary"), rows)
