"""Which environment to rebuild: the first that the config, the record or the commit names."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reprocheck import yaml_files
from reprocheck.config import Config
from reprocheck.environments import asked, dockerfile
from reprocheck.environments.asked import Format
from reprocheck.environments.candidates import (
    Search,
    best,
    by_name,
    counts,
    file_in_tree,
    first_buildable,
    folders,
    image_spec,
    kind_wanted,
    rank,
    tell_choice,
)
from reprocheck.environments.requirements import Asked, decode
from reprocheck.errors import ConfigError, RebuildError, SourceError
from reprocheck.model import (
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    Origin,
    OriginKind,
    RecordedFile,
    RunRecord,
    Severity,
)
from reprocheck.numbers import counted

RECORDED = "reprocheck/environment/"  # where reprocheck-capture puts a run's files
_TOOLS = frozenset({"pip", "setuptools", "wheel"})
_NOW = "resolved as of now"


def choose(
    record: RunRecord, tree: Path, config: Config
) -> tuple[EnvironmentSpec, tuple[Finding, ...]]:
    """The environment that a run asks for, in a tree at its commit.

    Raises `SourceError` that says what was looked for, or `ConfigError` for a file that the config
    names in vain.
    """
    search = Search(record=record, tree=tree, config=config, findings=[])
    ways = (
        *(_from_script, _from_config, _from_tracker, _recorded, _recorded_image, _logged),
        *(_from_model, _at_commit),
    )
    spec = next((found for way in ways if (found := way(search)) is not None), None)
    if spec is None:
        raise SourceError(
            f"the environment of run {record.ref.run_id} is not known (missing-environment): "
            "neither the run nor its commit holds a requirements file, lock, freeze, conda file "
            "or pyproject.toml with dependencies",
            f"add a requirements.txt to the repository, or name a file in {config.name}:  "
            "environment: {file: …}",
        )
    spec = dataclasses.replace(spec, python=_python(search, spec))
    if spec.kind is not EnvironmentKind.SCRIPT:
        _tell_unpinned(search, spec)
    return spec, tuple(search.findings)


def in_tree(search: Search) -> EnvironmentSpec | None:
    """The environment that the config and the tree's own files ask for, whatever a run records.

    Raises as `choose` does.
    """
    ways = (_from_script, _from_config, _at_commit)
    spec = next((found for way in ways if (found := way(search)) is not None), None)
    return spec and dataclasses.replace(spec, python=_python(search, spec))


# --- the ways, first that exists ----------------------------------------------------------


def _from_script(search: Search) -> EnvironmentSpec | None:
    setup = search.config.environment_run
    if not setup or search.config.environment_kind != "script":
        return None
    steps = [{"argv": list(step.args), "cwd": step.cwd} for step in setup]
    return EnvironmentSpec(
        kind=EnvironmentKind.SCRIPT,
        file=" && ".join(" ".join(step.args) for step in setup),
        content=json.dumps(steps).encode(),
        directory=".",
        python=None,
        origin=Origin(kind=OriginKind.CONFIG, where=search.config.name),
    )


def _from_config(search: Search) -> EnvironmentSpec | None:
    name = search.config.environment_file
    if name is None:
        return None
    spec = file_in_tree(search, name, Origin(kind=OriginKind.CONFIG, where=search.config.name))
    if spec is None:
        raise ConfigError(
            f"{search.config.name} names the environment file {name}, which is not at the commit",
            "name a file of the repository, relative to its root",
        )
    return spec


def _from_tracker(search: Search) -> EnvironmentSpec | None:
    return search.record.environment


def _recorded(search: Search) -> EnvironmentSpec | None:
    return best(search, [file for file in search.record.files if file.path.startswith(RECORDED)])


def _recorded_image(search: Search) -> EnvironmentSpec | None:
    """The image that `mlflow run` built for an MLproject with a docker_env, by its id."""
    tags = search.record.tags
    for tag in ("mlflow.docker.image.id", "mlflow.docker.image.uri"):
        if tags.get(tag):
            spec = image_spec(tags[tag], Origin(kind=OriginKind.TAG, where=tag))
            return spec if kind_wanted(search, spec) and first_buildable(search, [spec]) else None
    return None


def _logged(search: Search) -> EnvironmentSpec | None:
    return best(
        search,
        [
            file
            for file in search.record.files
            if file.origin.kind is OriginKind.ARTIFACT and not file.path.startswith(RECORDED)
        ],
    )


def _from_model(search: Search) -> EnvironmentSpec | None:
    files = [file for file in search.record.files if file.origin.kind is OriginKind.MODEL]
    pip = [file for file in files if PurePosixPath(file.path).name == "requirements.txt"]
    conda = [file for name in pip if (file := _beside(files, name, "conda.yaml")) is not None]
    # Beside a conda.yaml with packages of conda's own, requirements.txt is only pip's share.
    whole = [file for file in conda if _conda_packages(file)]
    spec = best(search, whole or pip or files)
    return None if spec is None else _merged(search, spec)


def _at_commit(search: Search) -> EnvironmentSpec | None:
    found: list[EnvironmentSpec] = []
    for folder in folders(search):
        found += _from_mlproject(search, folder)
        files = sorted(path for path in (search.tree / folder).iterdir() if path.is_file())
        ranked = [path for path in files if rank(path.name) is not None]
        ranked = [path for path in ranked if counts(path.name, path.read_bytes())]
        ranked.sort(key=lambda path: (rank(path.name), by_name(path.name)))
        for path in ranked:
            name = path.relative_to(search.tree).as_posix()
            spec = file_in_tree(search, name, Origin(kind=OriginKind.FILE, where=name))
            found += [spec] if spec else []
    found = [spec for spec in found if kind_wanted(search, spec)]
    chosen = first_buildable(search, found)
    tell_choice(search, chosen, found)
    return chosen


def _from_mlproject(search: Search, folder: str) -> Iterator[EnvironmentSpec]:
    document = yaml_files.read_mapping(search.tree / folder / "MLproject") or {}
    yield from _from_docker_env(search, document)
    for key in ("python_env", "conda_env"):
        if isinstance(document.get(key), str):
            name = PurePosixPath(folder, document[key]).as_posix()
            origin = Origin(kind=OriginKind.FILE, where=f"MLproject, {key}")
            spec = file_in_tree(search, name, origin)
            if spec is not None:
                yield spec


def _from_docker_env(search: Search, document: Mapping[str, Any]) -> Iterator[EnvironmentSpec]:
    asked_for = document.get("docker_env")
    if not isinstance(asked_for, dict) or not isinstance(asked_for.get("image"), str):
        return
    left_out = [key for key in ("volumes", "environment") if asked_for.get(key)]
    if left_out:
        search.note(
            "docker-env-ignored",
            Severity.WARNING,
            f"MLproject's docker_env has {' and '.join(left_out)}, which trials do not get: they "
            "would reach into this machine",
            "track inputs with DVC or git; let variables through with pass_env",
        )
    yield image_spec(
        asked_for["image"], Origin(kind=OriginKind.FILE, where="MLproject, docker_env")
    )


# --- Python's version ---------------------------------------------------------------------


def _python(search: Search, spec: EnvironmentSpec) -> str | None:
    """The run's Python version: the most exact witness first."""
    if search.config.environment_python:
        return search.config.environment_python
    recorded = re.search(r"\d+\.\d+(\.\d+)?\S*", search.record.hardware.get("python", ""))
    if recorded:
        return recorded[0]
    if spec.python:
        return spec.python
    return next((version for version in _other_pythons(search, spec) if version), None)


