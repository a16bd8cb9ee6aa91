from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from reprocheck import command
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.errors import SourceError
from reprocheck.launchers import is_launcher
from reprocheck.model import Argv, Command, OriginKind, RunRecord, Step
from tests.command.test_command import run_of, tree

SCRIPT = "# ---\n# jupyter:\n#   jupytext:\n#     formats: ipynb,py:percent\n# ---\n"
TAGGED = '# %% tags=["parameters"]\nlr = 0.5\n# %%\nprint(lr)\n'


def notebook(parameters: str = "lr = 0.5\nname: str = 'a'\n", **metadata: object) -> str:
    cells = [
        {"cell_type": "markdown", "source": ["# x"], "metadata": {}},
        {"cell_type": "code", "source": parameters, "metadata": {"tags": ["parameters"]}},
    ]
    return json.dumps({"cells": cells, "metadata": metadata})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb/train.ipynb").write_text(notebook())
    (tmp_path / "p.yaml").write_text("lr: 0.25\n")
    return tmp_path


def step_of(run: RunRecord, root: Path, config: Config | None = None) -> Step:
    (step,) = command.complete(run, config or Config(), root).command.steps
    return step


def told(step: Step) -> tuple[str, str, object]:
    """Directory, notebook and parameters."""
    assert isinstance(step.run, Argv)
    head, (name, *rest) = step.run.args[:3], step.run.args[3:]
    assert head == ("python", "-m", "reprocheck_notebook")
    at = rest.index("--parameters") + 1 if "--parameters" in rest else None
    return step.cwd, name, json.loads(rest[at]) if at else {}


def recorded(line: str, cwd: str = ".") -> RunRecord:
    return run_of(command=Command(steps=(Step(run=Argv(args=tuple(line.split())), cwd=cwd),)))


@pytest.mark.parametrize(
    ("line", "cwd", "expected"),
    [
        (
            "papermill nb/train.ipynb out.ipynb -p lr 0.1 -p n 3 -r name 7 -p fast True",
            ".",
            (".", "nb/train.ipynb", {"lr": 0.1, "n": 3, "name": "7", "fast": True}),
        ),
        (
            "python -m papermill -k team --log-output train.ipynb s3://b/o.ipynb",
            "nb",
            ("nb", "train.ipynb", {}),
        ),
        ("/x/papermill --cwd nb nb/train.ipynb -", ".", ("nb", "train.ipynb", {})),
        (
            'papermill nb/train.ipynb -f p.yaml -y {"n":1} -b bTogMQ==',
            ".",
            (".", "nb/train.ipynb", {"lr": 0.25, "n": 1, "m": 1}),
        ),
        ("papermill /home/ada/proj/nb/train.ipynb -", ".", (".", "nb/train.ipynb", {})),
        (
            "jupyter nbconvert --to notebook --execute nb/train.ipynb",
            ".",
            ("nb", "train.ipynb", {}),
        ),
        (
            "jupyter-nbconvert --execute --output o.ipynb train.ipynb",
            "nb",
            ("nb", "train.ipynb", {}),
        ),
        ("jupyter execute nb/train.ipynb", ".", ("nb", "train.ipynb", {})),
    ],
)
def test_a_recorded_execution_is_done_by_what_the_environment_has(
    root: Path, line: str, cwd: str, expected: tuple[str, str, object]
) -> None:
    assert told(step_of(recorded(line, cwd), root)) == expected


def test_a_converted_notebook_that_was_not_executed_is_no_run(root: Path) -> None:
    step = step_of(recorded("jupyter nbconvert nb/train.ipynb"), root)
    assert step.run == Argv(args=("jupyter", "nbconvert", "nb/train.ipynb"))


@pytest.mark.parametrize(
    "value",
    ["-f ../outside.yaml", "-f link.yaml", "-f /etc/passwd", "-f absent.yaml", "-y [", "-y 3"],
)
def test_parameters_that_cannot_be_read_are_one_clear_error(root: Path, value: str) -> None:
    (root.parent / "outside.yaml").write_text("password: hunter2")
    (root / "link.yaml").symlink_to("../outside.yaml")
    with pytest.raises(SourceError, match="papermill's parameters"):
        step_of(recorded(f"papermill nb/train.ipynb {value}"), root)


