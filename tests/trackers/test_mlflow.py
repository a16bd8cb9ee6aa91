"""The tracker as a whole: the same run in each kind of store, and what cannot be read."""

from dataclasses import replace
from math import inf, isnan, nan

import pytest

from reprocheck.errors import ReadError, UnfinishedRunError, UnknownRunError
from reprocheck.metadata import validate
from reprocheck.model import Origin, OriginKind, RunStatus
from reprocheck.trackers.mlflow_settings import client_settings

FULL = {
    "parameters": {"lr": "0.1", "seed": "3", "long": "x" * 6000},
    "metrics": {"loss": [1.0, 0.5, 0.25], "bad": [1.0, nan], "top": [inf], "bottom": [-inf]},
    "tags": {"mlflow.source.git.commit": "a" * 40, "mlflow.note.content": "first try"},
    "artifacts": {"env/requirements.txt": "numpy==1", "out/model.bin": "0101"},
}


def test_a_run_reads_the_same_from_each_kind_of_store(store):
    run_id = store.log(**FULL)
    record = store.read(run_id)
    assert record.ref.run_id == run_id
    assert (record.name, record.status) == ("a run", RunStatus.FINISHED)
    assert record.experiment.startswith("digits")
    assert record.parameters == FULL["parameters"]
    assert record.truncated == {"long"}
    assert [p.value for p in record.metrics["loss"].history] == [1.0, 0.5, 0.25]
    assert [p.step for p in record.metrics["loss"].history] == [0, 1, 2]
    assert isnan(record.metrics["bad"].value)
    assert (record.metrics["top"].value, record.metrics["bottom"].value) == (inf, -inf)
    assert [a.path for a in record.artifacts] == ["env/requirements.txt", "out/model.bin"]
    assert [(f.path, f.content) for f in record.files] == [("env/requirements.txt", b"numpy==1")]
    assert (record.description, record.code.commit) == ("first try", "a" * 40)
    assert record.duration_s == 60
    assert record.findings == ()


def test_only_a_server_has_a_page(served, database):
    run_id = served.log()
    assert (
        served.read(run_id).url == f"{served.uri}/#/experiments/{served.experiment}/runs/{run_id}"
    )
    assert database.read(database.log()).url is None


def test_a_history_of_many_points_is_read_whole(store):
    values = [float(step) for step in range(60)]
    assert len(store.read(store.log(metrics={"loss": values})).metrics["loss"].history) == 60


def test_points_are_ordered_by_step_then_time(database):
    run_id = database.log()
    for value, time, step in ((3.0, 30, 1), (1.0, 20, 0), (2.0, 10, 1)):
        database.client.log_metric(run_id, "loss", value, time, step)
    assert [p.value for p in database.read(run_id).metrics["loss"].history] == [1.0, 2.0, 3.0]


def test_an_unknown_run_is_told_with_the_address(store):
    with pytest.raises(UnknownRunError, match="has no run " + "0" * 32):
        store.read("0" * 32)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, "still running"),
        ("FAILED", "failed"),
        ("KILLED", "was killed"),
        ("SCHEDULED", "not started"),
    ],
)
def test_a_run_that_did_not_finish_is_not_read(database, status, told):
    with pytest.raises(ReadError, match=told) as caught:
        database.read(database.log(status=status))
    assert not caught.value.usage


def test_a_deleted_run_is_not_read(database):
    run_id = database.log()
    database.client.delete_run(run_id)
    with pytest.raises(ReadError, match="was deleted"):
        database.read(run_id[:12])


def test_closing_leaves_nothing_in_the_scratch_folder(store):
    store.read(store.log(**FULL))
    assert list((store.folder / "scratch").iterdir()) == []


def test_origins_say_where_a_fact_was_found(database):
    origins = database.read(database.log(**FULL)).origins
    assert origins["/code/commit"] == Origin(kind=OriginKind.TAG, where="mlflow.source.git.commit")
    assert origins["/parameters"] == Origin(kind=OriginKind.TRACKER, where=database.uri)
    assert origins["/seeds"].where == "parameter seed"
    assert "/command" not in origins


def test_a_second_read_uses_the_opened_store(database):
    first, second = database.log(), database.log(tags={"x": "y"})
    from reprocheck.trackers import open_tracker

    tracker = open_tracker(database.uri, {}, database.folder / "scratch")
    assert replace(tracker.read(first), origins={}).ref.run_id == first
    assert tracker.read(second).tags["x"] == "y"
    tracker.close()


def test_values_of_one_millisecond_are_told_where_the_store_loses_their_order(store):
    client = store.client
    run_id = store.log()
    with client_settings():
        for value in (0.9, 0.4, 0.6):
            client.log_metric(run_id, "tied", value, timestamp=1_000, step=3)
            client.log_metric(run_id, "steps", value, timestamp=1_000, step=int(10 * value))
    codes = [finding.code for finding in store.read(run_id).findings]
    assert codes == ([] if store.uri.startswith("file") else ["ambiguous-value"])


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_a_run_without_a_result_is_read_when_it_is_asked_for(database, status):
    run_id = database.log(metrics={"accuracy": [0.8]}, status=None)
    with client_settings():
        database.client.update_run(run_id, status=status)
    record = database.read(run_id, finished=False)
    assert record.status.name == status
    (finding,) = [each for each in validate(record) if each.code == "unfinished-run"]
    assert ("set_terminated" in finding.fix) == (status == "RUNNING")


def test_a_deleted_run_says_how_it_is_restored(database):
    run_id = database.log(metrics={"accuracy": [0.8]})
    with client_settings():
        database.client.delete_run(run_id)
    with pytest.raises(UnfinishedRunError):
        database.read(run_id)
    found = database.read(run_id, finished=False).findings
    (fix,) = [each.fix for each in found if each.code == "deleted-run"]
    assert fix == f"MLFLOW_TRACKING_URI={database.uri} mlflow runs restore --run-id {run_id}"
