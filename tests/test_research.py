"""A notebook and a Hydra application, recorded by plain MLflow, and rerun for real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.test_unprepared import assert_identical, codes, said


@pytest.fixture(scope="module")
def research(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("research"), "research", dvc=False)


def test_a_notebook_is_executed_with_the_runs_parameters(research: Lab, tmp_path: Path) -> None:
    cells = json.loads((research.repo.path / "notebooks/train.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    # What a kernel would have run, with another value than the notebook's default.
    typed = "\n".join([sources[0], "lr = 0.25", *sources[1:]])
    (run_id,) = research.logged("-c", typed, folder="notebooks")
    research.set_tag(run_id, "mlflow.source.git.commit", research.repo.git("rev-parse", "HEAD"))
    research.set_tag(run_id, "mlflow.source.name", "/home/ada/proj/notebooks/train.ipynb")
    logs = tmp_path / "report.json"
    result = research.verify(run_id, "--reruns", "1", "--json", str(logs))
    assert (result.exit_code, said(result)[:9]) == (0, "IDENTICAL"), result.stdout
    assert "python -m reprocheck_notebook train.ipynb --parameters" in said(result)
    (trial,) = json.loads(logs.read_text())["trials"]
    assert trial["parameters"] == {"lr": "0.25", "name": "base"}
    assert "trained with 0.25" in trial["log_tail"]


def test_a_hydra_run_is_rerun_with_its_overrides(research: Lab) -> None:
    (run_id,) = research.logged("app.py", "model=large", "lr=0.125", "hydra.job.chdir=false")
    result = research.verify(run_id, "--reruns", "1")
    assert_identical(result, "python app.py model=large lr=0.125 hydra.job.chdir=false")
    assert "inferred-command" not in codes(result)
    assert result.report["trials"][0]["parameters"]["width"] == "8"
