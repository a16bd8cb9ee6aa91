"""Whatever address a script names, what it logs ends in the trial's folder."""

import os
import subprocess
import sys
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path

import pytest

from reprocheck.errors import RerunError
from reprocheck.trackers.mlflow_redirect import MlflowRedirection, redirect

# Port 9 is discard: what would be sent there is a connection error and ends the script.
AWAY = "http://127.0.0.1:9"

FLUENT = f"""
import os
os.environ["MLFLOW_TRACKING_URI"] = "{AWAY}/"
import mlflow
mlflow.set_tracking_uri("{AWAY}")
mlflow.set_registry_uri("databricks-uc")
mlflow.set_experiment("digits")
with mlflow.start_run(run_name="main"):
    mlflow.log_param("lr", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metric("bad", float("nan"))
    mlflow.log_metric("top", float("inf"))
    mlflow.log_dict({{"a": 1}}, "out/a.json")
    with mlflow.start_run(nested=True):
        mlflow.log_param("fold", 1)
"""
CLIENTS = f"""
from mlflow.tracking import MlflowClient
import mlflow
for number, uri in enumerate(["{AWAY}", "databricks", "databricks://team", "sqlite:///own.db"]):
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment(
        "own %d" % number, artifact_location="own_artifacts", tags={{"team": "a"}}
    )
    run = client.create_run(experiment)
    client.log_metric(run.info.run_id, "accuracy", 0.5)
    client.log_text(run.info.run_id, "hello", "hello.txt")
    client.set_terminated(run.info.run_id)
    client.create_registered_model("model %d" % number)
"""
CHILD = f"""
import subprocess, sys, os
os.environ["MLFLOW_TRACKING_URI"] = "{AWAY}"
subprocess.run([sys.executable, "-c", '''{FLUENT}'''], check=True)
"""
KNOWN_EXPERIMENT = """
import mlflow
mlflow.set_experiment(experiment_id="412")
with mlflow.start_run():
    mlflow.log_param("lr", 1)
with mlflow.start_run(experiment_id="413"):
    pass
"""


@dataclass
class Trial:
    redirection: MlflowRedirection
    work: Path

    def run(self, python: Path, script: str, **env: str) -> subprocess.CompletedProcess[bytes]:
        self.work.mkdir(exist_ok=True)
        base = {"PATH": os.environ["PATH"], "HOME": str(self.work / "home")}
        ours = {name: value for name, value in self.redirection.env.items() if value}
        return subprocess.run(
            [python, "-c", script],
            check=False,
            capture_output=True,
            cwd=self.work,
            env={**base, **ours, **env},
        )


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(redirect(tmp_path / "trial"), tmp_path / "work")


@pytest.fixture(params=["1.30.1", "2.22.0", "ours"])
def python(request, python_with) -> Path:
    return Path(sys.executable) if request.param == "ours" else python_with(request.param)


def done(trial: Trial, python: Path, script: str) -> None:
    completed = trial.run(python, script)
    assert completed.returncode == 0, completed.stderr.decode()
    assert list(trial.work.iterdir()) == []


def test_a_script_that_sets_its_own_address_logs_into_the_trial(trial, python):
    done(trial, python, FLUENT)
    main, nested = trial.redirection.collect()
    assert (main.name, main.finished, main.parameters) == ("main", True, {"lr": "0.1"})
    assert [p.value for p in main.metrics["loss"].history] == [1.0, 0.5, 1 / 3]
    assert isnan(main.metrics["bad"].value)
    assert main.metrics["top"].value == inf
    assert [(p.path, p.size) for p in main.products] == [("out/a.json", 12)]
    assert (nested.lineage.parent, nested.lineage.depth) == (main.run_id, 1)
    assert nested.lineage.parent_parameters == {"lr": "0.1"}
    assert trial.redirection.peek()["loss"].value == 1 / 3


def test_explicit_clients_log_into_the_trial(trial, python):
    done(trial, python, CLIENTS)
    runs = trial.redirection.collect()
    assert [run.metrics["accuracy"].value for run in runs] == [0.5] * 4
    assert [run.products[0].path for run in runs] == ["hello.txt"] * 4


def test_a_child_process_logs_into_the_trial(trial, python):
    done(trial, python, CHILD)
    assert len(trial.redirection.collect()) == 2


def test_an_experiment_known_by_its_id_is_made(trial, python):
    done(trial, python, KNOWN_EXPERIMENT)
    assert len(trial.redirection.collect()) == 2


def test_resuming_a_run_of_the_team_fails_and_logs_nothing(trial, this_python):
    script = f"import mlflow\nmlflow.set_tracking_uri('{AWAY}')\nmlflow.start_run(run_id='a' * 32)"
    assert trial.run(this_python, script).returncode == 1
    assert trial.redirection.collect() == ()


