"""editable: projects of the tree, imported by each trial from its own tree."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from reprocheck.errors import RebuildError
from tests.conftest import snapshot
from tests.environments.samples import command, installed, need_python, spec

SETUP = """
from setuptools import setup
setup(
    name="own", version="1.2", package_dir={"": "src"}, packages=["own"], py_modules=[],
    install_requires=["six"], extras_require={"more": ["idna"]},
    entry_points={"console_scripts": ["own-train=own:main"]},
)
"""
CODE = "def main():\n    print(__file__)\n"
HATCH = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "own"
version = "3.4"
requires-python = ">=3.11"
dependencies = ["six"]
[tool.hatch.build.targets.wheel]
packages = ["own"]
"""
RECENT = datetime(2024, 6, 1, tzinfo=UTC)


def write(tree, **files):
    for name, text in files.items():
        path = tree / name.replace("__", "/").replace("0", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def tree(tmp_path):
    return tmp_path / "tree"


def trial_of(trial, tmp_path, *run, code=CODE, name="trial"):
    """A trial in a tree of its own, with the same files."""
    own = tmp_path / name
    write(own, setup0py=SETUP)
    (own / "src/own").mkdir(parents=True, exist_ok=True)
    (own / "src/own/__init__.py").write_text(code)
    return trial(command(run), tree=own)


def project(tree):
    write(tree, setup0py=SETUP)
    (tree / "src/own").mkdir(parents=True)
    (tree / "src/own/__init__.py").write_text(CODE)


def test_a_trial_imports_its_own_tree_and_not_the_builds(build, trial, tmp_path, tree):
    project(tree)
    before = snapshot(tree)
    sandbox = build(spec("-e .[more]\n", directory="."))
    assert installed(sandbox) == {"six": "1.15.0", "idna": "2.9", "own": "1.2"}
    assert snapshot(tree) == before
    changed = CODE + "print('changed')\n"
    run = trial_of(trial, tmp_path, "python", "-c", "import own, six; own.main()", code=changed)
    done = sandbox.run(run)
    assert done.exit_code == 0, done.stdout
    assert done.stdout.split() == [b"changed", str(run.tree / "src/own/__init__.py").encode()]
    assert sandbox.findings == ()


def test_its_programs_and_metadata_are_there(build, trial, tmp_path, tree):
    project(tree)
    sandbox = build(spec("-e .\n", directory="."))
    run = trial_of(trial, tmp_path, "own-train")
    assert sandbox.run(run).stdout.strip() == str(run.tree / "src/own/__init__.py").encode()
    code = "from importlib.metadata import version; print(version('own'))"
    run = trial_of(trial, tmp_path, "python", "-c", code, name="other")
    assert sandbox.run(run).stdout == b"1.2\n"


def test_another_commit_shares_the_environment_of_its_dependencies(build, tree):
    project(tree)
    first = build(spec("-e .\n", directory="."))
    (tree / "src/own/__init__.py").write_text("changed = True\n")
    second = build(spec("-e .\n", directory="."))
    assert second.folder == first.folder
    assert second.built.digest != first.built.digest
    assert second.overlays[0].site != first.overlays[0].site
    assert not second.changed()


def test_what_the_build_makes_is_carried_into_the_trials_tree(build, trial, tmp_path, tree):
    project(tree)
    made = "import os; os.makedirs('src/own', exist_ok=True)\nopen('src/own/_made.py', 'w')\n"
    (tree / "setup.py").write_text(made + SETUP)
    sandbox = build(spec("-e .\n", directory="."))
    run = trial_of(trial, tmp_path, "python", "-c", "import own._made as m; print(m.__file__)")
    assert sandbox.run(run).stdout.strip() == str(run.tree / "src/own/_made.py").encode()


def test_a_pyproject_is_installed_from_the_tree(build, trial, tree):
    write(tree, pyproject0toml=HATCH)
    (tree / "own").mkdir()
    (tree / "own/__init__.py").write_text("print('mine')\n")
    asked = spec(HATCH, file="pyproject.toml", directory=".")
    sandbox = build(asked, started_at=RECENT)
    assert installed(sandbox) == {"six": "1.16.0", "own": "3.4"}
    (tree / "deep").mkdir()
    done = sandbox.run(trial(command(("python", "-c", "import own"), cwd="deep")))
    assert done.stdout == b"mine\n"


def test_a_pyproject_that_cannot_be_built_leaves_its_dependencies_and_is_told(build, tree):
    text = HATCH.replace('version = "3.4"', 'version = "3.4"\nreadme = "missing.md"')
    write(tree, pyproject0toml=text)
    sandbox = build(spec(text, file="pyproject.toml", directory="."), started_at=RECENT)
    assert installed(sandbox) == {"six": "1.16.0"}
    assert [finding.code for finding in sandbox.findings] == ["project-not-installed"]


def test_an_editable_project_that_cannot_be_built_is_an_error(build, tree):
    write(tree, setup0py="raise SystemExit('no')")
    with pytest.raises(RebuildError, match="building its source failed"):
        build(spec("-e .", directory="."))


def test_a_folder_that_is_not_editable_is_installed_as_it_is_at_the_commit(build, trial, tree):
    project(tree)
    sandbox = build(spec("./.\n", directory="."))
    assert installed(sandbox) == {"six": "1.15.0", "own": "1.2"}
    done = sandbox.run(trial(command(("python", "-c", "import own; own.main()"))))
    assert b"site-packages" in done.stdout
    (tree / "src/own/__init__.py").write_text("changed = True\n")
    assert build(spec("./.\n", directory=".")).built.digest != sandbox.built.digest


@pytest.fixture
def nothing_built(tmp_path):
    """An environment in which uv holds no wheel that it built earlier."""
    return {**os.environ, "UV_CACHE_DIR": str(tmp_path / "uv")}


def test_an_old_package_is_built_with_the_setuptools_of_its_time(build, trial, nothing_built):
    need_python("3.8")
    # It wants 2to3, which setuptools gave up in September 2021; there is no wheel of it.
    asked = spec("demjson==2.2.4\n", python="3.8", file="freeze.txt")
    sandbox = build(asked, env=nothing_built)
    done = sandbox.run(trial(command(("python", "-c", "import demjson; print(demjson.encode(1))"))))
    assert done.stdout == b"1\n"


def test_also_where_the_package_itself_is_newer_than_the_run(build, nothing_built):
    need_python("3.8")
    asked = spec("demjson==2.2.4\nsix==1.16.0\n", python="3.8", file="freeze.txt")
    sandbox = build(asked, env=nothing_built)
    assert installed(sandbox) == {"demjson": "2.2.4", "six": "1.16.0"}
    assert [finding.code for finding in sandbox.findings] == ["later-than-run"]
