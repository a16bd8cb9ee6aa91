import json
from pathlib import Path

import pytest

from reprocheck import schema
from reprocheck.model import Finding, Grade, Origin, OriginKind, Severity, Validation
from reprocheck.reporters import validation_github, validation_json, validation_terminal
from tests.reporters.builders import RUN_ID, TAG, make_record

ORIGINS = {"/code/commit": TAG, "/metrics": Origin(kind=OriginKind.TRACKER, where="mlflow.db")}


def make(*findings, **changes):
    record = make_record(origins=ORIGINS, **changes.pop("record", {}))
    given = {
        "asked": RUN_ID,
        "record": record,
        "grade": Grade.CAVEATS,
        "findings": findings,
        "tool_version": "0.1.0",
    }
    return Validation(**(given | changes))


def finding(severity="warning", **changes):
    given = {
        "code": "missing-seed",
        "severity": Severity(severity),
        "message": "the run records no seed",
        "hint": "log it",
        "pointer": "/seeds",
        "fix": 'mlflow.log_param("seed", seed)',
    }
    return Finding(**(given | changes))


# --- GitHub -------------------------------------------------------------------------------


def test_a_finding_is_a_workflow_command():
    first, last = validation_github.render(make(finding())).splitlines()
    assert first == (
        "::warning title=missing-seed::the run records no seed%0Alog it%0A"
        'Mend it: mlflow.log_param("seed", seed)%0AAt /seeds'
    )
    assert last == "verifiable with caveats: 1 finding"


@pytest.mark.parametrize(
    ("severity", "command"), [("error", "error"), ("warning", "warning"), ("note", "notice")]
)
def test_each_severity_has_its_command(severity, command):
    assert validation_github.render(make(finding(severity))).startswith(f"::{command} ")


@pytest.mark.parametrize("field", ["message", "hint", "pointer", "fix"])
@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "%0A", "\x0b", "\x85", "\u2028", "\x1b[2K", "::", ",file=x"]
)
def test_no_text_of_a_run_becomes_a_command(field, end):
    hostile = f"a{end}::set-output name=x::y{end}##[add-mask]z"
    text = validation_github.render(make(finding(**{field: hostile})))
    first, last = text.splitlines()
    assert first.startswith("::warning title=missing-seed::")
    assert "verifiable" in last
    assert len(text.split("\n")) == 3


def test_a_file_whose_name_is_hostile_stays_a_property():
    text = validation_github.render(make(finding(), file=Path("a,line=9::b\n::error::c%.json")))
    head = text.split("::")[1]
    assert (
        head
        == "warning file=a%2Cline=9%3A%3Ab%0A%3A%3Aerror%3A%3Ac%25.json,line=1,title=missing-seed"
    )


def test_the_line_is_that_of_the_place_or_its_nearest_parent():
    lines = {"": 1, "/seeds": 7}
    for pointer, line in (("/seeds", 7), ("/seeds/a", 7), ("/code/tree", 1)):
        shown = make(finding(pointer=pointer), file=Path("r.json"), lines=lines)
        assert f"file=r.json,line={line}," in validation_github.render(shown)


# --- terminal -----------------------------------------------------------------------------


def test_the_grade_is_the_first_line_and_what_mends_has_one_of_its_own():
    fix = "python -c " + "x" * 200
    text = validation_terminal.render(make(finding(fix=fix), finding("note", fix="")), width=70)
    lines = text.splitlines()
    assert lines[0] == "Verifiable with caveats"
    assert "1 warning, 1 note" in " ".join(lines[1:3])
    assert f"    {fix}" in lines
    assert [line for line in lines if len(line) > 70] == [f"    {fix}"]


def test_facts_are_shown_with_their_origins_when_asked():
    validation = make(record={"parameters": {"lr": "0.1"}})
    assert "mlflow.source.git.commit" not in validation_terminal.render(validation)
    text = validation_terminal.render(validation, width=200, verbose=True)
    (commit,) = [line for line in text.splitlines() if line.startswith("/code/commit")]
    assert "0123456789abcdef" in commit
    assert "tag mlflow.source.git.commit" in commit
    assert "reprocheck.data" in text


@pytest.mark.parametrize("render", [validation_terminal.render, validation_github.render])
def test_a_secret_is_not_shown(render):
    validation = make(
        finding(message="it is hunter2hunter2", fix="x hunter2hunter2"),
        record={"parameters": {"api_key": "hunter2hunter2"}},
    )
    assert "hunter2" not in render(validation)
    assert "hunter2" not in validation_json.render(validation)


def test_no_line_in_a_terminal_can_be_a_workflow_command():
    words = "word " * 13 + "::error::x " * 9
    text = validation_terminal.render(make(finding(message=words, hint=words)), width=70)
    assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []


# --- JSON ---------------------------------------------------------------------------------


def test_the_document_follows_its_schema():
    document = json.loads(validation_json.render(make(finding())))
    assert schema.check(document, "validation") == ()
    assert document["grade"] == "verifiable with caveats"
    assert document["findings"][0]["fix"] == 'mlflow.log_param("seed", seed)'
    assert document["record"]["run_id"] == RUN_ID


def test_an_invalid_record_is_told_and_does_not_break_the_document():
    broken = finding("error", code="invalid-record", pointer="/name")
    document = json.loads(validation_json.render(make(broken)))
    document["record"]["name"] = 5
    assert schema.check(document, "validation") == ()
    document["findings"] = []
    assert [issue.pointer for issue in schema.check(document, "validation")] == ["/record/name"]
