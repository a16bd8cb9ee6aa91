import json
import shlex

import pytest

from reprocheck.approvals import findings
from reprocheck.model import Approval, Origin, OriginKind
from tests.reporters.builders import COMMIT, make_code, make_record

TAG = Origin(kind=OriginKind.TAG, where="approvals")


def found(*approvals, commit=COMMIT):
    origins = {f"/approvals/{i}": TAG for i in range(len(approvals))}
    record = make_record(approvals=approvals, code=make_code(commit=commit), origins=origins)
    return list(findings(record))


def signed(commit, by="ann"):
    return Approval(by=by, what="release", role="reviewer", commit=commit)


@pytest.mark.parametrize("commit", [COMMIT, COMMIT.upper(), COMMIT[:7]])
def test_an_approval_of_the_runs_commit_is_no_finding(commit):
    assert found(signed(commit)) == []


def test_an_approval_without_a_commit_is_a_warning_with_the_tag_to_set():
    (finding,) = found(signed(COMMIT, by="bob"), signed(""))
    assert (finding.code, finding.severity) == ("unbound-approval", "warning")
    assert finding.pointer == "/approvals/1"
    *_, tag, value = shlex.split(finding.fix)
    assert tag == "approvals"
    entry = {"what": "release", "role": "reviewer", "commit": COMMIT}
    assert json.loads(value) == [{"by": "bob", **entry}, {"by": "ann", **entry}]


@pytest.mark.parametrize("commit", ["f" * 40, COMMIT[:6], "main"])
def test_an_approval_of_another_commit_is_an_error(commit):
    (finding,) = found(signed(commit))
    assert (finding.severity, finding.pointer) == ("error", "/approvals/0/commit")


def test_where_the_runs_commit_is_not_known_nothing_can_be_said_of_it():
    assert found(signed("f" * 40), commit="") == []


def test_an_approval_that_is_in_no_tag_has_no_tag_to_set():
    (finding,) = findings(make_record(approvals=(signed(""),)))
    assert finding.fix == ""
