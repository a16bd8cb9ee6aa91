"""Verdicts written into real MLflow stores: sqlite, a folder, a server."""

from __future__ import annotations

import dataclasses
import math
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reprocheck import late_writes
from reprocheck.errors import MissingStoreError, ReprocheckError, WriteBackError
from reprocheck.model import Metric, Point, Report, Stage, Trial, Verdict
from reprocheck.trackers import open_writer
from reprocheck.trackers.base import WriteBack, WrittenBack
from reprocheck.trackers.mlflow_settings import client_settings
from reprocheck.trackers.mlflow_write_back import _tags
from tests.reporters.builders import make_acceptance, make_record, make_report, make_trial
from tests.trackers.conftest import START, Store

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
LINK = "https://github.com/acme/digits/actions/runs/7"


def trial(index: int, *values: float, **changes: Any) -> Trial:
    history = tuple(
        Point(step=step, timestamp_ms=START + step, value=value)
        for step, value in enumerate(values)
    )
    logged = {"accuracy": Metric(name="accuracy", history=history)}
    changes = {"parameters": {"lr": "0.1"}, "metrics": logged} | changes
    return dataclasses.replace(make_trial(index), **changes)


def report_of(store: Store, run_id: str, **changes: Any) -> Report:
    record = dataclasses.replace(make_record(), ref=store.read(run_id).ref)
    made = make_report(record=record, trials=(trial(1, 0.5, 0.75), trial(2, 0.5, 0.8)))
    return dataclasses.replace(made, created_at=AT, **changes)


def write(store: Store, report: Report, link: str = LINK) -> WrittenBack:
    return open_writer(store.uri).write_back(report, WriteBack(link=link))


def tags_of(store: Store, run_id: str) -> dict[str, str]:
    with client_settings():
        return dict(store.client.get_run(run_id).data.tags)


def reruns_of(store: Store, experiment: str) -> list[Any]:
    with client_settings():
        found = store.client.get_experiment_by_name(experiment)
        runs = store.client.search_runs([found.experiment_id], order_by=["start_time"])
        return sorted(runs, key=lambda run: str(run.data.tags["reprocheck.trial"]))


def test_the_run_says_what_came_out_when_by_what_and_where(store: Store) -> None:
    run_id = store.log(metrics={"accuracy": [0.75]})
    write(store, report_of(store, run_id))
    tags = tags_of(store, run_id)
    assert tags["reprocheck.verdict"] == "REPRODUCED"
    assert tags["reprocheck.verified_at"] == "2026-01-31T12:00:00Z"
    assert tags["reprocheck.tool"].startswith("reprocheck ")
    assert tags["reprocheck.report"] == LINK


def test_a_verdict_against_an_accepted_baseline_is_told_apart() -> None:
    report = make_report(acceptance=make_acceptance())
    assert _tags(report, WriteBack(link=""))["reprocheck.verdict"] == "REPRODUCED(accepted)"


def test_reruns_become_runs_that_lead_to_the_original(store: Store) -> None:
    run_id = store.log(metrics={"accuracy": [0.75]})
    written = write(store, report_of(store, run_id))
    first, second = reruns_of(store, written.experiment)
    assert written.experiment.endswith("-reprocheck")
    assert written.runs == (first.info.run_id, second.info.run_id)
    assert first.data.tags["reprocheck.rerun_of"] == run_id
    assert run_id in first.data.tags["mlflow.note.content"]
    assert (first.data.params, first.info.status) == ({"lr": "0.1"}, "FINISHED")
    with client_settings():
        history = store.client.get_metric_history(second.info.run_id, "accuracy")
    assert [(point.step, point.value) for point in history] == [(0, 0.5), (1, 0.8)]


def test_writing_twice_makes_nothing_twice(store: Store) -> None:
    run_id = store.log(metrics={"accuracy": [0.75]})
    report = report_of(store, run_id)
    first, second = write(store, report), write(store, report)
    assert first.runs == second.runs
    assert len(reruns_of(store, first.experiment)) == 2


