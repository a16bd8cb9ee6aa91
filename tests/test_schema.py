import json
from pathlib import Path

import jsonschema
import pytest

from reprocheck import schema
from reprocheck.documents import record_document, report_document
from tests.reporters.builders import make_record, make_report

PUBLISHED = sorted(
    path.name.split(".")[0] for path in Path(__file__).parents[1].glob("schemas/*.schema.json")
)


def _record(**changes):
    return record_document(make_record()) | changes


def _only(issues):
    (issue,) = issues
    return issue


@pytest.mark.parametrize("name", PUBLISHED)
def test_schemas_follow_the_metaschema(name):
    jsonschema.Draft202012Validator.check_schema(schema.load(name))


@pytest.mark.parametrize("name", PUBLISHED)
def test_examples_follow_their_schema(name):
    examples = schema.load(name)["examples"]
    assert examples
    assert [issue for example in examples for issue in schema.check(example, name)] == []


@pytest.mark.parametrize("name", ["run", "experiment"])
def test_examples_of_parts_follow_them(name):
    parts = schema.load(name)["$defs"]
    examples = [(key, each) for key, part in parts.items() for each in part.get("examples", ())]
    assert examples
    assert [issue for key, each in examples for issue in schema.check(each, name, key)] == []


def _properties(part):
    if isinstance(part, dict):
        for name, field in part.get("properties", {}).items():
            if isinstance(field, dict):
                yield name, field
        for child in part.values():
            yield from _properties(child)
    elif isinstance(part, list):
        for child in part:
            yield from _properties(child)


@pytest.mark.parametrize("name", ["run", "experiment", "report", "check", "validation", "bundle"])
def test_every_field_is_described(name):
    published = {key: part for key, part in schema.load(name).items() if key != "examples"}
    undescribed = {
        key for key, field in _properties(published) if not {"description", "$ref"} & set(field)
    }
    assert undescribed == set()


def test_a_record_and_a_report_follow_their_schemas():
    assert schema.check(record_document(make_record()), "run") == ()
    assert schema.check(report_document(make_report()), "report") == ()


def test_the_reports_record_is_checked_by_the_shipped_schema():
    document = report_document(make_report())
    document["record"]["status"] = "done"
    assert _only(schema.check(document, "report")).pointer == "/record/status"


def test_an_unknown_key_names_the_nearest_right_one():
    issue = _only(schema.check(_record(artefacts=[]), "run"))
    assert (issue.pointer, issue.hint) == ("/artefacts", "did you mean artifacts?")
    assert issue.message == "unknown key 'artefacts'"


def test_a_key_far_from_all_lists_the_known_ones():
    document = _record()
    document["code"]["zzz"] = 1
    assert _only(schema.check(document, "run")).hint.startswith("known here: commit, repository")


def test_a_missing_key_is_named():
    document = _record()
    del document["code"]["tree"]
    issue = _only(schema.check(document, "run"))
    assert (issue.pointer, issue.message) == ("/code", "the key tree is missing")


def test_a_wrong_type_is_told_in_plain_words():
    issue = _only(schema.check(_record(parameters={"lr": 0.1}), "run"))
    assert (issue.pointer, issue.message) == ("/parameters/lr", "must be text, not 0.1")


def test_a_number_may_be_nan_as_text_only():
    document = _record()
    document["metrics"]["loss"]["value"] = "NaN"
    assert schema.check(document, "run") == ()
    document["metrics"]["loss"]["value"] = "nan"
    issue = _only(schema.check(document, "run"))
    assert issue.message == "must be a number, NaN, Infinity or -Infinity, not 'nan'"


@pytest.mark.parametrize("time", ["2026-01-31", "2026-01-31T12:00:00", "yesterday", "12:00Z"])
def test_a_time_without_date_or_zone_is_refused(time):
    issue = _only(schema.check(_record(started_at=time), "run"))
    assert issue.message == f"'{time}' is no time of the form 2026-01-31T12:00:00Z"


def test_of_alternatives_the_one_that_was_meant_is_told():
    document = _record()
    document["command"]["steps"] = [{"argv": ["python", 3], "cwd": "."}]
    issue = _only(schema.check(document, "run"))
    assert (issue.pointer, issue.message) == ("/command/steps/0/argv/1", "must be text, not 3")


@pytest.mark.parametrize(
    ("command", "pointer", "message"),
    [
        (5, "/command", "must be text or a list, not 5"),
        (["python", 3], "/command/1", "must be text, not 3"),
        ([{"run": "x", "cdw": "y"}], "/command/0/cdw", "unknown key 'cdw'"),
        ([{"cwd": "x"}], "/command/0", "the key run is missing"),
    ],
)
def test_of_nested_alternatives_the_nearest_is_told(command, pointer, message):
    issue = _only(schema.check({"version": 1, "command": command}, "config"))
    assert (issue.pointer, issue.message) == (pointer, message)


def test_a_huge_or_hostile_value_is_short_and_on_one_line():
    issue = _only(schema.check(_record(status="x\x1b[31m\n" + "y" * 10**6), "run"))
    assert len(issue.message) < 160
    assert issue.message.isprintable()


def test_a_number_too_large_to_show_is_refused():
    issue = _only(schema.check(_record(seeds={"seed": 10**5000}), "run"))
    assert (issue.pointer, issue.message) == ("/seeds/seed", "the number is too large")


def test_a_document_nested_too_deep_is_refused():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    assert _only(schema.check(nested, "run")).message == "values are nested too deep"


def test_a_key_with_a_slash_has_a_valid_pointer():
    issue = _only(schema.check(_record(metrics={"a/b~c": 1}), "run"))
    assert issue.pointer == "/metrics/a~1b~0c"


def test_a_key_that_is_no_text_is_refused():
    issue = _only(schema.check(_record(tags={True: "x"}), "run"))
    assert (issue.pointer, issue.message) == ("/tags", "the key true is not text")


def test_the_nearest_of_nested_alternatives_is_told():
    template = {"run_id": "a", "metrics": {"a": [1]}}
    issue = _only(schema.check(template, "run", "template"))
    assert issue.message == "must be a number, NaN, Infinity, -Infinity or a mapping, not a list"
    template = {"run_id": "a", "metrics": {"a": {"value": 1, "at": 2}}}
    assert _only(schema.check(template, "run", "template")).pointer == "/metrics/a/at"


def test_a_version_to_come_is_known():
    assert "version 3" in schema.newer({"version": 3}, "version")
    for document in ({"version": 1}, {"version": "2"}, {"version": True}, {}, [], None):
        assert schema.newer(document, "version") == ""
    assert schema.newer({"version": 10**400}, "version")


def test_a_document_that_holds_itself_is_refused():
    document = _record()
    document["tags"] = {"self": document}
    assert _only(schema.check(document, "run")).pointer == "/tags/self"


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_a_document_of_another_kind_is_refused(document):
    assert _only(schema.check(document, "run")).pointer == ""


def test_the_schemas_are_json_without_surprises():
    assert json.loads(json.dumps(schema.load("run")))["$id"].endswith("/schemas/run.schema.json")


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="no schema is named"):
        schema.load("../pyproject")
