"""What a definition asks for beside its metrics, and whether it is the one the run started with."""

import dataclasses
import hashlib
import json
import shlex

import pytest

from reprocheck import record_rules
from reprocheck.definition_checks import TAG, changed_definition, definition_findings
from reprocheck.model import (
    Approval,
    Finding,
    RecordRules,
    RegisteredData,
    RequiredComparison,
    Severity,
    SignOff,
)
from tests.reporters.builders import COMMIT, RUN_ID, make_definition, make_record

CONTENT = b"version: 1\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MD5 = "9e107d9d372bb6826bd81d3542a419d6"


def defined(definition=None, **changes):
    return make_record(definition=make_definition(**(definition or {})), **changes)


def codes(findings):
    return [(finding.code, finding.severity.value) for finding in findings]


def test_a_run_without_a_definition_is_asked_for_nothing():
    assert definition_findings(make_record()) == ()
    assert definition_findings(defined()) == ()


@pytest.mark.parametrize(
    ("approval", "signs"),
    [
        (Approval(by="ann", what="", role="Reviewer"), True),
        (Approval(by="Ann", what=""), True),  # named: the role need not be said
        (Approval(by="bob", what="", role="reviewer"), False),
        (Approval(by="ann", what="", role="author"), False),
    ],
)
def test_a_sign_off_is_of_a_role_and_a_person(approval, signs):
    wanted = {"sign_offs": (SignOff(role="reviewer", by=("ann",)),)}
    found = definition_findings(defined(wanted, approvals=(approval,)))
    assert codes(found) == ([] if signs else [("missing-approval", "error")])


def test_anybody_in_the_role_signs_where_nobody_is_named():
    wanted = {"sign_offs": (SignOff(role="risk"),)}
    record = defined(wanted, approvals=(Approval(by="eve", what="", role="risk"),))
    assert definition_findings(record) == ()
    record = defined(wanted, approvals=(Approval(by="eve", what=""),))
    assert codes(definition_findings(record)) == [("missing-approval", "error")]


def test_the_line_that_signs_keeps_the_other_approvals_and_names_the_commit():
    record = defined(
        {"sign_offs": (SignOff(role="risk", by=("ann o'hara",)),)},
        approvals=(Approval(by="bob", what="", role="reviewer"),),
    )
    (finding,) = definition_findings(record)
    words = shlex.split(finding.fix)
    assert words[-3:-1] == [RUN_ID, "approved_by"]
    bob, ann = json.loads(words[-1])
    assert (bob["by"], ann["by"], ann["commit"]) == ("bob", "ann o'hara", COMMIT)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"path": "data/train.csv", "digest": f"md5:{MD5.upper()}"}, []),
        ({"path": "data/train.csv", "digest": "md5:" + "0" * 32}, [("unregistered-data", "error")]),
        (
            {"path": "data/train.csv", "digest": "sha256:" + "0" * 64},
            [("unregistered-data", "note")],
        ),
        ({"path": "data/"}, []),
        ({"path": "dat"}, [("unregistered-data", "warning")]),
        ({}, []),  # by its name alone it may be any
    ],
)
def test_data_is_the_registered_one(entry, expected):
    record = defined({"data": (RegisteredData(name="digits", **entry),)})
    assert codes(definition_findings(record)) == expected


def test_sensitive_data_is_told_once():
    data = (RegisteredData(name="patients", version="v3", sensitive=("medical", "personal")),)
    (finding,) = definition_findings(defined({"data": data, "sensitive": ("secret",)}))
    assert finding.message.endswith("the experiment (secret); patients v3 (medical, personal)")
    assert finding.severity is Severity.NOTE


def test_a_required_comparison_names_its_command_where_it_is_a_run():
    wanted = (
        RequiredComparison(against="abcdef123456", metrics=()),
        RequiredComparison(against="production", metrics=("loss",), reason="it is replaced"),
    )
    run, words = definition_findings(defined({"comparisons": wanted}))
    assert run.fix == f"reprocheck compare abcdef123456 {RUN_ID}"
    assert "accuracy with abcdef123456" in run.message
    assert (words.fix, words.severity) == ("", Severity.NOTE)
    assert "loss with production (it is replaced)" in words.message


def tagged(sha256, **changes):
    return defined({"sha256": sha256}, tags={TAG: DIGEST}, **changes)


def test_a_definition_changed_after_the_run_is_an_error():
    assert changed_definition(tagged(DIGEST), CONTENT) == ()
    (finding,) = changed_definition(tagged("0" * 64), None)
    assert (finding.code, finding.severity, finding.fix) == (
        "changed-definition",
        Severity.ERROR,
        "",
    )
    (finding,) = changed_definition(tagged("0" * 64), CONTENT)
    assert f"--run-id={RUN_ID} --local-file=experiment.yaml" in finding.fix


def test_a_definition_that_is_gone_is_an_error_only_where_artifacts_can_be_read():
    gone = make_record(tags={TAG: DIGEST})
    assert codes(changed_definition(gone, None)) == [("changed-definition", "error")]
    for code in ("artifacts-unreachable", "artifacts-unread"):
        unread = Finding(code=code, severity=Severity.WARNING, message="", hint="", pointer="")
        assert changed_definition(dataclasses.replace(gone, findings=(unread,)), None) == ()


def test_another_definition_in_the_repository_is_a_note():
    (finding,) = changed_definition(tagged(DIGEST), b"version: 1\n# next\n")
    assert finding.severity is Severity.NOTE
    assert changed_definition(make_record(), CONTENT) == ()


def test_a_verification_is_stopped_by_a_changed_definition_alone():
    record = tagged("0" * 64)
    record = dataclasses.replace(
        record,
        definition=dataclasses.replace(record.definition, sign_offs=(SignOff(role="risk"),)),
    )
    rules = RecordRules(artifacts=("model_card.md",))
    asked = ["changed-definition", "missing-approval", "missing-artifact"]
    assert codes(record_rules.findings(record, rules)) == [(code, "error") for code in asked]
    told = dict(codes(record_rules.warnings(record, rules)))
    assert [told[code] for code in asked] == ["error", "warning", "warning"]
