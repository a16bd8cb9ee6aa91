"""Addresses of stores: folders are not written to, and what cannot be opened is told."""

from pathlib import Path

import pytest

from reprocheck.errors import MissingStoreError, ReadError


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def test_reading_a_folder_of_runs_creates_nothing_in_it(files):
    run_id = files.log(metrics={"loss": [1.0]}, artifacts={"a.txt": "a"})
    (files.folder / "mlruns" / ".trash").rmdir()
    before = tree(files.folder / "mlruns")
    files.read(run_id[:8])
    assert tree(files.folder / "mlruns") == before


def test_a_plain_relative_path_is_a_folder_of_runs(files, monkeypatch):
    run_id = files.log()
    monkeypatch.chdir(files.folder)
    files.uri = "./mlruns"
    assert files.read(run_id).ref.run_id == run_id


def test_a_folder_that_moved_still_has_its_artifacts(files):
    with_default_root = files.client_default_experiment()
    run_id = with_default_root.log(artifacts={"requirements.txt": "numpy"})
    (files.folder / "mlruns").rename(files.folder / "elsewhere")
    files.uri = str(files.folder / "elsewhere")
    record = files.read(run_id)
    assert [f.content for f in record.files] == [b"numpy"]
    assert record.findings == ()


@pytest.mark.parametrize("uri", ["{}/none", "file://{}/none"])
def test_a_missing_folder_is_told_and_not_made(files, uri):
    files.uri = uri.format(files.folder)
    with pytest.raises(MissingStoreError, match="no MLflow store at"):
        files.read("0" * 32)
    assert not (files.folder / "none").exists()


def test_a_folder_without_runs_is_told(files, tmp_path):
    (tmp_path / "src").mkdir()
    files.uri = str(tmp_path / "src")
    with pytest.raises(MissingStoreError, match="not an MLflow store"):
        files.read("0" * 32)
    assert list((tmp_path / "src").iterdir()) == []


@pytest.mark.parametrize("uri", ["ftp://host/x", "s3://bucket/mlruns", "sqlite://", "sqlite:///"])
def test_what_is_no_tracker_is_told(database, uri):
    database.uri = uri
    with pytest.raises(MissingStoreError):
        database.read("0" * 32)


def test_a_missing_database_driver_is_told_without_the_password(database):
    database.uri = "postgresql+psycopg2://ann:s3cret@127.0.0.1:1/mlflow"
    with pytest.raises(ReadError, match="needs a database driver") as caught:
        database.read("0" * 32)
    assert "psycopg2" in caught.value.hint
    assert "s3cret" not in caught.value.message


def test_a_corrupt_run_is_told(files):
    run_id = files.log()
    meta = files.folder / "mlruns" / files.experiment / run_id / "meta.yaml"
    meta.write_text("start_time: [")
    with pytest.raises(ReadError):
        files.read(run_id)
