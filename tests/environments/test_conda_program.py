"""conda_program: what a micromamba, mamba or conda on PATH is told. It stands here as a script
that writes down its arguments, since none of them can be installed everywhere.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprocheck.environments import conda_program
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind
from tests.environments.channels import PYTHON
from tests.environments.samples import spec

SCRIPT = """#!{python}
import json, os, shutil, sys
said = {{"argv": sys.argv[1:], "env": dict(os.environ)}}
if "--file" in sys.argv:
    said["file"] = open(sys.argv[sys.argv.index("--file") + 1]).read()
json.dump(said, open({heard}, "w"))
if {fails}:
    sys.exit({fails})
shutil.copytree({prefix}, sys.argv[sys.argv.index("--prefix") + 1], symlinks=True)
"""


class Program:
    """A conda that hands out a prefix which py-rattler made."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    def write(self, prefix: Path | None, fails: str = "") -> None:
        self.folder.mkdir()
        script = self.folder / self.name
        heard = repr(str(self.folder / "heard"))
        script.write_text(
            SCRIPT.format(
                python=sys.executable, heard=heard, fails=repr(fails), prefix=repr(str(prefix))
            )
        )
        script.chmod(0o755)

    @property
    def heard(self) -> dict:
        return json.loads((self.folder / "heard").read_text())


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "bin", "micromamba")


def asked(content: str, file: str = "environment.yml"):
    return spec(content, file=file, kind=EnvironmentKind.CONDA, python=None)


@pytest.fixture
def made(build, channel):
    """What py-rattler makes of python and hello."""
    text = f"channels: [{channel.url}, nodefaults]\ndependencies: [python, hello]\n"
    return build(asked(text))


def test_a_program_is_told_the_packages_and_channels(build, channel, program, made):
    program.write(made.folder)
    text = "channels: [here, nodefaults]\ndependencies: [python, hello >=1, pip: [six==1.15.0]]\n"
    sandbox = build(asked(text), started_at=None, env=program.env, channels={"here": channel.url})
    argv = program.heard["argv"]
    assert argv[:3] == ["create", "--yes", "--prefix"]
    assert argv[4:] == ["--override-channels", "--channel", channel.url, "python", "hello >=1"]
    assert program.heard["env"]["CONDA_ALWAYS_COPY"] == "true"
    assert {item.name for item in sandbox.built.packages} == {"python", "hello", "six"}
    assert f"{channel.url}/noarch/hello-1.0-0.tar.bz2#sha256:" in sandbox.built.lock
    assert sandbox.built.lock.endswith("# pip six==1.15.0\n")


def test_a_lock_is_handed_to_it_as_an_explicit_list(build, program, made, tmp_path):
    program.write(made.folder)
    listed = made.built.lock
    sandbox = build(asked(listed, "conda-list.txt"), env=program.env, cache=tmp_path / "cache")
    assert program.heard["argv"][4:5] == ["--file"]
    assert program.heard["file"].startswith("@EXPLICIT\n")
    assert sandbox.built.python == PYTHON


def test_the_recorded_python_and_condas_default_channels_are_added(build, program, made):
    program.write(made.folder)
    given = spec("dependencies: [hello]", file="environment.yml", python=PYTHON)
    build(given, started_at=None, env=program.env)
    assert program.heard["argv"][4:] == [
        *("--override-channels", "--channel", "defaults", "hello", f"python={PYTHON}")
    ]


def test_what_it_cannot_date_is_solved_by_py_rattler(build, channel, program):
    program.write(None, fails="it must not run")
    text = f"channels: [{channel.url}, nodefaults]\ndependencies: [python, hello]\n"
    later = datetime(2023, 1, 1, tzinfo=UTC)
    assert build(asked(text), started_at=later, env=program.env).findings == ()


def test_without_py_rattler_it_is_told_that_nothing_was_dated(
    build, channel, program, made, monkeypatch
):
    program.write(made.folder)
    monkeypatch.setattr("reprocheck.environments.conda_rattler.is_installed", lambda: False)
    monkeypatch.setenv("PATH", program.env["PATH"])
    text = f"channels: [{channel.url}, nodefaults]\ndependencies: [python, hello]\n"
    sandbox = build(asked(text), env=program.env)
    assert [item.code for item in sandbox.findings] == ["resolved-as-of-now"]
    assert program.heard


def test_its_failure_is_told_with_the_channel(build, program):
    program.write(
        None, fails="CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://c.invalid/x>"
    )
    text = "channels: [https://c.invalid/x, nodefaults]\ndependencies: [hello]\n"
    with pytest.raises(RebuildError, match=r"could not be reached \(https://c.invalid/x\)"):
        build(asked(text), started_at=None, env=program.env)


@pytest.mark.parametrize("present", [("micromamba", "conda"), ("conda", "mamba")])
def test_the_fastest_program_is_taken(tmp_path, present):
    for name in present:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    found = conda_program.find({"PATH": str(tmp_path)})
    assert Path(str(found)).name == min(present, key=conda_program.NAMES.index)
    assert conda_program.find({"PATH": shlex.quote("/nonexistent")}) is None
