"""Hydra: the command of a run that kept its `.hydra` folder.

`overrides.yaml` there lists the job's own overrides, also where it was one of a sweep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from reprocheck.command.base import CommandFound, Search, as_typed, find_in_tree
from reprocheck.errors import SourceError
from reprocheck.model import (
    Argv,
    Command,
    Finding,
    Origin,
    OriginKind,
    RecordedFile,
    Severity,
    Step,
)
from reprocheck.seeds import recorded_seeds
from reprocheck.yaml_files import parse_mapping

_FOLDERS = (".hydra", "hydra")
# Of Hydra's own settings those that can change what the script computes, not where it writes.
_KEPT = re.compile(r"[+~]*hydra([./]job\.(chdir|env_set\..+|env_copy)|\.searchpath)=?")
_DECLARED = re.compile(r"config_name\s*=\s*[\"']([^\"']+)[\"']")


def from_overrides(search: Search) -> CommandFound | None:
    """The script with the overrides that the run kept, each as one argument.

    Raises `SourceError` for overrides that cannot be read.
    """
    file = _kept(search, "overrides.yaml")
    if file is None:
        return None
    settings = _settings(search, file)
    found = _script(search, settings)
    if found is None:
        search.refused.append(f"{file.path} is kept with the run, but not which script it is of")
        return None
    name, cwd = found
    overrides = [*_overrides(file), *_kept_settings(settings)]
    options = _options(search, settings, search.tree / cwd / name)
    words = ("python", name, *options, *_reseeded(search, overrides))
    return CommandFound(
        command=Command(steps=(Step(run=Argv(args=words), cwd=cwd),)),
        origin=Origin(kind=OriginKind.ARTIFACT, where=file.path),
        findings=_sweep(settings, file),
    )


def _kept(search: Search, name: str) -> RecordedFile | None:
    """The run's file of Hydra's; None where there is none, or several that differ."""
    files = [
        file
        for file in search.record.files
        if PurePosixPath(file.path).name == name
        and PurePosixPath(file.path).parent.name in _FOLDERS
    ]
    if len({file.content for file in files}) > 1:
        paths = ", ".join(file.path for file in files)
        search.refused.append(f"the run kept several different {name} ({paths})")
        return None
    return files[0] if files else None


def _settings(search: Search, overrides: RecordedFile) -> Mapping[str, Any]:
    """Hydra's settings that were kept beside the overrides."""
    beside = str(PurePosixPath(overrides.path).with_name("hydra.yaml"))
    for file in search.record.files:
        if file.path == beside:
            found = parse_mapping(file.content, file.path).get("hydra")
            return found if isinstance(found, dict) else {}
    return {}


def _overrides(file: RecordedFile) -> list[str]:
    try:
        found = yaml.safe_load(file.content)
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise SourceError(f"reading {file.path} of the run: {error}", "mend the file") from error
    found = [] if found is None else found
    # An option is no override: --multirun would start a sweep.
    if not isinstance(found, list) or not all(_is_override(word) for word in found):
        raise SourceError(
            f"reading {file.path} of the run: it is no list of overrides",
            "write the command with its overrides into reprocheck.yaml",
        )
    return list(found)


def _is_override(word: object) -> bool:
    return isinstance(word, str) and bool(word) and not word.startswith("-")


def _kept_settings(settings: Mapping[str, Any]) -> Iterator[str]:
    given = _inner(settings, "overrides").get("hydra")
    for word in given if isinstance(given, list) else []:
        if _is_override(word) and _KEPT.match(word):
            yield word


def _inner(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def _script(search: Search, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """The script and the directory that it was started in."""
    recorded = search.record.code.script or ""
    job = str(_inner(settings, "job").get("name") or "")
    names = (recorded if recorded.endswith(".py") else "", f"{job}.py" if job else "")
    for name in filter(None, names):
        found = find_in_tree(name, search.tree)
        if found is not None and found.endswith(".py"):
            cwd = _directory(settings, recorded, found)
            if cwd is None or not (search.tree / cwd).is_dir():
                return as_typed(recorded, found) if name == recorded else (found, ".")
            up = PurePosixPath(cwd)
            inside = PurePosixPath(found)
            return str(inside.relative_to(up) if inside.is_relative_to(up) else inside), cwd
    return None


def _directory(settings: Mapping[str, Any], recorded: str, found: str) -> str | None:
    """Where in the tree the run was started, of its absolute paths; None where they do not tell."""
    cwd = str(_inner(settings, "runtime").get("cwd") or "")
    script, inside = PurePosixPath(recorded), PurePosixPath(found)
    if not cwd or not script.is_absolute() or not script.match(found):
        return None
    root = PurePosixPath(*script.parts[: -len(inside.parts)])
    path = PurePosixPath(cwd)
    below = path.is_relative_to(root) and inside.is_relative_to(path.relative_to(root))
    return str(path.relative_to(root)) if below else None


def _options(search: Search, settings: Mapping[str, Any], script: Path) -> Iterator[str]:
    """The config's name, where the script declares another, and its folder, where it was given."""
    name = _inner(settings, "job").get("config_name")
    text = script.read_text(encoding="utf-8", errors="replace") if script.is_file() else ""
    declared = {each.removesuffix(".yaml") for each in _DECLARED.findall(text)}
    if isinstance(name, str) and name and name.removesuffix(".yaml") not in declared:
        yield f"--config-name={name}"
    sources = _inner(settings, "runtime").get("config_sources")
    for source in sources if isinstance(sources, list) else []:
        if isinstance(source, dict) and source.get("provider") == "command-line":
            found = find_in_tree(str(source.get("path", "")), search.tree)
            if found is not None and (search.tree / found).is_dir():
                yield f"--config-dir={_from(script.parent, search.tree / found)}"


def _from(folder: Path, other: Path) -> str:
    import os

    return os.path.relpath(other, folder)


def _reseeded(search: Search, overrides: list[str]) -> Iterator[str]:
    """The overrides; one of the seed has the seed that the trial is to have."""
    seeds = recorded_seeds(search.record)
    for word in overrides:
        key, equals, _ = word.partition("=")
        name = key.lstrip("+").rpartition(".")[2]
        yield f"{key}={seeds[name]}" if equals and name in seeds else word


def _sweep(settings: Mapping[str, Any], file: RecordedFile) -> tuple[Finding, ...]:
    if str(settings.get("mode", "")).rpartition(".")[2] != "MULTIRUN":
        return ()
    return (
        Finding(
            code="hydra-job",
            severity=Severity.NOTE,
            message=f"the run was one job of a sweep; it is rerun alone, as {file.path} has it",
            hint="",
            pointer="/command",
        ),
    )
