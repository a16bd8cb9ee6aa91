"""The field's usual template of a record: what it becomes, and that nothing is lost."""

import json
import math

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reprocheck import hostile, schema
from reprocheck.detail import dump
from reprocheck.documents import record_document
from reprocheck.errors import RecordFileError
from reprocheck.model import OriginKind, RunStatus, ShellLine, TreeState
from reprocheck.record_files import read_record_file
from reprocheck.record_template import KEYS, to_template

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MD5 = "9e107d9d372bb6826bd81d3542a419d6"


def read(tmp_path, template, name="record.json"):
    path = tmp_path / name
    path.write_text(json.dumps(template))
    return read_record_file(path)


def test_every_key_becomes_its_fact(tmp_path):
    (example,) = schema.load("run")["$defs"]["template"]["examples"]
    record = read(tmp_path, example)
    assert set(example) == set(KEYS)
    assert (record.ref.tracker, record.ref.run_id) == ("file", "2026-01-31-digits")
    assert (record.status, record.code.tree) == (RunStatus.UNKNOWN, TreeState.UNKNOWN)
    assert record.code.commit == COMMIT
    (data,) = record.data
    assert (data.path, data.algorithm, data.digest) == ("data/train.csv", "md5", MD5)
    assert data.origin.kind is OriginKind.INFERRED
    assert record.parameters == {"lr": "0.1", "epochs": "20", "layers": "[64, 64]"}
    assert record.metrics["accuracy"].value == 0.9611
    assert record.metrics["loss"].history[0].step == 20
    (artifact,) = record.artifacts
    assert (artifact.path, artifact.uri) == ("model.pkl", "s3://models/digits/model.pkl")
    assert record.description == "Augmentation as in the paper."
    (approval,) = record.approvals
    assert (approval.by, approval.role, approval.at.day) == ("ann", "reviewer", 1)
    assert record.tags == {"team": "vision"}
    assert record.origins["/code/commit"].where == "git_commit"


@pytest.mark.parametrize(
    ("template", "fact"),
    [
        ({"metrics": {"a": "NaN"}}, lambda r: math.isnan(r.metrics["a"].value)),
        ({"dataset_version": 3}, lambda r: r.dataset_version == "3"),
        ({"dataset_version": {"a": "v1", "b": 2}}, lambda r: r.dataset_version == "a v1, b 2"),
        ({"dataset_version": {"a": {"path": "d", "md5": MD5}}}, lambda r: r.data[0].path == "d"),
        ({"artifacts": {"m": "m.pkl"}}, lambda r: r.artifacts[0].path == "m.pkl"),
        ({"artifacts": [{"uri": "s3://b/x/m.pkl"}]}, lambda r: r.artifacts[0].path == "m.pkl"),
        ({"approvals": ["ann", {"name": "bob"}]}, lambda r: r.approvals[1].by == "bob"),
        ({"tags": ["baseline", 7]}, lambda r: set(r.tags) == {"baseline", "7"}),
        ({"notes": ["a", "b"]}, lambda r: r.description == "a\nb"),
        ({"command": "a | b"}, lambda r: r.command.steps[0].run == ShellLine(line="a | b")),
        ({"seeds": 7}, lambda r: r.seeds == {"seed": "7"}),
        ({"git_commit": None}, lambda r: r.code.commit == ""),
    ],
)
def test_other_ways_to_write_it(tmp_path, template, fact):
    template = {"run_id": "a", **template}
    record = read(tmp_path, template)
    assert fact(record)
    assert to_template(record_document(record)) == template


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"git_commit": 1234567}, "/git_commit must be text or null, not 1234567"),
        ({"git_commit": "main"}, "/git_commit"),
        ({"metrics": {"a": [1, 2]}}, "/metrics/a must be a number, NaN, Infinity"),
        ({"metrics": {"a": None}}, "/metrics/a must be a number"),
        ({"metrics": {"a": True}}, "/metrics/a must be a number"),
        ({"metrics": {"a": {"value": 1, "setp": 2}}}, "/metrics/a/setp unknown key 'setp'"),
        ({"approvals": "ann"}, "/approvals must be a list or null, not 'ann'"),
        ({"approvals": [{"role": "x"}]}, "/approvals/0"),
        ({"artifacts": [{"path": 7}]}, "/artifacts/0/path must be text, not 7"),
        ({"hyperparameters": [1]}, "/hyperparameters must be a mapping or null, not a list"),
        ({"started_at": "yesterday"}, "/started_at"),
    ],
)
def test_a_wrong_type_is_told_with_its_place(tmp_path, template, words):
    with pytest.raises(RecordFileError) as caught:
        read(tmp_path, {"run_id": "a", "notes": "", **template})
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_a_key_that_is_not_read_is_told_and_kept(tmp_path):
    record = read(tmp_path, {"run_id": "a", "hyperparamters": {"lr": 1}, "mood": "good"})
    told = [(each.code, each.severity.value, each.hint) for each in record.findings]
    assert told[0] == ("unread-key", "warning", "did you mean hyperparameters?")
    assert told[1][1] == "note"
    assert record.extra == {"hyperparamters": {"lr": 1}, "mood": "good"}


