"""A team's own schema and its list of artifacts: what is told, and schemas that are none."""

import json
import shlex
import time

import pytest

from reprocheck import team_rules
from reprocheck.errors import ConfigError
from reprocheck.model import Approval, Artifact, Finding, RecordRules, Severity
from reprocheck.team_rules import artifact_findings, team_findings
from tests.reporters.builders import RUN_ID, make_record


@pytest.fixture
def told(tmp_path):
    """Finds what a record lacks by a schema."""

    def find(schema, **changes):
        path = tmp_path / "team.schema.json"
        path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        return team_findings(make_record(**changes), RecordRules(schema=path))

    return find


def tags(**rules):
    return {"properties": {"tags": rules}}


REVIEWED = {
    "contains": {
        "required": ["role"],
        "properties": {"role": {"const": "reviewer"}, "commit": {"minLength": 1}},
    }
}
MODEL = {"properties": {"path": {"const": "model/MLmodel"}}}


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        (tags(required=["owner"]), "/tags", "/tags: the key owner is missing"),
        (
            tags(propertyNames={"pattern": "^x_"}),
            "/tags",
            "the key 'team' does not have the form that is expected here",
        ),
        (
            tags(properties={"team": {"enum": ["nlp", "speech"]}}),
            "/tags/team",
            "must be nlp or speech, not 'vision'",
        ),
        (tags(properties={"team": {"pattern": "^x"}}), "/tags/team", "'vision' does not have the"),
        (tags(properties={"team": False}), "/tags", "'vision' is not allowed here"),
        (tags(additionalProperties=False), "/tags/team", "unknown key 'team'"),
        (tags(dependentRequired={"team": ["ticket"]}), "/tags", "ticket is missing, which team"),
        (tags(minProperties=2), "/tags", "has fewer than 2 keys"),
        (
            {"if": {"properties": {"tags": {"required": ["team"]}}}, "then": {"required": ["x"]}},
            "",
            "the record: the key x is missing",
        ),
        (
            {"properties": {"approvals": REVIEWED}},
            "/approvals",
            "/approvals: has no entry with role reviewer",
        ),
        (
            {"properties": {"artifacts": {"contains": MODEL, "minContains": 2}}},
            "/artifacts",
            "has fewer than 2 entries with path model/MLmodel",
        ),
        (
            {"properties": {"metrics": {"propertyNames": {"enum": ["accuracy"]}}}},
            "/metrics",
            "must be accuracy, not the key 'loss'",
        ),
        ({"properties": {"siblings": {"maxItems": 0}}}, "/siblings", "has more than 0 items"),
        ({"not": {"required": ["tags"]}}, "", "must not have tags"),
    ],
)
def test_what_a_record_lacks_is_told_in_plain_words(told, schema, pointer, words):
    (finding,) = told(schema)
    assert (finding.code, finding.severity) == ("team-rule", Severity.ERROR)
    assert finding.pointer == pointer
    assert words in finding.message


def test_a_record_that_follows_the_rules_has_no_finding(told):
    rules = tags(
        required=["team"],
        properties={"team": {"enum": ["vision"]}},
        propertyNames={"pattern": "^[a-z_]+$"},
    )
    rules["properties"]["approvals"] = REVIEWED
    signed = (Approval(by="ann", what="", role="reviewer", commit="abc"),)
    assert told(rules, approvals=signed) == ()
    assert [each.pointer for each in told(rules)] == ["/approvals"]
    assert team_findings(make_record(), RecordRules()) == ()


def test_the_schemas_own_words_are_the_hint(told):
    (finding,) = told(tags(required=["owner"], errorMessage="Ask #ml-platform."))
    assert finding.hint == "Ask #ml-platform."
    described = {"owner": {"description": "Who answers for it.", "examples": ["ann"]}}
    (finding,) = told(tags(required=["owner"], properties=described))
    assert finding.hint == "Who answers for it. For example ann."


def test_the_line_sets_the_tag_with_the_values_to_choose_from(told):
    (finding,) = told(tags(required=["level"], properties={"level": {"enum": ["low", "high"]}}))
    assert shlex.split(finding.fix)[-3:] == [RUN_ID, "level", "low|high"]
    (finding,) = told(tags(required=["level"]))
    assert shlex.split(finding.fix)[-1] == "VALUE"
    (finding,) = told({"properties": {"parameters": {"required": ["x"]}}})
    assert finding.fix == ""


def test_many_violations_are_told_up_to_a_limit(told):
    found = told(tags(additionalProperties=False), tags={f"t{i}": "" for i in range(150)})
    assert len(found) == team_rules.MOST + 1
    assert found[-1].message == "50 more places do not follow team.schema.json"


def test_a_schema_may_be_yaml_and_name_parts_of_ours(tmp_path):
    path = tmp_path / "team.yaml"
    run = "https://github.com/reprocheck/reprocheck/schemas/run.schema.json"
    path.write_text(
        f"properties:\n  tags: {{required: [owner]}}\n  code: {{$ref: '{run}#/$defs/x'}}"
    )
    with pytest.raises(ConfigError, match="refers to"):
        team_findings(make_record(), RecordRules(schema=path))
    path.write_text("properties:\n  tags: {required: [owner]}\n")
    assert [each.pointer for each in team_findings(make_record(), RecordRules(schema=path))] == [
        "/tags"
    ]


