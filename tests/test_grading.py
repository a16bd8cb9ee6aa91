import pytest

from reprocheck.grading import grade
from reprocheck.model import Finding, Grade, Severity


def of(code, severity):
    return Finding(code=code, severity=Severity(severity), message="m", hint="", pointer="")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], Grade.VERIFIABLE),
        ([("missing-data", "note")], Grade.VERIFIABLE),
        ([("missing-command", "note")], Grade.CAVEATS),
        ([("missing-seed", "warning")], Grade.CAVEATS),
        ([("missing-seed", "warning"), ("missing-commit", "error")], Grade.NOT_VERIFIABLE),
        ([("required-seed", "error")], Grade.CAVEATS),  # a team's rule; verify works
        ([("unbound-approval", "error")], Grade.CAVEATS),
    ],
)
def test_the_worst_finding_decides(found, expected):
    assert grade(of(*each) for each in found) is expected


def test_what_the_config_supplies_is_no_caveat():
    findings = [of("missing-command", "note"), of("missing-environment", "note")]
    assert grade(findings, frozenset({"missing-command"})) is Grade.CAVEATS
    both = frozenset({"missing-command", "missing-environment"})
    assert grade(findings, both) is Grade.VERIFIABLE
