"""venv: environments built by uv from packages that are small."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprocheck.environments import pick
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.uv_program import find_uv
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind, Severity
from tests.environments.samples import STARTED, Heard, command, installed, need_python, spec

MINOR = ".".join(map(str, sys.version_info[:2]))
OFFLINE = {"UV_DEFAULT_INDEX": "https://no-such-host.invalid/simple", "UV_HTTP_RETRIES": "0"}


def request(folder: Path, content: str, file: str = "requirements.txt", **fields) -> BuildRequest:
    """A request with a cache and a tree of its own."""
    (folder / "tree").mkdir(parents=True, exist_ok=True)
    given = {"started_at": STARTED, "env": dict(os.environ)}
    return BuildRequest(
        spec=spec(content, file), tree=folder / "tree", cache=folder / "cache", **(given | fields)
    )


def test_what_is_not_pinned_is_resolved_as_of_the_run(build):
    sandbox = build(spec("six\n"))
    assert installed(sandbox) == {"six": "1.15.0"}
    assert sandbox.built.lock == "six==1.15.0\n"
    assert sandbox.built.asked == "requirements.txt recorded with the run"


def test_the_time_of_the_day_counts(build):
    morning = datetime(2020, 5, 21, 0, 0, 1, tzinfo=UTC)  # six 1.15.0 came out that afternoon
    assert installed(build(spec("six\n"), started_at=morning)) == {"six": "1.14.0"}


def test_without_a_start_time_it_is_resolved_as_of_now_and_told(build):
    sandbox = build(spec("six\n"), started_at=None)
    assert installed(sandbox)["six"] >= "1.17.0"
    assert ("no-start-time", Severity.WARNING) in [(f.code, f.severity) for f in sandbox.findings]


def test_an_old_python_gets_its_own_versions(build, trial):
    need_python("3.8")
    sandbox = build(spec("idna", python="3.8"), started_at=datetime(2021, 6, 1, tzinfo=UTC))
    assert sandbox.built.python.startswith("3.8.")
    assert installed(sandbox) == {"idna": "3.2"}
    done = sandbox.run(trial(command(("python", "-c", "import sys, pkg_resources, idna"))))
    assert done.exit_code == 0, done.stdout


def test_markers_constraints_and_includes_are_kept(build, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/base.txt").write_text("-c limits.txt\nidna\nsix; python_version < '3'\n")
    (tmp_path / "tree/limits.txt").write_text("idna<2.9\n")
    sandbox = build(spec("-r base.txt", directory="."))
    assert installed(sandbox) == {"idna": "2.8"}


def test_a_freeze_is_installed_without_what_its_packages_ask_for(build):
    sandbox = build(spec("requests==2.23.0\n", file="freeze.txt"))
    assert installed(sandbox) == {"requests": "2.23.0"}


def test_a_freeze_that_is_newer_than_the_run_is_told_to_that_run_only(build, tmp_path):
    frozen, own = spec("six==1.16.0\n", file="freeze.txt"), tmp_path / "cache"
    assert "later-than-run" in [finding.code for finding in build(frozen, cache=own).findings]
    later = datetime(2022, 1, 1, tzinfo=UTC)
    assert build(frozen, started_at=later, cache=own).findings == ()


def test_hashes_are_checked(build):
    with pytest.raises(RebuildError, match="not the one whose hash is recorded"):
        build(spec(f"six==1.15.0 --hash=sha256:{'0' * 64}\n"))


def test_a_conda_file_with_only_a_pip_list_is_built(build):
    text = f"dependencies:\n- python={MINOR}\n- pip\n- pip:\n  - six<1.15\n"
    asked = spec(text, file="conda.yaml", kind=EnvironmentKind.CONDA, python=None)
    assert installed(build(asked)) == {"six": "1.14.0"}


def test_a_python_env_is_built(build):
    text = f"python: {MINOR}\nbuild_dependencies: [pip]\ndependencies: [six==1.14.0]\n"
    assert installed(build(spec(text, file="python_env.yaml", python=None))) == {"six": "1.14.0"}


def test_a_lock_of_uv_is_built(build, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six"]\n'
    )
    lock = [find_uv(), "lock", "-q", "--exclude-newer", "2020-06-01T00:00:00Z"]
    subprocess.run(lock, cwd=tree, check=True)
    asked = spec((tree / "uv.lock").read_text(), file="uv.lock", directory=".")
    (tree / "uv.lock").unlink()
    assert installed(build(asked)) == {"six": "1.15.0"}
    assert sorted(path.name for path in tree.iterdir()) == ["pyproject.toml"]


def test_a_lock_of_uv_without_its_project_is_refused(build):
    with pytest.raises(RebuildError, match=r"pyproject\.toml that belongs to it"):
        build(spec("version = 1\n", file="uv.lock"))


def test_the_second_build_is_taken_from_the_cache_without_asking_uv(build):
    asked, heard = spec("six\npackaging\n"), Heard()
    assert not build(asked).built.cached
    assert build(asked, progress=heard).built.cached
    assert heard.lines == []


def write_wheel(folder: Path, code: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = "own-1.0.dist-info"
    with zipfile.ZipFile(folder / "own-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("own.py", code)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize("file", ["requirements.txt", "freeze.txt"])
def test_the_same_version_from_another_commits_wheels_is_another_environment(tmp_path, file):
    text = "--no-index\n--find-links wheels\nown==1.0\n"
    for number in ("1", "2"):
        write_wheel(tmp_path / number / "tree/wheels", f"number = {number}")
        asked = request(tmp_path / number, text, file, started_at=None)
        asked = dataclasses.replace(
            asked, cache=tmp_path / "cache", spec=dataclasses.replace(asked.spec, directory=".")
        )
        with pick(asked.spec).build(asked) as sandbox:
            (own,) = sandbox.folder.glob("lib/*/site-packages/own.py")
            assert own.read_text() == f"number = {number}"
            assert not sandbox.built.cached


def test_an_empty_file_is_an_environment(build):
    assert installed(build(spec("# nothing\n"))) == {}


def test_a_changed_environment_is_built_anew(tmp_path):
    env = {**os.environ, "UV_CACHE_DIR": str(tmp_path / "uv")}
    asked = request(tmp_path, "six==1.13.0\n", env=env)
    with pick(asked.spec).build(asked) as sandbox:
        (six,) = sandbox.folder.glob("lib/*/site-packages/six.py")
        six.write_text("broken")
    with pick(asked.spec).build(asked) as sandbox:
        assert not sandbox.built.cached
        assert six.read_text() != "broken"


def test_writing_into_an_environment_does_not_reach_another(tmp_path):
    # uv's own cache is the test's, too: were it linked to, it would be broken for good.
    env = {**os.environ, "UV_CACHE_DIR": str(tmp_path / "uv")}
    for name in ("one", "two"):
        asked = request(tmp_path / name, "six==1.13.0\n", env=env)
        with pick(asked.spec).build(asked) as sandbox:
            (six,) = sandbox.folder.glob("lib/*/site-packages/six.py")
            assert "import" in six.read_text()
            six.write_text("broken")


KILLED_WHILE_INSTALLING = """
import os, sys
from pathlib import Path
from tests.environments.samples import Heard
from tests.environments.test_venv import request
from reprocheck.environments import pick

