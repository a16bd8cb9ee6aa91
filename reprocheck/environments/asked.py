"""Reads what a file asks for, whatever its format: requirements, conda, MLflow, pyproject."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.environments.local import LocalProject
from reprocheck.environments.requirements import Asked, Reader, decode
from reprocheck.errors import RebuildError, SourceError
from reprocheck.model import EnvironmentSpec
from reprocheck.yaml_files import parse_mapping

_CONDA_ENTRY = re.compile(r"(?:[\w./:-]+::)?(?P<name>[\w.-]+)\s*(?P<version>.*)")


class Format(enum.Enum):
    """The formats of files that define an environment."""

    REQUIREMENTS = "a requirements file"
    CONDA = "a conda environment"
    EXPLICIT = "a conda package list"
    PYTHON_ENV = "MLflow's python_env"
    PYPROJECT = "a pyproject.toml"
    UV_LOCK = "a lock of uv"
    LOCK = "a lock of Poetry, PDM, Pipenv or pylock.toml"
    FOREIGN_LOCK = "a lock of another tool"
    DOCKERFILE = "a Dockerfile"


IMAGE = "image"
"""Stands for the file of a spec whose content is the name, digest or id of an image."""

_BY_NAME = (
    (re.compile(r"Dockerfile|.*\.dockerfile|Dockerfile\..*", re.IGNORECASE), Format.DOCKERFILE),
    (re.compile(r"pyproject.*\.toml"), Format.PYPROJECT),
    (re.compile(r"python_env\.ya?ml"), Format.PYTHON_ENV),  # its python may be left out
    (re.compile(r"uv\.lock"), Format.UV_LOCK),
    (re.compile(r"(poetry|pdm|Pipfile)\.lock|pylock.*\.toml"), Format.LOCK),
    (re.compile(r"pixi\.lock"), Format.FOREIGN_LOCK),
    (re.compile(r".*conda-lock\.ya?ml"), Format.EXPLICIT),
)


def format_of(name: str, content: bytes) -> Format:
    """The format of a file, by its name and, for YAML and text, by what is in it.

    Raises `RebuildError` for YAML that is none.
    """
    base = PurePosixPath(name).name
    for pattern, kind in _BY_NAME:
        if pattern.fullmatch(base):
            return kind
    if base.endswith((".yaml", ".yml")):
        keys = _mapping(name, content).keys()
        mlflow = {"python", "build_dependencies"} & keys and "channels" not in keys
        return Format.PYTHON_ENV if mlflow else Format.CONDA
    if re.search(rb"^@EXPLICIT\b|^# platform: \w|^# This file may be used to", content, re.M):
        return Format.EXPLICIT
    return Format.REQUIREMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaFile:
    """A conda environment file, as far as it matters here."""

    python: str | None
    packages: tuple[str, ...]  # that conda itself would install, besides python and pip
    pip: tuple[str, ...]


def read_conda(name: str, content: bytes) -> CondaFile:
    """Reads an environment.yml or conda.yaml.

    Raises `RebuildError` for one that is malformed.
    """
    python: str | None = None
    packages: list[str] = []
    pip: list[str] = []
    for entry in _list(name, _mapping(name, content), "dependencies"):
        if isinstance(entry, dict):
            pip += map(str, _list(name, entry, "pip"))
            packages += [key for key in entry if key != "pip"]
            continue
        match = _CONDA_ENTRY.fullmatch(str(entry).strip())
        if match and match["name"] == "python":
            python = match["version"].strip() or None
        elif not match or match["name"] not in ("pip", "nodefaults"):
            packages.append(str(entry))
    return CondaFile(python=python, packages=tuple(packages), pip=tuple(pip))


def read(spec: EnvironmentSpec, tree: Path) -> Asked:
    """What a spec asks for.

    Raises `RebuildError` for a file that is malformed, or of a format that needs more than pip.
    """
    reader = Reader(spec=spec, tree=tree)
    kind = format_of(spec.file, spec.content)
    match kind:
        case Format.REQUIREMENTS:
            reader.read(spec.content, folder=spec.directory or "")
            return reader.asked(frozen="freeze" in PurePosixPath(spec.file).name.lower())
        case Format.CONDA:
            return _read_conda(spec, reader)
        case Format.PYTHON_ENV:
            return _read_python_env(spec, reader)
        case Format.PYPROJECT:
            return _read_pyproject(spec, reader)
        case _:
            raise RebuildError(
                f"{spec.file} is {kind.value}, which this version of reprocheck cannot build yet",
                "name another file in reprocheck.yaml:  environment: {kind: venv, file: "
                "requirements.txt}",
            )


def _read_conda(spec: EnvironmentSpec, reader: Reader) -> Asked:
    conda = read_conda(spec.file, spec.content)
    if conda.packages:
        raise needs_conda(spec.file, conda.packages)
    for line in conda.pip:
        reader.take(line, folder=spec.directory or "")
    return reader.asked(python=conda.python)


def needs_conda(name: str, packages: tuple[str, ...] = ()) -> RebuildError:
    """The refusal of a file that asks for conda's own packages, where nothing installs them."""
    some = ", ".join(packages[:5]) + (", …" if len(packages) > 5 else "")
    return RebuildError(
        f"{name} asks for conda packages{f' ({some})' if some else ''}: it needs conda, and "
        "neither micromamba, mamba or conda is on PATH nor py-rattler installed",
        "pip install 'reprocheck[conda]'; or, if pip can install the same, name that file in "
        "reprocheck.yaml:  environment: {kind: venv, file: requirements.txt}",
    )


