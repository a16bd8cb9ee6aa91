"""Joins what was just verified with earlier verifications of the same runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reprocheck import __version__
from reprocheck.checks import in_order, verification_of
from reprocheck.model import (
    Aggregate,
    Check,
    Problem,
    Report,
    ReportDetail,
    Standing,
    Trend,
    Verdict,
    Verification,
)
from reprocheck.schedule.standing import measured, reproduced, since, standing

_URGENT = (
    Standing.STOPPED,
    Standing.UNCONFIRMED,
    Standing.NEVER,
    Standing.UNDECIDED,
    Standing.HOLDS,
)


@dataclass(kw_only=True, slots=True)
class _Run:
    found: list[Verification] = field(default_factory=list)
    names: list[tuple[datetime, str, str]] = field(default_factory=list)  # when, name, experiment
    sensitive: bool = False


def run_id_of(report: Report) -> str:
    """The run that a report is of: as its tracker names it, else as it was asked for."""
    return report.record.ref.run_id if report.record else report.asked


def join(
    checks: Sequence[Check],
    earlier: Mapping[str, Sequence[Report]],
    problems: Iterable[Problem],
    now: datetime,
) -> Aggregate:
    """What all of it says together; `earlier` are reports by run id, `problems` those of files."""
    runs: dict[str, _Run] = {}
    for report in (*(each for check in checks for each in check.reports), *_flat(earlier)):
        _add(runs, report)
    told = [*problems]
    for check in checks:
        for problem in check.problems:
            told.append(problem)
            if problem.asked in runs:  # it failed before there was a report
                runs[problem.asked].found.append(_failed(check, problem))
    trends = sorted((_trend(run_id, run) for run_id, run in runs.items()), key=_order)
    unknown = {each.asked for each in told} - runs.keys()
    return Aggregate(
        created_at=now,
        tool_version=__version__,
        trends=tuple(trends),
        problems=tuple(dict.fromkeys(told)),
        verified=sum(reproduced(each.last) for each in trends),
        total=len(trends) + len(unknown),
        measured=any(measured(each.last) for each in trends),
    )


def _flat(earlier: Mapping[str, Sequence[Report]]) -> Iterable[Report]:
    return (report for reports in earlier.values() for report in reports)


def _add(runs: dict[str, _Run], report: Report) -> None:
    if report.dry_run:
        return
    run = runs.setdefault(run_id_of(report), _Run())
    run.found.append(verification_of(report))
    run.sensitive |= report.detail is ReportDetail.MINIMAL
    if report.record:
        run.names.append((report.created_at, report.record.name, report.record.experiment))


def _failed(check: Check, problem: Problem) -> Verification:
    return Verification(
        at=check.created_at,
        verdict=Verdict.NOT_VERIFIED,
        failed_stage=None,
        subject="",
        exit_code=problem.exit_code,
    )


def _trend(run_id: str, run: _Run) -> Trend:
    history = in_order(run.found)
    _, name, experiment = max(run.names, default=(None, "", ""), key=lambda each: each[0])
    return Trend(
        run_id=run_id,
        name="" if run.sensitive else name,
        experiment="" if run.sensitive else experiment,
        history=history,
        standing=standing(history),
        since=since(history),
    )


def _order(trend: Trend) -> tuple[int, bool, str]:
    return _URGENT.index(trend.standing), reproduced(trend.last), trend.run_id