def _other_pythons(search: Search, spec: EnvironmentSpec) -> Iterator[str | None]:
    for file in (*spec.companions, *search.record.files):
        if PurePosixPath(file.path).name == "python_env.yaml":
            yield _python_of(file.path, file.content)
    yield _python_of(spec.file, spec.content)
    for file in spec.companions:
        if PurePosixPath(file.path).name in ("conda.yaml", "environment.yml"):
            yield _python_of(file.path, file.content)
    for folder in folders(search):
        for named in _from_mlproject(dataclasses.replace(search, findings=[]), folder):
            yield _python_of(named.file, named.content)
        for name in (
            ".python-version",
            "python_env.yaml",
            "conda.yaml",
            "environment.yml",
            "pyproject.toml",
        ):
            path = search.tree / folder / name
            if path.is_file():
                yield _python_of(name, path.read_bytes())


def _python_of(name: str, content: bytes) -> str | None:
    if name == ".python-version":
        first = (decode(content).split() or [""])[0]
        return first if re.fullmatch(r"\d+\.\d+(\.\d+)?", first) else None
    try:
        match asked.format_of(name, content):
            case Format.CONDA:
                return asked.read_conda(name, content).python
            case Format.PYTHON_ENV:
                return asked.read_python(content)
            case Format.PYPROJECT:
                return asked.read_project(name, content).get("requires-python")
            case _:
                return None
    except (RebuildError, SourceError):
        return None