def test_the_executed_notebook_is_kept_only_inside_the_tree(root: Path) -> None:
    kept = step_of(recorded("papermill nb/train.ipynb out/o.ipynb"), root).run
    assert isinstance(kept, Argv)
    assert kept.args[-2:] == ("--output", "out/o.ipynb")
    for output in ("../o.ipynb", "/tmp/o.ipynb", "gs://b/o.ipynb"):
        found = step_of(recorded(f"papermill nb/train.ipynb {output}"), root).run
        assert isinstance(found, Argv)
        assert "--output" not in found.args


def test_a_template_may_name_a_notebook(root: Path) -> None:
    template = StepTemplate(args=("nb/train.ipynb", "-p", "alpha", "{params.alpha}"))
    step = step_of(run_of("ipykernel_launcher.py"), root, Config(command=(template,)))
    assert told(step) == ("nb", "train.ipynb", {"alpha": 0.3})
    step = step_of(run_of(), root, Config(command=(dataclasses.replace(template, cwd="nb/.."),)))
    assert told(step)[0] == "nb/.."


@pytest.mark.parametrize(
    "source", ["nb/train.ipynb", "/home/ada/proj/nb/train.ipynb", "train.ipynb"]
)
def test_a_source_that_is_a_notebook_gets_those_of_the_runs_parameters_that_it_declares(
    root: Path, source: str
) -> None:
    run = run_of(source, parameters={"lr": "0.1", "name": "7", "other": "1"})
    found = command.complete(run, Config(), root)
    assert told(found.command.steps[0]) == ("nb", "train.ipynb", {"lr": 0.1, "name": "7"})
    assert found.origin.kind is OriginKind.INFERRED
    assert [finding.code for finding in found.findings] == ["inferred-command"]
    assert not found.unproved


def test_a_notebook_without_logged_parameters_is_unproved(root: Path) -> None:
    run = run_of("nb/train.ipynb", parameters={})
    assert command.complete(run, Config(), root).unproved == "the run logged no parameter"


def test_the_paired_script_runs_where_the_notebook_is_not_committed(tmp_path: Path) -> None:
    root = tree(tmp_path, nb__train_py=SCRIPT + TAGGED)
    found = command.complete(run_of("nb/train.ipynb", parameters={"lr": "2"}), Config(), root)
    assert told(found.command.steps[0]) == ("nb", "train.py", {"lr": 2})
    assert "nb/train.py is paired with it" in found.origin.where
    step = step_of(recorded("papermill nb/train.ipynb - -p lr 3"), root)
    assert told(step) == (".", "nb/train.py", {"lr": 3})


def test_the_paired_notebook_runs_where_the_script_is_not_committed(tmp_path: Path) -> None:
    (tmp_path / "train.ipynb").write_text(notebook(jupytext={"formats": "ipynb,py"}))
    assert told(step_of(run_of("train.py"), tmp_path))[:2] == (".", "train.ipynb")


@pytest.mark.parametrize("other", ["print('no pair')", ""])
def test_a_file_of_the_same_name_that_is_no_pair_is_not_taken(tmp_path: Path, other: str) -> None:
    with pytest.raises(SourceError, match="missing-command"):
        step_of(run_of("train.ipynb"), tree(tmp_path, train_py=other))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"cells": 3}', '{"cells": [3, {}]}'])
def test_a_broken_notebook_has_no_parameters(tmp_path: Path, content: str) -> None:
    (tmp_path / "train.ipynb").write_text(content)
    assert told(step_of(run_of("train.ipynb"), tmp_path))[2] == {}


@pytest.mark.parametrize(
    "source",
    [
        *("/x/ipykernel_launcher.py", "colab_kernel_launcher.py", "/tmp/ipykernel_77/123.py"),
        *("<stdin>", "-c", "/x/ipykernel/__main__.py", "/dbruntime/PythonShell.py"),
    ],
)
def test_what_only_starts_a_kernel_asks_for_the_notebooks_name(tmp_path: Path, source: str) -> None:
    with pytest.raises(SourceError, match="kernel-launcher") as caught:
        step_of(run_of(source), tmp_path)
    assert 'command: "notebooks/train.ipynb -p lr {params.lr}"' in caught.value.hint
    launched = ("python", source, "-f", "/run/kernel-1.json")
    with pytest.raises(SourceError, match="kernel-launcher"):
        step_of(recorded(" ".join(launched)), tmp_path)


@pytest.mark.parametrize("source", ["train.py", "kernel.py", "launch/train.py", "train.ipynb"])
def test_a_script_is_no_launcher(source: str) -> None:
    assert not is_launcher(source)
