import os
import sys

import pytest

from reprocheck.config import Config
from reprocheck.recording import foresight, programs, requirements
from reprocheck.recording.base import Asked, Foreseen, Situation


@pytest.mark.parametrize(
    ("command", "python"),
    [
        ("python train.py", "python"),
        ("/opt/env/bin/python3.9 -u train.py", "/opt/env/bin/python3.9"),
        ("uv run --with torch python train.py", "uv run --with torch python"),
        ("uv run train.py", "uv run python"),
        ("conda run -n env python -m train", "conda run -n env python"),
        ("env LR=1 python3 train.py", "env LR=1 python3"),
        ("dvc repro", "python"),
        ("bash train.sh", "python"),
    ],
)
def test_the_trainings_own_interpreter_is_found(command, python, tmp_path):
    (tmp_path / "python").write_text("#!/bin/sh\n")
    (tmp_path / "python").chmod(0o755)
    env = {"PATH": f"{tmp_path}{os.pathsep}/bin"}
    found = programs.interpreter(command.split(), tmp_path, env)
    assert found == tuple(python.split())


def test_a_packages_script_runs_under_the_python_that_its_first_line_names(tmp_path):
    (tmp_path / "torchrun").write_text(f"#!{sys.executable}\n")
    (tmp_path / "torchrun").chmod(0o755)
    found = programs.interpreter(("torchrun", "train.py"), tmp_path, {"PATH": str(tmp_path)})
    assert found == (sys.executable,)
    assert programs.interpreter(("nothing",), tmp_path, {"PATH": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("command", "ignores"),
    [
        ("python -I train.py", True),
        ("python -uE train.py", True),
        ("python -W ignore -I train.py", True),
        ("python train.py -I", False),
        ("python -m train -E", False),
        ("python -X importtime train.py", False),
        ("sh -E", False),
    ],
)
def test_options_that_keep_capture_out_are_seen(command, ignores):
    assert programs.ignores_variables(command.split()) is ignores


def test_scripts_are_found_through_shells_pipelines_and_makefiles(tmp_path):
    files = {
        "a.py": "",
        "pkg/__main__.py": "",
        "go.sh": "cd .\npython a.py --x 1\nbash go.sh\n",
        "dvc.yaml": "stages:\n  train:\n    cmd: python -m pkg --lr 1\n",
        "Makefile": "train:\n\tpython a.py\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for command, script in (
        ("bash go.sh", "a.py"),
        ("dvc repro", "pkg/__main__.py"),
        ("make train", "a.py"),
        ("python -m pkg", "pkg/__main__.py"),
        ("python gone.py", None),
    ):
        found = programs.scripts(command.split(), tmp_path)
        assert found == ((tmp_path / script,) if script else ()), command


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("docker run image python train.py", "docker starts the training elsewhere"),
        (f"{sys.executable} -I train.py", "ignore PYTHONPATH"),
        ("python train.py", ""),
    ],
)
def test_where_capture_cannot_be_switched_on_is_told(command, words, tmp_path, monkeypatch):
    monkeypatch.setattr(foresight, "_has_capture", lambda *_: False)
    asked = Asked(argv=tuple(command.split()), cwd=tmp_path, env={}, config=Config())
    why = foresight.why_off(asked)
    assert words in why
    lacks = requirements._capture(Situation(asked=asked, foreseen=Foreseen(), capture_off=why))
    assert [each.finding.code for each in lacks] == (["capture-off"] if words else [])
