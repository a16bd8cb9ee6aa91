"""Of a report's page: all that the table of what was the same sums up, folded."""

from __future__ import annotations

from collections.abc import Iterator

from reprocheck.hostile import cut
from reprocheck.model import (
    Difference,
    HardwareGrade,
    Material,
    Origin,
    OriginKind,
    PackageGrade,
    Report,
    RunRecord,
    Stage,
    StageStatus,
)
from reprocheck.numbers import counted, format_bytes
from reprocheck.reporters import base, used
from reprocheck.reporters.html_parts import (
    LONGEST,
    NAME,
    Cell,
    Fold,
    Table,
    code,
    fold,
    table,
    words,
)
from reprocheck.reporters.plans import planned

GRADES: dict[str, str] = {
    PackageGrade.PYTHON.value: "bad",
    HardwareGrade.DIRECT.value: "bad",
    PackageGrade.FRAMEWORK.value: "bad",
    PackageGrade.NUMERIC.value: "fair",
    HardwareGrade.INDIRECT.value: "fair",
    PackageGrade.OTHER.value: "quiet",
    HardwareGrade.SPEED.value: "quiet",
    "same": "good",
}
MOST_PARAMETERS = 500
NOT_REACHED = "not reached"
"""Stands where the verification did not come."""


def passed(report: Report, stage: Stage) -> bool:
    """Whether a stage did its work."""
    return any(each.stage is stage and each.status is StageStatus.PASSED for each in report.stages)


def differences(report: Report) -> list[tuple[int, Difference]]:
    """The parameters that reruns logged otherwise, each with the rerun's number."""
    return [(trial.index, each) for trial in report.trials for each in trial.differences]


def origin_told(origin: Origin) -> str:
    """Where a fact was found, in words."""
    if origin.kind is OriginKind.INFERRED:
        return f"inferred from {origin.where}"
    return f"{origin.kind.value} {origin.where}".strip()


def folds(report: Report, record: RunRecord) -> Iterator[Fold]:
    """The run's own words, parameters, inputs, packages, hardware and settings, and the plan."""
    yield from _own_words(record)
    yield from fold("Parameters that differ or were set aside", _differing(report))
    yield from fold(
        counted(len(record.parameters), "parameter") + " of the run", _logged(record), is_long=True
    )
    yield from fold(
        counted(len(record.data), "input"),
        _materials(record, restored=passed(report, Stage.RESTORE)),
    )
    heads = ("Package", "The run asks for", "The reruns had", "Matters as")
    differ = table("Packages that are not as the run had them", heads, _graded(report, "package"))
    count = len(report.packages.differences) if report.packages else 0
    yield from fold(f"{counted(count, 'package')} not as the run had them", differ)
    yield from fold(*_installed(report), is_long=True)
    yield from fold("Hardware, fact by fact", _machines(report))
    yield from fold(counted(len(report.settings), "setting"), _variables(report))
    facts = planned(report)
    if facts:
        yield Fold(title="What was planned", facts=facts)
    yield from fold("Where each fact of the record was found", _origins(record), is_long=True)


def _own_words(record: RunRecord) -> Iterator[Fold]:
    """What the run says of itself, which nothing proves."""
    told = {
        "Description": record.description,
        "Hypothesis": record.definition.hypothesis if record.definition else "",
        "Data version": record.dataset_version,
        "Branch": record.code.branch or "",
    }
    facts = tuple(
        base.Fact(label=label, text=cut(text, LONGEST)) for label, text in told.items() if text
    )
    some = list(record.tags.items())[:MOST_PARAMETERS]
    rows = ((code(name, NAME), code(value)) for name, value in some)
    tags = table("Tags of the run", ("Tag", "Value"), rows)
    if facts or tags:
        yield Fold(title="What the run says of itself", facts=facts, table=tags, is_long=True)


