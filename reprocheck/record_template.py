"""The field's usual template of a record (run_id, git_commit, ...), read without loss.

It becomes the document of schemas/run.schema.json. What that would not give back exactly (numbers
among the parameters, keys that it has no place for) is kept beside, under `extra`, as it was
written: `to_template` gives the template back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from reprocheck import record_documents, record_reading, schema
from reprocheck.detail import Detail, Document, number, time
from reprocheck.model import Finding, Severity

KEYS = (
    *("run_id", "git_commit", "dataset_version", "hyperparameters", "metrics", "artifacts"),
    *("notes", "approvals", "tags"),
)
"""The template's own keys, in its order."""

SHARED = (
    *("tracker", "name", "experiment", "status", "started_at", "ended_at", "url", "command"),
    *("environment", "data", "seeds", "hardware", "origins"),
)
"""Keys of run.schema.json that a template may have as well."""

_PLACES = {
    "git_commit": "/code/commit",
    "dataset_version": "/dataset_version",
    "hyperparameters": "/parameters",
    "metrics": "/metrics",
    "artifacts": "/artifacts",
    "notes": "/description",
    "approvals": "/approvals",
    "tags": "/tags",
}

FILE = "file"
"""The tracker of a record that names none."""

_OURS = {"schema_version", "code", "parameters", "description", "lineage"}
_ONLY = {"git_commit", "hyperparameters", "notes"}
_TEXTS = ("name", "experiment", "started_at", "ended_at", "url")
"""Shared keys that come back as they are; the parts of the others have more keys then."""


def is_template(document: Mapping[str, Any]) -> bool:
    """Whether a record is in the template's form and not in that of run.schema.json."""
    if "schema_version" in document:
        return False
    return bool(_ONLY & document.keys()) or not _OURS & document.keys()


def to_document(template: Mapping[str, Any]) -> Document:
    """The template as run.schema.json has it; it follows `$defs/template` there.

    Raises what `record_reading.record` does.
    """
    document = _document(template)
    # What a record gives back counts: it has times in UTC, and no numbers that no double holds.
    settled = record_documents.record(record_reading.record(document), frozenset(), Detail())
    plain = to_template(settled)
    extra = {
        key: value
        for key, value in template.items()
        if key not in plain or not _same(value, plain[key])
    }
    return {**document, "findings": list(_unread(template)), **({"extra": extra} if extra else {})}


def to_template(document: Mapping[str, Any]) -> Document:
    """The template that a document of run.schema.json was read from."""
    plain = {
        "run_id": document["run_id"],
        "git_commit": document["code"]["commit"],
        "dataset_version": document["dataset_version"],
        "hyperparameters": document["parameters"],
        "metrics": {name: _plain_metric(each) for name, each in document["metrics"].items()},
        "artifacts": [_plain_artifact(each) for each in document["artifacts"]],
        "notes": document["description"],
        "approvals": [_plain_approval(each) for each in document["approvals"]],
        "tags": document["tags"],
        **{key: document[key] for key in _TEXTS},
    }
    said = {key: value for key, value in plain.items() if value}
    return {**said, **document.get("extra", {})}


# --- to the document ----------------------------------------------------------------------


def _document(template: Mapping[str, Any]) -> Document:
    shared = {key: template[key] for key in SHARED if key in template}
    version = template.get("dataset_version")
    data = list(_data(version))
    before = len(shared.get("data", ()))
    return {
        "schema_version": 1,
        "tracker": FILE,
        "status": "unknown",
        **shared,
        "command": _command(template.get("command")),
        "seeds": _seeds(template.get("seeds")),
        "hardware": _texts(template.get("hardware")),
        "run_id": template["run_id"],
        "code": {"commit": template.get("git_commit") or None, "tree": "unknown"},
        "dataset_version": _version(version),
        "data": [*shared.get("data", ()), *(material for material, _ in data)],
        "parameters": _texts(template.get("hyperparameters")),
        "metrics": {name: _metric(each) for name, each in (template.get("metrics") or {}).items()},
        "artifacts": list(_artifacts(template.get("artifacts"))),
        "description": _notes(template.get("notes")),
        "approvals": [_approval(each) for each in template.get("approvals") or ()],
        "tags": _tags(template.get("tags")),
        "origins": {
            **dict(_origins(template)),
            **{f"/data/{before + i}": origin for i, (_, origin) in enumerate(data)},
            **shared.get("origins", {}),
        },
    }


