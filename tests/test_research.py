"""A notebook and a Hydra application, recorded by plain MLflow, and rerun for real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reprocheck.trackers.mlflow_redirect import INJECTED
from tests.lab import Lab
from tests.test_unprepared import assert_identical, codes, said


@pytest.fixture(scope="module")
def research(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("research"), "research", dvc=False)


def test_a_notebook_is_executed_with_the_runs_parameters(
    research: Lab, python_with: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    jupyter = python_with("jupyter")
    with monkeypatch.context() as patch:  # as nbconvert does it; the rerun has papermill
        patch.setenv("PYTHONPATH", str(INJECTED))
        given = ("--parameters", '{"lr": 0.25}')
        argv = ("-m", "reprocheck_notebook", "train.ipynb", *given)
        (run_id,) = research.logged(*argv, program=jupyter, folder="notebooks")
    research.set_tag(run_id, "mlflow.source.git.commit", research.repo.git("rev-parse", "HEAD"))
    asked = research.verify(run_id, "--dry-run")  # its source is what Jupyter left of the name
    assert "kernel-launcher" in said(asked)
    assert 'command: "notebooks/train.ipynb -p lr {params.lr}"' in said(asked)
    research.set_tag(run_id, "mlflow.source.name", "/home/ada/proj/notebooks/train.ipynb")
    result = research.verify(run_id, "--reruns", "1")
    assert_identical(result, "python -m reprocheck_notebook train.ipynb --parameters")
    (trial,) = result.report["trials"]
    assert trial["parameters"] == {"lr": "0.25", "name": "base"}
    assert "trained with 0.25" in trial["log_tail"]


def test_a_hydra_run_is_rerun_with_its_overrides(research: Lab) -> None:
    (run_id,) = research.logged("app.py", "model=large", "lr=0.125", "hydra.job.chdir=false")
    result = research.verify(run_id, "--reruns", "1")
    assert_identical(result, "python app.py model=large lr=0.125 hydra.job.chdir=false")
    assert "inferred-command" not in codes(result)
    assert result.report["trials"][0]["parameters"]["width"] == "8"
