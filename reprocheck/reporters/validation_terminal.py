"""What a record is worth, in a terminal: the grade, then each finding with what mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reprocheck.hostile import cut, printable, redacted_validation
from reprocheck.model import Finding, Grade, Origin, OriginKind, RunRecord, Severity, Validation
from reprocheck.numbers import counted
from reprocheck.reporters.console import laid_out
from reprocheck.reporters.terminal import SEVERITIES

COLORS = {Grade.VERIFIABLE: "green", Grade.CAVEATS: "yellow", Grade.NOT_VERIFIABLE: "red"}


def render(
    validation: Validation, *, width: int = 80, color: bool = False, verbose: bool = False
) -> str:
    """The validation as lines of at most `width` columns, but for those to paste, which are whole;
    with `color`, with ANSI escapes; with `verbose`, also where each fact was found."""
    clean = redacted_validation(validation)
    parts = [laid_out(_head(clean), width=width, color=color)]
    parts += [_finding(each, width, color) for each in clean.findings]
    if verbose:
        parts.append(laid_out([_facts(clean.record)], width=width, color=color))
    return "\n".join(parts)


def _head(validation: Validation) -> Iterator[RenderableType]:
    grade, record = validation.grade, validation.record
    told = Text(grade.value.capitalize(), style=f"bold {COLORS[grade]}")
    yield told
    name = f" '{record.name}'" if record.name else ""
    counts = Counter(each.severity for each in validation.findings)
    numbers = ", ".join(counted(counts[each], each.value) for each in Severity if counts[each])
    yield Text(printable(f"run {record.ref.run_id}{name}: {numbers or 'nothing was found'}"))


def _finding(finding: Finding, width: int, color: bool) -> str:
    style = SEVERITIES[finding.severity]
    head = Text(f"{finding.severity.value} {printable(finding.code)}: ", style=style)
    head.append(printable(finding.message), style="default")
    if finding.pointer:
        head.append(f" [{printable(finding.pointer)}]", style="dim")
    lines: list[RenderableType] = [head]
    if finding.hint:
        lines.append(Padding(Text(printable(finding.hint), style="dim"), (0, 0, 0, 2)))
    text = laid_out([Group(*lines)], width=width, color=color)
    # A line that is broken cannot be copied.
    return f"{text}    {printable(finding.fix)}\n" if finding.fix else text


def _facts(record: RunRecord) -> RenderableType:
    """The facts that were found, and where."""
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for head in ("Fact", "Found", "Where"):
        table.add_column(head, overflow="fold", header_style="dim")
    for pointer, text in _values(record).items():
        if text:
            origin = _origin(record, pointer)
            table.add_row(*(Text(printable(each)) for each in (pointer, cut(text, 200), origin)))
    return table


def _values(record: RunRecord) -> dict[str, str]:
    """What a verification works from, by JSON pointer."""
    code, command = record.code, record.command
    return {
        "/status": record.status.value,
        "/code/commit": code.commit,
        "/code/repository": code.repository or "",
        "/code/tree": code.tree.value,
        "/code/patch": f"{len(code.patch.content)} bytes" if code.patch else "",
        "/command": f"{counted(len(command.steps), 'step')}" if command else "",
        "/environment": record.environment.file if record.environment else "",
        "/files": ", ".join(file.path for file in record.files),
        **{f"/data/{i}": f"{each.label} {each.digest}" for i, each in enumerate(record.data)},
        "/seeds": ", ".join(f"{name} {value}" for name, value in record.seeds.items()),
        "/parameters": counted(len(record.parameters), "parameter"),
        "/metrics": counted(len(record.metrics), "metric"),
        "/artifacts": counted(len(record.artifacts), "artifact"),
        "/hardware": ", ".join(record.hardware),
        "/approvals": ", ".join(each.by for each in record.approvals),
        "/definition": ", ".join(record.definition.primary) if record.definition else "",
    }


def _origin(record: RunRecord, pointer: str) -> str:
    carried: dict[str, Origin] = {f"/data/{i}": each.origin for i, each in enumerate(record.data)}
    if record.environment:
        carried["/environment"] = record.environment.origin
    if record.definition:
        carried["/definition"] = record.definition.origin
    found = record.origins.get(pointer) or carried.get(pointer)
    if found is None:
        return ""
    kind = "" if found.kind is OriginKind.TRACKER else f"{found.kind.value} "
    return f"{kind}{found.where}"
