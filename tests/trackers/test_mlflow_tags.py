"""Facts from tags, and tags that cannot be read."""

import json
from datetime import UTC, datetime

import pytest

from reprocheck.model import Approval, Argv, MaterialPlace, Severity, Step
from reprocheck.trackers.mlflow_run import DatasetInput, FoundRun
from reprocheck.trackers.mlflow_tags import TagReader

MD5, SHA256 = "0123456789abcdef" * 2, "0123456789abcdef" * 4


def reader(tags=None, parameters=None, datasets=()) -> TagReader:
    run = FoundRun(
        run_id="r",
        name="",
        experiment_id="0",
        status="FINISHED",
        deleted=False,
        started_at=None,
        ended_at=None,
        artifact_uri="",
        parameters=parameters or {},
        tags=tags or {},
        last={},
        datasets=tuple(datasets),
        model_ids=(),
    )
    return TagReader(run=run)


def dataset(source=None, **tags) -> DatasetInput:
    tags = {name.replace("_", "."): value for name, value in tags.items()}
    return DatasetInput(name="train", digest="8a1b2c3d", source=source or {}, tags=tags)


def test_the_recorded_command_is_read():
    tags = reader({"reprocheck.argv": '["python", "a b.py"]', "reprocheck.cwd": "src"})
    assert tags.command().steps == (Step(run=Argv(args=("python", "a b.py")), cwd="src"),)
    assert tags.origins["/command"].where == "reprocheck.argv"


@pytest.mark.parametrize("text", ["python a.py", "[]", '"python"', "[1]", '["python"', "{}"])
def test_a_command_that_is_no_list_of_words_is_a_finding(text):
    tags = reader({"reprocheck.argv": text})
    assert tags.command() is None
    assert [(f.code, f.severity) for f in tags.findings] == [("bad-tag", Severity.WARNING)]
    assert tags.findings[0].pointer == "/tags/reprocheck.argv"


@pytest.mark.parametrize("cwd", ["/etc", "../other", "a/../../b"])
def test_a_working_directory_outside_is_a_finding(cwd):
    tags = reader({"reprocheck.argv": '["python"]', "reprocheck.cwd": cwd})
    assert tags.command().steps[0].cwd == "."
    assert [f.code for f in tags.findings] == ["bad-tag"]


def test_recorded_seeds_win_over_parameters():
    tags = reader({"reprocheck.seeds": '{"numpy": 7}'}, {"seed": "3"})
    assert tags.seeds() == {"numpy": "7"}


def test_parameters_named_like_a_seed_are_seeds():
    parameters = {"seed": "3", "random_state": "None", "lr": "1"}
    assert reader(parameters=parameters).seeds() == {"seed": "3"}


def test_seeds_that_are_no_object_are_a_finding():
    tags = reader({"reprocheck.seeds": "7"}, {"seed": "3"})
    assert tags.seeds() == {"seed": "3"}
    assert [f.code for f in tags.findings] == ["bad-tag"]


def test_recorded_data_is_read():
    entries = [{"path": "a.csv", "md5": MD5, "size": 3}, {"path": "d", "md5": MD5 + ".dir"}]
    first, second = reader({"reprocheck.data": json.dumps(entries)}).data()
    assert (first.path, first.algorithm, first.digest, first.size) == ("a.csv", "md5", MD5, 3)
    assert second.digest.endswith(".dir")
    assert not first.weak


def test_recorded_data_may_have_a_place_outside_of_the_tree():
    entries = [
        {"path": "a.csv", "md5": "a" * 32, "seen_as": "/home/me/a.csv"},
        {"hub": "org/tiny", "revision": "b" * 40},
        {"hub": "datasets/org/rows"},
        {"url": "https://example.com/x", "cached_as": "torch/x.pth", "sha256": "c" * 64},
    ]
    tags = reader({"reprocheck.data": json.dumps(entries)})
    seen, model, rows, weights = tags.data()
    assert (seen.path, seen.seen_as, seen.place) == ("a.csv", "/home/me/a.csv", MaterialPlace.TREE)
    assert (model.source, model.digest, model.place) == (
        "hf://org/tiny",
        "b" * 40,
        MaterialPlace.HUB,
    )
    assert (rows.source, rows.digest) == ("hf://datasets/org/rows", "")
    assert (weights.path, weights.place) == (".cache/torch/x.pth", MaterialPlace.HOME)
    assert (weights.source, weights.digest) == ("https://example.com/x", "c" * 64)
    assert tags.findings == []


