"""sandbox: a trial's steps with the programs of an environment."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

from reprocheck.environments.isolation import Isolation, Offer
from reprocheck.errors import RerunError
from reprocheck.model import Command, Limits
from tests.environments.samples import command, spec

PLAIN = Isolation(offer=Offer(level="plain"), limits=Limits(), way=None)
SHOW = "import json, os, sys; print(json.dumps([sys.prefix, os.getcwd(), dict(os.environ)]))"


@pytest.fixture
def sandbox(build):
    env = {**os.environ, "TOKEN": "hunter2", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "7"}
    return build(spec("six\n"), env=env)


@pytest.mark.parametrize("name", ["python", "python3", "python3.8", "/home/alice/venv/bin/python"])
def test_every_python_is_the_environments(sandbox, trial, name):
    done = sandbox.run(trial(command((name, "-c", SHOW))))
    assert json.loads(done.stdout)[0] == str(sandbox.folder)


def test_a_script_is_run_with_python(sandbox, trial):
    asked = trial(command(("train.py", "--lr", "1")))
    (asked.tree / "train.py").write_text("import six, sys; print(sys.argv)")
    assert sandbox.run(asked).stdout == b"['train.py', '--lr', '1']\n"


def test_a_shell_line_finds_the_environments_python(sandbox, trial):
    done = sandbox.run(trial(command("x=$(python -c 'import sys; print(sys.prefix)'); echo $x")))
    assert done.stdout.decode().strip() == str(sandbox.folder)


@pytest.mark.parametrize("name", ["pip", "/home/alice/venv/bin/pip"])
def test_a_program_is_the_environments_wherever_it_was(sandbox, trial, name):
    done = sandbox.run(trial(command((name, "--version"))))
    assert str(sandbox.folder).encode() in done.stdout


def test_a_program_of_the_tree_is_run_from_there(sandbox, trial):
    asked = trial(command(("./go.sh",), cwd="sub"))
    (asked.tree / "sub").mkdir()
    (asked.tree / "sub/go.sh").write_text("#!/bin/sh\necho went; pwd")
    (asked.tree / "sub/go.sh").chmod(0o755)
    assert sandbox.run(asked).stdout.decode().split() == ["went", str(asked.tree / "sub")]


def test_the_environment_variables_are_an_allow_list(sandbox, trial):
    asked = trial(command(("python", "-c", SHOW), env={"LR": "1", "HOME": "/x", "PATH": "/x"}))
    _, cwd, env = json.loads(sandbox.run(asked).stdout)
    assert cwd == str(asked.tree)
    assert not {"TOKEN", "OMP_NUM_THREADS", "PYTHONPATH"} & set(env)
    assert (env["LC_ALL"], env["LR"]) == ("C.UTF-8", "1")
    assert (env["HOME"], env["TMPDIR"]) == (str(asked.home), str(asked.home / "tmp"))
    assert env["PATH"].startswith(f"{sandbox.folder}/bin:")
    assert env["VIRTUAL_ENV"] == str(sandbox.folder)


def test_the_trials_variables_win_and_empty_ones_are_unset(sandbox, trial):
    recorded = {"A": "recorded", "B": "recorded", "PYTHONPATH": "src"}
    given = {"A": "given", "B": "", "PYTHONPATH": "/redirect"}
    asked = trial(command(("python", "-c", SHOW), env=recorded), env=given)
    env = json.loads(sandbox.run(asked).stdout)[2]
    assert (env["A"], env["PYTHONPATH"]) == ("given", "/redirect:src")
    assert "B" not in env


def test_nobody_names_another_place_for_programs_or_files(sandbox, trial):
    other = dict.fromkeys(("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "REPROCHECK_PREFIX"), "/other")
    asked = trial(command(("python", "-c", SHOW), env=other), env=other)
    env = json.loads(sandbox.run(asked).stdout)[2]
    assert not [name for name in other if env[name] == "/other"]


def test_steps_run_in_order_into_one_log(sandbox, trial):
    asked = trial(command("echo one", "echo two; exit 3", "echo three"))
    done = sandbox.run(asked)
    assert (done.exit_code, done.stdout) == (3, b"one\ntwo\n")
    assert asked.log.read_bytes() == b"one\ntwo\n"


def test_the_timeout_is_for_all_steps(sandbox, trial):
    done = sandbox.run(trial(command("sleep 1", "sleep 60"), timeout_s=2))
    assert done.timed_out
    assert done.duration_s < 10


def test_on_tick_is_called(sandbox, trial):
    ticks: list[int] = []
    sandbox.run(trial(command("sleep 1.2"), on_tick=lambda: ticks.append(1)))
    assert ticks


@pytest.mark.parametrize("cwd", ["..", "/tmp", "absent", "link"])
def test_a_directory_outside_the_tree_or_absent_is_refused(sandbox, trial, cwd):
    asked = trial(command("true", cwd=cwd))
    (asked.tree / "link").symlink_to("/tmp")
    with pytest.raises(RerunError, match=cwd):
        sandbox.run(asked)


def test_a_missing_program_is_told(sandbox, trial):
    with pytest.raises(RerunError, match="no-such-program") as caught:
        sandbox.run(trial(command(("no-such-program",))))
    assert "lacks this program" in caught.value.hint


@pytest.mark.parametrize("empty", [Command(steps=()), command(())])
def test_an_empty_command_is_refused(sandbox, trial, empty):
    with pytest.raises(RerunError, match="running the trial"):
        sandbox.run(trial(empty))


def test_the_redirection_is_imported_also_when_pythonpath_is_overwritten(sandbox, trial, tmp_path):
    (tmp_path / "redirect").mkdir()
    (tmp_path / "redirect/reprocheck_redirect.py").write_text("print('redirected')")
    line = "PYTHONPATH=. python -I -c 'print(1)'"
    asked = trial(command(line), env={"REPROCHECK_REDIRECT": str(tmp_path / "redirect")})
    assert sandbox.run(asked).stdout == b"redirected\n1\n"


@pytest.mark.parametrize("value", [None, "/no/such/folder"])
def test_the_redirection_does_nothing_unless_asked(sandbox, trial, value):
    env = {"REPROCHECK_REDIRECT": value} if value else {}
    line = "import sys; print(any('redirect' in name for name in [*sys.modules, *sys.path]))"
    assert sandbox.run(trial(command(("python", "-c", line)), env=env)).stdout == b"False\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_nothing_that_a_trial_started_is_left(sandbox, trial):
    plain = dataclasses.replace(sandbox, isolation=PLAIN)
    pid = int(plain.run(trial(command("setsid sleep 100 & echo $!"))).stdout)
    assert not Path(f"/proc/{pid}").exists()


def test_a_trial_that_writes_into_the_environment_is_noticed(build, trial, tmp_path):
    own = dataclasses.replace(build(spec("six\n"), cache=tmp_path / "cache"), isolation=PLAIN)
    own.run(trial(command(("python", "-c", "import six"))))
    assert not own.changed()
    own.run(trial(command(("python", "-c", "import six; open(six.__file__, 'a').write('#')"))))
    assert own.changed()
