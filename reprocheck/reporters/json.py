"""The report as JSON, by schemas/report.schema.json."""

from __future__ import annotations

from reprocheck.detail import dump
from reprocheck.documents import report_document
from reprocheck.model import Report


def render(report: Report) -> str:
    """The report as strict JSON with a final newline, at most 5 MB."""
    return dump(report_document(report))