def _read_python_env(spec: EnvironmentSpec, reader: Reader) -> Asked:
    document = _mapping(spec.file, spec.content)
    for key in ("dependencies", "build_dependencies"):
        for line in _list(spec.file, document, key):
            reader.take(str(line), folder=spec.directory or "")
    return reader.asked(python=read_python(spec.content))


def read_python(content: bytes) -> str | None:
    """The version in a python_env.yaml. Read as text: to YAML, 3.10 is the number 3.1."""
    found = re.search(r"^python:\s*['\"]?([^'\"\s#]+)", decode(content), re.MULTILINE)
    return found[1] if found else None


def _read_pyproject(spec: EnvironmentSpec, reader: Reader) -> Asked:
    project = read_project(spec.file, spec.content)
    if not isinstance(project.get("dependencies", []), list):
        raise RebuildError(f"reading {spec.file}: 'dependencies' is not a list", "mend the file")
    static = "dependencies" in project and "dependencies" not in project.get("dynamic", ())
    for line in project.get("dependencies", ()) if static else ():
        reader.take(str(line), folder=spec.directory or "")
    if spec.directory is not None and is_installable(spec.file, spec.content):
        reader.projects.append(
            LocalProject(path=spec.directory or ".", optional=static, listed=static)
        )
    elif not static:
        raise RebuildError(
            f"{spec.file} does not list its dependencies under [project], and is no project of the "
            "commit that could be installed",
            "export them to a requirements file and name that in reprocheck.yaml",
        )
    return reader.asked(python=project.get("requires-python"))


def is_installable(name: str, content: bytes) -> bool:
    """Whether a pyproject.toml says how its project is built; Poetry's may be no package.

    Raises `RebuildError` for a file that is no TOML.
    """
    document = _toml(name, content)
    poetry = document.get("tool", {}).get("poetry", {})
    return "build-system" in document and poetry.get("package-mode", True) is not False


def read_project(name: str, content: bytes) -> Mapping[str, Any]:
    """The [project] table of a pyproject.toml; empty where there is none.

    Raises `RebuildError` for a file that is no TOML.
    """
    project = _toml(name, content).get("project", {})
    return project if isinstance(project, dict) else {}


def _toml(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(decode(content))
    except tomllib.TOMLDecodeError as error:
        raise RebuildError(f"reading {name}: {error}", "mend the file") from error


def _mapping(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        return parse_mapping(content, name)
    except SourceError as error:
        raise RebuildError(error.message, error.hint) from error


def _list(name: str, document: Mapping[str, Any], key: str) -> list[Any]:
    entries = document.get(key) or []
    if not isinstance(entries, list):
        raise RebuildError(f"reading {name}: '{key}' is not a list", "mend the file")
    return entries