def test_a_rerun_that_was_left_half_written_is_written_anew(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    report = report_of(database, run_id)
    written = write(database, report)
    with client_settings():
        database.client.set_terminated(written.runs[0], "RUNNING")
    again = write(database, report)
    assert again.runs[0] != written.runs[0]
    assert again.runs[1] == written.runs[1]
    assert len(reruns_of(database, written.experiment)) == 2


def test_versions_of_registered_models_say_so_too(store: Store) -> None:
    run_id = store.log(metrics={"accuracy": [0.75]})
    name = f"digits {run_id[:8]}"
    with client_settings():
        store.client.create_registered_model(name)
        source = f"{store.client.get_run(run_id).info.artifact_uri}/model"
        store.client.create_model_version(name, source, run_id)
    written = write(store, report_of(store, run_id))
    with client_settings():
        (version,) = store.client.search_model_versions(f"name='{name}'")
    assert written.versions == (f"{name} 1",)
    assert version.tags["reprocheck.verdict"] == "REPRODUCED"


def test_an_older_verification_never_replaces_a_newer_one(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    report = report_of(database, run_id)
    write(database, report)
    older = dataclasses.replace(
        report, created_at=AT - timedelta(days=1), verdict=Verdict.NOT_REPRODUCED
    )
    written = write(database, older)
    assert (written.tags, written.runs) == ({}, ())
    assert "newer" in written.notices[0]
    assert tags_of(database, run_id)["reprocheck.verdict"] == "REPRODUCED"


def test_a_verdict_of_the_future_is_refused_and_keeps_no_other_out(database: Store) -> None:
    run_id = database.log(
        metrics={"accuracy": [0.75]}, tags={"reprocheck.verified_at": "2999-01-01T00:00:00Z"}
    )
    report = report_of(database, run_id)
    far = datetime.now(UTC) + timedelta(days=2)
    with pytest.raises(WriteBackError, match="to come"):
        write(database, dataclasses.replace(report, created_at=far))
    write(database, report)
    assert tags_of(database, run_id)["reprocheck.verified_at"].startswith("2026-01-31T12")


def test_what_could_not_be_verified_names_the_stage(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    failed = dataclasses.replace(
        report_of(database, run_id),
        verdict=Verdict.NOT_VERIFIED,
        failed_stage=Stage.REBUILD,
        trials=(),
    )
    written = write(database, failed, link="")
    assert written.experiment == ""
    tags = tags_of(database, run_id)
    assert tags["reprocheck.verdict"] == "NOT_VERIFIED(rebuild)"
    assert "reprocheck.report" not in tags


def test_what_was_written_is_no_finding_of_the_next_verification(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    before = database.read(run_id)
    write(database, report_of(database, run_id))
    after = database.read(run_id)
    assert [each.code for each in after.findings] == [each.code for each in before.findings]
    assert list(late_writes.findings(after)) == []
    assert after.siblings == before.siblings == ()


def test_crashed_trials_and_odd_values_are_kept_as_they_were(store: Store) -> None:
    run_id = store.log(metrics={"accuracy": [0.75]})
    odd = trial(1, math.nan, exit_code=1, parameters={"text": "x" * 9_000})
    written = write(store, dataclasses.replace(report_of(store, run_id), trials=(odd,)))
    (kept,) = reruns_of(store, written.experiment)
    assert kept.info.status == "FAILED"
    assert len(kept.data.params["text"]) == 500
    assert math.isnan(kept.data.metrics["accuracy"])
    assert written.notices == ()


def test_a_name_that_mlflow_refuses_is_a_notice_and_the_verdict_is_written(
    database: Store,
) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    odd = trial(1, 0.5, parameters={"a\nb": "1"})
    report = dataclasses.replace(report_of(database, run_id), trials=(odd,))
    written = write(database, report)
    assert "not all kept" in written.notices[0]
    assert tags_of(database, run_id)["reprocheck.verdict"] == "REPRODUCED"


def test_a_store_of_another_schema_is_not_touched(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    report = report_of(database, run_id)
    path = database.folder / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '728d730b5ebd'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(WriteBackError, match="another MLflow"):
        write(database, report)
    assert path.read_bytes() == before


@pytest.mark.parametrize("uri", ["sqlite:///absent.db", "absent-folder"])
def test_a_store_that_is_not_there_is_not_made(database: Store, uri: str) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    absent = database.folder / uri.removeprefix("sqlite:///")
    named = f"sqlite:///{absent}" if uri.startswith("sqlite") else str(absent)
    with pytest.raises(MissingStoreError):
        open_writer(named).write_back(report_of(database, run_id), WriteBack())
    assert not absent.exists()


def test_a_run_of_another_tracker_is_told(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    report = report_of(database, run_id)
    assert report.record is not None
    foreign = dataclasses.replace(
        report.record, ref=dataclasses.replace(report.record.ref, run_id="0" * 32)
    )
    with pytest.raises(ReprocheckError, match="0000"):
        write(database, dataclasses.replace(report, record=foreign))


def test_a_dry_run_and_a_report_without_a_run_are_refused(database: Store) -> None:
    run_id = database.log(metrics={"accuracy": [0.75]})
    report = report_of(database, run_id)
    for bad in (
        dataclasses.replace(report, dry_run=True),
        dataclasses.replace(report, record=None),
    ):
        with pytest.raises(WriteBackError):
            write(database, bad)


def test_a_database_server_is_refused() -> None:
    with pytest.raises(WriteBackError, match="not opened for writing"):
        open_writer("postgresql://u:secret@db/mlflow").write_back(make_report(), WriteBack())
