"""Of a report's page: the verdict, why, what to do now, and of which run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from reprocheck.durations import format_duration
from reprocheck.hostile import cut
from reprocheck.model import (
    Report,
    ReportDetail,
    RunRecord,
    RunStatus,
    StageStatus,
    Verdict,
)
from reprocheck.numbers import counted
from reprocheck.reporters import base, checked, plans, used
from reprocheck.reporters.accepted_words import judged_against, proposed
from reprocheck.reporters.comment_method import to_accept
from reprocheck.reporters.html_parts import LOOKS, NAME, address, host

MEANINGS = {
    Verdict.IDENTICAL: "Every rerun gave the same numbers, to the last bit.",
    Verdict.NUMERICALLY_EQUAL: "Every rerun gave the same numbers, up to rounding of arithmetic.",
    Verdict.REPRODUCED: "The reruns agree with the original, within the margin.",
    Verdict.NOT_WORSE: "The reruns are not worse than the original. Only that side was tested.",
    Verdict.CONSISTENT: "The reruns’ noise explains the original. Without a margin, no more than "
    "that can be said.",
    Verdict.INCONCLUSIVE: "The reruns so far can neither confirm nor refute the original.",
    Verdict.NOT_COMPARABLE: "A judged metric could not be compared.",
    Verdict.NOT_REPRODUCED: "Rerunning the training gives something else.",
    Verdict.NOT_VERIFIED: "Nothing was answered: a stage could not do its work.",
}
PLANNED = "Nothing was built, and nothing was run."
_SIGN = "•"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A labelled fact of the page's top; a link where it leads somewhere."""

    label: str
    text: str
    code: str = ""  # an id beside the text
    href: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What to do now, and the command that does it."""

    text: str
    command: str = ""


def answer(report: Report) -> dict[str, object]:
    """The values of the page's top."""
    dry = report.dry_run and report.failed_stage is None
    return {
        "run": cut(checked.run_id(report), NAME),
        "name": cut(report.record.name if report.record else "", NAME),
        "look": look(report),
        "mark": base.mark(report).strip() or _SIGN,
        "headline": base.headline(report),
        "lacking": base.shortfall(report),
        "meaning": PLANNED if dry else _meaning(report),
        "reason": base.reason(report),
        "cause": base.cause(report),
        "lines": base.last_lines(report),
        "baselines": tuple(filter(None, (judged_against(report), proposed(report)))),
        "facts": tuple(_facts(report)),
        "detail": used.MINIMAL if report.detail is ReportDetail.MINIMAL else "",
        "next_title": _next_title(report),
        "advice": tuple(_advice(report)),
        "made_at": f"{report.created_at:%Y-%m-%d %H:%M} UTC",
        "tool_version": report.tool_version,
        "subject": report.subject,
    }


def _meaning(report: Report) -> str:
    told = MEANINGS.get(report.verdict, "")
    return told.replace("the original", "the accepted baseline") if report.acceptance else told


def look(report: Report) -> str:
    """The color of the verdict."""
    if report.dry_run and report.failed_stage is None:
        return "quiet"
    if base.misses_criteria(report):
        return "bad"
    return "fair" if base.shortfall(report) else LOOKS[report.verdict]


# --- which run, when, where, at what cost ---------------------------------------------------


def _facts(report: Report) -> Iterator[Told]:
    yield _run(report)
    if report.record:
        yield from _original(report.record)
    yield Told(
        label="Planned" if report.dry_run else "Verified",
        text=f"{report.created_at:%Y-%m-%d %H:%M} UTC",
        more=(f"with reprocheck {report.tool_version}",),
    )
    yield from _where(report)
    yield from _cost(report)


def _run(report: Report) -> Told:
    record, url = report.record, address(report.record.url if report.record else None)
    run = cut(checked.run_id(report), NAME)
    if record is None:
        return Told(label="Run", text="", code=run)
    group = f"experiment {cut(record.experiment, NAME)}, " if record.experiment else ""
    place = f"{record.ref.tracker} at {host(url)}" if url else record.ref.tracker
    more = (group + place,)
    return Told(label="Run", text=cut(record.name, NAME), code=run, href=url, more=more)


def _original(record: RunRecord) -> Iterator[Told]:
    commit = record.code.commit[:12]
    at = f"commit {commit}" if commit else ""
    took = "" if record.duration_s is None else f"took {format_duration(record.duration_s)}"
    status = "" if record.status is RunStatus.FINISHED else record.status.value
    more = tuple(each for each in (took, at, status) if each)
    if record.started_at or more:
        when = f"{record.started_at:%Y-%m-%d %H:%M} UTC" if record.started_at else "not recorded"
        yield Told(label="Original", text=when, more=more)


def _where(report: Report) -> Iterator[Told]:
    built, sides = report.environment, report.hardware
    told = list(used.machine(sides.landed).partition(", ")[::2]) if sides else []
    if built:
        told.append(f"{built.kind.value}, Python {built.python}" if built.python else "")
        told.append(f"isolation: {built.isolation}" if built.isolation else "")
    told = [each for each in told if each]
    if told:
        yield Told(label="Where", text=told[0], more=tuple(told[1:]))


def _cost(report: Report) -> Iterator[Told]:
    ran = [each for each in report.stages if each.status is not StageStatus.SKIPPED]
    if report.trials:
        yield _reruns(report)
    elif report.cost:
        longest = format_duration(report.cost.longest_s)
        most = counted(report.cost.reruns, "rerun")
        yield Told(label="Would cost", text=f"at most {most}", more=(f"at most {longest}",))
    if ran and not report.dry_run:
        whole = format_duration(math.fsum(each.duration_s for each in ran))
        yield Told(label="Took", text=f"{whole} in all")


def _reruns(report: Report) -> Told:
    """How many, how long beside the original, why no more, and what had been the most."""
    spent = format_duration(math.fsum(each.duration_s for each in report.trials))
    more = [f"{spent} of training together"]
    original = report.cost.original_s if report.cost else None
    if original is not None:
        more.append(f"the original took {format_duration(original)}")
    end = plans.ended(report, report.plan) if report.plan else ""
    if end and report.stopped_by != "planned":
        more.append(end)
    if report.cost:
        longest = format_duration(report.cost.longest_s)
        more.append(f"planned were at most {report.cost.reruns}, and {longest}")
    return Told(label="Cost", text=counted(len(report.trials), "rerun"), more=tuple(more))


# --- what to do now -----------------------------------------------------------------------


def _next_title(report: Report) -> str:
    if report.verdict is Verdict.INCONCLUSIVE and report.failed_stage is None:
        return "What would settle it"
    return "What to do now"


def _advice(report: Report) -> Iterator[Advice]:
    for step in base.next_steps(report):
        yield Advice(text=step)
    if command := to_accept(report):
        yield Advice(
            text="If the new result is the right one, make it the run’s baseline. "
            "reprocheck.baseline.json then says who accepted it, when and why, and later "
            "verifications judge by it, once it is in the repository:",
            command=command,
        )
