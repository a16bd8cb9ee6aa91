"""Experiment definitions: well-formed ones, and each way of being broken."""

import hashlib
import json
from pathlib import Path

import pytest

from reprocheck import definition
from reprocheck.definition import from_document, read_definition
from reprocheck.documents import record_document
from reprocheck.model import Direction, Origin, OriginKind, RecordedFile, Scale, Width
from tests.reporters.builders import make_definition, make_record

WHOLE = """\
version: 1
hypothesis: more is better
owner: vision
metrics:
  primary:
    accuracy: {direction: higher, margin: {abs: 0.005}, min: 0.9, max: 1, test_size: 360}
  secondary:
    loss: {direction: lower, margin: {rel: {below: 0.1, above: 0.02}}, scale: log,
           noninferiority: true}
"""


def recorded(content: str | bytes, path: str = "reprocheck/experiment.yaml") -> RecordedFile:
    raw = content.encode() if isinstance(content, str) else content
    origin = Origin(kind=OriginKind.ARTIFACT, where=path)
    return RecordedFile(path=path, content=raw, origin=origin)


def test_a_definition_is_read_whole():
    found, findings = read_definition([recorded(WHOLE)])
    assert findings == ()
    assert (found.primary, found.secondary) == (("accuracy",), ("loss",))
    accuracy, loss = found.rules["accuracy"], found.rules["loss"]
    assert (accuracy.least, accuracy.most, accuracy.test_size) == (0.9, 1.0, 360)
    assert accuracy.direction is Direction.HIGHER
    assert accuracy.place == "experiment.yaml:6"
    assert accuracy.margin.absolute == Width.both(0.005)
    assert accuracy.margin.source == "experiment.yaml"
    assert loss.margin.relative == Width(below=0.1, above=0.02)
    assert loss.scale is Scale.LOG
    assert loss.noninferiority


MORE = """\
version: 1
comparisons: [{against: production, reason: it is replaced}]
sign_offs: [{role: risk, by: [ann]}, {role: reviewer}]
sensitive: [personal]
data:
  - name: rows
    version: 2026-01-31
    path: data
    digest: md5:9e107d9d372bb6826bd81d3542a419d6.dir
"""


def test_what_stands_beside_the_metrics_is_read_and_survives_its_document():
    found, findings = read_definition([recorded(MORE)])
    assert findings == ()
    assert found.sha256 == hashlib.sha256(MORE.encode()).hexdigest()
    assert found.comparisons[0].against == "production"
    assert found.sign_offs[0].by == ("ann",)
    assert (found.data[0].version, found.data[0].digest[-4:]) == ("2026-01-31", ".dir")
    document = json.loads(json.dumps(record_document(make_record(definition=found))["definition"]))
    assert from_document(document, found.origin) == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sign_offs: [{by: [ann]}]", "the key role is missing"),
        ("sign_offs: [{role: risk, by: ann}]", "must be a list, not 'ann'"),
        ("sensitive: personal", "must be a list"),
        ("data: [{name: a, digest: abc}]", "experiment.yaml:2: data.0.digest: 'abc' does not have"),
        ("data: [{name: a, version: 3}]", "must be text, not 3"),
        ("data: [{name: a, pth: b}]", "unknown key 'pth'"),
        ("comparisons: [production]", "must be a mapping"),
        ("hypothesis: [a]", "must be text"),
    ],
)
def test_a_wrong_part_beside_the_metrics_is_a_finding(line, words):
    found, (finding,) = read_definition([recorded(f"version: 1\n{line}\n")])
    assert found is None
    assert words in finding.message


def test_reprochecks_own_folder_comes_first():
    files = [
        recorded("version: 1\nmetrics: {primary: {b: {}}}", "experiment.yaml"),
        recorded("version: 1\nmetrics: {primary: {a: {}}}"),
    ]
    assert read_definition(files)[0].primary == ("a",)
    assert read_definition(files[:1])[0].primary == ("b",)


def test_a_run_need_have_none():
    assert read_definition([recorded("version: 1", "other/experiment.yaml")]) == (None, ())
    assert read_definition([recorded("version: 1")])[0].primary == ()


def test_a_misspelt_key_is_told_and_a_teams_own_is_not():
    _, (finding,) = read_definition(
        [recorded("version: 1\nhypotesis: x\ndate: 2026-01-31\nowner: a")]
    )
    assert (finding.code, finding.hint) == ("unread-key", "did you mean hypothesis?")
    assert "experiment.yaml:2: hypotesis" in finding.message


METRIC = "version: 1\nmetrics:\n  primary:\n    acc: "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "UTF-8"),
        ("", "experiment.yaml:1: must be a mapping"),
        ("[1]", "mapping"),
        ("a: b: c", "not valid YAML"),
        ("version: 2", "experiment.yaml:1: version: it is of version 2, made for a newer"),
        ("version: '1'", "must be 1"),
        ("name: mine", "the key version is missing"),
        ("version: 1\nmetrics: {}\nmetrics: {}", "twice"),
        ("version: 1\nstarted: " + "9" * 5000, "cannot be read"),
        ("version: 1\na: &a [*a]", "alias"),
        ("version: 1\nx: " + "[" * 5000, "experiment.yaml"),
        ("version: 1\nmetrics: {tertiary: {}}", "unknown key 'tertiary'"),
        (METRIC + "{gate: true}", "experiment.yaml:4: metrics.primary.acc.gate: unknown key"),
        (METRIC + "null", "must be a mapping"),
        (METRIC + "{margin: {abs: x}}", "experiment.yaml:4"),
        (METRIC + "{margin: {abs: 0}}", "experiment.yaml:4: the margin of acc"),
        (METRIC + "{margin: {rel: .nan}}", "the margin of acc"),
        (METRIC + "{min: .inf}", "must be finite"),
        (METRIC + "{min: 2, max: 1}", "min 2.0 is above max 1.0"),
        (METRIC + "{noninferiority: true}", "needs to know which way"),
        (METRIC + "{margin: {abs: 1}, scale: log}", "does not fit scale: log"),
        (METRIC + "{}\n  secondary: {acc: {}}", "experiment.yaml:5: metrics.secondary.acc"),
    ],
)
def test_a_broken_definition_is_a_finding(content, words):
    found, (finding,) = read_definition([recorded(content)])
    assert found is None
    assert (finding.code, finding.severity.value) == ("broken-definition", "warning")
    assert words in finding.message


def test_a_definition_survives_its_document():
    record = make_record(definition=make_definition())
    document = json.loads(json.dumps(record_document(record)["definition"]))
    again = from_document(document, record.definition.origin)
    assert again.primary == record.definition.primary
    for name, rule in record.definition.rules.items():
        assert again.rules[name].least == rule.least
        assert again.rules[name].direction is rule.direction
        assert (again.rules[name].margin is None) == (rule.margin is None)
        if rule.margin:
            assert again.rules[name].margin.absolute == rule.margin.absolute
            assert again.rules[name].margin.source == rule.margin.source


def test_the_schemas_example_is_a_definition():
    path = Path(__file__).parents[1] / "schemas/experiment.schema.json"
    example = json.loads(path.read_text())["examples"][0]
    found = definition.parse_definition(recorded(json.dumps(example)))
    assert found.primary == ("accuracy",)
