"""What did not fit into a run's tags, from the record that reprocheck-capture kept with the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reprocheck.trackers.mlflow_recorded_files import OWN, Kept
from reprocheck.trackers.mlflow_run import FoundRun

RECORD = f"{OWN}record.json"


def texts(run: FoundRun, kept: Kept) -> Mapping[str, str]:
    """By name, what the tags would say that a run recorded by reprocheck-capture has not."""
    if "reprocheck.schema" not in run.tags:
        return {}
    try:
        document: Any = json.loads(kept.content(RECORD) or b"{}")
        return {name: text for name, text in _texts(document) if name not in run.tags}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return {}  # the record's own schema is judged elsewhere


def _texts(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  (JSON)
    if document.get("command"):
        (step,) = document["command"]["steps"]
        yield "reprocheck.argv", json.dumps(step["argv"])
    if document.get("data"):
        yield "reprocheck.data", json.dumps([_entry(each) for each in document["data"]])


def _entry(material: dict[str, Any]) -> dict[str, Any]:
    """A material as `reprocheck.data` has it."""
    if material.get("place") == "hub":
        return {"hub": material["path"], "revision": material["digest"]}
    kept = {name: material.get(name) for name in ("path", "size", "files", "seen_as")}
    return {**kept, material["algorithm"]: material["digest"]}
