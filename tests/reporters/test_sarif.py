import dataclasses
import json
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from reprocheck.model import Finding, Origin, OriginKind, Require, Severity, Verdict
from reprocheck.reporters import sarif
from reprocheck.reporters.places import Place, place
from tests.reporters import cases
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_product,
    make_record,
    make_report,
    make_stages,
)
from tests.reporters.checks import COMMENTS, PROBLEMS, dvc_material, make_check, named, several_runs

SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0.json"


@pytest.fixture(scope="module")
def published():
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def run_of(check):
    return json.loads(sarif.render(check))["runs"][0]


def found(code="unknown-tree", pointer="/code/tree", **changes):
    given = {"severity": Severity.WARNING, "message": "a message", "hint": "a hint"} | changes
    return Finding(code=code, pointer=pointer, **given)


def with_findings(*findings, **changes):
    read, *others = make_stages()
    return make_report(stages=(dataclasses.replace(read, findings=findings), *others), **changes)


@pytest.mark.parametrize(
    "check",
    [check for check, _ in COMMENTS.values()]
    + [make_check(*(case() for case in cases.CASES.values()), problems=PROBLEMS)],
)
def test_it_follows_the_published_schema(published, check):
    assert [error.message for error in published.iter_errors(json.loads(sarif.render(check)))] == []


def test_the_schema_refuses_what_is_wrong(published):
    document = json.loads(sarif.render(COMMENTS["whole"][0]))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert list(published.iter_errors(document))


def test_what_code_scanning_asks_of_a_rule_and_a_result():
    run = run_of(COMMENTS["whole"][0])
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["helpUri"].startswith(
            "https://github.com/reprocheck/reprocheck/blob/main/docs/"
        )
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        [where] = result["locations"]
        assert where["physicalLocation"]["region"]["startLine"] >= 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_a_finding_is_a_result_of_its_severity():
    [result] = run_of(make_check(with_findings(found())))["results"]
    assert (result["ruleId"], result["level"]) == ("unknown-tree", "warning")
    assert result["message"]["text"] == "a message. a hint"
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "/code/tree"
    assert result["properties"]["experiment"] == "digits"


def test_what_is_not_reproduced_or_has_no_report_is_an_error():
    check = make_check(cases.not_reproduced(), cases.crashed(), problems=PROBLEMS)
    results = [(each["ruleId"], each["level"]) for each in run_of(check)["results"]]
    assert results == [
        ("metric-not-reproduced", "error"),
        ("not-verified", "error"),
        ("no-report", "error"),
        ("no-report", "error"),
    ]


def test_fingerprints_are_those_of_the_last_report_and_tell_results_apart():
    def prints(check):
        return [each["partialFingerprints"] for each in run_of(check)["results"]]

    first = with_findings(found(), found(message="the same twice"), found(code="dirty-tree"))
    later = with_findings(
        found(message="in other words"), found(code="dirty-tree"), found(), sentence="Later."
    )
    assert len({str(each) for each in prints(make_check(first))}) == 3
    assert sorted(map(str, prints(make_check(first)))) == sorted(
        map(str, prints(make_check(later)))
    )
    other = prints(make_check(named(first, "9" * 32, "other")))
    assert not {str(each) for each in other} & {str(each) for each in prints(make_check(first))}


FILE = OriginKind.FILE


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/data/1/digest", Place(path="data/test.csv.dvc")),
        ("/data/7", Place(path="reprocheck.yaml")),
        ("/environment", Place(path="envs/requirements.txt")),
        ("/command/steps/0", Place(path="team.yaml", line=12)),
        ("/code/script", Place(path="src/train.py")),
        ("/metrics/accuracy", Place(path="reprocheck.yaml")),
        ("", Place(path="reprocheck.yaml")),
    ],
)
def test_where_a_finding_is_shown(pointer, expected):
    record = make_record(
        code=make_code(script="src/train.py"),
        data=(
            dvc_material(),
            dvc_material(origin=Origin(kind=FILE, where="data/test.csv.dvc at the commit")),
        ),
        origins={
            "/command": Origin(kind=OriginKind.CONFIG, where="team.yaml:12"),
            "/environment": Origin(kind=FILE, where="envs/requirements.txt"),
        },
    )
    assert place(record, pointer) == expected


@pytest.mark.parametrize(
    "path",
    [
        "../x.yaml",
        "/etc/x.yaml",
        "a//x.yaml",
        ".git/x.yaml",
        "https://x/y.yaml",
        "\x1b[31m.yaml",
        "",
    ],
)
def test_no_path_leads_out_of_the_repository(path):
    record = make_record(origins={"/code": Origin(kind=FILE, where=f"{path} at the commit")})
    assert place(record, "/code/commit") == Place(path="reprocheck.yaml")


def test_names_of_files_are_written_as_addresses():
    origin = Origin(kind=FILE, where="my data/ä %20.csv.dvc at the commit")
    record = make_record(data=(dvc_material(origin=origin),))
    report = with_findings(found(pointer="/data/0"), record=record)
    [result] = run_of(make_check(report))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "my%20data/%C3%A4%20%2520.csv.dvc"


def test_reports_of_several_runs_are_one_run_of_the_tool():
    document = json.loads(sarif.render(several_runs()))
    assert len(document["runs"]) == 1


def test_no_more_than_code_scanning_takes_the_worst_first(monkeypatch):
    monkeypatch.setattr(sarif, "MOST", 1)
    note = found(severity=Severity.NOTE)
    judged = make_comparison(verdict=Verdict.NOT_REPRODUCED)
    report = with_findings(note, comparisons=(judged,), verdict=Verdict.NOT_REPRODUCED)
    [result] = run_of(make_check(report))["results"]
    assert result["level"] == "error"


NOTHING = dataclasses.replace(cases.reproduced(), verdict=Verdict.NOT_COMPARABLE, comparisons=())


@pytest.mark.parametrize(
    ("check", "level"),
    [
        (make_check(NOTHING), "error"),
        (make_check(cases.inconclusive()), "warning"),
        (
            make_check(dataclasses.replace(cases.consistent(), require=Require.REPRODUCED)),
            "warning",
        ),
        (make_check(dataclasses.replace(cases.reproduced(), dry_run=True)), "warning"),
        (make_check(), "error"),
    ],
)
def test_no_verdict_but_a_good_one_is_without_a_result(check, level):
    levels = [each["level"] for each in run_of(check)["results"]]
    assert level in levels


def test_a_file_that_is_not_reproduced_is_a_result():
    report = dataclasses.replace(
        cases.reproduced(),
        verdict=Verdict.NOT_REPRODUCED,
        products=(make_product("model.pkl", verdict=Verdict.NOT_REPRODUCED, gated=True),),
    )
    assert "error" in [each["level"] for each in run_of(make_check(report))["results"]]


def test_a_good_verdict_adds_no_result():
    rules = [each["ruleId"] for each in run_of(make_check(cases.reproduced()))["results"]]
    assert rules == ["unknown-tree", "missing-repository"]
