"""What a run has when it ends is kept, for what is written later to be told from it."""

import json
import math
from types import SimpleNamespace

import pytest
from reprocheck_capture import record, seal

from reprocheck import seals
from reprocheck.model import RunStatus
from reprocheck.record_files import read_record_file

TRAIN = """
import mlflow, sys
with mlflow.start_run(run_name="digits") as run:
    mlflow.log_params({"lr": "0.1", "long": "x" * 300, "db_password": "hunter2"})
    mlflow.log_metric("accuracy", 0.5, step=1)
    mlflow.log_metric("accuracy", 0.75, step=2)
    mlflow.log_metrics({"loss": float("nan"), "gap": float("inf"), "system/cpu": 1.0})
    mlflow.set_tag("stage", "draft")
    run_id = run.info.run_id
print(run_id)
client = mlflow.MlflowClient()
mlflow.start_run(run_id=run_id)  # the same command resumes it
mlflow.log_param("more", "1")
mlflow.end_run()
"""

RESUME = """
import mlflow, sys
if "off" in sys.argv:
    import os
    os.environ["REPROCHECK_CAPTURE"] = "off"
with mlflow.start_run(run_id=sys.argv[1]):
    mlflow.log_metric("accuracy", 0.8, step=3)
"""


def test_the_last_end_is_sealed_whoever_wrote_the_run(team, tmp_path):
    (run_id,) = team.train(TRAIN)
    found = team.read(run_id)
    assert found.sealed.at == found.ended_at
    assert found.sealed.parameters.keys() == found.parameters.keys() >= {"more"}
    for sealed, now in (
        (found.sealed.parameters, found.parameters),
        (found.sealed.tags, found.tags),
    ):
        assert all(seals.holds(text, now[name]) for name, text in sealed.items())
    assert found.sealed.parameters["long"].startswith("sha256:")
    assert not seals.holds(found.sealed.parameters["long"], "y" * 300)
    assert found.sealed.tags["stage"] == "draft"
    accuracy = found.sealed.metrics["accuracy"]
    assert (accuracy.value, accuracy.step, accuracy.points) == (0.75, 2, 2)
    assert math.isnan(found.sealed.metrics["loss"].value)
    assert found.sealed.metrics["gap"].value == math.inf
    assert "system/cpu" not in found.sealed.metrics
    (own,) = (tmp_path / "artifacts" / run_id).glob("artifacts/reprocheck/record.json")
    told = read_record_file(own)
    assert "hunter2" not in own.read_text()
    assert (told.status, told.ended_at, told.name) == (RunStatus.FINISHED, found.ended_at, "digits")
    assert told.metrics["accuracy"].value == 0.75
    assert told.sealed.parameters == found.sealed.parameters

    team.train(RESUME, run_id)  # another command, captured
    found = team.read(run_id)
    assert found.sealed.metrics["accuracy"].points == 3
    assert read_record_file(own).code.commit == told.code.commit

    team.train(RESUME, run_id, "off")
    assert team.read(run_id).sealed is None  # that end was not sealed: nothing is claimed


def test_a_long_record_gives_up_its_seal_and_not_its_facts():
    end = {"status": "finished", "parameters": {"a": "x" * 500000}, "sealed": {"at": "x"}}
    found = {"capture": {"version": "1"}, "status": "running"}
    told = json.loads(record.completed(found, end))
    assert (told["parameters"], told["capture"]["sealed"]) == (end["parameters"], {"at": "x"})
    end["parameters"] = {"a": "x" * 950000}
    told = json.loads(record.completed(found, end))
    assert (told.get("parameters"), told["status"]) == (None, "finished")
    assert told["capture"]["sealed"] == {"at": "x"}
    end["sealed"] = {"at": "x" * 950000}
    told = json.loads(record.completed(found, end))
    assert told == {"capture": {"version": "1"}, "status": "finished"}


@pytest.mark.parametrize("text", ["***", "sha256:" + "a" * 64, "x" * 251, "", "0.1", "\ud800"])
def test_a_seal_holds_of_the_text_that_was_sealed_and_of_no_other(text):
    sealed = seal._text("lr", text)
    assert seals.holds(sealed, text)
    assert not seals.holds(sealed, text + "1")
    assert seals.holds(seal._text("api_key", text), "anything")


def test_a_run_that_has_not_ended_is_not_sealed():
    assert seal.ended(None, SimpleNamespace(info=SimpleNamespace(end_time=None))) == {}


def test_histories_are_counted_as_long_as_that_is_quick(monkeypatch):
    class Client:
        def get_metric_history(self, run_id, name):
            return [1, 2]

    last = [SimpleNamespace(key=name, step=step) for name, step in (("a", 1), ("b", 10**6))]
    assert seal._counts(Client(), "run", last) == {"a": 2}
    monkeypatch.setattr(seal, "_BUDGET_S", -1)
    assert seal._counts(Client(), "run", last) == {}
