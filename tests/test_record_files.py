"""Records read back from files: what survives, and files that are no record."""

import dataclasses
import json
import math

import pytest
import yaml

from reprocheck import metadata, schema
from reprocheck.detail import Detail, dump
from reprocheck.documents import record_document, report_document
from reprocheck.errors import RecordFileError
from reprocheck.model import (
    Approval,
    Artifact,
    Command,
    Finding,
    Lineage,
    Origin,
    OriginKind,
    RecordedFile,
    Severity,
    ShellLine,
    Sibling,
    Step,
    TreeState,
    UntrackedFile,
)
from reprocheck.record_files import names_file, read_record_file
from tests.reporters.builders import (
    make_code,
    make_definition,
    make_metric,
    make_patch,
    make_record,
    make_report,
)


def written(tmp_path, document):
    path = tmp_path / "record.json"
    path.write_text(document if isinstance(document, str) else dump(document))
    return path


def test_what_a_judgement_needs_survives(tmp_path):
    record = make_record(
        definition=make_definition(),
        peers=(Sibling(run_id="1" * 32, metrics={"accuracy": math.inf}),),
        lineage=Lineage(parent="2" * 32, depth=1, place=3, parent_parameters={"cv": "3"}),
        code=make_code(tree=TreeState.DIRTY),
    )
    again = read_record_file(written(tmp_path, record_document(record)))
    for name in (
        *("ref", "name", "experiment", "status", "started_at", "ended_at", "code", "command"),
        *("parameters", "metrics", "seeds", "siblings", "peers", "lineage", "data", "environment"),
    ):
        assert getattr(again, name) == getattr(record, name), name
    assert again.definition.rules["accuracy"].least == 0.95
    assert again.definition.origin == record.definition.origin


def rich_record():
    """With something in every part of the document."""
    file = Origin(kind=OriginKind.ARTIFACT, where="reprocheck/environment")
    lock = RecordedFile(path="reprocheck/environment/lock.txt", content=b"numpy==1\n", origin=file)
    plain = make_record()
    return make_record(
        description="two\nlines",
        url="http://mlflow.example/#/runs/1",
        code=make_code(
            tree=TreeState.DIRTY,
            patch=make_patch(b"abc"),
            upstream=dataclasses.replace(make_patch(b"abcdef"), base="0" * 40),
            untracked=(UntrackedFile(path="new.py", sha256="ab" * 32, artifact="code/new.py"),),
            stored=("code/",),
        ),
        command=Command(
            steps=(Step(run=ShellLine(line="a | b"), name="prepare"),), env={"OMP_NUM_THREADS": "1"}
        ),
        truncated=frozenset({"lr"}),
        environment=dataclasses.replace(plain.environment, companions=(lock,)),
        files=(lock,),
        dataset_version="v3",
        artifacts=(
            Artifact(path="model.pkl", size=None, sha256="cd" * 32, uri="s3://b/model.pkl"),
        ),
        hardware={"cpu_count": "4"},
        approvals=(Approval(by="ann", what="", role="risk", commit="0" * 40, at=plain.started_at),),
        peers=(Sibling(run_id="1" * 32, metrics={"accuracy": math.inf}),),
        lineage=Lineage(parent="2" * 32, depth=1, place=3, parent_parameters={"cv": "3"}),
        definition=make_definition(),
        findings=(
            Finding(
                code="odd-thing",
                severity=Severity.NOTE,
                message="odd",
                hint="mend it",
                pointer="/code",
                fix="git add .",
            ),
        ),
        extra={"ticket": {"id": 7, "links": ("a", "b")}, "/capture": {"version": "1.0"}},
    )


def test_all_that_a_document_holds_is_read_back(tmp_path):
    document = record_document(rich_record())
    assert schema.check(document, "run") == ()
    again = read_record_file(written(tmp_path, document))
    assert record_document(again) == json.loads(dump(document))
    assert again.approvals == rich_record().approvals
    assert again.extra == rich_record().extra


def test_a_patch_that_is_not_at_hand_is_no_changed_patch(tmp_path):
    again = read_record_file(written(tmp_path, record_document(rich_record())))
    codes = {finding.code for finding in metadata.validate(again)}
    assert not {"patch-digest", "missing-patch"} & codes


def test_yaml_is_read_as_json_is(tmp_path):
    document = record_document(rich_record())
    path = tmp_path / "record.yaml"
    path.write_text(yaml.safe_dump(json.loads(dump(document)), sort_keys=False))
    assert record_document(read_record_file(path)) == json.loads(dump(document))