def _origins(template: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    for key, place in _PLACES.items():
        if template.get(key):
            yield place, {"kind": "file", "where": key}


def _command(command: Any) -> Any:  # noqa: ANN401  (JSON)
    match command:
        case str():
            return {"steps": [{"shell": command}]}
        case list():
            return {"steps": [{"argv": command}]}
        case _:
            return command


def _seeds(seeds: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    return _texts(seeds if isinstance(seeds, Mapping | None) else {"seed": seeds})


def _texts(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: text_of(value) for name, value in (mapping or {}).items()}


def text_of(value: object) -> str:
    """A text as it is, and any other value as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _version(version: object) -> str:
    """The version, or those of a mapping that are none of content: `train v3, test v1`."""
    if not isinstance(version, Mapping):
        return "" if version is None else text_of(version)
    named = (
        (name, each.get("version") if isinstance(each, Mapping) else each)
        for name, each in version.items()
    )
    return ", ".join(
        f"{name} {text_of(each)}"
        for name, each in named
        if each is not None and not _digest({"hash": each})
    )


def _data(version: object) -> Iterator[tuple[Document, Document]]:
    """The data of which there is a digest, each with its origin."""
    for name, each in version.items() if isinstance(version, Mapping) else ():
        entry = each if isinstance(each, Mapping) else {"hash": each}
        algorithm, digest = _digest(entry) or ("", "")
        if digest:
            path = entry.get("path", name)
            origin = {
                "kind": "file" if "path" in entry else "inferred",  # a name need be no path
                "where": f"dataset_version.{name}",
            }
            size = entry.get("size")
            yield {"path": path, "algorithm": algorithm, "digest": digest, "size": size}, origin


def _digest(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    for algorithm in ("sha256", "md5"):
        if algorithm in entry:
            return algorithm, entry[algorithm]
        told = entry.get("hash")
        if (
            isinstance(told, str)
            and told.startswith(f"{algorithm}:")
            and told[len(algorithm) + 1 :]
        ):
            return algorithm, told[len(algorithm) + 1 :]
    return None


def _metric(metric: Any) -> Document:  # noqa: ANN401  (JSON)
    entry = metric if isinstance(metric, Mapping) else {"value": metric}
    value = entry["value"]
    value = value if isinstance(value, str) else number(float(value))
    point = [entry.get("step", 0), entry.get("timestamp_ms", 0), value]
    return {"value": value, "points": 1, "history": [point]}


def _artifacts(artifacts: Any) -> Iterator[Document]:  # noqa: ANN401  (JSON)
    for each in artifacts.values() if isinstance(artifacts, Mapping) else artifacts or ():
        entry = each if isinstance(each, Mapping) else {"path": each}
        path = entry.get("path") or PurePosixPath(entry["uri"].rstrip("/")).name or entry["uri"]
        told = {key: entry[key] for key in ("sha256", "uri") if entry.get(key)}
        yield {"path": path, "size": entry.get("size"), **told}


def _notes(notes: Any) -> str:  # noqa: ANN401  (JSON)
    return "\n".join(notes) if isinstance(notes, list) else notes or ""


def _approval(approval: Any) -> Document:  # noqa: ANN401  (JSON)
    entry = approval if isinstance(approval, Mapping) else {"by": approval}
    return {
        "by": entry.get("by") or entry["name"],
        "what": entry.get("what", ""),
        "role": entry.get("role", ""),
        "commit": entry.get("commit", ""),
        "at": _instant(entry.get("at") or entry.get("date") or ""),
    }


def _instant(text: str) -> str | None:
    """A time in UTC, of a date its beginning; None where it is none."""
    try:
        instant = datetime.fromisoformat(text)
        return time(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None  # the text itself is kept under `extra`


def _tags(tags: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    if isinstance(tags, list):
        return dict.fromkeys(map(text_of, tags), "")
    return _texts(tags)


def _unread(template: Mapping[str, Any]) -> Iterator[Document]:
    known = (*KEYS, *SHARED)
    for key in template:
        if key in known:
            continue
        meant = schema.misspelt(key, known)
        found = Finding(
            code="unread-key",
            severity=Severity.WARNING if meant else Severity.NOTE,
            message=f"the record's key {key} is kept, and not read",
            hint=f"did you mean {meant}?" if meant else f"known: {', '.join(known)}",
            pointer=schema.pointer(["extra", key]),
        )
        yield record_documents.finding(found)


# --- and back -----------------------------------------------------------------------------


def _plain_metric(metric: Mapping[str, Any]) -> object:
    step, timestamp_ms, value = metric["history"][-1]
    told = {"step": step, "timestamp_ms": timestamp_ms}
    said = {key: each for key, each in told.items() if each}
    return {"value": value, **said} if said else value


def _plain_artifact(artifact: Mapping[str, Any]) -> object:
    said = {key: value for key, value in artifact.items() if value is not None}
    return said if len(said) > 1 else artifact["path"]


def _plain_approval(approval: Mapping[str, Any]) -> object:
    said = {key: value for key, value in approval.items() if value}
    return said if len(said) > 1 else approval["by"]


def _same(one: object, other: object) -> bool:
    """Equality of JSON: 1 is 1.0, and not true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) is isinstance(other, bool)
