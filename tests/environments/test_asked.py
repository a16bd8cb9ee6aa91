"""asked: what files of every format ask for."""

from __future__ import annotations

import pytest

from reprocheck.environments.asked import Format, format_of, read, read_conda, read_python
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind
from tests.environments.samples import spec

CONDA = "channels: [defaults]\ndependencies:\n- python=3.8.18\n- pip<=22\n- pip:\n  - six\n"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("docker/Dockerfile", "FROM x", Format.DOCKERFILE),
        ("conda.yaml", CONDA, Format.CONDA),
        ("any.yml", "python: 3.8.1\ndependencies: [six]", Format.PYTHON_ENV),
        ("python_env.yaml", "dependencies: [six]", Format.PYTHON_ENV),
        ("conda-lock.yml", "version: 1", Format.EXPLICIT),
        ("conda-list.txt", "# platform: linux-64\n@EXPLICIT\nhttps://x", Format.EXPLICIT),
        ("uv.lock", "version = 1", Format.UV_LOCK),
        ("poetry.lock", "", Format.LOCK),
        ("pylock.train.toml", "", Format.LOCK),
        ("pixi.lock", "", Format.FOREIGN_LOCK),
        ("requirements.lock", "six==1.16.0", Format.REQUIREMENTS),
        ("pyproject.toml", "", Format.PYPROJECT),
    ],
)
def test_the_format_is_told_by_name_and_content(name, content, kind):
    assert format_of(name, content.encode()) is kind


def test_a_conda_file_with_a_pip_list_is_read(tmp_path):
    asked = read(spec(CONDA, file="conda.yaml", kind=EnvironmentKind.CONDA), tmp_path)
    assert asked.requirements == ("six",)
    assert asked.python == "=3.8.18"


def test_conda_packages_are_told_from_python_and_pip():
    text = b"dependencies: [conda-forge::python 3.8, pip, 'pytorch=1.9', {pip: [six]}, numpy]"
    found = read_conda("environment.yml", text)
    assert found.packages == ("pytorch=1.9", "numpy")
    assert found.python == "3.8"


def test_a_python_env_is_read_with_its_build_dependencies(tmp_path):
    text = "python: 3.10\nbuild_dependencies: [wheel==0.36]\ndependencies: [-r requirements.txt]"
    (tmp_path / "requirements.txt").write_text("six\n")
    asked = read(spec(text, file="python_env.yaml", directory="."), tmp_path)
    assert asked.requirements == ("six", "wheel==0.36")
    assert asked.python == "3.10"  # and not 3.1, as YAML has it


def test_a_quoted_version_is_read():
    assert read_python(b"name: x\npython: '3.8.18'  # old\n") == "3.8.18"


def test_a_pyproject_with_static_dependencies_is_read(tmp_path):
    text = "[project]\nname = 'x'\nrequires-python = '>=3.9'\ndependencies = ['six']"
    asked = read(spec(text, file="pyproject.toml"), tmp_path)
    assert (asked.requirements, asked.python) == (("six",), ">=3.9")


@pytest.mark.parametrize("text", ["[project]\ndynamic = ['dependencies']", "[tool.poetry]"])
def test_a_pyproject_without_static_dependencies_is_refused(tmp_path, text):
    with pytest.raises(RebuildError, match="does not list its dependencies"):
        read(spec(text, file="pyproject.toml"), tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("conda.yaml", "dependencies: ["),
        ("conda.yaml", "- a list"),
        ("conda.yaml", "dependencies: six"),
        ("python_env.yaml", "python: 3.8\ndependencies: six"),
        ("pyproject.toml", "[project"),
        ("pyproject.toml", "[project]\ndependencies = 'six'"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, name, content):
    with pytest.raises(RebuildError, match=f"reading {name}"):
        read(spec(content, file=name), tmp_path)
