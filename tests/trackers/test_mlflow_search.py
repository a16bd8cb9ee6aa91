from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from reprocheck.errors import MissingStoreError, UnknownExperimentError, UsageError
from reprocheck.metadata import validate
from reprocheck.model import DatasetUse
from reprocheck.trackers import mlflow_search, open_tracker
from reprocheck.trackers.base import Search, SearchedRun
from reprocheck.trackers.mlflow_settings import client_settings
from tests.conftest import snapshot
from tests.trackers.conftest import START, new_experiment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.trackers.conftest import Store

COMMIT = "1234567890" * 4


def search(store: Store, **wanted: Any) -> list[SearchedRun]:
    tracker = open_tracker(store.uri, store.artifact_roots, store.folder / "scratch")
    with closing(tracker):
        return list(tracker.search(Search(**wanted)))


def experiment_of(store: Store) -> str:
    with client_settings():
        return str(store.client.get_experiment(store.experiment).name)


def log_each_kind(store: Store) -> list[str]:
    """Runs with one defect or habit each."""
    commit = {"mlflow.source.git.commit": COMMIT}
    clean = {**commit, "reprocheck.tree": "clean"}
    measured = {"accuracy": [0.5, 0.9]}
    seed = {"seed": "7"}
    return [
        store.log(tags=clean, metrics=measured, parameters=seed),
        store.log(tags=clean, metrics=measured, parameters=seed, status="FAILED"),
        store.log(tags=clean, metrics=measured, parameters=seed, status=None),
        store.log(metrics=measured, parameters=seed),
        store.log(metrics=measured, artifacts={"code/train.py": "print()"}),
        store.log(tags=clean, parameters=seed),
        store.log(tags=commit, metrics=measured),
        store.log(tags={**commit, "reprocheck.tree": "dirty"}, metrics=measured),
        store.log(
            tags={**clean, "reprocheck.tree": "dirty", "reprocheck.patch.sha256": "0" * 64},
            artifacts={"reprocheck/source.patch": "diff"},
            metrics=measured,
        ),
        store.log(tags={**clean, "reprocheck.argv": "no JSON"}, metrics=measured),
        store.log(tags=clean, metrics={"loss": [0.5, math.nan], "wild": [math.nan]}),
        store.log(tags=clean, metrics=measured, artifacts={"experiment.yaml": "metrics: 3"}),
        store.log(tags=clean, metrics=measured, parameters={"note": "x" * 500}),
    ]


def test_every_kind_of_store_is_searched_and_told_as_each_of_its_runs_is_read(store: Store):
    runs = log_each_kind(store)
    name = experiment_of(store)
    before = snapshot(store.folder)
    found = search(store, experiments=(name,))
    assert sorted(each.summary.ref.run_id for each in found) == sorted(runs)
    for each in found:
        if each.record.status.value == "finished":
            whole = store.read(each.record.ref.run_id)
            assert {f.code for f in validate(each.record)} == {f.code for f in validate(whole)}
    if not store.uri.startswith("http"):
        assert {k: v for k, v in snapshot(store.folder).items() if "scratch" not in k} == before


def test_a_search_is_paged_and_ends_at_its_limit(database: Store, monkeypatch):
    monkeypatch.setattr(mlflow_search, "PAGE", 2)
    runs = [database.log(start=START + number) for number in range(5)]
    assert [each.summary.ref.run_id for each in search(database)] == runs
    for limit in (1, 3, 4):
        assert len(search(database, limit=limit)) == limit


def test_a_filter_goes_to_mlflow(database: Store):
    database.log(metrics={"accuracy": [0.2]})
    good = database.log(metrics={"accuracy": [0.9]})
    (found,) = search(database, filter="metrics.accuracy > 0.5")
    assert found.summary.ref.run_id == good
    with pytest.raises(UsageError, match="does not understand the filter"):
        search(database, filter="metrics.accuracy >")


def test_an_experiment_is_found_by_name_and_by_id(database: Store):
    database.log()
    other = new_experiment(database, "letters")
    run = other.log()
    for name in ("letters", other.experiment):
        (found,) = search(database, experiments=(name,))
        assert (found.summary.ref.run_id, found.summary.experiment) == (run, "letters")
    assert len(search(database)) == 2
    with pytest.raises(UnknownExperimentError) as caught:
        search(database, experiments=("Leters",))
    assert "letters" in caught.value.hint
    with client_settings():
        database.client.delete_experiment(other.experiment)
    with pytest.raises(UnknownExperimentError, match="was deleted"):
        search(database, experiments=("letters",))
    assert len(search(database)) == 1