@pytest.mark.parametrize(
    ("schema", "words", "hint"),
    [
        ("", "it is not JSON", ""),
        ("[]", "must be a mapping", "begin with"),
        ('{"type": "objekt"}', "is no JSON schema: /type", ""),
        ('{"properties": {"tags": {"required": "owner"}}}', "/properties/tags/required", ""),
        ('{"properties": {"tags": {"requierd": ["owner"]}}}', "keyword requierd", "required"),
        ('{"propertys": {}}', "keyword propertys", "did you mean properties?"),
        ('{"$schema": "http://json-schema.org/draft-07/schema#"}', "draft-07", "2020-12"),
        (
            '{"$ref": "http://127.0.0.1:9/team.json"}',
            "127.0.0.1:9/team.json, which is not",
            "$defs",
        ),
        ('{"$ref": "file:///etc/passwd"}', "which is not fetched", ""),
        ('{"$ref": "other.json"}', "which is not fetched", ""),
        ('{"$ref": "#/$defs/no"}', "refers to", "$defs"),
        ('{"$ref": "#"}', "refers to itself without end", ""),
        ('{"properties": {"tags": {"propertyNames": {"pattern": "("}}}}', "pattern", ""),
        ('{"required": ["a"], "required": ["b"]}', "line 1: the key 'required' is given twice", ""),
        ('{"not": ' * 3000 + "{}" + "}" * 3000, "nested too deep", ""),
    ],
)
def test_a_schema_that_is_none_is_an_error_of_the_config(told, schema, words, hint):
    with pytest.raises(ConfigError) as caught:
        told(schema)
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_a_schema_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        team_findings(make_record(), RecordRules(schema=tmp_path / "gone.json"))


def test_a_pattern_without_end_is_ended(told, monkeypatch):
    monkeypatch.setattr(team_rules, "LONGEST_S", 0.2)
    started = time.monotonic()
    with pytest.raises(ConfigError, match="takes over"):
        told(tags(additionalProperties={"pattern": "^(a+)+$"}), tags={"x": "a" * 60 + "!"})
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("model_card.md", "model_card.md", True),
        ("./model_card.md", "model_card.md", True),
        ("model_card.md", "docs/model_card.md", False),
        ("risk/*.pdf", "risk/a.pdf", True),
        ("risk/*.pdf", "risk/old/a.pdf", False),
        ("**/*.pdf", "risk/old/a.pdf", True),
        ("**/*.pdf", "a.pdf", True),
        ("risk/**", "risk/old/a.pdf", True),
        ("risk/", "risk/a.pdf", True),
        ("risk/**", "risk", False),
        ("model.?", "model.h", True),
        ("model.?", "model/h", False),
        ("model[1].md", "model1.md", False),
        ("MODEL_CARD.md", "model_card.md", False),
    ],
)
def test_patterns_know_folders(pattern, path, matches):
    record = make_record(artifacts=(Artifact(path=path, size=1),))
    assert (artifact_findings(record, RecordRules(artifacts=(pattern,))) == ()) is matches


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("model_card.md", "log-artifact --local-file=model_card.md --run-id=RUN"),
        ("a b/c.md", "log-artifact '--local-file=a b/c.md' --run-id=RUN '--artifact-path=a b'"),
        ("risk/*.pdf", "log-artifacts --local-dir=risk --run-id=RUN --artifact-path=risk"),
        ("**/*.pdf", "log-artifacts --local-dir=. --run-id=RUN"),
    ],
)
def test_a_missing_artifact_comes_with_the_line_that_logs_it(pattern, line):
    (finding,) = artifact_findings(make_record(), RecordRules(artifacts=(pattern,)))
    assert (finding.code, finding.severity) == ("missing-artifact", Severity.ERROR)
    assert finding.fix == "mlflow artifacts " + line.replace("RUN", RUN_ID)


def test_an_empty_model_card_is_none():
    record = make_record(artifacts=(Artifact(path="model_card.md", size=0),))
    (finding,) = artifact_findings(record, RecordRules(artifacts=("model_card.md",)))
    assert finding.message == "model_card.md is empty; the team requires model_card.md"


def test_a_near_name_is_told():
    record = make_record(artifacts=(Artifact(path="model-card.md", size=7),))
    (finding,) = artifact_findings(record, RecordRules(artifacts=("model_card.md",)))
    assert finding.hint == "did you mean model-card.md?"


def test_what_cannot_be_listed_is_not_taken_for_there():
    unread = Finding(
        code="artifacts-unreachable", severity=Severity.WARNING, message="", hint="", pointer=""
    )
    record = make_record(artifacts=(), findings=(unread,))
    (finding,) = artifact_findings(record, RecordRules(artifacts=("model_card.md",)))
    assert "not all of its artifacts could be listed" in finding.message
