"""Many runs of one process: what is large is stored once, and each run can be verified."""

import json
import threading
import time

import pytest
from reprocheck_capture import upload

SWEEP = """
import mlflow, time
with mlflow.start_run() as parent:
    began = time.monotonic()
    for i in range(10):
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("accuracy", i)
    took = time.monotonic() - began
with mlflow.start_run() as later:
    pass
assert took < 5, took
print(parent.info.run_id, child.info.run_id, later.info.run_id)
"""


def kept(tmp_path, run_id):
    folder = tmp_path / "artifacts" / run_id / "artifacts/reprocheck"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def sweep(team):
    """Ids of a parent, its last child, and a later run, of a process with a patch of 2 MB."""
    team.repo.commit({"lib.py": "a = 1\n", "train.py": ""})
    team.repo.write({"lib.py": "a = 2\n" * 300_000, "new.py": "b = 1\n"})
    return team.train(SWEEP, commit=False)


def test_a_large_patch_is_stored_once_and_read_for_each_run(team, tmp_path, sweep):
    parent, *others = sweep
    assert {"source.patch", "untracked/new.py", "record.json"} <= kept(tmp_path, parent)
    whole = team.read(parent)
    for run_id in others:
        assert kept(tmp_path, run_id) == {"record.json"}
        found = team.read(run_id)
        assert found.tags["reprocheck.artifacts"] == parent
        assert found.code.patch == whole.code.patch
        assert found.code.untracked == whole.code.untracked
        assert {f.path for f in found.files} == {f.path for f in whole.files}
        assert found.findings == whole.findings == ()


def test_untracked_files_come_from_the_run_that_keeps_them(team, tmp_path, sweep):
    from reprocheck.trackers import open_tracker

    tracker = open_tracker(team.uri, {}, tmp_path / "scratch")
    try:
        record = tracker.read(sweep[1])
        (file,) = (f for f in record.code.untracked if f.path == "new.py")
        fetched = tracker.files(record, [file.artifact], tmp_path / "fetched")
    finally:
        tracker.close()
    assert fetched[file.artifact].read_text() == "b = 1\n"


def test_what_the_keeping_run_has_lost_or_changed_does_not_count(team, tmp_path, sweep):
    parent, child, _ = sweep
    place = tmp_path / "artifacts" / parent / "artifacts/reprocheck/source.patch"
    place.write_bytes(b"other")
    found = team.read(child)
    assert found.code.patch is None
    assert [f.code for f in found.findings] == ["holder-changed"]
    team.sql("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", parent)
    assert [f.code for f in team.read(child).findings] == ["holder-changed"]  # it is still there
    for table in ("metrics", "latest_metrics", "params", "tags", "runs"):
        team.sql(f"DELETE FROM {table} WHERE run_uuid = ?", parent)
    (finding,) = team.read(child).findings
    assert finding.code == "holder-unreachable"
    assert finding.fix == f"mlflow runs restore --run-id {parent}"


def test_a_record_that_names_no_files_of_its_own_folder_is_not_followed():
    from reprocheck.model import Origin, OriginKind, RecordedFile
    from reprocheck.trackers.mlflow_held import RECORD, held

    origin = Origin(kind=OriginKind.ARTIFACT, where=RECORD)
    for told in ({"run_id": "a", "files": {"model/weights": "0"}}, {"files": {}}, [], None):
        content = json.dumps({"capture": {"held": told}}).encode()
        assert held([RecordedFile(path=RECORD, content=content, origin=origin)]) is None


BY_ID = """
import mlflow, reprocheck_capture
client = mlflow.MlflowClient()
run_id = client.create_run("0").info.run_id  # which starts no run
reprocheck_capture.log_provenance("lib.py", predictions="lib.py", run_id=run_id)
client.set_terminated(run_id)
assert mlflow.active_run() is None
print(run_id)
"""


def test_one_line_records_a_run_of_mlflows_client_by_its_id(team):
    (run_id,) = team.train(BY_ID)
    found = team.read(run_id)
    assert [each.path for each in found.data] == ["lib.py"]
    assert found.command.steps[0].run.args == ("python", "train.py")
    assert found.sealed.tags["reprocheck.tree"] == "clean"
    assert "predictions/lib.py" in [each.path for each in found.artifacts]


KILLED = """
import mlflow, os
with mlflow.start_run() as parent:
    with mlflow.start_run(nested=True) as ended:
        mlflow.log_metric("accuracy", 0.5)
    child = mlflow.start_run(nested=True)
    print(parent.info.run_id, ended.info.run_id, child.info.run_id, flush=True)
    os._exit(0)
"""


def test_a_childs_record_is_stored_at_its_end_and_is_its_parents_until_then(team, tmp_path):
    team.repo.commit()
    team.repo.write({"lib.py": "a = 2\n"})
    parent, ended, killed = team.train(KILLED, commit=False)
    assert kept(tmp_path, parent) == kept(tmp_path, ended) != kept(tmp_path, killed) == set()
    team.sql("UPDATE runs SET status = 'FINISHED', end_time = 1 WHERE status = 'RUNNING'")
    below = team.read(killed)
    assert (below.code, below.command) == (team.read(parent).code, team.read(ended).command)
    assert (below.sealed, team.read(ended).sealed.metrics["accuracy"].value) == (None, 0.5)


def test_a_store_that_does_not_answer_delays_many_runs_once(monkeypatch):
    monkeypatch.setattr(upload, "_patience", [0.7])
    go_on = threading.Event()
    stuck = threading.Thread(target=go_on.wait, daemon=True)
    stuck.start()
    began = time.monotonic()
    for run_id in "abc":
        upload._uploads[run_id] = stuck
        upload.wait(run_id)
    go_on.set()
    assert time.monotonic() - began < 3
    assert upload._patience[0] < 0.5
