"""Runs logged by plain MLflow, without a trace of reprocheck: real projects, trained and verified.

The projects have no reprocheck.yaml and log nothing for our sake; their environments leave
versions open. No margin is declared: the trainings are deterministic, so every rerun is identical.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import shared_folder, snapshot
from tests.lab import PROJECTS, Lab, Result, copy_of

RUN_PROJECT = ("-m", "mlflow", "run", "--env-manager", "local")
Trained = tuple[Lab, dict[str, list[str]]]
Factory = Callable[[str, Callable[[Path], Trained]], Trained]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Factory:
    """Makes a project and its runs once, for all workers; hands out copies."""

    def make(name: str, train: Callable[[Path], Trained]) -> Trained:
        with shared_folder(tmp_path_factory, name) as shared:
            ids = shared / "ids.json"
            if not ids.exists():
                ids.write_text(json.dumps(train(shared)[1]))
        copy = copy_of(Lab.at(shared), tmp_path_factory.mktemp(name))
        return copy, json.loads(ids.read_text())

    return make


@pytest.fixture(scope="session")
def wine(trained: Factory) -> Trained:
    def train(root: Path) -> Trained:
        lab = Lab(root, "wine", dvc=False)
        by_mlflow = lab.logged(*RUN_PROJECT, ".", "-P", "alpha=0.3", "-P", "l1_ratio=0.7")
        by_hand = lab.logged("train.py", "0.2", "0.6")
        for path in sorted((PROJECTS / "wine").iterdir()):
            lab.repo.write({f"models/wine/{path.name}": path.read_bytes()})
        lab.repo.commit()
        below = lab.logged(*RUN_PROJECT, "repo#models/wine", "-P", "alpha=0.3", folder="..")
        return lab, {"mlflow run": by_mlflow, "by hand": by_hand, "subdirectory": below}

    return trained("wine", train)


@pytest.fixture(scope="session")
def several(trained: Factory) -> Trained:
    def train(root: Path) -> Trained:
        lab = Lab(root, "several", dvc=False)
        runs = {script: lab.logged(script) for script in ("nested.py", "noisy.py", "honest.py")}
        return lab, {**runs, "siblings.py": lab.logged("siblings.py", folder="pairs")}

    return trained("several", train)


@pytest.fixture(scope="session")
def pipeline(trained: Factory) -> Trained:
    def train(root: Path) -> Trained:
        lab = Lab(root, "pipeline")
        # Reproducing writes dvc.lock: the one at the run's commit is still that of the run before.
        return lab, {"repro": lab.logged("-m", "dvc", "repro", "--quiet")}

    return trained("pipeline", train)


@pytest.fixture(scope="session")
def sklearn(trained: Factory, python_with: Callable[[str], Path]) -> Trained:
    def train(root: Path) -> Trained:
        lab = Lab(root, "sklearn", dvc=False)
        python = python_with("sklearn")
        model = lab.logged("train.py", "0.1", "0.5", program=python)
        return lab, {"model": model, "search": lab.logged("search.py", program=python)}

    return trained("sklearn", train)


def said(result: Result) -> str:
    """What the terminal report says, on one line."""
    return " ".join(result.stdout.split())


def codes(result: Result) -> set[str]:
    return {finding["code"] for finding in result.report["findings"]}


def assert_identical(result: Result, command: str) -> None:
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    assert command in said(result)


# --- MLflow projects ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "command"),
    [("mlflow run", "python train.py 0.3 0.7"), ("by hand", "python train.py 0.2 0.6")],
)
def test_an_mlflow_project_is_rerun_with_the_runs_parameters(
    wine: Trained, how: str, command: str
) -> None:
    lab, runs = wine
    before = snapshot(lab.repo.path)
    result = lab.verify(runs[how][0])
    assert_identical(result, command)
    assert "entry point 'main'" in said(result)
    assert "conda.yaml at the commit" in said(result)
    assert "unpinned-environment" in codes(result)
    assert snapshot(lab.repo.path) == before


def test_an_mlflow_project_in_a_subdirectory_runs_there(wine: Trained) -> None:
    lab, runs = wine
    result = lab.verify(runs["subdirectory"][0])
    assert_identical(result, "'python train.py 0.3 0.1' (in models/wine)")
    assert "models/wine/conda.yaml at the commit" in said(result)


def test_a_logged_models_requirements_are_completed_from_the_commit(sklearn: Trained) -> None:
    lab, runs = sklearn
    result = lab.verify(runs["model"][0], "--verbose")
    assert_identical(result, "python train.py 0.1 0.5")
    assert "requirements.txt of the logged model" in said(result)
    assert "lacks 1 package that conda.yaml at the commit names" in said(result)
    assert "tabulate" in said(result)


# --- scripts that name their own tracker --------------------------------------------------


def test_scripts_that_name_the_teams_tracker_are_led_away_from_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path, "elsewhere", dvc=False)
    lab.repo.commit({"tracker.txt": lab.uri})
    scripts = ("fluent.py", "client.py")
    runs = [lab.logged(script, uri="http://127.0.0.1:1") for script in scripts]
    database, repo = (tmp_path / "mlflow.db").read_bytes(), snapshot(lab.repo.path)
    for script, (run_id,) in zip(scripts, runs, strict=True):
        result = lab.verify(run_id)
        assert_identical(result, f"python {script}")
        assert "python_env.yaml at the commit" in said(result)
    assert (tmp_path / "mlflow.db").read_bytes() == database
    assert snapshot(lab.repo.path) == repo


# --- DVC pipelines ------------------------------------------------------------------------


def test_a_dvc_pipeline_is_rerun_from_its_raw_data(pipeline: Trained) -> None:
    lab, runs = pipeline
    (run_id,) = runs["repro"]
    result = lab.verify(run_id, "--keep")
    assert_identical(result, "sh -c 'python prepare.py' && sh -c 'python train.py 0.02'")
    assert [item["path"] for item in result.report["record"]["data"]] == ["data/train.csv"]
    (kept,) = lab.leftovers
    assert not (kept / "inputs/data/clean.csv").exists()
    assert (kept / "trials/trial-1/tree/data/clean.csv").is_file()


def test_an_output_that_is_committed_is_made_anew(pipeline: Trained, tmp_path: Path) -> None:
    lab = copy_of(pipeline[0], tmp_path)
    (run_id,) = pipeline[1]["repro"]
    script = (lab.repo.path / "train.py").read_text()
    lazy = "from pathlib import Path\nassert not Path('model.txt').exists(), 'trained already'\n"
    lab.repo.write({"train.py": lazy + script, ".gitignore": "/data/clean.csv\n"})
    lab.repo.commit({"model.txt": "of an earlier run"})
    lab.set_tag(run_id, "mlflow.source.git.commit", lab.repo.git("rev-parse", "HEAD"))
    assert lab.verify(run_id).verdict == "IDENTICAL"


# --- several runs of one script -----------------------------------------------------------


@pytest.mark.parametrize(("run", "metric"), [(0, "mean_accuracy"), (2, "accuracy")])
def test_a_parent_and_its_children_are_verified_by_the_parents_command(
    several: Trained, run: int, metric: str
) -> None:
    lab, runs = several
    result = lab.verify(runs["nested.py"][run])
    assert_identical(result, "python nested.py")
    assert [item["metric"] for item in result.report["comparisons"]] == [metric]


@pytest.mark.parametrize("run", [0, 1])
def test_runs_side_by_side_are_told_apart_by_their_parameters(several: Trained, run: int) -> None:
    lab, runs = several
    result = lab.verify(runs["siblings.py"][run])
    assert_identical(result, "python siblings.py (in pairs)")
    assert result.report["trials"][0]["parameters"]["depth"] == str(run + 1)


@pytest.mark.parametrize(("run", "metric"), [(0, "test_accuracy"), (3, "mean_test_score")])
def test_a_grid_search_and_its_candidates_are_verified(
    sklearn: Trained, run: int, metric: str
) -> None:
    lab, runs = sklearn
    assert len(runs["search"]) == 5
    result = lab.verify(runs["search"][run])
    assert_identical(result, "python search.py")
    assert metric in [item["metric"] for item in result.report["comparisons"] if item["gated"]]


# --- parameters that differ ---------------------------------------------------------------


def test_honest_differences_are_set_aside_and_shown(several: Trained) -> None:
    lab, runs = several
    result = lab.verify(runs["honest.py"][0])
    assert_identical(result, "python honest.py")
    aside = {item["name"]: item["excuse"] for item in result.report["trials"][0]["differences"]}
    assert set(aside) == {
        *("data_path", "home", "scratch"),
        *("hostname", "started_at", "loss_function"),
    }
    assert all(aside.values())
    assert "Set aside 6 parameters" in said(result)
    assert "hostname (a host, device or worker count)" in said(result)


def test_a_template_that_omits_a_parameter_is_refused_by_what_the_rerun_logs(
    several: Trained, tmp_path: Path
) -> None:
    lab, _ = several
    (run_id,) = lab.logged("noisy.py", "--lr", "0.4", "--seed", "1")
    config = tmp_path / "reprocheck.yaml"
    config.write_text('version: 1\ncommand: "python noisy.py --seed {params.seed}"\n')
    result = lab.verify(run_id, "--config", str(config))
    assert (result.exit_code, result.verdict) == (3, "NOT_VERIFIED")
    assert result.report["failed_stage"] == "rerun"
    assert "lr: recorded '0.4', rerun '0.1'" in said(result)
    assert "correct the command (reprocheck.yaml: command): {params.lr} stands" in said(result)


def test_another_result_of_a_command_that_nothing_proves_is_no_verdict(several: Trained) -> None:
    lab, _ = several
    (run_id,) = lab.logged("silent.py", "0.4")
    result = lab.verify(run_id, "--margin", "accuracy=0.01")
    assert (result.exit_code, result.verdict) == (3, "NOT_VERIFIED"), result.stdout
    assert "may only mean that their command is not the run's" in said(result)
    assert "the run logged no parameter" in said(result)


def test_an_unseeded_run_without_a_margin_is_at_best_consistent(several: Trained) -> None:
    lab, runs = several
    result = lab.verify(runs["noisy.py"][0])
    assert result.verdict in ("CONSISTENT", "INCONCLUSIVE"), result.stdout
    assert result.exit_code in (0, 11)
    assert len(result.report["trials"]) == 5
