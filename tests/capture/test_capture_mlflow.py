"""Installed beside MLflow it needs no code: runs of a script, read back by reprocheck's tracker."""

import json
import os
import subprocess
import sys

import pytest

from reprocheck.model import TreeState
from reprocheck.record_files import read_record_file
from reprocheck.trackers import open_tracker

SCRIPT = """\
import mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.5)
    with mlflow.start_run(nested=True):
        mlflow.log_metric("accuracy", 0.25)
print(run.info.run_id)
"""


@pytest.fixture
def train(installed, repo):
    """Runs train.py with an argument list, and answers the id of the run that it logs."""
    repo.commit({"src/train.py": SCRIPT, "lib.py": "a = 1\n", ".gitignore": "store\n"})
    repo.git("remote", "add", "origin", "https://me:pw@example.com/a.git")

    def run(*args, python=sys.executable, **env):
        store = (repo.path / "store").as_uri()
        given = {"MLFLOW_TRACKING_URI": store, "MLFLOW_ALLOW_FILE_STORE": "true", **env}
        given = {
            **os.environ,
            "PYTHONPATH": str(installed),
            "AWS_SECRET_ACCESS_KEY": "xyz",
            **given,
        }
        done = subprocess.run(
            [python, "-W", "ignore:reprocheck-capture", "train.py", *args],
            cwd=repo.path / "src",
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "reprocheck" not in done.stderr
        return done.stdout.split()[-1]

    return run


def read(repo, tmp_path, run_id):
    tracker = open_tracker((repo.path / "store").as_uri(), {}, tmp_path / "scratch")
    try:
        return tracker.read(run_id)
    finally:
        tracker.close()


def test_a_run_and_its_child_tell_how_they_ran(train, repo, tmp_path):
    repo.write({"lib.py": "a = 2\n", "new.py": "b = 1\n"})
    secrets = ("--api-key", "abc123", "--seed", "7")
    record = read(repo, tmp_path, train(*secrets, PYTHONHASHSEED="3", LD_PRELOAD=""))
    (step,) = record.command.steps
    assert step.run.args[0] == "python"
    assert step.run.args[-5:] == ("train.py", "--api-key", "***", "--seed", "7")
    assert step.cwd == "src"
    assert record.seeds == {"seed": "7"}
    assert record.code.commit == repo.git("rev-parse", "HEAD")
    assert (record.code.tree, record.code.branch) == (TreeState.DIRTY, "main")
    assert record.code.repository == "https://example.com/a.git"
    assert b"+a = 2" in record.code.patch.content
    assert record.hardware["PYTHONHASHSEED"] == "3"
    assert record.hardware["cpu_count"]
    assert [(f.path, bool(f.sha256), f.artifact) for f in record.code.untracked] == [
        ("new.py", True, "reprocheck/untracked/new.py")
    ]
    files = {file.path: file.content for file in record.files}
    assert b"reprocheck-capture==" in files["reprocheck/environment/freeze.txt"]
    assert [f for f in record.findings if f.code == "bad-tag"] == []
    stored = b"".join(p.read_bytes() for p in (repo.path / "store").rglob("*") if p.is_file())
    assert b"xyz" not in stored
    assert b"abc123" not in stored
    (child,) = record_ids(repo) - {record.ref.run_id}
    (own,) = (repo.path / "store").glob(f"*/{record.ref.run_id}/artifacts/reprocheck/record.json")
    told = read_record_file(own)  # by its schema
    assert told.command.steps == record.command.steps
    assert (told.hardware, told.seeds) == (record.hardware, record.seeds)
    assert told.code.tree is TreeState.DIRTY
    assert read(repo, tmp_path, child).code.patch == record.code.patch


def record_json(record):
    (content,) = (f.content for f in record.files if f.path == "reprocheck/record.json")
    return json.loads(content)


def record_ids(repo):
    return {path.parent.name for path in (repo.path / "store").glob("*/*/meta.yaml")} - {"traces"}


def test_a_run_that_another_program_created_as_mlflow_run_does_is_recorded_too(
    train, repo, tmp_path
):
    from mlflow import MlflowClient

    from reprocheck.trackers.mlflow_settings import client_settings

    with client_settings():
        client = MlflowClient((repo.path / "store").as_uri())
        run_id = client.create_run("0", tags={"mlflow.source.name": "as it was"}).info.run_id
    assert train(MLFLOW_RUN_ID=run_id) == run_id
    record = read(repo, tmp_path, run_id)
    assert record.command.steps[0].run.args[-1] == "train.py"
    assert (record.code.tree, record.code.script) == (TreeState.CLEAN, "as it was")
    assert record_json(record)["run_id"] == run_id


MORE = """\
import os, sys
import mlflow, numpy
import reprocheck_capture
from reprocheck_capture import record, runs

reprocheck_capture.log_provenance({"train": "data"}, predictions="predictions.csv")
run_id = mlflow.active_run().info.run_id
mlflow.log_input(mlflow.data.from_numpy(numpy.zeros(3)), context="training")
mlflow.end_run()
sys.orig_argv = ["python", "evaluate.py"]  # as if it were another process
record._known.clear()
runs._seen.clear()
mlflow.start_run(run_id=run_id)
reprocheck_capture.log_provenance("predictions.csv", "no such file")
mlflow.end_run()
os.environ["REPROCHECK_CAPTURE"] = "off"  # as in a rerun
with mlflow.start_run() as off:
    reprocheck_capture.log_provenance("data", "predictions.csv")
print(off.info.run_id, run_id)
"""


def test_one_line_records_data_and_predictions_and_another_command_changes_nothing(
    train, repo, tmp_path
):
    files = {"src/data/a.csv": "1\n", "src/data/b.csv": "2\n", "src/predictions.csv": "1\n"}
    repo.commit({**files, "src/train.py": MORE})
    run_id = train("--names", *["x" * 1500] * 3)
    record = read(repo, tmp_path, run_id)
    assert [(each.path, each.algorithm, each.size) for each in record.data] == [
        ("src/data/a.csv", "sha256", 2),
        ("src/data/b.csv", "sha256", 2),
        ("dataset", "mlflow", None),
    ]
    assert "predictions/predictions.csv" in [each.path for each in record.artifacts]
    document = record_json(record)
    # Too long for a tag, and so for the data set that MLflow copies the tags into.
    assert "reprocheck.argv" not in record.tags
    assert len(record.command.steps[0].run.args[-1]) == 1500
    assert record.origins["/command"].where == "reprocheck/record.json"
    assert "tag reprocheck.argv" in document["capture"]["missing"]
    assert document["capture"]["datasets"] == {"train": ["src/data/a.csv", "src/data/b.csv"]}
    (other,) = record_ids(repo) - {run_id}
    rerun = read(repo, tmp_path, other)
    assert [each.path for each in rerun.artifacts] == ["predictions/predictions.csv"]
    assert not any(name.startswith("reprocheck.") for name in rerun.tags)
    assert json.loads(record.tags["reprocheck.resumed"]) == [["python", "evaluate.py"]]


BOTH = """\
import os, mlflow
from mlflow.tracking import MlflowClient
created = MlflowClient().create_run("0").info.run_id
os.environ["MLFLOW_RUN_ID"] = created
with mlflow.start_run():
    pass
with mlflow.start_run() as started:
    pass
print(created, started.info.run_id)
"""


@pytest.mark.parametrize("version", ["1.30.1", "2.22.0"])
def test_older_versions_of_mlflow_record_as_much(train, repo, tmp_path, python_with, version):
    repo.write({"src/train.py": BOTH})
    started = train("--seed", "7", python=python_with(version))
    for run_id in record_ids(repo):
        record = read(repo, tmp_path / run_id, run_id)
        assert record.command.steps[0].run.args[-3:] == ("train.py", "--seed", "7")
        assert record.code.patch.sha256 is not None
        assert b"+import os, mlflow" in record.code.patch.content
        assert any("freeze" in file.path for file in record.files)
    assert len(record_ids(repo) - {started}) == 1
