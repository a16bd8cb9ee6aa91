"""A check back out of its document, or one of a single report out of that report's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprocheck import checks, model, schema
from reprocheck.errors import ReportFileError
from reprocheck.hostile import cut, printable
from reprocheck.report_reading import (
    HINT,
    LONGEST_PLACE,
    MOST_ISSUES,
    instant,
    read_document,
    refuse_issues,
    refuse_newer,
    report_in,
    whole_line,
)


def read_check(path: Path) -> model.Check:
    """The check in a file; of a file with a single report, the check of that one alone.

    Raises `ReportFileError`.
    """
    document = read_document(path)
    refuse_newer(path, document)
    if "reports" not in document:
        return checks.alone(report_in(path, document))
    reports = document["reports"]
    # Each report is checked as one: its own part of the schema would be asked for all of them.
    refuse_issues(path, schema.check({**document, "reports": []}, "check", most=MOST_ISSUES))
    if not isinstance(reports, list) or not all(isinstance(each, dict) for each in reports):
        raise ReportFileError(f"{path} is no check: /reports must be a list of mappings", HINT)
    found = tuple(report_in(path, each, f"/reports/{i}") for i, each in enumerate(reports))
    try:
        return _check(document, found)
    except (ValueError, OverflowError) as error:
        told = cut(printable(str(error)), LONGEST_PLACE)
        raise ReportFileError(f"{path} is a broken check: {told}", HINT) from error


def _check(document: Mapping[str, Any], reports: tuple[model.Report, ...]) -> model.Check:
    return model.Check(
        schema_version=document["schema_version"],
        tool_version=document["tool_version"],
        created_at=instant(document["created_at"]),
        head_sha=whole_line(document["head_sha"]),
        reports=reports,
        problems=tuple(model.Problem(**each) for each in document["problems"]),
        rule_changes=tuple(model.RuleChange(**each) for each in document["rule_changes"]),
        fail_on=tuple(map(model.FailOn, document["fail_on"])),
        sought=tuple(document["sought"]),
        waiting=document["waiting"],
    )
