"""The one line for scripts and notebooks: everything that is recorded without code, and more."""

import hashlib
import json
import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Union

from reprocheck_capture import record, runs
from reprocheck_capture.failures import guarded, lacks

Paths = Union[str, "os.PathLike[str]", Iterable[Any], Mapping[str, Any]]

_CHUNK = 1 << 20
_MOST_LISTED = 100  # files of a folder; a record.json of more would be too long to be read


def log_provenance(
    datasets: Optional[Paths] = None,
    predictions: Optional[Paths] = None,
    run_id: Optional[str] = None,
) -> None:
    """Records an MLflow run: that of the id, else the active one; where none is active, it starts
    one and leaves it active.

    `datasets` are files or folders that the training reads: a path, several, or a mapping of names
    to paths; their digests are recorded. `predictions` are files that it wrote: they are stored
    with the run, below predictions/. In a notebook, the notebook as it is saved is kept, too.
    Never fails: what cannot be recorded is told by a warning.
    """
    _log(_named(datasets), _named(predictions), run_id)


@guarded("provenance", lambda: None)
def _log(datasets: Dict[str, str], predictions: Dict[str, str], run_id: Optional[str]) -> None:
    import mlflow

    from reprocheck_capture import hook

    hook.prepare()
    client = runs.store()
    run = client.get_run(run_id) if run_id else mlflow.active_run() or mlflow.start_run()
    given = [_stored(client, run.info.run_id, path) for path in predictions.values()]
    stored = [path for path in given if path]
    if not runs.started(run.info.run_id, dict(run.data.tags), run.info.artifact_uri):
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
def _stored(client: Any, run_id: str, path: str) -> str:  # noqa: ANN401  (MLflow's)
    client.log_artifact(run_id, path, "predictions")
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
    """The digest of a file, or those of a folder's files; of a large folder, one as DVC has it."""
    root = os.path.realpath(record.facts().code.root or os.getcwd())
    if not os.path.exists(path):
        lacks("data set " + path, "there is no such file")
        return []
    if not os.path.isdir(path):
        return [_entry(path, root, "sha256", *_digest(path, "sha256"))]
    files = sorted(os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
    if len(files) <= _MOST_LISTED:
        return [_entry(name, root, "sha256", *_digest(name, "sha256")) for name in files]
    return [_folder(path, files, root)]


def _folder(path: str, files: List[str], root: str) -> Dict[str, Any]:
    told, size = [], 0
    for name in files:
        digest, length = _digest(name, "md5")
        relpath = os.path.relpath(name, path).replace(os.sep, "/")
        told.append({"md5": digest, "relpath": relpath})
        size += length
    told.sort(key=lambda each: each["relpath"])
    text = json.dumps(told, sort_keys=True).encode()
    digest = hashlib.md5(text).hexdigest() + ".dir"  # noqa: S324  (DVC's)
    return {**_entry(path, root, "md5", digest, size), "files": len(files)}


def _digest(path: str, algorithm: str) -> Tuple[str, int]:
    digest, size = hashlib.new(algorithm), 0
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _entry(path: str, root: str, algorithm: str, digest: str, size: int) -> Dict[str, Any]:
    inside = os.path.relpath(os.path.abspath(path), root)
    entry = {"path": inside.replace(os.sep, "/"), algorithm: digest, "size": size}
    if inside.startswith(".."):
        entry["path"] = os.path.basename(os.path.abspath(path))
        entry["seen_as"] = os.path.abspath(path)
    return entry
