"""interpreters: installed Pythons by the recorded version."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprocheck.environments.interpreters import find, inspect
from reprocheck.errors import RebuildError
from tests.environments.samples import need_python

ENV = dict(os.environ)
RUNNING = ".".join(map(str, sys.version_info[:3]))
MINOR = ".".join(map(str, sys.version_info[:2]))


def test_the_exact_version_is_found_without_a_warning():
    interpreter, findings = find(RUNNING, ENV, None)
    assert interpreter.version == RUNNING
    assert findings == ()


@pytest.mark.parametrize(
    "asked",
    [
        MINOR,
        f"={MINOR}",
        f"{MINOR}.*",
        f"=={MINOR}.*",
        f"={RUNNING}=h1_0",
        f"~{MINOR}",
    ],
)
def test_other_ways_to_name_a_version_are_understood(asked):
    interpreter, findings = find(asked, ENV, None)
    assert interpreter.version.startswith(f"{MINOR}.")
    assert findings == ()


def test_another_patch_version_is_a_warning():
    interpreter, (finding,) = find(f"{MINOR}.99", ENV, None)
    assert finding.code == "python-patch"
    assert finding.message == f"python {interpreter.version} instead of {MINOR}.99"


@pytest.mark.parametrize("asked", [None, "", ">=3.8", "3", "^3.8", "^3.8,<3.99"])
def test_an_open_version_is_a_warning(asked):
    interpreter, (finding,) = find(asked, ENV, None)
    assert interpreter.version == RUNNING
    assert finding.code == "python-unknown"


def test_an_open_version_is_one_that_existed_when_the_run_started():
    need_python("3.8")
    interpreter, _ = find(">=3.8", ENV, datetime(2020, 9, 30, tzinfo=UTC))
    assert interpreter.version.startswith("3.8.")


def test_a_range_is_kept():
    need_python("3.9")
    assert find(">=3.8,<3.10", ENV, None)[0].version.startswith("3.9.")


def test_a_missing_version_lists_what_is_here():
    with pytest.raises(RebuildError, match=rf"Python 3\.97.*found: .*{RUNNING}") as caught:
        find("3.97", ENV, None)
    assert "install" in caught.value.hint


@pytest.mark.parametrize("asked", ["2.7.18", "3.5", "2"])
def test_too_old_a_python_is_refused(asked):
    with pytest.raises(RebuildError, match=r"3\.6 and later"):
        find(asked, ENV, None)


def test_nonsense_is_refused():
    with pytest.raises(RebuildError, match="'three' is not a version"):
        find("three", ENV, None)


def test_shims_of_pyenv_are_not_asked(tmp_path):
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3.97").write_text(f"#!/bin/sh\n: > {tmp_path}/asked\n")
    (shims / "python3.97").chmod(0o755)
    find(None, {"PATH": str(shims)}, None)
    assert not (tmp_path / "asked").exists()


def test_the_interpreter_under_a_virtual_environment_is_meant():
    interpreter = inspect(Path(sys.executable), ENV)
    assert interpreter is not None
    assert Path(interpreter.path).resolve() == Path(sys.executable).resolve()
    assert "site-packages" not in interpreter.identity
    assert str(interpreter.path) not in interpreter.identity


def test_a_program_that_is_no_python_is_none(tmp_path):
    assert inspect(Path("/bin/true"), ENV) is None
    assert inspect(tmp_path / "absent", ENV) is None
