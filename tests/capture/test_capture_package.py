"""What holds for the package as a whole."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from reprocheck_capture import record, upload

CAPTURE = Path(__file__).parents[2] / "capture"
MODULES = sorted((CAPTURE / "reprocheck_capture").glob("*.py"))


def test_it_needs_nothing_but_python():
    project = tomllib.loads((CAPTURE / "pyproject.toml").read_text())["project"]
    assert (project["dependencies"], project["requires-python"]) == ([], ">=3.8")
    allowed = {*sys.stdlib_module_names, "reprocheck_capture"}
    for path in MODULES:
        tree = ast.parse(path.read_text(), feature_version=(3, 8))
        for node in tree.body:  # what is imported inside a function is there already
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path


def oldest_python():
    """The oldest interpreter at hand that the package says it runs under."""
    for minor in range(8, sys.version_info[1]):
        at_hand = sorted(map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")))
        named = shutil.which(f"python3.{minor}")
        for python in (*at_hand[-1:], *([named] if named else [])):
            done = subprocess.run([python, "-V"], capture_output=True, check=False)
            if done.returncode == 0:  # pyenv's own stand-in may lead nowhere
                return python
    return sys.executable


def test_it_runs_under_the_oldest_python(in_repo):
    names = [f"reprocheck_capture.{module.stem}" for module in MODULES if module.stem != "__init__"]
    code = f"import {', '.join(names)}; from reprocheck_capture import record; "
    code += "print(record.tags(record.facts()))"
    argv = [oldest_python(), "-W", "error", "-c", code]
    env = {"PYTHONPATH": str(CAPTURE), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        argv, cwd=in_repo.path, env=env, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert ast.literal_eval(done.stdout)["reprocheck.tree"] == "clean"


def test_tags_stay_small_in_all(nothing_missing):
    wanted = {"a": "x" * 3000, "b": "x" * 4001, "c": "é" * 3000, "d": "y"}
    assert sorted(record._fitting(wanted)) == ["a", "d"]
    assert sorted(nothing_missing) == ["tag b", "tag c"]


class Refusing:
    def log_artifacts(self, run_id, folder, path):
        raise OSError("no space left")


def test_artifacts_that_cannot_be_stored_are_warned_of(nothing_missing):
    with pytest.warns(RuntimeWarning, match="no space left"):
        upload._store(Refusing(), "run", {"a/b": b"x"})
    assert re.match("OSError", nothing_missing["artifacts"])


def test_it_can_be_switched_off(monkeypatch):
    from reprocheck_capture.provider import CaptureContext

    monkeypatch.setenv("REPROCHECK_CAPTURE", "off")
    before = list(sys.meta_path)
    assert not CaptureContext().in_context()
    assert sys.meta_path == before
