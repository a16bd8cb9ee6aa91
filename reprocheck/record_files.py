"""Reads a run's record back from a file: by run.schema.json, or the one inside a report.json.

What is read is what a judgement needs. The content of recorded files is not in the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from reprocheck import schema
from reprocheck.definition import from_document
from reprocheck.errors import ConfigError, RecordFileError
from reprocheck.model import (
    Argv,
    CodeState,
    Command,
    EnvironmentKind,
    EnvironmentSpec,
    ExperimentDefinition,
    Lineage,
    Material,
    MaterialPlace,
    Metric,
    Origin,
    OriginKind,
    Point,
    RunRecord,
    RunRef,
    RunStatus,
    ShellLine,
    Sibling,
    Step,
    TreeState,
)
from reprocheck.seals import seal_of

LARGEST = 200_000_000
"""Bytes of a file that is read."""

_REPORT = {"verdict", "record", "tool_version"}
_NON_FINITE = {"NaN", "Infinity", "-Infinity"}
_HINT = (
    "name a file by schemas/run.schema.json, or a report.json as `reprocheck verify --json` "
    "writes it"
)


def names_file(text: str) -> bool:
    """Whether a command line's word means a file and not a run of the tracker."""
    if Path(text).is_file():
        return True
    if "://" in text or text.startswith(("runs:/", "models:/")):
        return False
    return "/" in text or text.endswith((".json", ".yaml", ".yml"))


def read_record_file(path: Path) -> RunRecord:
    """The record in a file.

    A history that the document holds only in part is not taken for the whole: of such a metric
    there is the last value alone. Raises `RecordFileError`.
    """
    document = _document(path)
    issues = schema.check(_short(document), "run")
    if issues:
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        raise RecordFileError(
            f"{path} is no record of a run: {issues[0].pointer or '/'} {issues[0].message}{more}",
            issues[0].hint or _HINT,
        )
    try:
        return _record(document)
    except (ValueError, TypeError, OverflowError, ConfigError) as error:
        raise RecordFileError(f"{path} is a broken record: {error}", _HINT) from error


def _document(path: Path) -> dict[str, Any]:
    """The record's document, out of a report where the file is one."""
    document = _parsed(path)
    if not isinstance(document, dict):
        kind = schema.TYPES["array" if isinstance(document, list) else "string"]
        told = kind if isinstance(document, list | str) else "a single value"
        raise RecordFileError(f"{path} is no record of a run: it is {told}", _HINT)
    if document.keys() >= _REPORT:
        if not isinstance(document["record"], dict):
            raise RecordFileError(
                f"{path} is a report without a record: its run was never read",
                "name a report of a verification that could read its run",
            )
        return dict(document["record"])
    if not {"run_id", "metrics"} & document.keys():
        keys = ", ".join(str(key)[: schema.SHOWN] for key in list(document)[:5]) or "none"
        raise RecordFileError(
            f"{path} is no record of a run: it is a JSON mapping with other keys ({keys})", _HINT
        )
    return document


def _parsed(path: Path) -> object:
    try:
        if path.is_dir():
            raise RecordFileError(f"{path} is no record of a run: it is a directory", _HINT)
        if path.stat().st_size > LARGEST:
            raise RecordFileError(f"{path} is no record of a run: it has over 200 MB", _HINT)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordFileError(f"reading {path}: {error.strerror}", _HINT) from error
    except UnicodeDecodeError as error:
        raise RecordFileError(f"{path} is no record of a run: it is no text", _HINT) from error
    if not text.strip():
        raise RecordFileError(f"{path} is no record of a run: it is empty", _HINT)
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordFileError(
            f"{path} is no record of a run: it is not JSON: {error}", _HINT
        ) from error
    return parsed


def _short(document: Mapping[str, Any]) -> dict[str, Any]:
    """With two points a history: a thousand more are of one type, and slow to check."""
    metrics = document.get("metrics")
    if not isinstance(metrics, dict):
        return dict(document)
    return {**document, "metrics": {name: _short_metric(each) for name, each in metrics.items()}}


def _short_metric(metric: object) -> object:
    if isinstance(metric, dict) and isinstance(metric.get("history"), list):
        return {**metric, "history": metric["history"][:2]}
    return metric


# --- from the document to the nouns -------------------------------------------------------


