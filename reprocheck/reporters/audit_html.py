"""An audit as one HTML page that opens from a disk, in an e-mail, or as a build's artifact."""

from __future__ import annotations

from collections.abc import Iterable

from reprocheck.model import Audit, AuditedRun, Cause, Finding, Grade
from reprocheck.numbers import format_value
from reprocheck.reporters import audit_words as words
from reprocheck.reporters.html_parts import SEVERITIES
from reprocheck.reporters.pages import page
from reprocheck.reporters.tallies import bar

MOST_FINDINGS, MOST_METRICS = 20, 12
"""Of a run; the JSON report has all."""
COMMIT = 12
"""Digits of a commit."""

_LOOKS = {Grade.VERIFIABLE: "good", Grade.CAVEATS: "fair", Grade.NOT_VERIFIABLE: "bad"}
_MARKS = {Grade.VERIFIABLE: "✓", Grade.CAVEATS: "≈", Grade.NOT_VERIFIABLE: "✗"}


def render(audit: Audit) -> str:
    """The audit as a page: totals, the step that rescues most, causes, and every run."""
    values = {
        "subject": words.subject(audit),
        "filter": words.safe(audit.filter),
        "made_at": f"{audit.made_at:%Y-%m-%d %H:%M} UTC",
        "tool_version": words.safe(audit.tool_version),
        "headline": words.headline(audit),
        "rescue": words.rescue(audit),
        "total": len(audit.runs),
        "grades": [_grade(audit, grade) for grade in words.GRADES],
        "bar": bar([(_LOOKS[grade], audit.count(grade)) for grade in words.GRADES]),
        "causes": [_cause(cause) for cause in audit.causes],
        "findings": [_finding(each) for each in words.worst(audit.findings)],
        "several": len({run.experiment for run in audit.runs}) > 1,
        "runs": [_run(run) for run in words.ordered(audit.runs)],
    }
    return page("audit.html", values, style="audit.css", script="table.js")


def _grade(audit: Audit, grade: Grade) -> dict[str, object]:
    count, short = audit.count(grade), words.SHORT[grade]
    return {
        "slug": _LOOKS[grade],
        "look": _LOOKS[grade],
        "mark": _MARKS[grade],
        "told": f"{count} {short} ({words.share(count, len(audit.runs))})",
        "choice": f"{short} ({count})",
    }


def _cause(cause: Cause) -> dict[str, object]:
    return {
        "code": words.safe(cause.code),
        "severity": cause.severity.value,
        "look": SEVERITIES[cause.severity],
        "runs": cause.runs,
        "alone": cause.alone,
        "message": words.safe(cause.message),
        "fix": words.safe(cause.fix),
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "code": words.safe(finding.code),
        "severity": finding.severity.value,
        "look": SEVERITIES[finding.severity],
        "message": words.safe(finding.message),
        "hint": words.safe(finding.hint),
        "fix": words.safe(finding.fix),
    }


def _run(run: AuditedRun) -> dict[str, object]:
    return {
        "look": _LOOKS[run.grade],
        "mark": _MARKS[run.grade],
        "words": words.SHORT[run.grade],
        "rank": words.GRADES.index(run.grade),
        "id": words.safe(run.ref.run_id),
        "key": words.named(run).casefold(),
        "name": words.named(run),
        "experiment": words.safe(run.experiment),
        "started": words.day(run.started_at),
        "commit": words.safe(run.commit)[:COMMIT],
        "why": words.why(run) or "nothing is missing",
        "findings": [_finding(each) for each in words.worst(run.findings)[:MOST_FINDINGS]],
        "metrics": _metrics(list(run.metrics.items())),
    }


def _metrics(metrics: Iterable[tuple[str, float]]) -> str:
    every = list(metrics)
    told = [f"{words.safe(name)} {format_value(value)}" for name, value in every[:MOST_METRICS]]
    told += [f"{len(every) - MOST_METRICS} more"] if len(every) > MOST_METRICS else []
    return "; ".join(told)
