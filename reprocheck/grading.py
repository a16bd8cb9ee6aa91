"""How verifiable a record is, by what was found about it."""

from __future__ import annotations

from collections.abc import Iterable

from reprocheck.model import Finding, Grade, Severity

RULES = ("required-", "team-")
"""How the codes begin that tell of a team's own rule."""

BESIDE = frozenset({"unbound-approval"})
"""Errors that break no verification: whether a run reproduces does not hang on who approved it."""

OPEN = frozenset({"missing-command", "missing-environment"})
"""Notes of what only the files at the commit may tell: whether they do is not known yet."""


def grade(findings: Iterable[Finding], given: frozenset[str] = frozenset()) -> Grade:
    """How verifiable a run with these findings is.

    An error that stops `verify` makes it not verifiable. Any other error, a warning, or a part that
    is still to be found at the commit is a caveat. `given` are codes of what the config supplies.
    """
    worst = Grade.VERIFIABLE
    for finding in findings:
        if finding.severity is Severity.ERROR and not breaks_rule(finding):
            return Grade.NOT_VERIFIABLE
        if finding.severity is not Severity.NOTE or finding.code in OPEN - given:
            worst = Grade.CAVEATS
    return worst


def breaks_rule(finding: Finding) -> bool:
    """Whether it tells of a rule that a run can break and still be verified."""
    return finding.code in BESIDE or finding.code.startswith(RULES)
