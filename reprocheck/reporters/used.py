"""What the verification used: the run, its code, command, environment and data."""

from __future__ import annotations

import math

from reprocheck.durations import format_duration
from reprocheck.model import (
    Argv,
    BuiltEnvironment,
    Material,
    Origin,
    OriginKind,
    PackageLists,
    Report,
    RunRecord,
    Setting,
    ShellLine,
    Stage,
    StageStatus,
    Step,
)
from reprocheck.numbers import counted
from reprocheck.reporters.base import NOTHING, Fact
from reprocheck.reporters.differences import set_aside
from reprocheck.reporters.seeds import given_seeds


def used(report: Report, *, every: bool = True) -> tuple[Fact, ...]:
    """The run, its code, command, environment and data, one line each.

    Without `every` no digests of data, no origins of what was recorded as it is used, and of
    packages only that they differ.
    """
    record = report.record
    if record is None:
        return (Fact(label="Run", text=report.asked),)
    facts = [
        Fact(label="Run", text=_run(record)),
        Fact(label="Code", text=_code(record, every)),
        Fact(label="Command", text=_command(record, every)),
        Fact(label="Environment", text=_environment(report, record, every)),
        Fact(label="Data", text=_data(report, record, every)),
    ]
    if report.plan and report.seeds:
        facts.append(Fact(label="Seeds", text=given_seeds(report, report.plan.seeds)))
    if report.environment:
        facts.insert(4, Fact(label="Rebuilt", text=_rebuilt(report.environment)))
    if report.packages and (every or not _as_asked(report.packages)):
        facts.append(Fact(label="Packages", text=packages_told(report.packages)))
    if report.settings:
        facts.append(Fact(label="Settings", text=_settings(report.settings)))
    if aside := set_aside(report):
        facts.append(Fact(label="Set aside", text=aside))
    return tuple(facts)


def _as_asked(lists: PackageLists) -> bool:
    return bool(lists.asked) and not lists.differences


def packages_told(lists: PackageLists) -> str:
    """How far what was installed is what the run's record asks for, on one line."""
    if not lists.asked:
        return f"{lists.source} lists none that could be compared"
    asked = f"{counted(len(lists.asked), 'package')} asked for by {lists.source}"
    count = len(lists.differences)
    return f"{asked}; {f'{count} differ' if count else 'all landed as asked'}"


def package_rows(report: Report) -> tuple[tuple[str, str, str, str], ...]:
    """Name, asked, landed and grade of every package that is not as recorded, worst first."""
    differences = report.packages.differences if report.packages else ()
    return tuple(
        (each.name, each.asked or NOTHING, each.landed or NOTHING, each.grade.value)
        for each in differences
    )


def _settings(settings: tuple[Setting, ...]) -> str:
    return ", ".join(f"{each.name}={each.value} ({each.origin.where})" for each in settings)


def stage_times(report: Report) -> str:
    """How long each stage that ran took, on one line; one that did not pass says so."""
    said = []
    for result in report.stages:
        if result.status is StageStatus.SKIPPED:
            continue
        how = "" if result.status is StageStatus.PASSED else f" {result.status.value}"
        said.append(f"{result.stage.value} {format_duration(result.duration_s)}{how}")
    return " · ".join(said)


def time_taken(report: Report) -> str:
    """How long it took, and the reruns of it; "" where they, or a stage, did not end well."""
    ran = [each for each in report.stages if each.status is not StageStatus.SKIPPED]
    rerun = [each for each in ran if each.stage is Stage.RERUN]
    if not rerun or any(each.status is not StageStatus.PASSED for each in ran):
        return ""
    whole = format_duration(math.fsum(each.duration_s for each in ran))
    return f"{whole} in all, reruns {format_duration(rerun[0].duration_s)}"


def command_line(step: Step) -> str:
    """A step as one line to read, not to paste."""
    match step.run:
        case Argv(args=args):
            line = " ".join(arg if arg and " " not in arg else repr(arg) for arg in args)
        case ShellLine(line=text):
            line = f"sh -c {text!r}"
    return line if step.cwd in ("", ".") else f"{line} (in {step.cwd})"


def origin_words(origin: Origin | None) -> str:
    """Where a fact was found, in brackets; nothing where that is not known."""
    if origin is None:
        return ""
    if origin.kind is OriginKind.INFERRED:
        return f" (inferred from {origin.where})"
    return f" ({origin.kind.value} {origin.where})"


def _run(record: RunRecord) -> str:
    name = f" {record.name}" if record.name else ""
    group = f" of {record.experiment}" if record.experiment else ""
    return f"{record.ref.run_id}{name}{group} ({record.ref.tracker})"


def _code(record: RunRecord, every: bool) -> str:
    code = record.code
    patch = " with its patch" if code.patch else ""
    commit = code.commit[:12] or "no commit"
    origin = _origin(record, "/code/commit", every)
    return f"{commit}, tree {code.tree.value}{patch}{origin}"


def _origin(record: RunRecord, pointer: str, every: bool) -> str:
    origin = record.origins.get(pointer)
    inferred = origin is not None and origin.kind is OriginKind.INFERRED
    return origin_words(origin) if every or inferred else ""


def _command(record: RunRecord, every: bool) -> str:
    if record.command is None:
        return "not recorded"
    line = " && ".join(command_line(step) for step in record.command.steps)
    return line + _origin(record, "/command", every)


def _environment(report: Report, record: RunRecord, every: bool) -> str:
    if report.environment:
        landed = not every and report.packages and _as_asked(report.packages)
        return report.environment.asked + ("; all packages landed as asked" if landed else "")
    spec = record.environment
    if spec is None:
        return "not recorded"
    return f"{spec.kind.value} {spec.file}{origin_words(spec.origin)}"


def _rebuilt(built: BuiltEnvironment) -> str:
    cached = ", cached" if built.cached else ""
    return (
        f"{built.kind.value}, Python {built.python}, {counted(len(built.packages), 'package')}"
        f"{cached}; isolation: {built.isolation or 'none'}"
    )


def _data(report: Report, record: RunRecord, every: bool) -> str:
    if not record.data:
        said = (each.summary for each in report.stages if each.stage is Stage.RESTORE)
        return next(said, "") or "no digest recorded"
    first = ", ".join(_material(material, every) for material in record.data[:2])
    more = f" and {len(record.data) - 2} more" if len(record.data) > 2 else ""
    return f"{counted(len(record.data), 'material')}: {first}{more}"


def _material(material: Material, every: bool) -> str:
    weak = " (weak)" if material.weak else ""
    digest = f" {material.algorithm} {material.digest[:12]}" if every else ""
    return f"{material.path}{digest}{weak}"
