"""Stores the artifacts of a run's record: record.json in each, what is large once for all.

A sweep of a hundred runs in one process would else store a hundred copies of one patch.
"""

import contextlib
import contextvars
import json
import os
import shutil
import tempfile
import threading
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from reprocheck_capture import record
from reprocheck_capture.failures import failed, guarded, lacks
from reprocheck_capture.git import sha256

WAIT_S = 10.0
"""How long a run waits for its artifacts to be stored; they are stored beside it after that."""
FOLDER = "reprocheck"
RECORD = "record.json"
HOLDER = "reprocheck.artifacts"
"""The tag of a run whose larger files another run of its process keeps: that one's id."""
_BAR = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
LARGE_FROM, MANY_FROM = 100000, 12  # bytes and files; fewer are kept by each run itself

refused: List[str] = []
"""What tags begin with that the store refuses; stores try for seconds before they do."""

places: Dict[str, str] = {}
"""Where the artifacts of runs are, as the store says."""
_patience = [30.0]  # seconds that may be lost, in all, to artifacts that do not get through
_uploads: Dict[str, threading.Thread] = {}
_told: Dict[str, Dict[str, Any]] = {}  # what a script told of its run
_keeps: Set[str] = set()  # runs that have all files but record.json
_contents: List[Tuple[record.Facts, Dict[str, bytes], Dict[str, str]]] = []
_holders: Dict[Tuple[str, str], str] = {}  # by store and digests, the run that keeps the files


def write(
    client: Any,  # noqa: ANN401
    run_id: str,
    known: record.Facts,
    more: Dict[str, Any],
    end: Optional[Dict[str, Any]] = None,
) -> None:
    """Stores what the run has not, and its record.json anew.

    `more` is added to what was told of the run, `end` is what `seal` tells of its end.
    """
    wait(run_id)
    told = _told.setdefault(run_id, {})
    told.update(more)
    files: Dict[str, bytes] = {}
    if run_id not in _keeps and "held" not in told:
        files = _own(client, run_id, known, told)
    send(client, run_id, {**files, RECORD: record.document(known, run_id, told, end)})


def _own(client: Any, run_id: str, known: record.Facts, told: Dict[str, Any]) -> Dict[str, bytes]:  # noqa: ANN401
    """The files that this run has to keep itself; of others it is told which run has them."""
    files, digests = _content(known)
    key = (_store_of(client), json.dumps(digests, sort_keys=True))
    holder = _holders.setdefault(key, run_id) if _is_large(files) else run_id
    if holder != run_id:
        told["held"] = {"run_id": holder, "files": digests}
        return {}
    _keeps.add(run_id)
    return files


def holder_tag(uri: str, known: record.Facts) -> Dict[str, str]:
    """The tag of a run that is about to start in a store: who keeps its larger files."""
    files, digests = _content(known)
    holder = _holders.get((uri, json.dumps(digests, sort_keys=True)))
    return {HOLDER: holder} if holder and _is_large(files) else {}


def holder_of(run_id: str) -> str:
    """The run that keeps the larger files of one; "" where it does so itself."""
    return str(_told.get(run_id, {}).get("held", {}).get("run_id", ""))


def counts_for(parent: str, tags: Dict[str, str], known: record.Facts) -> bool:
    """Whether a parent has all that a child of these tags would have, and the child says so."""
    if parent not in _keeps and not holder_of(parent):
        return False
    return HOLDER in tags or not _is_large(_content(known)[0])


def _content(known: record.Facts) -> Tuple[Dict[str, bytes], Dict[str, str]]:
    """The files of a process, and their digests; kept, since each run asks for them."""
    if not _contents or _contents[0][0] is not known:
        files = record.files(known)
        digests = {FOLDER + "/" + path: sha256(content) for path, content in files.items()}
        _contents[:] = [(known, files, digests)]
    return _contents[0][1], _contents[0][2]


def _is_large(files: Dict[str, bytes]) -> bool:
    return len(files) > MANY_FROM or sum(map(len, files.values())) > LARGE_FROM


def _store_of(client: Any) -> str:  # noqa: ANN401
    return str(getattr(client, "_tracking_uri", None) or getattr(client, "tracking_uri", ""))


def wait(run_id: str) -> None:
    """Waits for what is being stored."""
    before = _uploads.pop(run_id, None)
    if before is not None:
        _join(before)


def _join(thread: threading.Thread) -> None:
    """Waits; less and less where a store does not answer: a sweep has many runs."""
    limit = max(min(WAIT_S, _patience[0]), 0.5)
    thread.join(limit)
    if thread.is_alive():
        _patience[0] -= limit


def send(client: Any, run_id: str, files: Dict[str, bytes]) -> None:  # noqa: ANN401
    """Stores files, in a thread of its own where that takes long."""
    context = contextvars.copy_context()  # MLflow keeps its workspace there
    args = (_store, client, run_id, files)
    thread = threading.Thread(target=context.run, args=args, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # a run that ends with its process: newer Pythons start no thread then
        _store(client, run_id, files)
        return
    _uploads[run_id] = thread
    _join(thread)


def complete(client: Any, run_id: str, end: Dict[str, Any]) -> None:  # noqa: ANN401
    """Writes a run's end into the record.json that another process stored, if it is to be had."""
    folder = tempfile.mkdtemp(prefix="reprocheck-capture-")
    try:
        with _no_bar():
            path = client.download_artifacts(run_id, FOLDER + "/" + RECORD, folder)
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except Exception as error:  # a seal of an earlier end claims nothing
        lacks("seal of run " + run_id, str(error)[:300])
        return
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    send(client, run_id, {RECORD: record.completed(found, end)})


@contextlib.contextmanager
def _no_bar() -> Iterator[None]:
    """MLflow shows a bar for each download; this one is none of the training's."""
    before = os.environ.get(_BAR)
    os.environ[_BAR] = "false"
    try:
        yield
    finally:
        os.environ.pop(_BAR, None)
        if before is not None:
            os.environ[_BAR] = before


@guarded("tags", lambda: None)
def set_tags(client: Any, run_id: str, tags: Dict[str, str]) -> None:  # noqa: ANN401
    """Sets tags of a run, all in one request."""
    from mlflow.entities import RunTag

    wanted = [(name, text) for name, text in tags.items() if not name.startswith(tuple(refused))]
    if wanted:
        client.log_batch(run_id, tags=[RunTag(name, text) for name, text in wanted])


def _log(client: Any, run_id: str, folder: str) -> None:  # noqa: ANN401
    """MLflow's client would ask the store once more where the artifacts are."""
    place = places.get(run_id, "")
    if not place.startswith(("/", "file:")):
        client.log_artifacts(run_id, folder, FOLDER)
        return
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository: Any = get_artifact_repository(place)
    repository.log_artifacts(folder, FOLDER)


def _store(client: Any, run_id: str, files: Dict[str, bytes]) -> None:  # noqa: ANN401
    folder = ""
    try:
        folder = tempfile.mkdtemp(prefix="reprocheck-capture-")
        for path, content in files.items():
            place = os.path.join(folder, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(content)
        _log(client, run_id, folder)
    except Exception as error:
        _keeps.discard(run_id)
        for key in [key for key, holder in _holders.items() if holder == run_id]:
            _holders.pop(key, None)  # nobody else relies on it
        failed("artifacts", error)
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
