"""Many runs of one process: what is large is stored once, and each run can be verified."""

import json

import pytest

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