def test_the_total_is_told_where_it_is_known(store: Store):
    run = store.log()
    with client_settings():
        store.client.delete_run(store.log()) if store.folder else None
    tracker = open_tracker(store.uri, {}, store.folder / "scratch")
    with closing(tracker):
        found = tracker.search(Search(experiments=(store.experiment,)))
        assert [each.summary.ref.run_id for each in found] == [run]
        if store.uri.startswith("sqlite"):
            assert found.total == 1
        if store.uri.startswith("http"):
            assert found.total is None


def test_a_summary_tells_the_data_sets_of_a_run(database: Store):
    run = database.log(metrics={"accuracy": [0.5]}, parameters={"lr": "0.1"})
    log_dataset(database, run)
    (found,) = search(database)
    assert found.summary.datasets == (
        DatasetUse(name="digits", digest="abc", context="evaluation", source="s3://there/x.csv"),
    )
    assert found.summary.metrics == {"accuracy": 0.5}
    assert found.summary.parameters == {"lr": "0.1"}


def log_dataset(store: Store, run: str) -> None:
    with client_settings():
        from mlflow.entities import Dataset, DatasetInput, InputTag

        dataset = Dataset("digits", "abc", "s3", '{"uri": "s3://there/x.csv"}')
        tag = InputTag("mlflow.data.context", "evaluation")
        store.client.log_inputs(run, [DatasetInput(dataset, [tag])])


def test_a_history_that_says_more_than_its_end_is_read(database: Store):
    late = database.log(metrics={"accuracy": [0.5]})
    with client_settings():
        database.client.log_metric(late, "loss", 0.2, START, 1)
        database.client.log_metric(late, "loss", 0.3, START, 1)
        database.client.log_metric(late, "accuracy", 0.9, START + 99_000_000, 0)
    (found,) = search(database)
    lengths = {name: len(metric.history) for name, metric in found.record.metrics.items()}
    assert lengths == {"accuracy": 2, "loss": 2}
    assert "ambiguous-value" in {finding.code for finding in found.record.findings}


def test_a_child_has_the_start_of_its_parent(database: Store):
    argv = {"reprocheck.argv": '["python", "sweep.py"]', "mlflow.source.git.commit": COMMIT}
    parent = database.log(tags=argv)
    tags = {"mlflow.parentRunId": parent, "mlflow.source.git.commit": COMMIT}
    database.log(tags=tags, start=START + 1)
    _, child = search(database)
    assert child.record.command is not None


def test_storage_that_fails_is_given_up_and_offline_it_is_not_asked(database: Store, monkeypatch):
    from reprocheck.trackers import mlflow_light

    with client_settings():
        database.experiment = database.client.create_experiment("far", "ftp://127.0.0.1:1/a")
    for _ in range(5):
        database.log(metrics={"accuracy": [0.5]})
    monkeypatch.setattr(mlflow_light, "_ASKERS", 1)
    messages = [each.record.findings[0].message for each in search(database)]
    assert sum("was not asked again" in message for message in messages) == 2
    codes = {each.record.findings[0].code for each in search(database, remote=False)}
    assert codes == {mlflow_light.UNREAD}


def test_a_store_that_is_not_there_is_told(tmp_path: Path):
    tracker = open_tracker(f"sqlite:///{tmp_path}/none.db", {}, tmp_path / "scratch")
    with pytest.raises(MissingStoreError):
        tracker.search(Search())


def test_summaries_tell_the_same_as_a_search_without_a_record(store: Store):
    log_each_kind(store)
    name = experiment_of(store)
    found = search(store, experiments=(name,))
    with closing(open_tracker(store.uri, {}, store.folder / "scratch")) as tracker:
        told = list(tracker.search(Search(experiments=(name,))).summaries())
    assert repr(told) == repr([each.summary for each in found])  # nan is not equal to itself


def test_runs_that_are_named_are_searched_alone(store: Store):
    first, second, _ = (store.log() for _ in range(3))
    with client_settings(store.uri):
        store.client.delete_run(second)
    found = search(store, run_ids=(second, first, first, "0" * 32))
    assert [each.summary.ref.run_id for each in found] == [first]
