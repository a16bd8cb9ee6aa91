"""What a run left, read within limits; names are those that a trial's products have."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from reprocheck.errors import ReadError
from reprocheck.model import RunRecord
from reprocheck.progress import Silent
from reprocheck.trackers import open_tracker
from reprocheck.trackers.base import Fetched
from reprocheck.trackers.mlflow import MlflowTracker
from reprocheck.trackers.mlflow_collect import collect_runs
from reprocheck.trackers.mlflow_products import Limits
from reprocheck.trackers.mlflow_settings import client_settings

ARTIFACTS = {"out/a.json": "[1]", "b.txt": "b", "reprocheck/record.json": "{}"}


def fetch(store, run_id: str, folder: Path, **limits: int) -> tuple[Fetched, RunRecord]:
    tracker = MlflowTracker(store.uri, store.artifact_roots, store.folder / "scratch")
    try:
        record = tracker.read(run_id)
        if not limits:
            return tracker.products(record, folder, Silent()), record
        opened = tracker._opened()
        with client_settings(opened.uri):
            reader = tracker._reader(opened, record, folder)
            reader.limits = Limits(**limits)
            return reader.products(record, Silent()), record
    finally:
        tracker.close()


def log_models(store, run_id: str, *names: str) -> None:
    from mlflow.entities import LoggedModelOutput

    with client_settings(store.uri):
        for number, name in enumerate(names):
            folder = store.folder / f"model-{number}"
            folder.mkdir()
            (folder / "MLmodel").write_text(f"number: {number}")
            model = store.client.create_logged_model(
                store.experiment, name=name, source_run_id=run_id
            )
            store.client.log_model_artifacts(model.model_id, str(folder))
            output = LoggedModelOutput(model_id=model.model_id, step=0)
            store.client.log_outputs(run_id, [output])


def test_artifacts_and_models_are_read_by_digest(store, tmp_path):
    run_id = store.log(artifacts={**ARTIFACTS, "roc.png": "no image yet"})
    log_models(store, run_id, "net")
    found, _ = fetch(store, run_id, tmp_path / "products")
    assert {product.path: product.sha256 for product in found.products} == {
        path: hashlib.sha256(text.encode()).hexdigest()
        for path, text in {
            "out/a.json": "[1]",
            "b.txt": "b",
            "roc.png": "no image yet",
            "models/net/MLmodel": "number: 0",
        }.items()
    }
    assert found.findings == ()
    assert {path: file.read_text() for path, file in found.files.items()} == {
        "out/a.json": "[1]",
        "roc.png": "no image yet",
    }
    # Downloads that will not be read again are removed.
    assert len(list((tmp_path / "products").rglob("*.*"))) <= 2


def test_models_of_one_name_are_told_apart_alike_on_both_sides(files):
    run_id = files.log(metrics={"loss": [1.0]})
    log_models(files, run_id, "net", "net", "other")
    found, record = fetch(files, run_id, files.folder / "products")
    ours = {product.path: product.sha256 for product in found.products}
    assert list(ours) == ["models/net#2/MLmodel", "models/net/MLmodel", "models/other/MLmodel"]
    assert list(ours) == [artifact.path for artifact in record.artifacts]
    shutil.copytree(files.folder / "artifacts" / "models", files.folder / "mlruns/x/models")
    for meta in (files.folder / "mlruns").glob("*/models/*/meta.yaml"):
        made = files.folder / "mlruns" / "x" / "models" / meta.parent.name
        if made != meta.parent:
            shutil.copytree(made / "artifacts", meta.parent / "artifacts")
    (run,) = collect_runs(files.folder / "mlruns")
    assert {product.path: product.sha256 for product in run.products} == ours


def test_what_is_too_large_is_told_and_not_read(database, tmp_path):
    run_id = database.log(artifacts={"a.json": "[1]", "b.json": "[1234567]", "c.json": "[12]"})
    found, _ = fetch(database, run_id, tmp_path, file=8, all=100)
    assert [(p.path, bool(p.sha256)) for p in found.products] == [
        ("a.json", True), ("b.json", False), ("c.json", True)
    ]  # fmt: skip
    (finding,) = found.findings
    assert finding.code == "unread-products"
    assert finding.message.endswith("not read: b.json")
    found, _ = fetch(database, run_id, tmp_path, file=100, all=8)
    assert [bool(p.sha256) for p in found.products] == [True, False, True]


def test_a_root_that_has_gone_since_is_a_finding(database, tmp_path):
    run_id = database.log(artifacts=ARTIFACTS)
    tracker = open_tracker(database.uri, {}, database.folder / "scratch")
    record = tracker.read(run_id)
    shutil.rmtree(database.folder / "artifacts")
    found = tracker.products(record, tmp_path / "products", Silent())
    assert [product.sha256 for product in found.products] == ["", ""]
    assert [finding.code for finding in found.findings] == ["artifacts-unreachable"]
    with pytest.raises(ReadError, match=r"Reading out/a.json"):
        tracker.file(record, "out/a.json", tmp_path)
    tracker.close()


def test_one_artifact_is_fetched_as_a_file(store, tmp_path):
    run_id = store.log(artifacts=ARTIFACTS)
    tracker = open_tracker(store.uri, {}, store.folder / "scratch")
    record = tracker.read(run_id)
    assert tracker.file(record, "out/a.json", tmp_path / "one").read_text() == "[1]"
    tracker.close()


def test_a_link_out_of_the_artifacts_is_not_followed(database, tmp_path):
    run_id = database.log(artifacts=ARTIFACTS)
    tracker = open_tracker(database.uri, {}, database.folder / "scratch")
    record = tracker.read(run_id)
    (file,) = database.folder.glob("artifacts/*/artifacts/out/a.json")
    file.unlink()
    file.symlink_to("/etc/hostname")
    with pytest.raises(ReadError):
        tracker.file(record, "out/a.json", tmp_path)
    tracker.close()


def test_several_artifacts_are_files_by_their_names(store, tmp_path):
    run_id = store.log(artifacts={"code/train.py": "1", "code/sub/a.py": "2"})
    log_models(store, run_id, "net")
    tracker = MlflowTracker(store.uri, store.artifact_roots, store.folder / "scratch")
    try:
        record = tracker.read(run_id)
        paths = ["code/train.py", "code/sub/a.py", "models/net/MLmodel"]
        files = tracker.files(record, paths, tmp_path / "stored")
        assert [files[path].read_text() for path in paths] == ["1", "2", "number: 0"]
        with pytest.raises(ReadError, match=r"Reading code/gone\.py"):
            tracker.files(record, ["code/gone.py"], tmp_path / "stored")
    finally:
        tracker.close()
