"""own_wheel: a recorded reprocheck-capture is installed from what came with reprocheck."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import zipfile
from pathlib import Path

import pytest

from reprocheck.environments import own_wheel
from reprocheck.environments.asked import read
from reprocheck.environments.landed import lists_of
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind
from tests.environments.samples import command, installed, need_python, record, spec

OURS = importlib.metadata.version("reprocheck-capture")
PIN = f"reprocheck-capture=={OURS}"
OFFLINE = {"UV_DEFAULT_INDEX": "https://no-such-host.invalid/simple", "UV_HTTP_RETRIES": "0"}
USE = """\
import importlib.metadata, os, reprocheck_capture
from reprocheck_capture import provenance, hardware_probe
(point,) = importlib.metadata.distribution("reprocheck-capture").entry_points
print(reprocheck_capture.__version__, point.load().__name__, reprocheck_capture.log_provenance())
"""


@pytest.mark.parametrize(
    ("line", "taken", "other"),
    [
        (PIN, PIN, None),
        ("Reprocheck_Capture", PIN, None),
        ("reprocheck-capture>=0.0.1  # comment", PIN, None),
        ("reprocheck-capture==0.0.9 --hash=sha256:00", PIN, "0.0.9"),
        ("reprocheck-capture[a]>90,<99; python_version < '3.9'", PIN, "<99,>90"),
        ("reprocheck-capture @ file:///a/reprocheck_capture-0.0.9-py3-none-any.whl", PIN, "0.0.9"),
        ("https://a.example/reprocheck_capture-0.0.9.tar.gz#sha256=00", PIN, "0.0.9"),
        ("./wheels/reprocheck_capture-0.0.9-py3-none-any.whl", PIN, "0.0.9"),
        (
            "-e git+https://a.example/b@1234abc#egg=reprocheck_capture&subdirectory=c",
            PIN,
            "1234abc",
        ),
        ("reprocheck-capture @ git+https://a.example/b@1234abc", PIN, "1234abc"),
        ("reprocheck-capture-more==1.0", "reprocheck-capture-more==1.0", None),
        ("six @ https://a.example/reprocheck-capture/six.whl", None, None),
    ],
)
def test_whatever_a_line_names_ours_is_taken_and_another_version_told(tmp_path, line, taken, other):
    asked = read(spec(f"{line}\n", "freeze.txt"), tmp_path)
    assert [each.partition(" ; ")[0] for each in asked.requirements] == [taken or line]
    told = [finding.message for finding in asked.findings if finding.code == "other-capture"]
    assert told == ([f"the run had reprocheck-capture {other}; {OURS} is installed, which belongs "
                     "to this reprocheck"] if other else [])  # fmt: skip


def test_a_constraint_does_not_hold_for_it_and_hashes_are_checked_without_it(tmp_path):
    (tmp_path / "limits.txt").write_text("reprocheck-capture<0.0.1\n")
    lines = "-c limits.txt\nreprocheck-capture\nsix==1.15.0 --hash=sha256:00\n"
    asked = read(spec(lines, directory="."), tmp_path)
    assert (asked.constraints, asked.hashed, asked.complete) == ((), True, True)


def test_a_freeze_takes_it_from_no_index_and_a_script_can_use_it(build, trial, tmp_path):
    env = {**os.environ, **OFFLINE}
    sandbox = build(spec("reprocheck-capture==0.0.9\n", "freeze.txt"), env=env)
    assert installed(sandbox) == {"reprocheck-capture": OURS}
    assert sandbox.built.lock == f"{PIN}\n"
    assert "other-capture" in [finding.code for finding in sandbox.findings]
    run = trial(command(("python", "-c", USE)), env={"REPROCHECK_CAPTURE": "off"})
    done = sandbox.run(run)
    assert done.stdout.decode().splitlines()[-1:] == [f"{OURS} CaptureContext None"], done.stdout
    assert not sandbox.changed()
    asked = spec("reprocheck-capture==0.0.9\n", "freeze.txt")
    assert lists_of(record(), tmp_path, asked, sandbox.built).differences == ()


def test_it_is_left_out_where_its_marker_does_not_hold(build, tmp_path):
    text = "--no-index\nreprocheck-capture ; python_version < '3'\n"
    assert installed(build(spec(text, directory="."))) == {}


def test_it_is_installed_under_the_oldest_python(build):
    need_python("3.8")
    asked = spec(f"{PIN}\n", "freeze.txt", python="3.8")
    env = {**os.environ, **OFFLINE}
    assert installed(build(asked, env=env)) == {"reprocheck-capture": OURS}


def wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "theirs = True\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def test_what_another_package_depends_on_is_ours_too(build, tmp_path):
    wheels = tmp_path / "tree/wheels"
    wheel(wheels, "trainer", "1.0", "Requires-Dist: reprocheck-capture>=9")
    wheel(wheels, "reprocheck_capture", "8.0")  # which does not even fit
    more = "reprocheck-capture>8 ; python_version < '3'\n"
    sandbox = build(spec(f"--no-index\n--find-links wheels\ntrainer\n{more}", directory="."))
    pins = f'{PIN}\n{PIN} ; python_version < "3"\n'
    assert sandbox.built.lock == f"trainer==1.0\n{pins}"
    assert installed(sandbox) == {"reprocheck-capture": OURS, "trainer": "1.0"}
    assert not [*sandbox.folder.glob("lib/*/site-packages/reprocheck_capture.py")]
    assert [*sandbox.folder.glob("lib/*/site-packages/reprocheck_capture/hook.py")]


@pytest.mark.parametrize("place", ["conda", "pip"])
def test_conda_environments_have_ours(build, channel, place):
    pip = "  - pip: [reprocheck-capture==0.0.9]\n" if place == "pip" else ""
    entry = "" if pip else "  - conda-forge::reprocheck-capture=0.0.9=py_0\n"
    text = f"channels: [{channel.url}, nodefaults]\ndependencies:\n  - hello\n  - python\n"
    asked = spec(text + entry + pip, "environment.yml", kind=EnvironmentKind.CONDA, python=None)
    sandbox = build(asked, env={**os.environ, **OFFLINE})
    assert installed(sandbox)["reprocheck-capture"] == OURS
    assert sandbox.built.lock.endswith(f"# pip {PIN}\n")
    assert "other-capture" in [finding.code for finding in sandbox.findings]


def test_the_wheel_is_the_same_each_time_and_has_all_that_is_installed(tmp_path):
    first, second = own_wheel.write(tmp_path / "a"), own_wheel.write(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    modules = Path(own_wheel.__file__).parents[2].glob("capture/reprocheck_capture/*.py")
    assert {f"reprocheck_capture/{path.name}" for path in modules} <= set(names)
    assert not any("__pycache__" in name for name in names)


def test_without_it_the_environments_that_name_it_are_refused_by_words(tmp_path, monkeypatch):
    own_wheel._installed.cache_clear()
    monkeypatch.setattr(sys, "path", [])
    assert own_wheel.overriding(tmp_path) == ()
    with pytest.raises(RebuildError, match="not installed with reprocheck"):
        read(spec("reprocheck-capture\n", "freeze.txt"), tmp_path)
