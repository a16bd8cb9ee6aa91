"""Writes the record to a run of MLflow: tags that it lacks, and artifacts."""

import contextvars
import json
import os
import shutil
import tempfile
import threading
from typing import Any, Dict, List, Optional, Tuple

from reprocheck_capture import hub, record
from reprocheck_capture.failures import failed, guarded, lacks
from reprocheck_capture.variables import is_off

WAIT_S = 10.0
"""How long a run waits for its artifacts to be stored; they are stored beside it after that."""
DATA = "reprocheck.data"
RESUMED = "reprocheck.resumed"
"""The other commands that wrote into a run, as a JSON list of their arguments."""

_seen: Dict[Tuple[int, str], bool] = {}  # by process and run, whether its record is ours
_uploads: Dict[str, threading.Thread] = {}
_told: Dict[str, Dict[str, Any]] = {}  # what a script told of its run


def started(run_id: str, tags: Dict[str, str]) -> bool:
    """Records a run that was started or resumed here, once a process.

    False where its record is another command's, or capturing is switched off.
    """
    key = (os.getpid(), run_id)
    if is_off() or key in _seen:
        return _seen.get(key, False)
    ours = record.tags()
    _seen[key] = "reprocheck.schema" not in tags or not _is_another(tags, ours)
    client = _client()
    if "reprocheck.schema" not in tags:
        _set(client, run_id, {name: text for name, text in ours.items() if _is_missing(name, tags)})
    elif not _seen[key]:
        _resumed(client, run_id, tags, ours)
    if _seen[key]:
        write(run_id)
    return _seen[key]


def ending(run_id: str) -> None:
    """What only shows while a run goes on: what it read from the hub."""
    waiting = _uploads.pop(run_id, None)
    if waiting is not None:
        waiting.join(WAIT_S)
    if not _seen.get((os.getpid(), run_id)) or is_off():
        return
    data = record.facts().data
    late = [entry for entry in hub.revisions() if entry not in data]
    if late:
        data.extend(late)
        set_data(run_id)
        write(run_id)
        _uploads.pop(run_id).join(WAIT_S)


def set_data(run_id: str) -> None:
    """Sets the data's tag anew; one that no longer fits goes, for record.json to tell them all."""
    told = record.tags().get(DATA)
    client = _client()
    if told:
        _set(client, run_id, {DATA: told})
    elif DATA in client.get_run(run_id).data.tags:
        client.delete_tag(run_id, DATA)


def write(run_id: str, more: Optional[Dict[str, Any]] = None) -> None:
    """Stores the artifacts, in a thread of its own where that takes long."""
    before = _uploads.get(run_id)
    if before is not None:
        before.join(WAIT_S)
    told = _told.setdefault(run_id, {})
    told.update(more or {})
    files = record.artifacts(run_id, told)
    context = contextvars.copy_context()  # MLflow keeps its workspace there
    args = (_store, _client(), run_id, files)
    thread = threading.Thread(target=context.run, args=args, daemon=True)
    _uploads[run_id] = thread
    thread.start()
    thread.join(WAIT_S)


def _is_missing(name: str, tags: Dict[str, str]) -> bool:
    """MLflow's own tags stay as they are."""
    return not name.startswith("mlflow.") or name not in tags


def _is_another(tags: Dict[str, str], ours: Dict[str, str]) -> bool:
    names = ("reprocheck.argv", "reprocheck.cwd", "reprocheck.tree", "reprocheck.patch.sha256")
    commit = "mlflow.source.git.commit"
    return any(tags.get(name) != ours.get(name) for name in (*names, commit))


def _resumed(client: Any, run_id: str, tags: Dict[str, str], ours: Dict[str, str]) -> None:  # noqa: ANN401
    lacks("resumed run", "it was begun by another command")
    try:
        told: List[Any] = list(json.loads(tags.get(RESUMED) or "[]"))
    except ValueError:
        told = []
    text = json.dumps([*told, json.loads(ours.get("reprocheck.argv") or "[]")])
    if len(text) <= record.LONGEST_TAG:
        _set(client, run_id, {RESUMED: text})


@guarded("tags", lambda: None)
def _set(client: Any, run_id: str, tags: Dict[str, str]) -> None:  # noqa: ANN401
    from mlflow.entities import RunTag

    if tags:
        client.log_batch(run_id, tags=[RunTag(name, text) for name, text in tags.items()])


def _client() -> Any:  # noqa: ANN401
    import mlflow
    from mlflow.tracking import MlflowClient

    return MlflowClient(mlflow.get_tracking_uri())


def _store(client: Any, run_id: str, files: Dict[str, bytes]) -> None:  # noqa: ANN401
    folder = ""
    try:
        folder = tempfile.mkdtemp(prefix="reprocheck-capture-")
        for path, content in files.items():
            place = os.path.join(folder, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(content)
        client.log_artifacts(run_id, folder, "reprocheck")
    except Exception as error:
        failed("artifacts", error)
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
