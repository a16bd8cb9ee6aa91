"""The reports of many runs as one HTML page, to be sorted, filtered and searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from reprocheck import checks
from reprocheck.durations import format_duration
from reprocheck.hostile import cut, printable
from reprocheck.model import SEVERITY_ORDER, Check, Problem, Report, Severity, Verdict, Verification
from reprocheck.numbers import counted, format_value
from reprocheck.reporters import base, checked, plots, trends
from reprocheck.reporters.pages import page

BUDGET = 4_000
"""Entries of each kind (metrics, findings) that all runs have together; a run has two at least."""
MOST_OF_RUN = 20
NAMED_METRICS = 3
"""Metrics of a run that are told beside its verdict."""
LONGEST, SHORT = 1_000, 300
"""Characters of a text, of few runs and of many."""
NAME = 100

LOOKS = {
    **dict.fromkeys(base.GOOD, "good"),
    Verdict.NOT_REPRODUCED: "bad",
}
"""Classes of the style sheet; of the others fair."""
_SEVERITIES = {Severity.ERROR: "bad", Severity.WARNING: "fair", Severity.NOTE: "quiet"}
_BAR = 1000  # units of its width


@dataclass(frozen=True, kw_only=True, slots=True)
class _Room:
    """How much each run is told of."""

    entries: int
    length: int


def render(check: Check) -> str:
    """The check as a page: the counts, how it went over time, and every run, worst first.

    It fetches nothing, and works without a script but for sorting and searching.
    """
    clean = checked.clean(check)
    reports = checked.worst_first(clean.reports)
    room = _room(len(reports))
    values = {
        "headline": _text(checked.headline(clean), LONGEST),
        "subtitle": _subtitle(clean),
        "waiting": _text(clean.waiting, LONGEST),
        "verdicts": _verdicts(reports),
        "bar": _bar(reports),
        "several": len({_experiment(report) for report in reports}) > 1,
        "legend": plots.LEGEND,
        "runs": [_run(report, room) for report in reports],
        "trends": list(_trends(reports)),
        "signs": trends.LEGEND,
        "problems": [_problem(each) for each in clean.problems],
    }
    return page("batch.html", values, style="batch.css", script="table.js")


def _room(reports: int) -> _Room:
    entries = max(2, min(MOST_OF_RUN, BUDGET // max(1, reports)))
    return _Room(entries=entries, length=LONGEST if reports <= BUDGET // MOST_OF_RUN else SHORT)


def _subtitle(check: Check) -> str:
    made = f"{check.created_at:%Y-%m-%d %H:%M} UTC"
    told = counted(len(check.reports), "report")
    return f"{told}, the newest of {made}, by reprocheck {_text(check.tool_version, NAME)}"


# --- the counts -------------------------------------------------------------------------------


def _look(report: Report) -> str:
    """Of color; the sign beside it says the same."""
    if report.dry_run:
        return "quiet"
    if base.misses_criteria(report):
        return "bad"
    return "fair" if base.shortfall(report) else LOOKS.get(report.verdict, "fair")


def _counts(reports: Iterable[Report]) -> list[tuple[Verdict, int]]:
    counts = Counter(report.verdict for report in reports)
    return [(verdict, counts[verdict]) for verdict in SEVERITY_ORDER if counts[verdict]]


def _verdicts(reports: Sequence[Report]) -> list[dict[str, object]]:
    return [
        {
            "slug": _slug(verdict),
            "look": LOOKS.get(verdict, "fair"),
            "mark": base.MARKS[verdict],
            "words": verdict.value,
            "count": count,
        }
        for verdict, count in _counts(reports)
    ]


def _bar(reports: Sequence[Report]) -> list[dict[str, object]]:
    counts = _counts(reports)
    ends = [round(_BAR * end / len(reports)) for end in accumulate(count for _, count in counts)]
    return [
        {"look": LOOKS.get(verdict, "fair"), "start": start, "width": end - start}
        for (verdict, _), start, end in zip(counts, [0, *ends], ends, strict=False)
    ]


def _slug(verdict: Verdict) -> str:
    return verdict.value.lower().replace("_", "-")


# --- a run ------------------------------------------------------------------------------------


def _run(report: Report, room: _Room) -> dict[str, object]:
    name = _text(report.record.name if report.record else "", NAME)
    run_id = _text(checked.run_id(report), NAME)
    duration_s = sum(stage.duration_s for stage in report.stages)
    return {
        "slug": _slug(report.verdict),
        "look": _look(report),
        "mark": base.mark(report).strip(),
        "words": checked.answer(report),
        "rank": f"{SEVERITY_ORDER.index(report.verdict):02}",
        "id": run_id,
        "name": name,
        "key": f"{name} {run_id}".strip().casefold(),
        "experiment": _text(_experiment(report), NAME),
        "when": f"{report.created_at:%Y-%m-%d %H:%M}",
        "metrics": _values(report),
        "duration": format_duration(duration_s),
        "seconds": f"{duration_s:015.3f}",  # sorted as a text
        "reason": _text(base.reason(report), room.length) or base.headline(report),
        "cause": _text(base.cause(report), room.length),
        "judged": list(_judged(report, room)),
        "findings": _findings(report, room),
        "steps": [_text(step, room.length) for step in base.next_steps(report)],
    }


def _experiment(report: Report) -> str:
    return report.record.experiment if report.record else ""


def _values(report: Report) -> list[str]:
    """The judged metrics, as the original's value and the reruns' mean."""
    rows = base.rows(report) if not report.dry_run else ()
    told = [f"{_text(row.metric, NAME)} {row.original} → {row.reruns}" for row in rows]
    more = len(told) - NAMED_METRICS
    return told[:NAMED_METRICS] + ([f"and {more} more"] if more > 0 else [])


def _judged(report: Report, room: _Room) -> Iterator[dict[str, str]]:
    """What was judged, worst first, with an interval drawn in characters."""
    found = [each for each in report.comparisons if each.gated and each.sentence]
    order = {row.metric: at for at, row in enumerate(base.rows(report))}
    for each in sorted(found, key=lambda each: order[each.metric])[: room.entries]:
        yield {
            "name": _text(each.metric, NAME),
            "mark": base.MARKS[each.verdict].strip(),
            "look": LOOKS.get(each.verdict, "fair"),
            "verdict": each.verdict.value,
            "bar": plots.interval_bar(each, 25),
            "told": _text(each.sentence, room.length),
        }
    for result in report.criteria[: room.entries]:
        yield {"name": "", "told": _text(result.sentence, room.length)}


def _findings(report: Report, room: _Room) -> list[dict[str, str]]:
    found = base.findings(report, *Severity)
    told = [
        {
            "code": _text(each.code, NAME),
            "severity": each.severity.value,
            "look": _SEVERITIES[each.severity],
            "message": _text(each.message, room.length),
            "hint": _text(each.hint, room.length),
        }
        for each in found[: room.entries]
    ]
    more = len(found) - len(told)
    last = {"code": "", "severity": "", "look": "quiet", "message": f"and {more} more", "hint": ""}
    return [*told, last] if more else told


# --- over time --------------------------------------------------------------------------------


def _trends(reports: Sequence[Report]) -> Iterator[dict[str, str]]:
    """Of each run that was verified more than once, the last verdicts and means."""
    names = {checked.run_id(report): report for report in reports}
    for run_id, history in histories(reports).items():
        if len(history) < 2:
            continue
        record = names[run_id].record
        metric = next((name for each in reversed(history) for name in sorted(each.means)), "")
        known = [each.means[metric] for each in history if metric in each.means]
        shown = history[-trends.SHOWN :]
        yield {
            "id": _text(run_id, NAME),
            "name": _text(record.name if record else "", NAME),
            "count": str(len(history)),
            "signs": "".join(base.MARKS[each.verdict] for each in shown),
            "metric": _text(metric, NAME),
            "bars": trends.sparkline(shown, metric) if metric else "",
            "first": format_value(known[0]) if known else base.NOTHING,
            "last": format_value(known[-1]) if known else base.NOTHING,
            "days": f"{history[0].at:%Y-%m-%d} to {history[-1].at:%Y-%m-%d}",
            "verdict": history[-1].verdict.value,
        }


def histories(reports: Iterable[Report]) -> dict[str, tuple[Verification, ...]]:
    """The verifications by run, each run's oldest first; a dry run is none."""
    found: dict[str, list[Verification]] = {}
    for report in reports:
        if not report.dry_run:
            found.setdefault(checked.run_id(report), []).append(checks.verification_of(report))
    return {run_id: checks.in_order(each) for run_id, each in found.items()}


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "asked": _text(problem.asked, NAME),
        "message": _text(problem.message, LONGEST),
        "hint": _text(problem.hint, LONGEST),
    }


def _text(text: str, length: int) -> str:
    return printable(cut(text, length))
