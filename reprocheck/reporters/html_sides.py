"""Of a report's page: what the reruns had as the run had it, and what not, with where it is known
from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reprocheck import hardware
from reprocheck.hostile import cut
from reprocheck.model import (
    CodeState,
    HardwareGrade,
    OriginKind,
    Report,
    ReportDetail,
    RunRecord,
    Stage,
    TreeState,
)
from reprocheck.numbers import counted
from reprocheck.reporters import base, used
from reprocheck.reporters.comment_rows import data_told
from reprocheck.reporters.html_parts import (
    NAME,
    Cell,
    Section,
    Table,
    table,
    words,
)
from reprocheck.reporters.html_records import (
    GRADES,
    NOT_REACHED,
    differences,
    folds,
    origin_told,
    passed,
)
from reprocheck.reporters.plans import planned
from reprocheck.reporters.seeds import given_seeds
from reprocheck.reporters.undeclared import undeclared
from reprocheck.seeds import is_no_seed


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One thing that both sides have: as the run had it, as the reruns did, and whether the same.

    `same` None: not known, or not reached.
    """

    what: str
    asked: str
    landed: str
    same: bool | None
    told: str = ""  # of the difference, or of why it is not known
    origin: str = ""
    grade: str = ""  # of what differs, most first


def sides(report: Report) -> Iterator[Section]:
    """What was the same and what was not, in one table, and folded all that it sums up."""
    record = report.record
    if record is None or report.detail is ReportDetail.MINIMAL:
        yield from _plainly(report)
        return
    found = _planned(report, record) if report.dry_run else _beside(report, record)
    yield Section(
        id="same",
        title="What would be rerun" if report.dry_run else "What was the same, and what was not",
        tables=(found,) if found else (),
        facts=tuple(undeclared(report, every=True)),
        folds=tuple(folds(report, record)),
    )


def _beside(report: Report, record: RunRecord) -> Table | None:
    heads = ("What", "The run", "The reruns", "The same?", "Known from")
    rows = (_row(each) for each in _sides(report, record))
    return table("The run beside its reruns", heads, rows, name="beside")


def _planned(report: Report, record: RunRecord) -> Table | None:
    """Before anything runs there is one side."""
    rows = (
        (words(each.what), words(each.asked), words(each.origin or base.NOTHING, "quiet"))
        for each in _sides(report, record)
        if report.hardware or each.what != "Hardware"
    )
    return table("The run as it is recorded", ("What", "The run", "Known from"), rows)


def _plainly(report: Report) -> Iterator[Section]:
    """Of a sensitive run, and of one that was not read."""
    facts = (*used.used(report), *planned(report), *undeclared(report, every=True))
    yield Section(id="same", title="What was used", facts=facts)


def _row(side: Side) -> tuple[Cell, ...]:
    return (
        words(side.what),
        words(side.asked),
        words(side.landed),
        _same(side),
        words(side.origin or base.NOTHING, "quiet"),
    )


def _same(side: Side) -> Cell:
    if side.same:
        return words(side.told or "the same", "good", mark="✓")
    if side.same is None:
        return words(side.told or "not known", "quiet", mark="?")
    return words(side.told, GRADES.get(side.grade, "fair"), mark="≠")


# --- the table ----------------------------------------------------------------------------


def _sides(report: Report, record: RunRecord) -> Iterator[Side]:
    yield _code(report, record)
    yield _command(report, record)
    yield _parameters(report, record)
    yield _data(report, record)
    yield _environment(report, record)
    yield _hardware(report)
    if report.settings:
        yield _settings(report)
    yield _seeds(report, record)


def _found(record: RunRecord, *pointers: str) -> str:
    """Where the facts at these places of the record were found, each place once."""
    found = (record.origins.get(each) for each in pointers)
    return ", ".join(dict.fromkeys(origin_told(each) for each in found if each))


def _code(report: Report, record: RunRecord) -> Side:
    state = record.code
    commit = f"commit {state.commit}" if state.commit else "no commit"
    patch = " and a recorded patch" if state.patch or state.upstream else ""
    files = f", {counted(len(state.untracked), 'untracked file')}" if state.untracked else ""
    asked = f"{commit}, tree {state.tree.value}{patch}{files}"
    origin = _found(record, "/code/commit", "/code/tree", "/code/patch")
    if not passed(report, Stage.CHECKOUT):
        return Side(what="Code", asked=asked, landed=NOT_REACHED, same=None, origin=origin)
    if state.stored:
        landed = f"what the run stored in {', '.join(state.stored)}"
        told = "not the commit’s code; nothing proves that it is the run’s"
        return Side(what="Code", asked=asked, landed=landed, same=False, told=told, origin=origin)
    landed = f"a clean clone of {state.commit[:12]}{' with the patch' if patch else ''}"
    told = _doubt(state)
    same = None if told else True
    return Side(what="Code", asked=asked, landed=landed, same=same, told=told, origin=origin)


def _doubt(state: CodeState) -> str:
    """Why the code of the reruns may not be the run's, "" where it is."""
    if state.tree is TreeState.UNKNOWN:
        return "not known: the run does not say whether its tree was clean"
    if state.tree is TreeState.DIRTY and not (state.patch or state.upstream or state.untracked):
        return "not known: the run does not hold its uncommitted changes"
    if any(each.artifact is None for each in state.untracked):
        return "not known: the run does not hold all of its untracked files"
    return ""


