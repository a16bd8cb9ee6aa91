"""Checks as JSON documents, by schemas/check.schema.json: the reports of a job in one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from reprocheck import model
from reprocheck.detail import Document, dump, time
from reprocheck.documents import report_document
from reprocheck.errors import ReprocheckError
from reprocheck.hostile import cut, redact

CHECK_VERSION = 1
LARGEST_CHECK = 4_500_000
"""Bytes of all reports of a check together, as `dump` writes each. Indented deeper in the check's
file they have 5 MB."""

LONGEST = 2_000
"""Characters of each text besides the reports'."""

_NO_RECORD: dict[str, Any] = {
    **{name: {} for name in ("parameters", "metrics", "tags", "seeds", "hardware", "extra")},
    **dict.fromkeys(("files", "data", "artifacts", "siblings", "peers", "findings"), ()),
    **dict.fromkeys(("command", "environment", "definition", "sealed")),
}


def check_document(check: model.Check) -> Document:
    """The check by check.schema.json, without secrets; its reports have `LARGEST_CHECK` bytes.

    A large report is cut before a small one is, by `detail.LEVELS`; of one that does not fit even
    so, what was judged stays. Raises `ReprocheckError` for more reports than fit.
    """
    return {
        "schema_version": CHECK_VERSION,
        "tool_version": check.tool_version,
        "created_at": time(check.created_at),
        "head_sha": check.head_sha,
        "reports": _reports(check.reports),
        "problems": [
            {
                "asked": _text(each.asked),
                "message": _text(each.message),
                "hint": _text(each.hint),
                "exit_code": each.exit_code,
            }
            for each in check.problems
        ],
        "rule_changes": [
            {"key": _text(each.key), "base": _text(each.base), "head": _text(each.head)}
            for each in check.rule_changes
        ],
        "fail_on": [each.value for each in check.fail_on],
        "sought": [_text(each) for each in check.sought],
        "waiting": _text(check.waiting),
    }


def is_single(check: model.Check) -> bool:
    """Whether the check says no more than its one report does."""
    beside = (check.head_sha, check.problems, check.rule_changes, check.sought, check.waiting)
    return len(check.reports) == 1 and not any(beside) and check.fail_on == model.USUAL_FAIL_ON


def _text(text: str) -> str:
    return cut(redact(text), LONGEST)


def _reports(reports: Sequence[model.Report]) -> list[Document]:
    """The reports in their order; what small ones leave over, large ones may have."""
    found = {at: report_document(report) for at, report in enumerate(reports)}
    sizes = {at: _size(document) for at, document in found.items()}
    left = LARGEST_CHECK
    for done, at in enumerate(sorted(found, key=sizes.__getitem__)):
        share = left // (len(found) - done)
        if sizes[at] > share:
            found[at] = _cut(reports[at], share)
        left -= _size(found[at])
    if left < 0:
        raise ReprocheckError(
            f"writing the check of {len(reports)} runs: their reports do not fit 5 MB",
            "verify fewer runs in one job",
        )
    return list(found.values())


def _cut(report: model.Report, share: int) -> Document:
    document = report_document(report, share)
    return document if _size(document) <= share else report_document(_bare(report), share)


def _bare(report: model.Report) -> model.Report:
    """The answer alone: what was judged, by how many reruns, and how each stage went."""
    record = report.record and dataclasses.replace(report.record, **_NO_RECORD)
    trials = (
        dataclasses.replace(
            each, metrics={}, parameters={}, differences=(), log_tail="", products=()
        )
        for each in report.trials
    )
    return dataclasses.replace(
        report,
        record=record,
        trials=tuple(trials),
        comparisons=tuple(each for each in report.comparisons if each.gated),
        products=tuple(each for each in report.products if each.gated),
        packages=None,
        hardware=None,
        environment=None,
        undeclared=None,
    )


def _size(document: Document) -> int:
    return len(dump(document).encode())
