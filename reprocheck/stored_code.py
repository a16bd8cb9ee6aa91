"""Which of a run's artifacts are its code: the last resort where its commit cannot be had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from reprocheck.model import Artifact, RunRecord

FOLDERS = ("code/", "source_code/")
"""Folders into which teams and tools log the sources of a run, the likelier first."""

_NO_SOURCES = {".git", "__pycache__", ".venv", "mlruns", "node_modules"}


def code_of(record: RunRecord) -> Mapping[str, Artifact]:
    """The artifacts that are the run's code, by their paths in the tree; empty for none."""
    return stored_code(record.artifacts, record.code.script)


def stored_code(artifacts: Sequence[Artifact], script: str | None) -> Mapping[str, Artifact]:
    """The code that was logged as such; else the entry script and what its model was logged with.

    Of a folder the files count, without the folder's own name.
    """
    for folder in FOLDERS:
        if found := _below((folder,), artifacts):
            return found | _missing_script(found, artifacts, script)
    found = _below(_model_folders(artifacts), artifacts)
    return found | _missing_script(found, artifacts, script)


def sources(chosen: Iterable[Artifact]) -> tuple[str, ...]:
    """What they are called in a report: the folders, and the files that are in none."""
    told = []
    for artifact in chosen:
        head, folder, _ = artifact.path.rpartition("code/")
        told.append(head + folder if folder else artifact.path)
    return tuple(dict.fromkeys(told))


def _below(folders: Iterable[str], artifacts: Sequence[Artifact]) -> dict[str, Artifact]:
    return {
        artifact.path.removeprefix(folder): artifact
        for folder in folders
        for artifact in artifacts
        if artifact.path.startswith(folder) and not _is_no_source(artifact.path)
    }


def _model_folders(artifacts: Sequence[Artifact]) -> list[str]:
    """Where logged models keep their `code_paths`."""
    models = [PurePosixPath(each.path) for each in artifacts if each.path.endswith("/MLmodel")]
    return [f"{path.parent}/code/" for path in models if path.name == "MLmodel"]


def _missing_script(
    found: Mapping[str, Artifact], artifacts: Sequence[Artifact], script: str | None
) -> dict[str, Artifact]:
    """The recorded entry script, logged on its own, where the code lacks it."""
    path = PurePosixPath((script or "").partition("#")[0])
    if path.suffix not in (".py", ".ipynb", ".sh", ".R") or _has(found, path.name):
        return {}
    place = path.name if path.is_absolute() or ".." in path.parts else str(path)
    for logged in dict.fromkeys((place, path.name)):
        for artifact in artifacts:
            if artifact.path == logged:
                return {place: artifact}
    return {}


def _has(found: Mapping[str, Artifact], name: str) -> bool:
    return any(PurePosixPath(path).name == name for path in found)


def _is_no_source(path: str) -> bool:
    """Whether it came along where a team logged its whole folder."""
    return path.endswith(".pyc") or not _NO_SOURCES.isdisjoint(PurePosixPath(path).parts)
