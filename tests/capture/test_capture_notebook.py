"""Notebooks: the file, the command, and cells that ran out of order; with a real kernel."""

import json
import os
import subprocess

import pytest
from reprocheck_capture import notebook

CELLS = [
    "import mlflow, reprocheck_capture\nreprocheck_capture.log_provenance()",
    "step = 1",
    "mlflow.log_metric('step', step)",
    "mlflow.end_run()",
]

# A person: opens the notebook, and runs the cells in an order of their own.
PERSON = """
import json, os, sys
import nbformat
from nbclient import NotebookClient
path, order = sys.argv[1], json.loads(sys.argv[2])
notebook = nbformat.read(path, as_version=4)
folder = {"metadata": {"path": os.path.dirname(path)}}
client = NotebookClient(notebook, kernel_name="python3", resources=folder)
with client.setup_kernel():
    for index in order:
        client.execute_cell(notebook.cells[index], index)
"""


def document(cells, counts=None):
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": count,
                    "metadata": {},
                    "outputs": [],
                    "source": source,
                }
                for source, count in zip(cells, counts or [None] * len(cells), strict=True)
            ],
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "", "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    )


@pytest.fixture
def jupyter(installed, repo, tmp_path, python_with):
    """Runs a program of Jupyter's environment; answers the run that nb/train.ipynb logs."""
    python = python_with("jupyter")
    definition = "version: 1\nmetrics:\n  primary:\n    step: {margin: {abs: 0.1}}\n"
    files = {"nb/train.ipynb": document(CELLS), "experiment.yaml": definition}
    repo.commit({**files, ".gitignore": "store\n.ipynb_checkpoints\n"})

    def run(*argv, cwd=tmp_path, **env):
        given = {
            "MLFLOW_TRACKING_URI": (repo.path / "store").as_uri(),
            "PYTHONPATH": str(installed),
            "JUPYTER_PLATFORM_DIRS": "1",
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "JUPYTER_DATA_DIR": str(tmp_path / "jupyter"),
            **env,
        }
        argv = [python, *(str(word).replace("{bin}", str(python.parent)) for word in argv)]
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (run_id,) = (p.parent.name for p in (repo.path / "store").glob("*/*/artifacts"))
        return run_id

    return run


def test_a_persons_notebook_is_kept_and_cells_out_of_order_are_told(jupyter, repo, tmp_path):
    from tests.capture.test_capture_mlflow import read

    # nbclient starts the kernel here, where Jupyter's server would, and tells it the file.
    (tmp_path / "jupyter-server.py").write_text(PERSON)
    path = str(repo.path / "nb/train.ipynb")
    argv = ("jupyter-server.py", path, "[1, 0, 2, 1, 3]")
    found = read(repo, tmp_path, jupyter(*argv, JPY_SESSION_NAME=path))
    (step,) = found.command.steps
    assert (step.run.args, step.cwd) == (("train.ipynb",), "nb")
    assert found.tags["reprocheck.notebook"] == "nb/train.ipynb"
    assert found.tags["reprocheck.notebook.in_order"] == "no"
    assert "reprocheck/notebook.ipynb" in [each.path for each in found.artifacts]
    assert found.sealed is not None
    (finding,) = (f for f in found.findings if f.code == "out-of-order-cells")
    assert "code cell 2 ran more than once" in finding.message
    assert finding.fix == "jupyter nbconvert --to notebook --execute --inplace nb/train.ipynb"
    # The definition was fixed when the run began.
    assert found.definition.primary == ("step",)
    assert len(found.tags["reprocheck.definition.sha256"]) == 64


def test_what_executes_a_notebook_as_a_whole_is_the_command(jupyter, repo, tmp_path):
    from tests.capture.test_capture_mlflow import read

    run_id = jupyter("{bin}/jupyter-execute", "nb/train.ipynb", cwd=repo.path)
    found = read(repo, tmp_path, run_id)
    (step,) = found.command.steps
    assert (step.run.args, step.cwd) == (("jupyter-execute", "nb/train.ipynb"), ".")
    assert "out-of-order-cells" not in [f.code for f in found.findings]


@pytest.mark.parametrize(
    ("saved", "ran", "told"),
    [
        (["a", "b"], ["a", "b"], {"in_order": True, "order": [1, 2]}),
        (["a", "b", "c"], ["a", "b"], {"in_order": True, "order": [1, 2, None]}),
        (["a", "b"], ["b", "a"], {"late": [2], "in_order": False}),
        (["a", "b", "c"], ["a", "c"], {"skipped": [2], "in_order": False}),
        (["a", "b"], ["a", "a", "b"], {"again": [1], "late": [], "in_order": False}),
        (["a", "new"], ["a", "old", "new"], {"unknown": 1, "late": [], "in_order": False}),
        (["a", "a", "b"], ["a", "a", "b"], {"in_order": True, "order": [1, 2, 3]}),
        ([], [], {"in_order": True}),
    ],
)
def test_cells_are_in_order_if_a_run_from_top_to_bottom_is_the_same(saved, ran, told):
    found = notebook.judged([(text, None) for text in saved], dict(enumerate(ran, start=1)))
    assert {key: found[key] for key in told} == told


def test_of_cells_with_one_source_each_has_the_run_that_the_file_says():
    cells = [("a", 3), ("b", 2), ("a", 1)]
    found = notebook.judged(cells, {1: "a", 2: "b", 3: "a"})
    assert (found["order"], found["late"]) == ([3, 2, 1], [2, 3])


@pytest.mark.parametrize(
    ("words", "executes"),
    [
        (["/e/bin/python", "/e/bin/papermill", "in.ipynb", "out.ipynb"], True),
        (["/e/bin/python", "/e/bin/jupyter-nbconvert", "--execute", "a.ipynb"], True),
        (["python", "/e/site-packages/papermill/__main__.py", "a.ipynb", "b"], True),
        (["/e/bin/python", "/e/bin/jupyter-lab"], False),
        (["/e/bin/python", "-m", "ipykernel_launcher", "-f", "x.json"], False),
    ],
)
def test_programs_that_execute_a_notebook_are_known(words, executes):
    assert notebook._executes(words) is executes
    assert not notebook._is_script(words)


def test_a_kernel_outside_of_the_notebooks_folder_is_run_there_again():
    place = notebook.Place(path="/repo/nb/train.ipynb", cwd="/repo")
    assert notebook.command(place) == ["papermill", "nb/train.ipynb", "--cwd", "."]
    assert notebook.command(place._replace(cwd="/repo/nb")) == ["train.ipynb"]


def test_a_large_notebook_is_kept_without_its_outputs(tmp_path, monkeypatch):
    monkeypatch.setattr(notebook, "_LARGEST", 500)
    cell = {"cell_type": "code", "source": "a", "outputs": [{"text": "x" * 1000}]}
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell]}))
    (kept,) = notebook.kept(notebook.Place(path=str(tmp_path / "a.ipynb"))).values()
    assert json.loads(kept)["cells"] == [{**cell, "outputs": []}]
