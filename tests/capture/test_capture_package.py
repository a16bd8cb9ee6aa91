"""What holds for the package as a whole."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from reprocheck_capture import record, upload

import reprocheck
from tests.conftest import absent

CAPTURE = Path(__file__).parents[2] / "capture"
MODULES = sorted((CAPTURE / "reprocheck_capture").glob("*.py"))


def test_both_packages_have_one_version():
    import reprocheck_capture

    assert reprocheck_capture.__version__ == reprocheck.__version__


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


def test_it_runs_under_the_oldest_python(in_repo):
    found = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    if not found:
        absent("no Python 3.8 here")
    code = "from reprocheck_capture import record, provenance, provider\n"
    code += "print(record.tags(record.facts()))"
    argv = [found[-1], "-W", "error", "-c", code]
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


def test_the_source_archive_is_whole(tmp_path):
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path]
    subprocess.run(argv, cwd=CAPTURE, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = {Path(member.name).name: member for member in archive.getmembers()}
        assert {module.name for module in MODULES} <= files.keys()
        assert files["hardware_probe.py"].isfile()
        assert files["LICENSE"].isfile()