def _differing(report: Report) -> Table | None:
    rows = (
        (
            code(each.name, NAME),
            code(base.NOTHING if each.original is None else each.original, NAME),
            code(base.NOTHING if each.trial is None else each.trial, NAME),
            words(f"rerun {index}"),
            words(f"set aside: {each.excuse}", "quiet")
            if each.excuse
            else words("differs", "bad", mark="≠"),
        )
        for index, each in differences(report)[:MOST_PARAMETERS]
    )
    heads = ("Parameter", "The run", "The rerun", "Which", "Counts?")
    return table("Parameters that a rerun logged otherwise", heads, rows)


def _logged(record: RunRecord) -> Table | None:
    some = list(record.parameters.items())[:MOST_PARAMETERS]
    rows = ((code(name, NAME), code(value)) for name, value in some)
    return table("Parameters as the run logged them", ("Parameter", "Value"), rows)


def _materials(record: RunRecord, *, restored: bool) -> Table | None:
    rows = (
        (
            code(each.label, NAME),
            code(f"{each.algorithm} {each.digest}"),
            words(_extent(each)),
            words(*_checked(each, restored=restored)),
            words(origin_told(each.origin), "quiet"),
        )
        for each in record.data[:MOST_PARAMETERS]
    )
    heads = ("Input", "Digest", "Size", "In the reruns", "Known from")
    return table("What the run read", heads, rows)


def _checked(each: Material, *, restored: bool) -> tuple[str, str]:
    if not restored:
        return NOT_REACHED, "quiet"
    if each.weak:
        return "restored; this digest does not cover the content", "fair"
    return "restored and checked by this digest", "good"


def _extent(each: Material) -> str:
    size = format_bytes(each.size) if each.size is not None else ""
    files = counted(each.files, "file") if each.files is not None else ""
    return ", ".join(filter(None, (size, files))) or base.NOTHING


def _graded(report: Report, what: str) -> Iterator[tuple[Cell, ...]]:
    rows = (
        used.package_rows(report) if what == "package" else used.hardware_rows(report, every=True)
    )
    for name, asked, landed, grade in rows:
        mark = "" if grade == base.NOTHING else "✓" if grade == "same" else "≠"
        yield (
            code(name, NAME),
            code(asked),
            code(landed),
            words(grade, GRADES.get(grade, "quiet"), mark=mark),
        )


def _machines(report: Report) -> Table | None:
    origins = report.hardware.origins if report.hardware else {}
    rows = (
        (*row, words(origin_told(origins[row[0].text]) if row[0].text in origins else "", "quiet"))
        for row in _graded(report, "hardware")
    )
    heads = ("Hardware", "The run", "The reruns", "Matters as", "Known from")
    return table("What the run computed on, and what the reruns did", heads, rows)


def _installed(report: Report) -> tuple[str, Table | None]:
    built = report.environment.packages if report.environment else ()
    asked = dict(report.packages.asked) if report.packages else {}
    rows = (
        (code(each.name, NAME), code(asked.get(each.name, base.NOTHING)), code(each.version))
        for each in built
    )
    title = f"All {counted(len(built), 'package')} that the reruns had"
    return title, table(title, ("Package", "The run asks for", "Installed"), rows)


def _variables(report: Report) -> Table | None:
    rows = (
        (code(each.name), code(each.value), words(origin_told(each.origin), "quiet"))
        for each in report.settings
    )
    heads = ("Variable", "Value", "Known from")
    return table("Variables that decide how a training computes, set as recorded", heads, rows)


def _origins(record: RunRecord) -> Table | None:
    """Also those that the nouns carry themselves."""
    found = {f"/data/{i}": each.origin for i, each in enumerate(record.data)}
    if record.environment:
        found["/environment"] = record.environment.origin
    if record.definition:
        found["/definition"] = record.definition.origin
    every = sorted((found | dict(record.origins)).items())[:MOST_PARAMETERS]
    rows = ((code(pointer, NAME), words(origin_told(origin))) for pointer, origin in every)
    return table("By JSON pointer into the record", ("Fact", "Found in"), rows)
