"""An audit as a table for spreadsheets: a line a run, as RFC 4180 says."""

from __future__ import annotations

import csv
from io import StringIO

from reprocheck.model import Audit, AuditedRun, Severity
from reprocheck.numbers import format_value
from reprocheck.reporters import audit_words as words

COLUMNS = (
    *("experiment", "run_id", "name", "status", "started_at", "commit", "grade"),
    *("errors", "warnings", "notes", "findings", "why", "fixes", "metrics"),
)
MOST_METRICS = 100
"""Metrics of a run."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def render(audit: Audit) -> str:
    """The runs in the audit's order, with a line of names above them; lines end in CR LF.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _row(run)] for run in audit.runs)
    return out.getvalue()


def _row(run: AuditedRun) -> tuple[str, ...]:
    found = words.worst(run.findings)
    metrics = list(run.metrics.items())[:MOST_METRICS]
    return (
        run.experiment,
        run.ref.run_id,
        run.name,
        run.status.value,
        run.started_at.isoformat() if run.started_at else "",
        run.commit,
        run.grade.value,
        *(str(sum(each.severity is severity for each in found)) for severity in Severity),
        "; ".join(dict.fromkeys(each.code for each in found)),
        "; ".join(each.message for each in words.reasons(run)),
        "; ".join(dict.fromkeys(each.fix for each in found if each.fix)),
        "; ".join(f"{name}={format_value(value)}" for name, value in metrics),
    )


def _cell(text: str) -> str:
    text = words.safe(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
