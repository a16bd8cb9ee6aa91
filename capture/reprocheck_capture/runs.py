"""What is done at a run's start and end: tags that it lacks, artifacts, and the seal."""

import json
import os
from typing import Any, Dict, List, Tuple

from reprocheck_capture import hub, notebook, record, seal, upload
from reprocheck_capture.failures import lacks
from reprocheck_capture.git import sha256
from reprocheck_capture.variables import is_off

DATA = "reprocheck.data"
RESUMED = "reprocheck.resumed"
"""The other commands that wrote into a run, as a JSON list of their arguments."""

IN_ORDER = "reprocheck.notebook.in_order"
"""Whether a notebook's cells ran from top to bottom: yes or no."""

_seen: Dict[Tuple[int, str], bool] = {}  # by process and run, whether its record is ours
_facts: Dict[str, record.Facts] = {}


def started(run_id: str, tags: Dict[str, str], place: str = "") -> bool:
    """Records a run that was started or resumed here, once a process; `place` is of its artifacts.

    False where its record is another command's, or capturing is switched off.
    """
    key = (os.getpid(), run_id)
    if is_off() or key in _seen:
        return _seen.get(key, False)
    known = record.facts()
    ours = record.tags(known)
    _seen[key] = "reprocheck.schema" not in tags or not _is_another(tags, ours)
    client = store()
    if "reprocheck.schema" not in tags:
        lacking = {name: text for name, text in ours.items() if _is_missing(name, tags)}
        upload.set_tags(client, run_id, lacking)
    elif not _seen[key]:
        _resumed(client, run_id, tags, ours)
    if _seen[key]:
        _facts[run_id] = known
        upload.places[run_id] = place
    if _seen[key] and not _can_wait(tags, known):
        upload.write(client, run_id, known, {})
        holder = upload.holder_of(run_id)
        if holder and upload.HOLDER not in tags:
            upload.set_tags(client, run_id, {upload.HOLDER: holder})
    return _seen[key]


def _can_wait(tags: Dict[str, str], known: record.Facts) -> bool:
    """Whether a run's record is written at its end alone: until then its parent's counts for it."""
    parent = tags.get("mlflow.parentRunId", "")
    return _facts.get(parent) is known and upload.counts_for(parent, tags, known)


def facts(run_id: str) -> record.Facts:
    """Those of a run's start."""
    return _facts.get(run_id) or record.facts()


def told(run_id: str, more: Dict[str, Any]) -> None:
    """Adds what a script told, and how its notebook ran, to the record of a run of this process."""
    client = store()
    upload.write(client, run_id, facts(run_id), {**more, **_notebook(client, run_id)})


def _notebook(client: Any, run_id: str) -> Dict[str, Any]:  # noqa: ANN401
    """Keeps the notebook as it is saved now; how its cells ran so far, for the record."""
    known = facts(run_id)
    if not known.notebook.path:
        return {}
    files = notebook.kept(known.notebook)
    if files:
        upload.send(client, run_id, files)
        upload.wait(run_id)
    found = {"path": record.notebook_path(known), **notebook.order(known.notebook)}
    if files:
        found["sha256"] = sha256(b"".join(files.values()))
    if "in_order" in found:
        upload.set_tags(client, run_id, {IN_ORDER: "yes" if found["in_order"] else "no"})
    return {"notebook": found}


def ending(run_id: str) -> None:
    """What only shows while a run goes on: what it read from the hub."""
    upload.wait(run_id)
    if not _seen.get((os.getpid(), run_id)) or is_off():
        return
    data = facts(run_id).data
    late = [entry for entry in hub.revisions() if entry not in data]
    if late:
        data.extend(late)
        set_data(run_id)


def ended(client: Any, run_id: str) -> None:  # noqa: ANN401  (MLflow's)
    """Seals the record: by what the store has of the run, whoever wrote it there.

    Also of a run that was recorded elsewhere: `mlflow run` ends once more what its program ended.
    """
    if is_off():
        return
    ours = _seen.get((os.getpid(), run_id))
    more = _notebook(client, run_id) if ours else {}  # its tag is written before the seal
    run = client.get_run(run_id)
    if "reprocheck.schema" not in run.data.tags:
        return
    end = seal.ended(client, run)
    if end and ours:
        upload.write(client, run_id, facts(run_id), more, end)
    elif end:
        upload.complete(client, run_id, end)


def set_data(run_id: str) -> None:
    """Sets the data's tag anew; one that no longer fits goes, for record.json to tell them all."""
    told = record.tags(facts(run_id)).get(DATA)
    client = store()
    if told:
        upload.set_tags(client, run_id, {DATA: told})
    elif DATA in client.get_run(run_id).data.tags:
        client.delete_tag(run_id, DATA)


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
        upload.set_tags(client, run_id, {RESUMED: text})


def store() -> Any:  # noqa: ANN401
    """MLflow's client of the store that runs are logged to now."""
    import mlflow
    from mlflow.tracking import MlflowClient

    return MlflowClient(mlflow.get_tracking_uri())