# --- the logged model's requirements ------------------------------------------------------


def _merged(search: Search, spec: EnvironmentSpec) -> EnvironmentSpec:
    """A logged model's requirements are inferred from its imports, and lack what else the training
    needs: packages that only the commit names are added.
    """
    at_commit = _at_commit(dataclasses.replace(search, findings=[]))
    if at_commit is None or asked.format_of(spec.file, spec.content) is not Format.REQUIREMENTS:
        return spec
    try:
        commit = asked.read(at_commit, search.tree)
        spec = _with_skinny(search, spec, _names(commit))
        known = _names(asked.read(spec, search.tree))
        missing = [line for name, line in _lines(commit) if name not in known]
    except (RebuildError, InvalidRequirement):
        return spec
    if not missing or commit.options:
        return spec
    search.note(
        "merged-environment",
        Severity.NOTE,
        f"the logged model's {spec.file} lacks {counted(len(missing), 'package')} that "
        f"{at_commit.file} at the commit names, and gets them from there: "
        f"{', '.join(missing[:5])}",
        "record a freeze of the environment with the run",
    )
    lines = [decode(spec.content).rstrip("\n"), *missing]
    return dataclasses.replace(spec, content=("\n".join(lines) + "\n").encode())


def _with_skinny(search: Search, spec: EnvironmentSpec, at_commit: set[str]) -> EnvironmentSpec:
    """MLflow writes its own full name into a model's requirements, also where mlflow-skinny ran."""
    if "mlflow-skinny" not in at_commit or "mlflow" in at_commit:
        return spec
    text, changed = re.subn(
        r"(?m)^mlflow(?=\s*[=<>~!]|\s*$)", "mlflow-skinny", decode(spec.content)
    )
    if not changed:
        return spec
    search.note(
        "merged-environment",
        Severity.NOTE,
        f"the logged model's {spec.file} names mlflow where the commit names mlflow-skinny, which "
        "is installed in its place at the model's version",
        "record a freeze of the environment with the run",
    )
    return dataclasses.replace(spec, content=text.encode())


def _lines(found: Asked) -> list[tuple[str, str]]:
    """Each requirement with its package's name."""
    bare = [re.split(r"\s--[a-z]", line, maxsplit=1)[0] for line in found.requirements]
    return [(canonicalize_name(Requirement(line).name), line) for line in bare]


def _names(found: Asked) -> set[str]:
    return {name for name, _ in _lines(found)}


def _beside(files: Sequence[RecordedFile], file: RecordedFile, name: str) -> RecordedFile | None:
    wanted = PurePosixPath(file.path).with_name(name).as_posix()
    return next((other for other in files if other.path == wanted), None)


def _conda_packages(file: RecordedFile) -> tuple[str, ...]:
    try:
        return asked.read_conda(file.path, file.content).packages
    except RebuildError:
        return ()


def _tell_unpinned(search: Search, spec: EnvironmentSpec) -> None:
    if spec.kind is not EnvironmentKind.DOCKER:
        started = search.record.started_at
        _tell_open(search, spec, f"resolved as of {started:%Y-%m-%d}" if started else _NOW)
        return
    origin = Origin(kind=OriginKind.FILE, where=spec.file)
    for name in dockerfile.requirements(decode(spec.content)):
        listed = file_in_tree(search, name, origin)
        if listed is not None:
            _tell_open(search, listed, f"{_NOW}: {spec.file} installs them itself")


def _tell_open(search: Search, spec: EnvironmentSpec, when: str) -> None:
    try:
        found = asked.read(spec, search.tree)
        names = {line: name for name, line in _lines(found)}
    except (RebuildError, InvalidRequirement):
        return  # building it says what is wrong
    open_ones = [line for line in found.unpinned if names.get(line) not in _TOOLS]
    if not open_ones:
        return
    search.note(
        "unpinned-environment",
        Severity.NOTE,
        f"{len(open_ones)} of {counted(len(found.requirements), 'package')} in {spec.file} "
        f"{'is' if len(open_ones) == 1 else 'are'} not pinned; "
        f"{when}",
        "pin them, or record a freeze of the environment with the run",
    )
