"""What the record that reprocheck-capture kept with a run says beyond the run's tags."""

from __future__ import annotations

import dataclasses
import functools
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reprocheck import schema
from reprocheck.model import Finding, Seal, Severity
from reprocheck.seals import seal_of
from reprocheck.trackers.mlflow_recorded_files import OWN, Kept
from reprocheck.trackers.mlflow_run import FoundRun, unclamped

RECORD = f"{OWN}record.json"
_WORDS = {
    "late": "ran before one above",
    "skipped": "did not run, and one below did",
    "again": "ran more than once",
}
_CELLS_TOLD = 5


def texts(run: FoundRun, kept: Kept) -> Mapping[str, str]:
    """By name, what the tags would say that a run recorded by reprocheck-capture has not."""
    if "reprocheck.schema" not in run.tags:
        return {}
    try:
        document: Any = json.loads(kept.content(RECORD) or b"{}")
        return {name: text for name, text in _texts(document) if name not in run.tags}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return {}  # the record's own schema is judged elsewhere


def seal(run: FoundRun, kept: Kept) -> Seal | None:
    """What the run had when it ended; None where the seal is broken or of an earlier end.

    A run may be resumed by what records nothing: its end then is another than the sealed one.
    """
    document = _document(run, kept)
    found = seal_of(document) if document else None
    if found is None or found.at != run.ended_at:
        return None
    metrics = {
        name: dataclasses.replace(each, value=unclamped(each.value))
        for name, each in found.metrics.items()
    }
    return dataclasses.replace(found, metrics=metrics)


def findings(run: FoundRun, kept: Kept) -> Iterator[Finding]:
    """What the record itself says against a rerun of it."""
    document = _document(run, kept)
    notebook = (document.get("capture") or {}).get("notebook") if document else None
    if notebook and not notebook.get("in_order", True):
        yield _out_of_order(notebook)


def _document(run: FoundRun, kept: Kept) -> Mapping[str, Any] | None:
    """The record.json of this run, where it follows its schema."""
    content = kept.content(RECORD)
    document = _parsed(content) if content else None
    return document if document and document["run_id"] == run.run_id else None


@functools.lru_cache(maxsize=2)  # it is asked for several times, one run after the other
def _parsed(content: bytes) -> Mapping[str, Any] | None:
    try:
        document: Any = json.loads(content)
        valid = not schema.check(document, "run")
    except (ValueError, RecursionError):
        return None  # the record's own schema is judged elsewhere
    return document if valid else None


def _out_of_order(notebook: Mapping[str, Any]) -> Finding:
    path = notebook["path"]
    unknown = notebook.get("unknown", 0)
    told = [
        f"{_cells(notebook[key])} {words}" for key, words in _WORDS.items() if notebook.get(key)
    ]
    if unknown:
        told.append(
            f"{unknown} runs were of cells that the saved notebook does not have (edited, "
            "deleted, or not saved)"
        )
    place = shlex.quote(f"./{path}" if path.startswith("-") else path)
    return Finding(
        code="out-of-order-cells",
        severity=Severity.WARNING,
        message=f"the cells of {path} did not run from top to bottom, as a rerun runs them: "
        + "; ".join(told or ["not all of them ran"]),
        hint="restart the kernel, run all cells, and save the notebook: that run can be verified",
        fix=f"jupyter nbconvert --to notebook --execute --inplace {place}",
        pointer="/command",
    )


def _cells(numbers: Sequence[int]) -> str:
    more = " and more" if len(numbers) > _CELLS_TOLD else ""
    named = ", ".join(map(str, numbers[:_CELLS_TOLD])) + more
    return f"code cell {named}" if len(numbers) == 1 else f"code cells {named}"


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
