"""Where artifacts are, and what happens when they are not."""

import shutil
from pathlib import Path

import pytest

from reprocheck.model import Severity
from reprocheck.trackers.mlflow_artifacts import LocalRoot, moved_uri

REQUIREMENTS = {"requirements.txt": "numpy"}


def test_a_vanished_folder_is_a_finding_and_spoils_nothing_else(database):
    run_id = database.log(artifacts=REQUIREMENTS, metrics={"loss": [1.0]})
    lost = database.client.create_experiment("lost", artifact_location="/nowhere/else/mlruns/1")
    database.experiment = lost
    run_id = database.client.create_run(lost).info.run_id
    database.client.log_metric(run_id, "loss", 1.0)
    database.client.set_terminated(run_id)
    record = database.read(run_id)
    assert record.metrics["loss"].value == 1.0
    (finding,) = record.findings
    assert (finding.code, finding.severity) == ("artifacts-unreachable", Severity.WARNING)
    assert "/nowhere/else/mlruns/1" in finding.message
    assert "tracker.artifact_roots" in finding.hint
    assert not Path("/nowhere").exists()


def test_a_moved_folder_is_found_through_the_config(database):
    run_id = database.log(artifacts=REQUIREMENTS)
    old, new = database.folder / "artifacts", database.folder / "moved" / "here"
    shutil.copytree(old, new)
    shutil.rmtree(old)
    database.artifact_roots = {old.as_uri(): str(new)}
    assert [f.content for f in database.read(run_id).files] == [b"numpy"]


@pytest.mark.parametrize("location", ["s3://bucket/x", "hdfs://host/x", "mlflow-artifacts:/x"])
def test_storage_that_cannot_be_read_from_here_is_a_finding(database, location):
    database.experiment = database.client.create_experiment("far", artifact_location=location)
    record = database.read(database.log(parameters={"lr": "1"}))
    assert [f.code for f in record.findings] == ["artifacts-unreachable"]
    assert record.parameters == {"lr": "1"}


def test_a_run_without_artifacts_has_no_finding(store):
    before = set(store.folder.iterdir())
    record = store.read(store.log())
    assert (record.artifacts, record.findings) == ((), ())
    assert set(store.folder.iterdir()) - before == {store.folder / "scratch"}


def test_more_than_2000_files_are_cut_with_a_note(database):
    run_id = database.log(artifacts={"out/first.txt": "a"})
    folder = database.folder / "artifacts" / run_id / "artifacts" / "out"
    for number in range(2100):
        (folder / f"{number}.bin").touch()
    record = database.read(run_id)
    assert len(record.artifacts) == 2000
    assert [(f.code, f.severity) for f in record.findings] == [
        ("artifacts-truncated", Severity.NOTE)
    ]


def test_a_link_out_of_the_artifacts_is_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("s3cret")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "requirements.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "root" / "own.txt").write_text("own")
    (tmp_path / "root" / "link.txt").symlink_to("own.txt")
    root = LocalRoot(uri="root", folder=tmp_path / "root")
    assert [a.path for a in root.files()] == ["link.txt", "own.txt"]


@pytest.mark.parametrize(
    ("uri", "moved"),
    [
        ("file:///old/mlruns/1/r/artifacts", "./mlruns/1/r/artifacts"),
        ("/old/mlruns/1/r/artifacts", "./mlruns/1/r/artifacts"),
        ("file:///old/mlruns2/1", "file:///old/mlruns2/1"),
        ("s3://bucket/a/b", "/mnt/a/b"),
        ("s3://bucket/deep/b", "/deep/b"),
        ("mlflow-artifacts:/1/r", "/srv/1/r"),
    ],
)
def test_the_longest_mapped_beginning_is_replaced(uri, moved):
    roots = {
        "file:///old/mlruns": "./mlruns",
        "s3://bucket": "/mnt/",
        "s3://bucket/deep": "/deep",
        "mlflow-artifacts:/": "/srv",
    }
    assert moved_uri(uri, roots) == moved
