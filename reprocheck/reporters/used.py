"""What the verification used: the run, its code, command, environment and data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from reprocheck import hardware
from reprocheck.durations import format_duration
from reprocheck.hostile import cut
from reprocheck.model import (
    Argv,
    BuiltEnvironment,
    Hardware,
    HardwareGrade,
    HardwareSides,
    Material,
    Origin,
    OriginKind,
    PackageLists,
    Report,
    ReportDetail,
    RunRecord,
    Scope,
    Setting,
    ShellLine,
    Stage,
    StageStatus,
    Step,
)
from reprocheck.numbers import counted, format_bytes
from reprocheck.reporters.base import NOTHING, Fact
from reprocheck.reporters.differences import set_aside
from reprocheck.reporters.seeds import given_seeds

# What the run itself does not tell; where it was found decides whether it is right.
_NOT_RECORDED = (OriginKind.FILE, OriginKind.INFERRED)
_HYPOTHESIS = 200  # characters of it that are shown
MINIMAL = (
    "reported in minimal detail: the run is marked as sensitive, or the config asks for it; told "
    "are verdict, metric names, numbers and digests"
)
_MOST_OUTSIDE = 4  # inputs that are named although others are only counted


def used(report: Report, *, every: bool = True) -> tuple[Fact, ...]:
    """The run, its code, command, environment and data, one line each.

    Without `every` no digests of data, no origins of what was recorded as it is used, and of
    packages and hardware only that they differ.
    """
    record = report.record
    if report.detail is ReportDetail.MINIMAL:
        return tuple(_by_digest(report))
    if record is None:
        return (Fact(label="Run", text=report.asked),)
    facts = [
        Fact(label="Run", text=_run(record)),
        *([Fact(label="Hypothesis", text=told)] if (told := _hypothesis(record)) else []),
        Fact(label="Code", text=_code(record, every)),
        Fact(label="Command", text=_command(report, record, every)),
        *([Fact(label="Steps", text=steps_told(report.scope))] if report.scope else []),
        Fact(label="Environment", text=_environment(report, record, every)),
        *([Fact(label="Rebuilt", text=rebuilt(report.environment))] if report.environment else []),
        Fact(label="Data", text=_data(report, record, every)),
    ]
    if report.plan and report.seeds:
        facts.append(Fact(label="Seeds", text=given_seeds(report, report.plan.seeds)))
    if report.packages and (every or not _as_asked(report.packages)):
        facts.append(Fact(label="Packages", text=packages_told(report.packages)))
    if report.hardware and (every or not report.hardware.same):
        facts.append(Fact(label="Hardware", text=hardware_told(report.hardware, every=every)))
    if report.settings:
        facts.append(Fact(label="Settings", text=_settings(report.settings)))
    if aside := set_aside(report):
        facts.append(Fact(label="Set aside", text=aside))
    return tuple(facts)


def _by_digest(report: Report) -> Iterator[Fact]:
    """Of a sensitive run, what has a digest."""
    record = report.record
    yield Fact(label="Detail", text=MINIMAL)
    yield Fact(label="Run", text=_run(record) if record else report.asked)
    if record:
        yield Fact(label="Code", text=_code(record, every=False))
    if built := report.environment:
        yield Fact(label="Rebuilt", text=f"{built.kind.value}, digest {built.digest[:12]}")
    if record and record.data:
        yield Fact(label="Data", text=_data(report, record, every=True))


def _hypothesis(record: RunRecord) -> str:
    """What the run was meant to show, in one line; the report as JSON has all of it."""
    told = record.definition.hypothesis if record.definition else ""
    return cut(" ".join(told.split()), _HYPOTHESIS)


def steps_told(scope: Scope) -> str:
    """Of a run of several steps: which were rerun, and what was taken as given, on one line."""
    told = f"rerun: {', '.join(scope.rerun)}"
    if not scope.skipped:
        return f"{told}; nothing taken as given"
    given = ", ".join(f"{each.path} {each.digest[:8]} of {each.made_by}" for each in scope.given)
    return f"{told}; not rerun: {', '.join(scope.skipped)}; taken as given: {given or 'nothing'}"


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


def hardware_told(sides: HardwareSides, *, every: bool = True) -> str:
    """How far what the reruns compute on is what the run did, on one line; with `every` also what
    that is, and what would have to be recorded.
    """
    recorded, here = hardware.texts(sides.asked), machine(sides.landed)
    if not recorded:
        told = "not recorded with the run"
        return f"{told}; the reruns compute on {here}" if every else told
    if sides.same:
        return f"the same kind of machine: {here}"
    count = sum(each.grade is not HardwareGrade.SPEED for each in sides.differences)
    places = ", ".join(dict.fromkeys(each.where for each in sides.origins.values()))
    told = f"{counted(len(recorded), 'fact')} recorded ({places}), {count or 'none'} differ here"
    if not every:
        return told
    lacking = f"; not recorded: {', '.join(sides.lacking)}" if sides.lacking else ""
    return f"{told}{lacking}; the reruns compute on {here}"


def hardware_rows(report: Report, *, every: bool) -> tuple[tuple[str, str, str, str], ...]:
    """Name, asked, landed and grade where the hardware is another, worst first; with `every` also
    what is alike, only recorded or only known here.
    """
    sides = report.hardware
    if sides is None:
        return ()
    rows = [
        (each.name, _size(each.name, each.asked), _size(each.name, each.landed), each.grade.value)
        for each in sides.differences
        if every or each.grade is not HardwareGrade.SPEED
    ]
    asked, landed = hardware.texts(sides.asked), hardware.texts(sides.landed)
    left = {*asked, *landed} - {each.name for each in sides.differences} if every else set()
    for name in (name for name in hardware.NAMES if name in left):
        both = _size(name, asked.get(name, NOTHING)), _size(name, landed.get(name, NOTHING))
        rows.append((name, *both, NOTHING if NOTHING in both else "same"))
    return tuple(rows)


def _size(name: str, text: str) -> str:
    is_size = name.endswith("_bytes") and re.fullmatch("[0-9]{1,18}", text)
    return format_bytes(int(text)) if is_size else text


def machine(known: Hardware) -> str:
    """A machine in a few words."""
    gpus = known.gpus or ()
    models = ", ".join(f"{gpus.count(name)} × {name}" for name in dict.fromkeys(gpus))
    told = (
        known.cpu_model or "an unknown processor",
        counted(known.cpu_count, "CPU") if known.cpu_count else "",
        f"{', '.join(known.blas_core)} kernels" if known.blas_core else "",
        f"threads: {hardware.texts(known)['threads']}" if known.threads else "",
        models or ("no GPU" if known.gpus == () else ""),
    )
    return ", ".join(part for part in told if part)


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
    if code.stored:
        stored = ", ".join(code.stored)
        return f"NOT the commit's ({commit}): what the run stored in {stored}, unproved{origin}"
    return f"{commit}, tree {code.tree.value}{patch}{origin}"


def _origin(record: RunRecord, pointer: str, every: bool) -> str:
    origin = record.origins.get(pointer)
    told = origin is not None and origin.kind in _NOT_RECORDED
    return origin_words(origin) if every or told else ""


def unrecorded(report: Report) -> str:
    """Of a command or an environment that the report does not hold: both may be in the run's files
    or at its commit, which are looked at last."""
    early = report.failed_stage in (Stage.READ, Stage.VALIDATE, Stage.CHECKOUT)
    return "not looked for: the verification ended before" if early else "not recorded"


def _command(report: Report, record: RunRecord, every: bool) -> str:
    if record.command is None:
        return unrecorded(report)
    line = " && ".join(command_line(step) for step in record.command.steps)
    return line + _origin(record, "/command", every)


def _environment(report: Report, record: RunRecord, every: bool) -> str:
    if report.environment:
        landed = not every and report.packages and _as_asked(report.packages)
        return report.environment.asked + ("; all packages landed as asked" if landed else "")
    spec = record.environment
    if spec is None:
        return unrecorded(report)
    return f"{spec.kind.value} {spec.file}{origin_words(spec.origin)}"


def rebuilt(built: BuiltEnvironment) -> str:
    """What the reruns had for an environment, on one line."""
    cached = ", cached" if built.cached else ""
    return (
        f"{built.kind.value}, Python {built.python}, {counted(len(built.packages), 'package')}"
        f"{cached}; isolation: {built.isolation or 'none'}"
    )


def _data(report: Report, record: RunRecord, every: bool) -> str:
    if not record.data:
        said = (each.summary for each in report.stages if each.stage is Stage.RESTORE)
        return next(said, "") or "no digest recorded"
    outside = [each for each in record.data[2:] if each.label != each.path]  # not in the tree
    shown = (*record.data[:2], *outside[:_MOST_OUTSIDE])
    first = ", ".join(_material(material, every) for material in shown)
    more = f" and {len(record.data) - len(shown)} more" if len(record.data) > len(shown) else ""
    return f"{counted(len(record.data), 'material')}: {first}{more}"


def _material(material: Material, every: bool) -> str:
    weak = " (weak)" if material.weak else ""
    digest = f" {material.algorithm} {material.digest[:12]}" if every else ""
    return f"{material.label}{digest}{weak}"