def _record(document: Mapping[str, Any]) -> RunRecord:
    lineage = document.get("lineage") or {"parent": None, "depth": 0, "place": 0}
    return RunRecord(
        ref=RunRef(tracker=document["tracker"], run_id=document["run_id"]),
        name=document.get("name", ""),
        experiment=document.get("experiment", ""),
        status=RunStatus(document["status"]),
        started_at=_time(document.get("started_at")),
        ended_at=_time(document.get("ended_at")),
        description=document.get("description", ""),
        url=document.get("url"),
        code=_code(document["code"]),
        command=_command(document.get("command")),
        parameters=document["parameters"],
        truncated=frozenset(document.get("truncated", ())),
        environment=_environment(document),
        files=(),
        data=tuple(
            _material(each, _found(document, f"/data/{i}"))
            for i, each in enumerate(document.get("data", ()))
        ),
        metrics={name: _metric(name, each) for name, each in document["metrics"].items()},
        artifacts=(),
        seeds=document.get("seeds", {}),
        hardware=document.get("hardware", {}),
        tags=document.get("tags", {}),
        approvals=(),
        siblings=tuple(_sibling(each) for each in document.get("siblings", ())),
        peers=tuple(_sibling(each) for each in document.get("peers", ())),
        definition=_definition(document),
        dataset_version=document.get("dataset_version", ""),
        sealed=seal_of(document),
        lineage=Lineage(**lineage),
        origins={place: _origin(each) for place, each in document.get("origins", {}).items()},
    )


def _code(code: Mapping[str, Any]) -> CodeState:
    return CodeState(
        commit=code["commit"] or "",
        repository=code.get("repository"),
        branch=code.get("branch"),
        script=code.get("script"),
        entry_point=code.get("entry_point"),
        patch=None,  # the document has but its digest
        tree=TreeState(code["tree"]),
        subdirectory=code.get("subdirectory", "."),
        stored=tuple(code.get("stored", ())),
    )


def _command(command: Mapping[str, Any] | None) -> Command | None:
    if command is None:
        return None
    steps = tuple(
        Step(
            run=Argv(args=tuple(step["argv"])) if "argv" in step else ShellLine(line=step["shell"]),
            cwd=step.get("cwd", "."),
            name=step.get("name", ""),
        )
        for step in command["steps"]
    )
    return Command(steps=steps, env=command.get("env", {}))


def _environment(document: Mapping[str, Any]) -> EnvironmentSpec | None:
    spec = document.get("environment")
    if spec is None:
        return None
    return EnvironmentSpec(
        kind=EnvironmentKind(spec["kind"]),
        file=spec["file"],
        content=spec["content"].encode(),
        directory=spec.get("directory"),
        python=spec.get("python"),
        origin=_found(document, "/environment"),
    )


def _metric(name: str, metric: Mapping[str, Any]) -> Metric:
    points = tuple(_point(name, point) for point in metric["history"])
    if any((a.step, a.timestamp_ms) > (b.step, b.timestamp_ms) for a, b in pairwise(points)):
        raise ValueError(f"the history of {name} is not in the order of its steps")
    if repr(points[-1].value) != repr(_number(name, metric["value"])):  # NaN equals no NaN
        raise ValueError(f"the value of {name} is not the last of its history")
    is_whole = metric.get("points", len(points)) == len(points)
    return Metric(name=name, history=points if is_whole else points[-1:])


def _point(name: str, point: object) -> Point:
    match point:
        case [int(step), int(timestamp_ms), value]:
            return Point(step=step, timestamp_ms=timestamp_ms, value=_number(name, value))
    raise ValueError(f"the history of {name} has a point that is not [step, time, value]")


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not (isinstance(value, int | float) or value in _NON_FINITE):
        raise ValueError(f"{name} has a value that is no number")
    return float(value)


def _material(material: Mapping[str, Any], origin: Origin) -> Material:
    return Material(
        path=material["path"],
        algorithm=material["algorithm"],
        digest=material["digest"],
        size=material.get("size"),
        files=material.get("files"),
        origin=origin,
        weak=material.get("weak", False),
        source=material.get("source", ""),
        seen_as=material.get("seen_as"),
        place=MaterialPlace(material.get("place", "tree")),
    )


def _sibling(sibling: Mapping[str, Any]) -> Sibling:
    metrics = {name: _number(name, value) for name, value in sibling["metrics"].items()}
    return Sibling(run_id=sibling["run_id"], metrics=metrics)


def _definition(document: Mapping[str, Any]) -> ExperimentDefinition | None:
    definition = document.get("definition")
    if definition is None:
        return None
    return from_document(definition, _found(document, "/definition"))


def _found(document: Mapping[str, Any], place: str) -> Origin:
    """Where the document says that a part was found."""
    origin = document.get("origins", {}).get(place)
    if origin is None:
        return Origin(kind=OriginKind.FILE, where=f"the record of run {document['run_id']}")
    return _origin(origin)


def _origin(origin: Mapping[str, str]) -> Origin:
    return Origin(kind=OriginKind(origin["kind"]), where=origin["where"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
