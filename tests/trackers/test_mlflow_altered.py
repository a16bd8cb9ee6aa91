import math
import sqlite3

import pytest

from reprocheck.metadata import validate
from reprocheck.trackers.mlflow_settings import client_settings
from tests.trackers.conftest import START


def late(record):
    return [each for each in validate(record) if each.code == "late-metric"]


def edit(store, *statements):
    with sqlite3.connect(store.folder / "mlflow.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("kind", ["database", "files"])
def test_a_metric_that_was_logged_after_the_end_is_told(kind, request):
    store = request.getfixturevalue(kind)
    run_id = store.log(metrics={"accuracy": [0.8, 0.9], "loss": [0.4]})
    assert late(store.read(run_id)) == []
    with client_settings():
        store.client.log_metric(run_id, "accuracy", 0.99, START + 3_600_000, 2)
        store.client.set_tag(run_id, "approved_by", "ann")
    (finding,) = late(store.read(run_id))
    assert finding.pointer == "/metrics/accuracy"
    assert "59 min after" in finding.message
    assert run_id in finding.fix


def test_a_run_that_was_resumed_has_a_later_end(database):
    run_id = database.log(metrics={"accuracy": [0.8]})
    with client_settings():
        database.client.log_metric(run_id, "test_accuracy", 0.7, START + 3_600_000, 0)
        database.client.set_terminated(run_id, "FINISHED", START + 3_601_000)
    assert late(database.read(run_id)) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE latest_metrics SET value = 0.99", "UPDATE metrics SET value = 0.5 WHERE step = 1"],
)
def test_a_final_value_that_its_history_lacks_is_told(database, statement):
    run_id = database.log(metrics={"accuracy": [0.8, 0.9]})
    edit(database, statement)
    record = database.read(run_id)
    (finding,) = late(record)
    assert finding.pointer == "/metrics/accuracy"
    assert record.metrics["accuracy"].value == record.metrics["accuracy"].history[-1].value


def test_values_without_order_or_number_are_as_their_history(database):
    run_id = database.log(metrics={"a": [math.nan], "b": [math.inf], "c": [0.1, math.nan]})
    with client_settings():
        for value in (0.3, 0.1, 0.2):  # of one step and millisecond
            database.client.log_metric(run_id, "d", value, START, 0)
    assert late(database.read(run_id)) == []
