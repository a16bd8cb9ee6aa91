"""The answer of a whole check, in the words of its reports."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from reprocheck.discretion import minimal
from reprocheck.hostile import redacted_check
from reprocheck.model import SEVERITY_ORDER, Check, Report, ReportDetail, Verdict
from reprocheck.numbers import counted
from reprocheck.reporters import base

NOTHING_VERIFIED = "Nothing was verified"

_ALERTS = {
    Verdict.IDENTICAL: "TIP",
    Verdict.NUMERICALLY_EQUAL: "TIP",
    Verdict.REPRODUCED: "TIP",
    Verdict.NOT_REPRODUCED: "CAUTION",
    Verdict.NOT_WORSE: "NOTE",
    Verdict.CONSISTENT: "NOTE",
}


def clean(check: Check) -> Check:
    """The check without secrets; of a run of which little may be told, no more than that."""
    reports = tuple(minimal(each) if is_minimal(each) else each for each in check.reports)
    return redacted_check(dataclasses.replace(check, reports=reports))


def worst_first(reports: Iterable[Report]) -> tuple[Report, ...]:
    """The reports, those first that need to be looked at; else in their order."""
    return tuple(sorted(reports, key=_badness, reverse=True))


def _badness(report: Report) -> tuple[int, bool, bool]:
    worst = SEVERITY_ORDER.index(report.verdict)
    return worst, base.misses_criteria(report), bool(base.shortfall(report))


def run_id(report: Report) -> str:
    """The run's id, or what was asked for where no run was read."""
    return report.record.ref.run_id if report.record else report.asked


def is_minimal(report: Report) -> bool:
    """Whether nothing but verdict, names of metrics, numbers and digests may be told."""
    return report.detail is ReportDetail.MINIMAL


def alert(report: Report) -> str:
    """The kind of the highlighted block that the reason stands in."""
    if report.dry_run and report.failed_stage is None:
        return "NOTE"
    if base.misses_criteria(report):
        return "CAUTION"
    return "WARNING" if base.shortfall(report) else _ALERTS.get(report.verdict, "WARNING")


def headline(check: Check) -> str:
    """The answer for all runs, the first thing that is said of a check of any but one run."""
    if not check.reports:
        return f"{base.MARKS[Verdict.NOT_VERIFIED]} {NOTHING_VERIFIED}"
    reports = worst_first(check.reports)
    counts = Counter(map(answer, reports))
    told = ", ".join(f"{count} {words}" for words, count in counts.items())
    problems = f"{counted(len(check.problems), 'problem')}; " if check.problems else ""
    runs = f"{counted(len(reports), 'run')}: {told}" if len(reports) > 1 else answer(reports[0])
    return f"{_mark(check, reports[0])}{problems}{runs}"


def _mark(check: Check, worst: Report) -> str:
    is_good = worst.verdict in base.GOOD and not base.shortfall(worst)
    if check.problems and is_good:
        return base.MARKS[Verdict.NOT_VERIFIED] + " "
    return base.mark(worst)


def answer(report: Report) -> str:
    """The verdict in words, and what it lacks of what was required."""
    lacking = base.shortfall(report)
    return f"{base.headline(report)}, {lacking}" if lacking else base.headline(report)