def test_a_secret_in_a_nested_parameter_is_hidden_everywhere(tmp_path):
    secret = "hunter2hunter2"
    nested = {"run_id": "a", "hyperparameters": {"db": {"password": secret}, "api_key": secret}}
    told = dump(record_document(read(tmp_path, {**nested, "more": [{"DB_PASSWORD": secret}]})))
    assert secret not in told
    assert '"run_id"' in told


# --- nothing is lost ----------------------------------------------------------------------


def _plain(text):
    """Neither a secret nor half of a character: these are replaced on purpose."""
    return hostile.redact(text) == text and not hostile.is_secret(text) and "\0" not in text


words = st.text(min_size=1, max_size=8).filter(_plain)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | words
scalars |= st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)
numbers |= st.sampled_from(["NaN", "Infinity", "-Infinity"])
versions = st.none() | words | st.integers() | st.sampled_from([f"md5:{MD5}", "2026-01-31"])
sizes = st.none() | st.integers(0, 2**50)
artifacts = words | st.fixed_dictionaries({"path": words}, optional={"uri": words, "size": sizes})
dates = st.sampled_from(["2026-02-01", "2026-02-01T10:00:00+02:00", "soon"])
approvals = words | st.fixed_dictionaries(
    {"by": words}, optional={"role": words, "date": dates, "commit": words, "what": words}
)
templates = st.builds(
    lambda known, more: {**more, **known},
    st.fixed_dictionaries(
        {"run_id": words},
        optional={
            "git_commit": st.sampled_from([COMMIT, None, "", "abcdef1"]),
            "dataset_version": versions | st.dictionaries(words, versions, max_size=3),
            "hyperparameters": st.none() | st.dictionaries(words, values, max_size=4),
            "metrics": st.none()
            | st.dictionaries(
                words,
                numbers
                | st.fixed_dictionaries({"value": numbers}, optional={"step": st.integers(0, 99)}),
                max_size=4,
            ),
            "artifacts": st.none()
            | st.lists(artifacts, max_size=3)
            | st.dictionaries(words, artifacts, max_size=3),
            "notes": st.none() | words | st.lists(words, max_size=3),
            "approvals": st.none() | st.lists(approvals, max_size=3),
            "tags": st.none() | st.lists(words, max_size=3) | st.dictionaries(words, values),
            "status": st.sampled_from(["finished", "unknown"]),
            "started_at": st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00"]),
        },
    ),
    st.dictionaries(words.filter(lambda name: name not in KEYS), values, max_size=2),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(template=templates)
def test_a_template_comes_back_whole(tmp_path, template):
    document = record_document(read(tmp_path, template))
    assert schema.check(document, "run") == ()
    (tmp_path / "again.json").write_text(dump(document))
    again = to_template(record_document(read_record_file(tmp_path / "again.json")))
    assert json.dumps(again, sort_keys=True) == json.dumps(_floats(again, template), sort_keys=True)


def _floats(again, template):
    """The template with its whole numbers as they came back: JSON has no two kinds of 1."""
    if isinstance(again, dict):
        assert again.keys() == template.keys()
        return {key: _floats(again[key], template[key]) for key in again}
    if isinstance(again, list):
        assert len(again) == len(template)
        return list(map(_floats, again, template))
    same = again == template and isinstance(again, bool) is isinstance(template, bool)
    return again if same else template


def test_a_template_in_yaml_is_the_same(tmp_path):
    (example,) = schema.load("run")["$defs"]["template"]["examples"]
    (tmp_path / "record.yaml").write_text(yaml.safe_dump(example))
    again = read_record_file(tmp_path / "record.yaml")
    assert record_document(again) == record_document(read(tmp_path, example))
