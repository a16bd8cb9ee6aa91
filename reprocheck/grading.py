"""How verifiable a run is, by what was found about its record."""

from __future__ import annotations

from collections.abc import Iterable

from reprocheck.model import Finding, Grade, Severity


def grade(findings: Iterable[Finding]) -> Grade:
    """Not verifiable with an error, with caveats with a warning; notes do not count."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Grade.NOT_VERIFIABLE
    return Grade.CAVEATS if Severity.WARNING in severities else Grade.VERIFIABLE
