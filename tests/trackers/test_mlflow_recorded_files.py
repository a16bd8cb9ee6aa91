"""Which files count as a run's record, and in which order."""

import pytest

from reprocheck.model import OriginKind, TreeState
from reprocheck.trackers.mlflow_settings import client_settings


@pytest.mark.parametrize(
    "path",
    [
        "requirements.txt",
        "a/requirements-dev.txt",
        "pip_freeze.txt",
        "conda.yaml",
        "a/b/environment.yml",
        "python_env.yaml",
        "Dockerfile",
        "Dockerfile.gpu",
        "uv.lock",
        "dvc.lock",
        "conda-lock.yml",
        "pyproject.toml",
        "MLproject",
        "data/train.csv.dvc",
        "dvc.yaml",
        "params.yaml",
        ".hydra/overrides.yaml",
        "outputs/1/.hydra/hydra.yaml",
        "reprocheck/anything.bin",
    ],
)
def test_a_file_that_names_an_environment_or_data_is_kept(database, path):
    record = database.read(database.log(artifacts={path: "content", "other.txt": "x"}))
    assert [(f.path, f.content) for f in record.files] == [(path, b"content")]


def test_reprochecks_own_files_come_first_and_models_last(store):
    artifacts = {
        "model/MLmodel": "flavors: {}",
        "model/requirements.txt": "a",
        "model/data/conda.yaml": "b",
        "aaa/requirements.txt": "c",
        "reprocheck/environment/requirements.txt": "d",
    }
    files = store.read(store.log(artifacts=artifacts)).files
    assert [(f.path, f.origin.kind) for f in files] == [
        ("reprocheck/environment/requirements.txt", OriginKind.ARTIFACT),
        ("aaa/requirements.txt", OriginKind.ARTIFACT),
        ("model/MLmodel", OriginKind.MODEL),
        ("model/requirements.txt", OriginKind.MODEL),
        ("model/data/conda.yaml", OriginKind.MODEL),
    ]


def test_the_files_of_a_logged_model_are_kept(store):
    from mlflow.entities import LoggedModelOutput

    run_id = store.log(artifacts={"requirements.txt": "run"})
    (store.folder / "net").mkdir()
    (store.folder / "net" / "MLmodel").write_text("flavors: {}")
    (store.folder / "net" / "requirements.txt").write_text("model")
    (store.folder / "net" / "weights.bin").write_text("0101")
    with client_settings():
        client = store.client
        model = client.create_logged_model(store.experiment, "net", source_run_id=run_id)
        client.log_model_artifacts(model.model_id, str(store.folder / "net"))
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(model_id=model.model_id, step=0)])
    record = store.read(run_id)
    assert [(f.path, f.content, f.origin.kind) for f in record.files] == [
        ("requirements.txt", b"run", OriginKind.ARTIFACT),
        ("models/net/MLmodel", b"flavors: {}", OriginKind.MODEL),
        ("models/net/requirements.txt", b"model", OriginKind.MODEL),
    ]
    assert "models/net/weights.bin" in [a.path for a in record.artifacts]
    assert record.findings == ()


def test_a_big_file_is_left_out_with_a_note(store):
    record = store.read(store.log(artifacts={"uv.lock": "x" * 1_000_001, "dvc.lock": "y"}))
    assert [f.path for f in record.files] == ["dvc.lock"]
    assert [f.code for f in record.findings] == ["recorded-file-skipped"]


def test_the_patch_is_kept_with_its_recorded_digest(store):
    patch = "diff --git a/x b/x\n" * 100_000
    record = store.read(
        store.log(
            artifacts={"reprocheck/source.patch": patch},
            tags={"reprocheck.patch.sha256": "0" * 64, "reprocheck.tree": "dirty"},
        )
    )
    assert record.code.patch.content == patch.encode()
    assert record.code.patch.sha256 == "0" * 64
    assert record.code.tree is TreeState.DIRTY
    assert record.origins["/code/patch"].where == "reprocheck/source.patch"


def test_hardware_comes_from_the_record(database):
    record = database.log(artifacts={"reprocheck/record.json": '{"hardware": {"cpus": 2}}'})
    assert database.read(record).hardware == {"cpus": "2"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"hardware": 3}'])
def test_a_record_that_is_not_one_has_no_hardware(database, text):
    record = database.log(artifacts={"reprocheck/record.json": text})
    assert database.read(record).hardware == {}


def test_the_experiment_definition_of_a_run_is_read(store):
    text = "version: 1\nmetrics: {primary: {acc: {margin: {abs: 0.01}}}}\n"
    record = store.read(store.log(artifacts={"experiment.yaml": text, "a/experiment.yaml": "x"}))
    assert record.definition.primary == ("acc",)
    assert record.definition.origin.where == "experiment.yaml"
    assert [file.path for file in record.files] == ["experiment.yaml"]


def test_a_broken_definition_is_told_and_does_not_count(database):
    record = database.read(database.log(artifacts={"reprocheck/experiment.yaml": "version: 7"}))
    assert record.definition is None
    assert "broken-definition" in {finding.code for finding in record.findings}
