"""What a team asks of a record beyond what a verification needs: its rules, its definition."""

from __future__ import annotations

import dataclasses

from reprocheck import definition_checks, team_rules
from reprocheck.model import Finding, RecordRules, RunRecord, Severity

STOPPING = ("changed-definition",)
"""Errors also of a verification: margins that were chosen afterwards prove nothing."""


def findings(
    record: RunRecord, rules: RecordRules, definition_file: bytes | None = None
) -> tuple[Finding, ...]:
    """What the record lacks by the team's schema, its list of artifacts, and its definition.

    `definition_file` is the repository's present experiment.yaml. Raises `ConfigError` for a schema
    that cannot be applied.
    """
    return (
        *definition_checks.changed_definition(record, definition_file),
        *definition_checks.definition_findings(record),
        *team_rules.team_findings(record, rules),
        *team_rules.artifact_findings(record, rules),
    )


def warnings(record: RunRecord, rules: RecordRules) -> tuple[Finding, ...]:
    """The same for a verification, which a missing model card does not stop."""
    return tuple(map(_milder, findings(record, rules)))


def _milder(finding: Finding) -> Finding:
    if finding.severity is not Severity.ERROR or finding.code in STOPPING:
        return finding
    return dataclasses.replace(finding, severity=Severity.WARNING)
