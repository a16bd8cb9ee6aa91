"""Which of a run's artifacts are its code: the last resort where its commit cannot be had.

A folder that was logged after the training holds what that made. A rerun that finds it may take it
for its own work, so what looks like a result is left out, and told.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from reprocheck.model import Artifact, RunRecord

FOLDERS = ("code/", "source_code/")
"""Folders into which teams and tools log the sources of a run, the likelier first."""

_OURS = "reprocheck/"
_NO_SOURCES = {".git", "__pycache__", ".venv", "mlruns", "node_modules", "mlartifacts"}
_RESULT_FOLDERS = {
    *("checkpoints", "ckpts", "lightning_logs", "wandb", "tb_logs", "outputs", "results"),
}
_RESULT_KINDS = {
    *(".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".bin", ".h5", ".hdf5", ".keras"),
    *(".onnx", ".safetensors", ".npy", ".npz", ".pb", ".tflite", ".ubj", ".cbm", ".model"),
    *(".db", ".sqlite", ".sqlite3", ".log"),
}
_EITHER = {".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".parquet", ".feather"}
_RESULT = re.compile(
    r"(^|[._-])(metrics?|results?|scores?|pred(iction)?s?|reports?|summary|history|eval(uation)?"
    r"|loss(es)?|outputs?|confusion|trainer_state)([._-]|$)",
    re.IGNORECASE,
)
_CONFIGS = re.compile(r"conf|param|setting|arg|require", re.IGNORECASE)
_READ = re.compile(
    r"conf|param|setting|arg|require|constraint|vocab|token|label|class|data|train|test|valid"
    r"|input|raw|lock|package",
    re.IGNORECASE,
)


def code_of(record: RunRecord) -> Mapping[str, Artifact]:
    """The artifacts that are the run's code, by their paths in the tree; empty for none."""
    return stored_code(record.artifacts, record.code.script)


def stored_code(artifacts: Sequence[Artifact], script: str | None) -> Mapping[str, Artifact]:
    """The code that was logged as such; else the entry script and what its model was logged with.

    Of a folder the files count, without the folder's own name.
    """
    found = _below(_folders(artifacts), artifacts)
    return found | _missing_script(found, artifacts, script)


def results(artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """What lies beside the stored code and is left out, for the run may have made it."""
    folders = _folders(artifacts)
    found = _below(folders, artifacts)
    return tuple(
        each.path for path, each in _inside(folders, artifacts).items() if path not in found
    )


def sources(chosen: Iterable[Artifact]) -> tuple[str, ...]:
    """What they are called in a report: the folders, and the files that are in none."""
    told = []
    for artifact in chosen:
        head, folder, _ = artifact.path.rpartition("code/")
        told.append(head + folder if folder else artifact.path)
    return tuple(dict.fromkeys(told))


def _folders(artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """Where the sources are."""
    for folder in FOLDERS:
        if _below((folder,), artifacts):
            return (folder,)
    return tuple(_model_folders(artifacts))


def _below(folders: Iterable[str], artifacts: Sequence[Artifact]) -> dict[str, Artifact]:
    elsewhere = {PurePosixPath(path).name for path in _logged_alone(artifacts)}
    return {
        path: artifact
        for path, artifact in _inside(folders, artifacts).items()
        if not _is_result(PurePosixPath(path), elsewhere)
    }


def _inside(folders: Iterable[str], artifacts: Sequence[Artifact]) -> dict[str, Artifact]:
    return {
        artifact.path.removeprefix(folder): artifact
        for folder in folders
        for artifact in artifacts
        if artifact.path.startswith(folder)
        and not _is_no_source(artifact.path.removeprefix(folder))
    }


def _logged_alone(artifacts: Sequence[Artifact]) -> Iterator[str]:
    """The artifacts that are neither stored code nor parts of a model."""
    models = tuple(folder.removesuffix("code/") for folder in _model_folders(artifacts))
    return (each.path for each in artifacts if not each.path.startswith((*FOLDERS, *models, _OURS)))


def _is_result(path: PurePosixPath, elsewhere: Container[str]) -> bool:
    """Whether the run may have made a file: by its kind, its folder, its name, or because the run
    logged one of that name by itself. What may be read as well is kept.
    """
    kind = path.suffix.lower()
    if kind in _RESULT_KINDS or ".tfevents." in path.name:
        return True
    if kind not in _EITHER:
        return False
    if _RESULT.search(path.stem) or not _RESULT_FOLDERS.isdisjoint(path.parts[:-1]):
        return not _CONFIGS.search(path.stem)
    return path.name in elsewhere and not _READ.search(path.stem)


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
    return (
        path.endswith(".pyc")
        or not _NO_SOURCES.isdisjoint(PurePosixPath(path).parts)
        or re.search(r"(^|/)\.dvc/(cache|tmp)/", path) is not None
    )