def test_data_without_a_digest_is_a_finding_and_the_rest_is_read():
    entries = [{"path": "a.csv"}, {"path": "b.csv", "sha256": SHA256}, 7]
    tags = reader({"reprocheck.data": json.dumps(entries)})
    assert [m.path for m in tags.data()] == ["b.csv"]
    assert [f.code for f in tags.findings] == ["bad-tag"]


def test_mlflows_own_digest_is_weak():
    (material,) = reader(datasets=[dataset({"uri": "data/a.csv"})]).data()
    assert (material.path, material.algorithm, material.digest) == (
        "data/a.csv",
        "mlflow",
        "8a1b2c3d",
    )
    assert material.weak
    assert material.source == "data/a.csv"


@pytest.mark.parametrize(
    ("tags", "algorithm", "digest"),
    [
        ({"dvc_md5": MD5}, "md5", MD5),
        ({"md5": MD5 + ".dir"}, "md5", MD5 + ".dir"),
        ({"sha256": SHA256}, "sha256", SHA256),
    ],
)
def test_a_digest_in_a_datasets_tags_is_strong(tags, algorithm, digest):
    (material,) = reader(datasets=[dataset({"uri": "a.csv"}, **tags)]).data()
    assert (material.path, material.algorithm, material.digest) == ("a.csv", algorithm, digest)
    assert not material.weak


def test_a_path_in_a_datasets_tags_wins_and_the_name_is_last():
    assert reader(datasets=[dataset({"uri": "x"}, path="a.csv")]).data()[0].path == "a.csv"
    assert reader(datasets=[dataset()]).data()[0].path == "train"


def test_a_datasets_tag_that_is_no_digest_is_a_finding():
    tags = reader(datasets=[dataset(md5="latest")])
    assert tags.data()[0].weak
    assert [f.code for f in tags.findings] == ["bad-tag"]


def test_recorded_data_hides_the_same_dataset():
    own = json.dumps([{"path": "a.csv", "md5": MD5}])
    tags = reader({"reprocheck.data": own}, datasets=[dataset({"uri": "a.csv"})])
    assert [m.algorithm for m in tags.data()] == ["md5"]
    assert set(tags.origins) == {"/data/0"}


@pytest.mark.parametrize(
    ("text", "approvals"),
    [
        ("ann", (Approval(by="ann", what=""),)),
        ('{"by": "ann", "what": "release"}', (Approval(by="ann", what="release"),)),
        ('["ann", "bob"]', (Approval(by="ann", what=""), Approval(by="bob", what=""))),
        ("  ", ()),
    ],
)
def test_approvals_are_names_or_json(text, approvals):
    assert reader({"approved_by": text}).approvals() == approvals


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_an_approval_says_who_signed_what_as_whom_and_when():
    signed = {"by": "ann", "what": "release", "role": "reviewer", "commit": COMMIT}
    tags = reader(
        {"approvals": json.dumps([{**signed, "at": "2026-02-01T12:00:00+01:00"}, signed])}
    )
    first, second = tags.approvals()
    assert first == Approval(**signed, at=datetime(2026, 2, 1, 11, tzinfo=UTC))
    assert second == Approval(**signed)
    assert tags.origins["/approvals/1"].where == "approvals"
    assert tags.findings == []


@pytest.mark.parametrize("text", ["ann", "{}", "[1.5]", "[{}]", '[{"by": 1}]', "[" * 5000, "true"])
def test_approvals_that_cannot_be_read_are_a_finding(text):
    tags = reader({"approvals": text})
    assert tags.approvals() == ()
    assert [f.code for f in tags.findings] == ["bad-tag"]


def test_both_tags_of_approvals_count():
    tags = reader({"approved_by": "ann", "approvals": '[{"by": "bob"}]'})
    assert [each.by for each in tags.approvals()] == ["ann", "bob"]
    assert tags.origins["/approvals/0"].where == "approved_by"


def test_logged_datasets_reach_the_record(store):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    found = Dataset("train", "8a1b2c3d", "local", '{"uri": "data/train.csv"}')
    run_id = store.log()
    from reprocheck.trackers.mlflow_settings import client_settings

    with client_settings():
        store.client.log_inputs(run_id, [DatasetInput(found, [InputTag("dvc.md5", MD5)])])
    (material,) = store.read(run_id).data
    assert (material.path, material.digest) == ("data/train.csv", MD5)
