"""The one line for scripts and notebooks: everything that is recorded without code, and more."""

import hashlib
import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Union

from reprocheck_capture import record, runs
from reprocheck_capture.failures import guarded, lacks

Paths = Union[str, "os.PathLike[str]", Iterable[Any], Mapping[str, Any]]

_CHUNK = 1 << 20


def log_provenance(datasets: Optional[Paths] = None, predictions: Optional[Paths] = None) -> None:
    """Records the active MLflow run; where none is active, starts one and leaves it active.

    `datasets` are files or folders that the training reads: a path, several, or a mapping of names
    to paths; their digests are recorded. `predictions` are files that it wrote: they are stored
    with the run, below predictions/. Never fails: what cannot be recorded is told by a warning.
    """
    _log(_named(datasets), _named(predictions))


@guarded("provenance", lambda: None)
def _log(datasets: Dict[str, str], predictions: Dict[str, str]) -> None:
    import mlflow

    from reprocheck_capture import hook

    hook.prepare()
    run = mlflow.active_run() or mlflow.start_run()
    stored = [path for path in map(_stored, predictions.values()) if path]
    if not runs.started(run.info.run_id, dict(run.data.tags)):
        return  # predictions are a product of the training, also where nothing else is recorded
    found = {name: _dataset(path) for name, path in datasets.items()}
    _add([entry for entries in found.values() for entry in entries], run.info.run_id)
    if found:
        runs.set_data(run.info.run_id)
    more = {}
    if found or stored:
        named = {name: [entry["path"] for entry in entries] for name, entries in found.items()}
        more = {"datasets": named, "predictions": stored}
    if more or runs.facts(run.info.run_id).notebook.path:
        runs.told(run.info.run_id, more)


@guarded("predictions", str)
def _stored(path: str) -> str:
    import mlflow

    mlflow.log_artifact(path, "predictions")
    return "predictions/" + os.path.basename(path)


def _add(entries: List[Dict[str, Any]], run_id: str) -> None:
    """What is given counts before what DVC tells of the same path."""
    data = runs.facts(run_id).data
    fresh = {entry["path"]: entry for entry in entries}
    data[:] = [*(e for e in data if e.get("path") not in fresh), *fresh.values()]


def _named(given: Optional[Paths]) -> Dict[str, str]:
    """By name, paths as text."""
    if given is None:
        return {}
    if isinstance(given, (str, os.PathLike)):
        given = [given]
    if not isinstance(given, Mapping):
        given = {os.fspath(path): path for path in given}
    return {str(name): os.fspath(path) for name, path in given.items()}


@guarded("data sets", list)
def _dataset(path: str) -> List[Dict[str, Any]]:
    """The digest of a file, or those of a folder's files."""
    root = os.path.realpath(record.facts().code.root or os.getcwd())
    if not os.path.exists(path):
        lacks("data set " + path, "there is no such file")
        return []
    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(top, name) for top, _, names in os.walk(path) for name in names]
    return [_file(name, root) for name in sorted(files)]


def _file(path: str, root: str) -> Dict[str, Any]:
    inside = os.path.relpath(os.path.abspath(path), root)
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
    entry = {"path": inside.replace(os.sep, "/"), "sha256": digest.hexdigest(), "size": size}
    if inside.startswith(".."):
        entry["path"] = os.path.basename(path)
        entry["seen_as"] = os.path.abspath(path)
    return entry
