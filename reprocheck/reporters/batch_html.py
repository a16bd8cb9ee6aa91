"""The reports of many runs as one HTML page, to be sorted, filtered and searched."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reprocheck import checks
from reprocheck.durations import format_duration
from reprocheck.exit_codes import exit_code
from reprocheck.hostile import cut, printable
from reprocheck.model import SEVERITY_ORDER, Check, Problem, Report, Severity, Verdict, Verification
from reprocheck.numbers import counted, format_value
from reprocheck.reporters import base, checked, plots, trends
from reprocheck.reporters.figures.base import Figure
from reprocheck.reporters.figures.trends import reproduced_share, trend
from reprocheck.reporters.html_parts import LOOKS, SEVERITIES, Shown
from reprocheck.reporters.pages import page
from reprocheck.reporters.tallies import bar

BUDGET = 2_000
"""Entries of each kind (metrics, findings) that all runs have together; a run has two at least."""
MOST_OF_RUN = 20
NAMED_METRICS = 3
"""Metrics of a run that are told beside its verdict."""
LONGEST, SHORT = 1_000, 300
"""Characters of a text, of few runs and of many."""
NAME = 100
SUMMARY = 120
"""Characters of a run's reason before it is unfolded."""

DRAWN = 12
"""Runs whose trend is also drawn; drawing takes its time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Room:
    """How much each run is told of."""

    entries: int
    length: int


def render(check: Check, earlier: Sequence[Report] = (), note: str = "") -> str:
    """The check as a page: the counts, how it went over time, and every run, worst first.

    `note` stands above all. Of `earlier` reports of the same runs only the trends are made. The
    page fetches nothing, and works without a script but for sorting and searching.
    """
    clean = checked.clean(check)
    reports = checked.worst_first(clean.reports)
    before = checked.clean(dataclasses.replace(check, reports=tuple(earlier))).reports
    room, counts = _room(len(reports)), _counts(reports)
    values = {
        "note": note,
        "headline": _headline(clean),
        "subtitle": _subtitle(clean),
        "waiting": _text(clean.waiting, LONGEST),
        "verdicts": [_verdict(*each) for each in counts],
        "bar": bar([(LOOKS[verdict], count) for verdict, count in counts]),
        "several": len({_experiment(report) for report in reports}) > 1,
        "legend": plots.LEGEND,
        "runs": [_run(report, room) for report in reports],
        **_over_time((*reports, *before)),
        "problems": [_problem(each) for each in clean.problems],
    }
    return page("batch.html", values, style=("batch.css", "figures.css"), script="table.js")


def _room(reports: int) -> _Room:
    entries = max(2, min(MOST_OF_RUN, BUDGET // max(1, reports)))
    return _Room(entries=entries, length=LONGEST if reports <= BUDGET // MOST_OF_RUN else SHORT)


def _headline(check: Check) -> str:
    """How many verifications reproduced; one that was not required so much is none."""
    good = sum(not report.dry_run and exit_code(report) == 0 for report in check.reports)
    every = len(check.reports)
    told = (
        f"{good} of {counted(every, 'verification')} reproduced"
        if every
        else checked.NOTHING_VERIFIED
    )
    return f"{told}, {counted(len(check.problems), 'problem')}" if check.problems else told


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
    return "fair" if base.shortfall(report) else LOOKS[report.verdict]


def _counts(reports: Iterable[Report]) -> list[tuple[Verdict, int]]:
    counts = Counter(report.verdict for report in reports)
    return [(verdict, counts[verdict]) for verdict in SEVERITY_ORDER if counts[verdict]]


def _verdict(verdict: Verdict, count: int) -> dict[str, object]:
    return {
        "slug": _slug(verdict),
        "look": LOOKS[verdict],
        "mark": base.MARKS[verdict],
        "told": f"{count} {verdict.value}",
        "choice": verdict.value,
    }


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
        "words": base.headline(report),
        "lacking": base.shortfall(report),
        "rank": f"{SEVERITY_ORDER.index(report.verdict):02}",
        "id": run_id,
        "name": name,
        "key": f"{name} {run_id}".strip().casefold(),
        "experiment": _text(_experiment(report), NAME),
        "when": f"{report.created_at:%Y-%m-%d %H:%M:%S}",
        "day": f"{report.created_at:%Y-%m-%d}",
        "time": f"{report.created_at:%H:%M}",
        "metrics": _values(report),
        "duration": format_duration(duration_s),
        "seconds": f"{duration_s:015.3f}",  # sorted as a text
        "why": _text(base.reason(report), SUMMARY) or base.headline(report),
        "reason": _text(base.reason(report), room.length),
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
            "look": LOOKS[each.verdict],
            "verdict": each.verdict.value,
            "bar": plots.interval_bar(each, 25),
            "told": _text(each.sentence, room.length),
        }
    if len(found) > room.entries:
        yield {"name": "", "told": f"and {counted(len(found) - room.entries, 'more metric')}"}
    for result in report.criteria[: room.entries]:
        yield {"name": "", "told": _text(result.sentence, room.length)}


def _findings(report: Report, room: _Room) -> list[dict[str, str]]:
    found = base.findings(report, *Severity)
    told = [
        {
            "code": _text(each.code, NAME),
            "severity": each.severity.value,
            "look": SEVERITIES[each.severity],
            "message": _text(each.message, room.length),
            "hint": _text(each.hint, room.length),
        }
        for each in found[: room.entries]
    ]
    more = len(found) - len(told)
    last = {"code": "", "severity": "", "look": "quiet", "message": f"and {more} more", "hint": ""}
    return [*told, last] if more else told


# --- over time --------------------------------------------------------------------------------


def _over_time(reports: Sequence[Report]) -> dict[str, object]:
    """How many runs reproduced by day, and each run that was verified more than once."""
    found = histories(reports)
    days = {each.at.date() for history in found.values() for each in history}
    several = {run_id: history for run_id, history in found.items() if len(history) > 1}
    names = {checked.run_id(report): report.record.name for report in reports if report.record}
    drawn = (trend(each, _metric(each)) for each in list(several.values())[:DRAWN])
    figures: list[Figure | None] = [*drawn, *[None] * len(several)]
    share = reproduced_share(found) if len(days) > 1 and len(found) > 1 else None
    return {
        "share": _shown(share, "Share of the runs that reproduced, by day"),
        "signs": trends.LEGEND,
        "trends": [
            _trend(run_id, names.get(run_id, ""), history, figure)
            for (run_id, history), figure in zip(several.items(), figures, strict=False)
        ],
    }


def _shown(figure: Figure | None, label: str) -> Shown | None:
    return Shown(label=label, figure=figure) if figure else None


def _trend(
    run_id: str, name: str, history: Sequence[Verification], figure: Figure | None
) -> dict[str, object]:
    """The last verdicts and means, in characters, and the figure."""
    metric, shown = _metric(history), history[-trends.SHOWN :]
    known = [each.means[metric] for each in history if metric in each.means]
    return {
        "id": _text(run_id, NAME),
        "name": _text(name, NAME),
        "count": len(history),
        "signs": "".join(base.MARKS[each.verdict] for each in shown),
        "metric": _text(metric, NAME),
        "bars": trends.sparkline(shown, metric) if metric else "",
        "first": format_value(known[0]) if known else base.NOTHING,
        "last": format_value(known[-1]) if known else base.NOTHING,
        "since": f"{history[0].at:%Y-%m-%d}",
        "newest": f"{history[-1].at:%Y-%m-%d}",
        "look": LOOKS[history[-1].verdict],
        "mark": base.MARKS[history[-1].verdict].strip(),
        "verdict": history[-1].verdict.value,
        "figure": _shown(figure, f"Verifications of {_text(name or run_id, NAME)}"),
    }


def _metric(history: Sequence[Verification]) -> str:
    """The gated metric that is shown, the newest verification's first; "" for none."""
    return next((name for each in reversed(history) for name in sorted(each.means)), "")


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
