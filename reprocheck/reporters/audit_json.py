"""An audit as JSON, by schemas/audit.schema.json: written run by run, never held as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from reprocheck import hostile
from reprocheck.detail import ENCODE, Document, number, time
from reprocheck.model import Audit, AuditedRun, Cause, Finding, Grade

AUDIT_VERSION = 1
LONGEST = 2_000
"""Characters of one text."""
MOST = 1_000
"""Metrics and findings of one run."""

GRADES = {
    Grade.VERIFIABLE: "verifiable",
    Grade.CAVEATS: "caveats",
    Grade.NOT_VERIFIABLE: "not_verifiable",
}


def chunks(audit: Audit) -> Iterator[str]:
    """The audit as strict JSON in pieces, a run on a line, with a final newline."""
    head = ENCODE(_head(audit))
    yield f'{head[:-1]}, "runs": ['
    separator = "\n"
    for run in audit.runs:
        yield separator + ENCODE(_run(run))
        separator = ",\n"
    yield "\n]}\n"


def _head(audit: Audit) -> Document:
    return {
        "schema_version": AUDIT_VERSION,
        "tool_version": audit.tool_version,
        "made_at": time(audit.made_at),
        "experiments": [_text(name) for name in audit.experiments],
        "filter": _text(audit.filter),
        "totals": {
            "runs": len(audit.runs),
            **{name: audit.count(grade) for grade, name in GRADES.items()},
        },
        "causes": [_cause(cause) for cause in audit.causes],
        "rescue": {"step": _text(audit.rescue), "runs": audit.rescued} if audit.rescue else None,
        "findings": _findings(audit.findings),
    }


def _run(run: AuditedRun) -> Document:
    return {
        "tracker": run.ref.tracker,
        "run_id": run.ref.run_id,
        "name": _text(run.name),
        "experiment": _text(run.experiment),
        "status": run.status.value,
        "started_at": time(run.started_at),
        "commit": _text(run.commit),
        "grade": GRADES[run.grade],
        "findings": _findings(run.findings),
        "metrics": {
            _text(name): number(value) for name, value in islice(run.metrics.items(), MOST)
        },
    }


def _cause(cause: Cause) -> Document:
    return {
        "code": cause.code,
        "severity": cause.severity.value,
        "message": _text(cause.message),
        "fix": _text(cause.fix),
        "runs": cause.runs,
        "alone": cause.alone,
    }


def _findings(findings: Iterable[Finding]) -> list[Document]:
    return [_finding(finding) for finding in islice(findings, MOST)]


def _finding(finding: Finding) -> Document:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": _text(finding.message),
        "hint": _text(finding.hint),
        "pointer": finding.pointer,
        **({"fix": _text(finding.fix)} if finding.fix else {}),
    }


def _text(text: str) -> str:
    """Without secrets, as it may be posted."""
    return hostile.cut(hostile.redact(text), LONGEST)