def test_a_pth_file_is_enough_when_the_path_was_overwritten(trial, this_python):
    injected = trial.redirection.env["REPROCHECK_REDIRECT"]
    script = f"import sys\nsys.path.insert(0, {injected!r})\nimport reprocheck_redirect\n" + FLUENT
    completed = trial.run(this_python, script, PYTHONPATH="")
    assert completed.returncode == 0, completed.stderr.decode()
    assert len(trial.redirection.collect()) == 2


def test_mlflow_may_be_imported_before_the_redirection(trial, this_python):
    injected = trial.redirection.env["REPROCHECK_REDIRECT"]
    early = f"import mlflow, sys\nsys.path.insert(0, {injected!r})\nimport reprocheck_redirect\n"
    completed = trial.run(this_python, early + FLUENT, PYTHONPATH="")
    assert completed.returncode == 0, completed.stderr.decode()
    assert len(trial.redirection.collect()) == 2


def test_a_python_of_another_environment_logs_nothing(trial, this_python):
    completed = trial.run(this_python, FLUENT, REPROCHECK_PREFIX="/rebuilt")
    assert completed.returncode == 1
    assert b"not in the one that was rebuilt for it, /rebuilt" in completed.stderr
    assert trial.redirection.collect() == ()
    assert trial.run(this_python, FLUENT, REPROCHECK_PREFIX=sys.prefix).returncode == 0


def test_a_projects_own_sitecustomize_still_runs(trial, this_python, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import builtins; builtins.own = 'mine'")
    path = os.pathsep.join([trial.redirection.env["PYTHONPATH"], str(tmp_path / "own")])
    script = "import sitecustomize; print(own, sitecustomize.__file__)"
    completed = trial.run(this_python, script, PYTHONPATH=path)
    assert completed.stdout.decode().split() == ["mine", str(tmp_path / "own/sitecustomize.py")]


def test_a_script_without_mlflow_notices_nothing(trial, python):
    completed = trial.run(python, "import sys; print('mlflow' in sys.modules)")
    assert (completed.returncode, completed.stderr) == (0, b"")
    assert completed.stdout == b"False\n"
    assert trial.redirection.collect() == ()
    assert trial.redirection.peek() == {}


def test_an_mlflow_that_cannot_be_redirected_does_not_run(trial, this_python, tmp_path):
    package = tmp_path / "fake" / "mlflow" / "tracking" / "_tracking_service"
    package.mkdir(parents=True)
    for folder in (package.parents[1], package.parent, package):
        (folder / "__init__.py").write_text("")
    (package / "registry.py").write_text("")
    path = os.pathsep.join([trial.redirection.env["PYTHONPATH"], str(tmp_path / "fake")])
    completed = trial.run(
        this_python, "import mlflow.tracking._tracking_service.registry", PYTHONPATH=path
    )
    assert completed.returncode == 1
    assert b"cannot redirect the logging of this MLflow" in completed.stderr


def test_autologging_a_grid_search_logs_its_children(trial, python_with):
    script = f"""
import mlflow
mlflow.set_tracking_uri("{AWAY}")
mlflow.sklearn.autolog(log_models=False)
import numpy
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
X = numpy.arange(60.0).reshape(30, 2)
GridSearchCV(Ridge(), {{"alpha": [0.1, 1.0, 10.0]}}, cv=2).fit(X, X.sum(axis=1))
"""
    completed = trial.run(python_with("sklearn"), script)
    assert completed.returncode == 0, completed.stderr.decode()
    runs = trial.redirection.collect()
    assert [run.lineage.depth for run in runs] == [0, 1, 1, 1]
    assert sorted(run.lineage.place for run in runs[1:]) == [0, 1, 2]
    assert {run.parameters["alpha"] for run in runs[1:]} == {"0.1", "1.0", "10.0"}


def test_credentials_and_runs_of_the_caller_are_unset(trial):
    env = trial.redirection.env
    for name in ("MLFLOW_RUN_ID", "MLFLOW_TRACKING_PASSWORD", "DATABRICKS_TOKEN"):
        assert env[name] == ""
    assert env["PYTHONPATH"] == env["REPROCHECK_REDIRECT"]


def test_a_store_that_cannot_be_read_is_told(trial):
    (trial.redirection.store / "0" / "run" / "metrics").mkdir(parents=True)
    (trial.redirection.store / "0" / "run" / "params").symlink_to("params")
    (trial.redirection.store / "0" / "run" / "meta.yaml").mkdir()
    with pytest.raises(RerunError, match="Reading what the trial logged"):
        trial.redirection.collect()
