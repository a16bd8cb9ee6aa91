"""What the record that reprocheck-capture kept with a run says beyond the run's tags."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from reprocheck import schema
from reprocheck.model import Seal
from reprocheck.seals import seal_of
from reprocheck.trackers.mlflow_recorded_files import OWN, Kept
from reprocheck.trackers.mlflow_run import FoundRun, unclamped

RECORD = f"{OWN}record.json"


def texts(run: FoundRun, kept: Kept) -> Mapping[str, str]:
    """By name, what the tags would say that a run recorded by reprocheck-capture has not."""
    if "reprocheck.schema" not in run.tags:
        return {}
    try:
        document: Any = json.loads(kept.content(RECORD) or b"{}")
        return {name: text for name, text in _texts(document) if name not in run.tags}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return {}  # the record's own schema is judged elsewhere


def seal(run: FoundRun, kept: Kept) -> Seal | None:
    """What the run had when it ended; None where the seal is broken or of an earlier end.

    A run may be resumed by what records nothing: its end then is another than the sealed one.
    """
    try:
        document: Any = json.loads(kept.content(RECORD) or b"{}")
        found = None if schema.check(document, "run") else seal_of(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # the record's own schema is judged elsewhere
    if found is None or found.at != run.ended_at or document["run_id"] != run.run_id:
        return None
    metrics = {
        name: dataclasses.replace(each, value=unclamped(each.value))
        for name, each in found.metrics.items()
    }
    return dataclasses.replace(found, metrics=metrics)


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