def test_yaml_says_nan_and_dates_in_its_own_way(tmp_path):
    path = tmp_path / "record.yml"
    path.write_text(
        "run_id: a\nstarted_at: 2026-01-31T12:00:00Z\ndataset_version: 2026-01-31\n"
        "metrics: {loss: .nan, best: -.inf}\n"
    )
    record = read_record_file(path)
    assert (record.started_at.day, record.dataset_version) == (31, "2026-01-31")
    assert math.isnan(record.metrics["loss"].value)
    assert record.metrics["best"].value == -math.inf


def test_the_smallest_record_is_enough(tmp_path):
    document = {
        "schema_version": 1,
        "tracker": "mlflow",
        "run_id": "abc",
        "status": "finished",
        "code": {"commit": None, "tree": "unknown"},
        "parameters": {},
        "metrics": {"a": {"value": 1, "history": [[0, 0, 1]]}},
    }
    record = read_record_file(written(tmp_path, document))
    assert record.metrics["a"].value == 1.0
    assert isinstance(record.metrics["a"].value, float)
    assert (record.code.commit, record.definition, record.data) == ("", None, ())


def test_a_report_is_read_for_its_record(tmp_path):
    path = written(tmp_path, report_document(make_report()))
    assert read_record_file(path).metrics == make_record().metrics


def test_text_stands_for_what_json_lacks(tmp_path):
    record = make_record(metrics={"loss": make_metric("loss", 1.0, -math.inf, math.inf, math.nan)})
    values = [p.value for p in read_record_file(_file(tmp_path, record)).metrics["loss"].history]
    assert values[:3] == [1.0, -math.inf, math.inf]
    assert math.isnan(values[3])


def _file(tmp_path, record, **detail):
    return written(tmp_path, record_document(record, Detail(**detail)))


def test_of_a_thinned_history_only_the_last_value_counts(tmp_path):
    record = make_record(metrics={"loss": make_metric("loss", *range(100))})
    thinned = read_record_file(_file(tmp_path, record, points=50)).metrics["loss"]
    assert [(point.step, point.value) for point in thinned.history] == [(99, 99.0)]
    whole = read_record_file(_file(tmp_path, record, points=100)).metrics["loss"]
    assert whole == record.metrics["loss"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("a: b", "it is not JSON"),
        ("[]", "it is a list"),
        ('"text"', "it is text"),
        ("7", "it is a single value"),
        ("[" * 100_000, "it is not JSON"),
        ('{"version": 1, "metrics_": {}}', "it is a mapping with other keys (version, metr"),
        ('{"verdict": "x", "tool_version": "1", "record": null}', "a report without a record"),
        ('{"run_id": "x", "parameters": {}}', "the key code is missing"),
    ],
)
def test_what_is_no_record_is_named(tmp_path, content, words):
    with pytest.raises(RecordFileError) as caught:
        read_record_file(written(tmp_path, content))
    assert "record.json is" in caught.value.message
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ({"value": 2.0, "history": [[0, 0, 1.0]]}, "is not the last of its history"),
        ({"value": 1.0, "history": [[5, 0, 2.0], [0, 0, 1.0]]}, "not in the order"),
        ({"value": 1.0, "history": [[0, 0, 1.0]] * 3 + [[0, 0]]}, "a point that is not"),
        ({"value": 1.0, "history": [[0, 0, 1.0]] * 3 + [[0, 0, "x"]]}, "no number"),
        ({"value": 1.0, "history": [[0, 0, 1.0]] * 3 + [[0, 0, True]]}, "no number"),
        ({"value": 2**1024 - 1, "history": [[0, 0, 2**1024 - 1]]}, "broken record"),
        ({"value": 1.0, "history": []}, "must not be empty"),
        ({"value": "nan", "history": [[0, 0, 1.0]]}, "/metrics/loss/value"),
    ],
)
def test_a_broken_history_is_told(tmp_path, metric, words):
    document = record_document(make_record())
    document["metrics"]["loss"] = metric
    with pytest.raises(RecordFileError, match=words):
        read_record_file(written(tmp_path, json.dumps(document)))


def test_a_binary_file_a_folder_and_nothing_are_told(tmp_path):
    binary = tmp_path / "model.json"
    binary.write_bytes(b"\x89PNG\xff\xfe")
    for path, words in ((binary, "no text"), (tmp_path, "directory"), (tmp_path / "x", "No such")):
        with pytest.raises(RecordFileError, match=words):
            read_record_file(path)


def test_a_file_is_told_from_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abcd1234").touch()
    files = ("abcd1234", "gone.json", "a/b", str(tmp_path / "gone"))
    runs = ("abcd12345", "runs:/abcd", "models:/m/1", "http://host/#/experiments/0/runs/abcd")
    assert [names_file(name) for name in files] == [True] * 4
    assert [names_file(name) for name in runs] == [False] * 4