def _command(report: Report, record: RunRecord) -> Side:
    if record.command is None:
        return Side(what="Command", asked=used.unrecorded(report), landed=NOT_REACHED, same=None)
    asked = " && ".join(used.command_line(step) for step in record.command.steps)
    landed = "the same, in the same folder" if report.trials else NOT_REACHED
    origin, told, same = record.origins.get("/command"), "", bool(report.trials) or None
    if report.trials and origin and origin.kind is OriginKind.INFERRED:
        same = _parameters(report, record).same or None
        told = f"inferred, {'as the logged parameters prove' if same else 'and not proved'}"
    if report.scope:
        landed = used.steps_told(report.scope)
        told = "taken as given in part" if report.scope.skipped else told
        same = None if report.scope.skipped else same
    found = origin_told(origin) if origin else ""
    return Side(what="Command", asked=asked, landed=landed, same=same, told=told, origin=found)


def _parameters(report: Report, record: RunRecord) -> Side:
    found = [each for _, each in differences(report)]
    open_ones = {each.name for each in found if each.excuse is None}
    aside = {each.name for each in found if each.excuse is not None} - open_ones
    compared = sum(trial.exit_code == 0 and bool(trial.parameters) for trial in report.trials)
    landed = f"{counted(compared, 'rerun')} compared" if compared else NOT_REACHED
    told = f"{counted(len(open_ones), 'parameter')} differ" if open_ones else ""
    if not open_ones and aside:
        told = f"the same, {len(aside)} set aside"
    return Side(
        what="Parameters",
        asked=f"{len(record.parameters)} logged",
        landed=landed,
        same=False if open_ones else bool(compared and record.parameters) or None,
        told=told,
        origin=_found(record, "/parameters") or record.ref.tracker,
        grade="direct" if open_ones else "",
    )


def _data(report: Report, record: RunRecord) -> Side:
    digests = sum(not each.weak for each in record.data)
    origin = ", ".join(dict.fromkeys(origin_told(each.origin) for each in record.data))
    if not record.data:
        return Side(what="Data", asked="no digest recorded", landed="not compared", same=None)
    restored = passed(report, Stage.RESTORE)
    whole = restored and digests == len(record.data)
    told = "" if whole or not restored else f"{len(record.data) - digests} by a weak digest"
    return Side(
        what="Data",
        asked=", ".join(cut(each.label, NAME) for each in record.data[:4])
        + (f" and {len(record.data) - 4} more" if len(record.data) > 4 else ""),
        landed=data_told(report) if restored else NOT_REACHED,
        same=True if whole else None,
        told=told,
        origin=cut(origin, NAME),
    )


def _environment(report: Report, record: RunRecord) -> Side:
    built, lists, spec = report.environment, report.packages, record.environment
    asked = (
        built.asked
        if built
        else f"{spec.kind.value} {spec.file}"
        if spec
        else used.unrecorded(report)
    )
    origin = origin_told(spec.origin) if spec else ""
    if built is None:
        return Side(what="Environment", asked=asked, landed=NOT_REACHED, same=None, origin=origin)
    differ = lists.differences if lists else ()
    told = used.packages_told(lists) if lists else "not known: no list of packages to compare"
    return Side(
        what="Environment",
        asked=asked,
        landed=f"{built.kind.value}, Python {built.python}, "
        f"{counted(len(built.packages), 'package')}",
        same=False if differ else True if lists and lists.asked else None,
        told=told,
        origin=origin,
        grade=differ[0].grade.value if differ else "",
    )


def _hardware(report: Report) -> Side:
    found = report.hardware
    if found is None:
        landed = "not looked at" if report.trials else NOT_REACHED
        return Side(what="Hardware", asked="not looked at", landed=landed, same=None)
    recorded = hardware.texts(found.asked)
    worst = found.differences[0].grade.value if found.differences else ""
    differs = any(each.grade is not HardwareGrade.SPEED for each in found.differences)
    told = used.hardware_told(found, every=False)
    if found.lacking and not differs and recorded:
        told += f"; not recorded: {', '.join(found.lacking)}"
    origins = dict.fromkeys(origin_told(each) for each in found.origins.values())
    return Side(
        what="Hardware",
        asked=used.machine(found.asked) if recorded else "not recorded",
        landed=used.machine(found.landed),
        same=False if differs else found.same,
        told=told,
        origin=", ".join(origins),
        grade=worst,
    )


def _settings(report: Report) -> Side:
    told = ", ".join(f"{each.name}={each.value}" for each in report.settings)
    origins = dict.fromkeys(origin_told(each.origin) for each in report.settings)
    return Side(
        what="Settings",
        asked=told,
        landed="the same" if report.trials else NOT_REACHED,
        same=bool(report.trials) or None,
        origin=", ".join(origins),
    )


def _seeds(report: Report, record: RunRecord) -> Side:
    asked = ", ".join(f"{name} {value}" for name, value in record.seeds.items()) or "none recorded"
    given = dict.fromkeys(trial.seed for trial in report.trials if trial.seed is not None)
    landed = ", ".join(given) or ("none given" if report.trials else NOT_REACHED)
    same = set(given) <= set(record.seeds.values()) if given and record.seeds else None
    told = given_seeds(report, report.plan.seeds) if report.plan and report.seeds else ""
    if same:
        told = "none on either side" if all(map(is_no_seed, given)) else "the same"
    return Side(
        what="Seeds",
        asked=asked,
        landed=landed,
        same=same,
        told=told,
        origin=_found(record, "/seeds", *(f"/seeds/{name}" for name in record.seeds)),
        grade="speed",  # meant, where they differ: the reruns were given others
    )
