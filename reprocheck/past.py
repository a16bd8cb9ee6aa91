"""The past verifications of a run: since when it no longer reproduces, and what changed then. Pure.

Of each report only what may explain another answer is kept: what the reruns ran on, what they read,
and by which rules they were judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reprocheck import hardware
from reprocheck.checks import verification_of
from reprocheck.detail import Detail
from reprocheck.discretion import minimal
from reprocheck.durations import days
from reprocheck.hostile import redacted_report
from reprocheck.model import (
    Argv,
    BuiltEnvironment,
    Past,
    PastChange,
    PastEntry,
    PastFact,
    Report,
    ReportDetail,
    RunRecord,
    Verdict,
)
from reprocheck.numbers import counted, format_value, format_width
from reprocheck.schedule import standing

_DIGITS = 12
_DEFAULT = Detail()


def entry_of(report: Report) -> PastEntry:
    """What is kept of a report; of a sensitive run no more than its report may tell."""
    sensitive = report.detail is ReportDetail.MINIMAL
    clean = redacted_report(minimal(report) if sensitive else report)
    landed = dict(hardware.texts(clean.hardware.landed)) if clean.hardware else {}
    return PastEntry(
        verification=verification_of(clean),
        counts={each.metric: len(each.reruns) for each in clean.comparisons if each.gated},
        environment=clean.environment.digest if clean.environment else "",
        tool_version=clean.tool_version,
        machine=landed.get("cpu_model", ""),
        accepted=clean.acceptance is not None,
        facts=dict(_facts(clean)),
        cut=bool(clean.kept) and (clean.kept or {}).get("items", 0) < _DEFAULT.items,
        sensitive=sensitive,
    )


def past(run_id: str, entries: Iterable[PastEntry], older: int = 0) -> Past:
    """What the entries of a run, one at least, say together."""
    known = {(each.verification.at, each.verification.subject): each for each in entries}
    found = tuple(known[key] for key in sorted(known))
    history = [each.verification for each in found]
    began = standing.since(history)
    decisive = [each for each in found if _is_decisive(each)]
    after = next((each for each in decisive if each.verification.at == began), None)
    before = decisive[decisive.index(after) - 1] if after and after is not decisive[0] else None
    return Past(
        run_id=run_id,
        entries=found,
        standing=standing.standing(history),
        since=began,
        sentence=_sentence(found, decisive, before, after),
        before=before,
        after=after if before else None,
        changes=tuple(changes(before, after)) if before and after else (),
        older=older,
    )


def changes(before: PastEntry, after: PastEntry) -> Iterator[PastChange]:
    """What differs between two verifications, in the order of what reports say.

    Of a sensitive run, and where a file was cut, what only one of the two tells is no change.
    """
    partly = before.cut or after.cut or before.sensitive != after.sensitive
    for what in dict.fromkeys((*after.facts, *before.facts)):
        old, new = before.facts.get(what), after.facts.get(what)
        told = (old.landed if old else "", new.landed if new else "")
        if partly and not all(told):
            continue
        if told[0] != told[1]:
            asked = next((each.asked for each in (new, old) if each and each.asked), "")
            yield PastChange(what=what, asked=asked, before=told[0], after=told[1])


# --- in words -----------------------------------------------------------------------------


def _is_decisive(entry: PastEntry) -> bool:
    found = entry.verification
    return standing.reproduced(found) or found.verdict is Verdict.NOT_REPRODUCED


def _sentence(
    entries: Sequence[PastEntry],
    decisive: Sequence[PastEntry],
    before: PastEntry | None,
    after: PastEntry | None,
) -> str:
    total = counted(len(entries), "verification")
    if after is None:
        return f"None of {total} decided."
    good = standing.reproduced(after.verification)
    told = _turn(before, after, good=good) if before else _always(decisive, good=good)
    last = entries[-1]
    if last is decisive[-1]:
        if before and not good and len(decisive) - decisive.index(after) == 1:
            return f"{told} It was found once: verify the run again to confirm it."
        return told
    return f"{told} The last one, on {_day(last)}, decided nothing ({last.verification.verdict})."


def _turn(before: PastEntry, after: PastEntry, *, good: bool) -> str:
    old, new = days(before.verification.at, after.verification.at)
    if good:
        return f"Reproduces since {new}; on {old} it did not."
    return f"Reproduced until {old}, no longer since {new}."


def _always(decisive: Sequence[PastEntry], *, good: bool) -> str:
    count = counted(len(decisive), "verification")
    how = "Reproduced in" if good else "Reproduced in none of"
    return (
        f"{how} {'all of ' if good and len(decisive) > 1 else ''}{count} since {_day(decisive[0])}."
    )


def _day(entry: PastEntry) -> str:
    return entry.verification.at.date().isoformat()


# --- what may explain another answer --------------------------------------------------------


def _facts(report: Report) -> Iterator[tuple[str, PastFact]]:
    yield "reprocheck", PastFact(landed=report.tool_version)
    if report.environment:
        yield from _environment(report, report.environment)
    if report.hardware:
        asked = hardware.texts(report.hardware.asked)
        for name, text in hardware.texts(report.hardware.landed).items():
            yield f"hardware: {name}", PastFact(landed=text, asked=asked.get(name, ""))
    if report.record:
        yield from _record(report.record)
    for each in report.settings:
        yield f"variable {each.name}", PastFact(landed=each.value)
    for undeclared in report.undeclared or ():
        yield f"undeclared file {undeclared.path}", PastFact(landed=undeclared.sha256[:_DIGITS])
    yield from _judging(report)


def _environment(report: Report, built: BuiltEnvironment) -> Iterator[tuple[str, PastFact]]:
    asked = dict(report.packages.asked) if report.packages else {}
    spec = report.record.environment if report.record else None
    yield "environment", PastFact(landed=built.kind.value, asked=spec.kind.value if spec else "")
    yield "Python", PastFact(landed=built.python, asked=(spec.python or "") if spec else "")
    for each in built.packages:
        yield f"package {each.name}", PastFact(landed=each.version, asked=asked.get(each.name, ""))
    if not built.packages:  # of a sensitive run
        yield "environment's digest", PastFact(landed=built.digest[:_DIGITS])
    yield "isolation", PastFact(landed=built.isolation)


def _record(record: RunRecord) -> Iterator[tuple[str, PastFact]]:
    code = record.code
    yield "commit", PastFact(landed=code.commit[:_DIGITS])
    yield "tree", PastFact(landed=code.tree.value)
    yield "patch", PastFact(landed=((code.patch and code.patch.sha256) or "")[:_DIGITS])
    for each in record.data:
        yield f"data {each.label}", PastFact(landed=f"{each.algorithm} {each.digest[:_DIGITS]}")
    if record.command:
        for number, step in enumerate(record.command.steps, start=1):
            line = " ".join(step.run.args) if isinstance(step.run, Argv) else step.run.line
            yield f"command {number}", PastFact(landed=line)


def _judging(report: Report) -> Iterator[tuple[str, PastFact]]:
    yield "judged metrics", PastFact(landed=", ".join(report.gates.metrics if report.gates else ()))
    for each in report.comparisons:
        if each.gated:
            found = each.margin
            width = format_width(found.low, found.high, each.scale) if found else "none"
            yield f"margin of {each.metric}", PastFact(landed=width)
            values = ", ".join(format_value(value) for value in each.baseline)
            yield f"baseline of {each.metric}", PastFact(landed=values)
    yield "required", PastFact(landed=report.require.value)
    if report.plan:
        plan = report.plan
        looks = f"{plan.least}..{plan.most} reruns, level {plan.alpha:g}, {plan.seeds} seeds"
        yield "plan", PastFact(landed=looks)
    accepted = report.acceptance
    whose = f"by {accepted.by} of {accepted.at.date().isoformat()}" if accepted else ""
    yield "acceptance", PastFact(landed=whose)
