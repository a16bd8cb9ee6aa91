"""script: a recorded setup, run once, whose work is carried into the trials."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from reprocheck.environments import script
from reprocheck.environments.base import TrialRun
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind, EnvironmentSpec
from tests.conftest import snapshot
from tests.environments.samples import command, spec

MAKEFILE = """
setup:
\tpython -m venv --without-pip .venv
\tpwd > .venv/lib/where.txt
\tmkdir -p data && date +%s%N > data/made
\techo kept > "$$HOME/kept"
"""
WHERE = "import sys, own; print(sys.prefix); print(own.__file__)"


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


def setup(*steps: tuple[str, ...]) -> EnvironmentSpec:
    content = json.dumps([{"argv": list(step), "cwd": "."} for step in steps])
    return spec(content, file="make setup", kind=EnvironmentKind.SCRIPT)


def trial_in(trial, tmp_path, name, *run) -> TrialRun:
    own = tmp_path / name
    (own / "tree").mkdir(parents=True)
    (own / "home").mkdir()
    return trial(command(run), tree=own / "tree", home=own / "home")


def test_what_it_makes_is_there_in_every_trial_at_the_trials_own_place(
    build, trial, tmp_path, tree
):
    before = snapshot(tree)
    sandbox = build(setup(("make", "setup")))
    assert snapshot(tree) == before
    made = set()
    for name in ("one", "two"):
        run = trial_in(trial, tmp_path, name, "python", "-c", "import sys; print(sys.prefix)")
        done = sandbox.run(run)
        assert done.stdout.decode().strip() == str(run.tree / ".venv")
        assert (run.tree / ".venv/lib/where.txt").read_text().strip() == str(run.tree)
        assert (run.home / "kept").read_text() == "kept\n"
        made.add((run.tree / "data/made").read_text())
        (run.tree / "data/made").write_text("changed")
    assert len(made) == 1
    assert not sandbox.changed()


def test_it_runs_once_for_the_same_tree_and_command(build, tree):
    first = build(setup(("make", "setup")))
    assert build(setup(("make", "setup"))).built.cached
    assert not build(setup(("make", "setup"), ("true",))).built.cached
    (tree / "seen.txt").write_text("changed")
    second = build(setup(("make", "setup")))
    assert not second.built.cached
    assert second.built.digest != first.built.digest


def test_it_installs_into_an_environment_of_its_own_and_editable_means_the_trials_tree(
    build, trial, tmp_path, tree
):
    code = "from setuptools import setup\nsetup(name='own', version='1', py_modules=['own'])\n"
    (tree / "setup.py").write_text(code)
    (tree / "own.py").touch()
    sandbox = build(setup(("pip", "install", "-q", "-e", ".")))
    assert ("own", "1") in [(item.name, item.version) for item in sandbox.built.packages]
    run = trial_in(trial, tmp_path, "one", "python", "-c", WHERE)
    (run.tree / "own.py").touch()
    (run.tree / "below").mkdir()
    done = sandbox.run(run)
    assert done.stdout.decode().split() == [str(run.home / ".venv"), str(run.tree / "own.py")]


def test_a_setup_sees_no_secret(build, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    with pytest.raises(RebuildError, match="running env") as caught:
        build(setup(("env", "sh", "-c", "env; exit 3")))
    assert "exited with 3" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_a_setup_that_cannot_start_is_told(build):
    with pytest.raises(RebuildError, match="running no-such-program"):
        build(setup(("no-such-program",)))


@pytest.mark.parametrize("place", [".", "tools/envs/deep/own"])
def test_an_environment_that_it_makes_anywhere_in_the_tree_is_the_trials(
    build, trial, tmp_path, tree, place
):
    sandbox = build(setup(("python", "-m", "venv", "--without-pip", place)))
    run = trial_in(trial, tmp_path, "one", "python", "-c", "import sys; print(sys.prefix)")
    assert sandbox.run(run).stdout.decode().strip() == str((run.tree / place).resolve())
    assert list((run.tree / place).glob("lib/python*/site-packages/reprocheck_redirect.pth"))


def test_of_several_environments_the_highest_is_taken_and_told(build, tree):
    line = "python -m venv --without-pip a/b && python -m venv --without-pip .venv"
    told = {finding.code: finding for finding in build(setup(("sh", "-c", line))).findings}
    assert "the trials run in .venv, not in a/b" in told["several-environments"].message


@pytest.mark.parametrize("cwd", ["nowhere", "../.."])
def test_a_step_outside_of_the_tree_is_refused(build, tree, cwd):
    content = json.dumps([{"argv": ["true"], "cwd": cwd}])
    asked = spec(content, file="true", kind=EnvironmentKind.SCRIPT)
    with pytest.raises(RebuildError, match=f"there is no directory '{cwd}' in the tree"):
        build(asked)


def test_what_it_leaves_running_is_ended(build, tree, tmp_path):
    name = f"left-{tmp_path.name}"
    line = f"printf 'sleep 300\\n' > {name}; sh {name} & exit 0"
    (told,) = build(setup(("sh", "-c", line))).findings
    assert "outside of the tree and its HOME is not kept" in told.message
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            assert name.encode() not in path.read_bytes()


def test_a_setup_that_takes_too_long_is_ended_and_told(build, tree, monkeypatch):
    monkeypatch.setattr(script, "TIMEOUT_S", 0.3)
    with pytest.raises(RebuildError, match="running sleep 60: it took too long"):
        build(setup(("sleep", "60")))