class Killed(Heard):
    def update(self, doing):
        if doing.startswith("installing 1"):
            os.kill(os.getpid(), 9)

asked = request(Path(sys.argv[1]), "six==1.13.0\\n", progress=Killed())
with pick(asked.spec).build(asked):
    pass
"""
BUILT = """
import sys
from pathlib import Path
from tests.environments.test_venv import request
from reprocheck.environments import pick

asked = request(Path(sys.argv[1]), "six==1.13.0\\n")
with pick(asked.spec).build(asked) as sandbox:
    print(sandbox.built.cached)
"""


def start(code: str, folder: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(
        argv, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE
    )


def test_a_build_that_was_killed_is_not_trusted(tmp_path):
    killed = start(KILLED_WHILE_INSTALLING, tmp_path)
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert list((tmp_path / "cache/venv").glob("*/env/bin/python"))  # it had come so far
    asked = request(tmp_path, "six==1.13.0\n")
    with pick(asked.spec).build(asked) as sandbox:
        assert not sandbox.built.cached
        assert installed(sandbox) == {"six": "1.13.0"}


def test_of_two_at_the_same_time_one_builds(tmp_path):
    both = [start(BUILT, tmp_path) for _ in range(2)]
    told = sorted(process.communicate(timeout=90)[0].strip() for process in both)
    assert told == [b"False", b"True"]


def test_progress_tells_what_is_done(tmp_path):
    heard = Heard()
    asked = request(tmp_path, "six\n", progress=heard)
    with pick(asked.spec).build(asked):
        pass
    steps = [line.split()[0] for line in heard.lines]
    assert steps[0] == "resolving"
    assert "installing" in steps


# --- what goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("six==99", "does not have a version"),
        ("six==1.17.0", "published after the run started"),
        ("reprocheck-no-such-package", "does not have a package"),
        ("six==1.15.0\nsix==1.14.0", "contradict each other"),
        ("six !! 1", "could not be understood"),
    ],
)
def test_a_failure_names_its_cause_and_the_next_step(build, line, message):
    with pytest.raises(RebuildError, match=message) as caught:
        build(spec(line))
    assert line.split("=")[0] in caught.value.message
    assert caught.value.hint


def test_an_index_that_cannot_be_reached_is_told(build):
    with pytest.raises(RebuildError, match="could not be reached") as caught:
        build(spec("six\n"), env={**os.environ, **OFFLINE})
    assert "UV_DEFAULT_INDEX" in caught.value.hint


def test_a_password_in_an_index_address_is_not_told(build):
    env = {**os.environ, "UV_HTTP_RETRIES": "0"}
    env["UV_DEFAULT_INDEX"] = "https://me:hunter2@no-such-host.invalid/simple"
    with pytest.raises(RebuildError) as caught:
        build(spec("six\n"), env=env)
    assert "hunter2" not in caught.value.message


def test_nothing_of_a_failed_build_is_kept(tmp_path):
    asked = request(tmp_path, "six==99\n", file="freeze.txt")
    with pytest.raises(RebuildError), pick(asked.spec).build(asked):
        pass
    assert not [path for path in (tmp_path / "cache/venv").iterdir() if path.is_dir()]


def test_a_missing_python_is_told(build):
    with pytest.raises(RebuildError, match=r"asks for Python 3\.97"):
        build(spec("six", python="3.97"))


def test_another_patch_version_is_a_finding(build):
    sandbox = build(spec("six", python=f"{MINOR}.99"))
    assert [finding.code for finding in sandbox.findings] == ["python-patch"]


def test_the_checkout_is_not_changed(tmp_path):
    asked = request(tmp_path, "six\n")
    with pick(asked.spec).build(asked):
        assert list(asked.tree.iterdir()) == []


SIX = {
    "WHEEL": "8b74bedcbbbaca38ff6d7491d76f2b06b3592611af620f8426e82dddb04a5ced",
    "SDIST": "30639c035cdb23534cd4aa2dd52c3bf48f06e5f4a941509c8bafd8ce11080259",
}
POETRY = """
[[package]]
name = "six"
version = "1.15.0"
optional = false
python-versions = "*"
files = [
    {file = "six-1.15.0-py2.py3-none-any.whl", hash = "WHEEL"},
    {file = "six-1.15.0.tar.gz", hash = "SDIST"},
]
[metadata]
python-versions = "~3.11"
"""


def test_a_lock_of_poetry_is_built_with_its_hashes(build):
    right, wrong = POETRY, POETRY
    for name, digest in SIX.items():
        right = right.replace(name, f"sha256:{digest}")
        wrong = wrong.replace(name, f"sha256:{digest[::-1]}")
    sandbox = build(spec(right, file="poetry.lock", python=None))
    assert installed(sandbox) == {"six": "1.15.0"}
    assert sandbox.built.python.startswith("3.11.")
    with pytest.raises(RebuildError, match="not the one whose hash is recorded"):
        build(spec(wrong, file="poetry.lock"))


def test_a_missing_python_is_downloaded_where_that_is_allowed(build, tmp_path):
    env = {**os.environ, "UV_PYTHON_INSTALL_MIRROR": tmp_path.as_uri(), "UV_HTTP_RETRIES": "0"}
    with pytest.raises(RebuildError, match="not installed here") as caught:
        build(spec("six", python="3.14"), env=env)
    assert "download_python: true" in caught.value.hint
    with pytest.raises(RebuildError, match=r"^downloading Python 3\.14: ") as caught:
        build(spec("six", python="3.14"), env=env, download_python=True)
    assert str(tmp_path) in caught.value.message  # uv was sent for it


def test_a_lock_of_uv_installs_the_members_of_its_workspace_too(build, trial, tmp_path):
    tree = tmp_path / "tree"
    (tree / "libs/own/own").mkdir(parents=True)
    (tree / "libs/own/own/__init__.py").touch()
    project = '[project]\nname = "{}"\nversion = "1"\nrequires-python = ">=3.11"\n'
    (tree / "pyproject.toml").write_text(
        project.format("root") + 'dependencies = ["own"]\n'
        '[tool.uv.workspace]\nmembers = ["libs/own"]\n[tool.uv.sources]\nown.workspace = true\n'
    )
    (tree / "libs/own/pyproject.toml").write_text(
        project.format("own") + 'dependencies = ["six"]\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    when = datetime(2023, 6, 1, tzinfo=UTC)
    lock = [find_uv(), "lock", "-q", "--exclude-newer", "2023-06-01T00:00:00Z"]
    subprocess.run(lock, cwd=tree, check=True)
    asked = spec((tree / "uv.lock").read_text(), file="uv.lock", directory=".")
    sandbox = build(asked, started_at=when)
    assert installed(sandbox) == {"six": "1.16.0", "own": "1"}
    code = "import own, six; print(own.__file__)"
    done = sandbox.run(trial(command(("python", "-c", code))))
    assert done.stdout.decode().strip() == str(tree / "libs/own/own/__init__.py")
