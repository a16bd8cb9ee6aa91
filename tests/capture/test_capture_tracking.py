"""What MLflow itself does with runs: projects, inputs, autologging, a server."""

import os
import re
import subprocess
import sys
from pathlib import Path

from reprocheck.model import TreeState

ALL = """
import mlflow, numpy
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

mlflow.sklearn.autolog(log_models=False, log_datasets=True)
X = numpy.arange(60.0).reshape(30, 2)
GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2).fit(X, X.sum(axis=1))
print(mlflow.last_active_run().info.run_id)
with mlflow.start_run() as run:
    mlflow.log_input(mlflow.data.from_numpy(X), context="training")
print(run.info.run_id)
"""


def test_autologging_and_long_tags_beside_inputs(team, tmp_path):
    long = ["--names", "x" * 3700, "--seed", "7"]
    entry = "outs:\n- md5: {}\n  size: 1\n  hash: md5\n  path: {}\n"
    for i in range(22):
        name = f"data/{'long' * 20}{i}.csv"
        team.repo.write(
            {
                name: "x",
                f"{name}.dvc": entry.format("9dd4e461268c8034f5c8564e155c67a6", Path(name).name),
            }
        )
    team.repo.commit()
    team.repo.write({"lib.py": "a = 2\n", "new.py": "b = 1\n"})
    variables = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "MKL_CBWR": "COMPATIBLE"}
    search, run_id = team.train(ALL, *long, commit=False, **variables)
    found = team.read(run_id)
    texts = {name: text for name, text in found.tags.items() if name.startswith("reprocheck.")}
    assert max(map(len, texts.values())) <= 4000
    assert 6900 < sum(map(len, texts.values())) < 16000
    assert [m.origin.where for m in found.data][-1].startswith("dataset dataset")
    assert len(found.data) == 23
    above = team.read(search)
    assert {"best_alpha", "cv"} <= above.parameters.keys()
    children = team.sql(
        "SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId' AND value = ?", search
    )
    assert len(children) == 2
    for (child,) in children:
        below = team.read(child)
        # No run was started for them: their record is their parent's.
        assert below.code.patch == above.code.patch == found.code.patch
        assert below.code.untracked == found.code.untracked != ()
        assert (below.sealed, below.lineage.parent) == (None, search)
        assert {f.path for f in below.files} == {f.path for f in above.files}
        assert below.command == above.command


def test_mlflow_run_is_recorded_by_the_program_that_it_starts(team, installed, tmp_path):
    project = (
        "entry_points:\n  main:\n    parameters: {lr: float}\n    command: python main.py {lr}\n"
    )
    script = "import mlflow\nmlflow.log_metric('accuracy', 0.5)\n"
    team.repo.commit({"MLproject": project, "main.py": script})
    team.repo.write({"lib.py": "a = 2\n"})
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {
        **os.environ,
        "MLFLOW_TRACKING_URI": team.uri,
        "PYTHONPATH": str(installed),
        "PATH": path,
    }
    argv = [sys.executable, "-m", "mlflow", "run", ".", "--env-manager=local", "-P", "lr=0.5"]
    done = subprocess.run(argv, cwd=team.repo.path, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    ((run_id,),) = team.sql("SELECT run_uuid FROM runs")
    found = team.read(run_id)
    (step,) = found.command.steps
    assert (step.run.args, step.cwd) == (("python", "main.py", "0.5"), ".")
    assert found.code.tree is TreeState.DIRTY
    assert b"+a = 2" in found.code.patch.content
    assert found.code.entry_point == "main"
    assert found.sealed.metrics["accuracy"].value == 0.5
    assert found.sealed.tags["mlflow.project.entryPoint"] == "main"


SERVED = """
import mlflow
mlflow.set_experiment("captured")
with mlflow.start_run() as run:
    mlflow.log_metrics({"accuracy": 0.5, "loss": float("nan")})
    with mlflow.start_run(nested=True) as child:
        mlflow.log_param("lr", 0.1)
print(run.info.run_id, child.info.run_id)
mlflow.start_run()  # ends with the process
mlflow.log_metric("accuracy", 0.25)
print(mlflow.active_run().info.run_id)
"""


def test_a_server_keeps_as_much(team, server):
    team.repo.commit()
    team.repo.write({"lib.py": "a = 2\n" * 30_000})
    ids = set(
        re.findall(r"\b[0-9a-f]{32}\b", " ".join(team.train(SERVED, uri=server, commit=False)))
    )
    assert len(ids) == 3
    for run_id in ids:
        found = team.read(run_id, server)
        assert found.code.patch.content.count(b"+a = 2") == 30_000
        assert found.sealed.at == found.ended_at
        assert found.sealed.metrics.keys() == found.metrics.keys()
        assert found.findings == ()
    assert "reprocheck" not in team.stderr
