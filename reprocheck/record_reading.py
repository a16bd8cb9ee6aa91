"""A run's record out of its document, which follows schemas/run.schema.json.

What the document tells by its digest alone (patches, recorded files) has no content here, and says
so by its `size`. A history that the document holds only in part is not taken for the whole: of such
a metric there is the last value alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from reprocheck import definition, model
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
    Patch,
    Point,
    RecordedFile,
    RunRecord,
    RunRef,
    RunStatus,
    Severity,
    ShellLine,
    Sibling,
    Step,
    TreeState,
)
from reprocheck.record_documents import CAPTURE
from reprocheck.seals import seal_of

_NON_FINITE = {"NaN", "Infinity", "-Infinity"}


def record(document: Mapping[str, Any]) -> RunRecord:
    """The record. Raises `ValueError`, `TypeError` or `ConfigError` for what no schema can tell."""
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
        files=tuple(_file(each, document) for each in document.get("files", ())),
        data=tuple(
            _material(each, _found(document, f"/data/{i}"))
            for i, each in enumerate(document.get("data", ()))
        ),
        metrics={name: _metric(name, each) for name, each in document["metrics"].items()},
        artifacts=tuple(_artifact(each) for each in document.get("artifacts", ())),
        seeds=document.get("seeds", {}),
        hardware=document.get("hardware", {}),
        tags=document.get("tags", {}),
        approvals=tuple(_approval(each) for each in document.get("approvals", ())),
        siblings=tuple(_sibling(each) for each in document.get("siblings", ())),
        peers=tuple(_sibling(each) for each in document.get("peers", ())),
        definition=_definition(document),
        dataset_version=document.get("dataset_version", ""),
        sealed=seal_of(document),
        lineage=Lineage(**lineage),
        origins={place: origin_of(each) for place, each in document.get("origins", {}).items()},
        findings=tuple(finding_of(each) for each in document.get("findings", ())),
        extra=_extra(document),
    )


def _code(code: Mapping[str, Any]) -> CodeState:
    return CodeState(
        commit=code["commit"] or "",
        repository=code.get("repository"),
        branch=code.get("branch"),
        script=code.get("script"),
        entry_point=code.get("entry_point"),
        patch=_patch(code.get("patch")),
        tree=TreeState(code["tree"]),
        subdirectory=code.get("subdirectory", "."),
        upstream=_patch(code.get("upstream")),
        untracked=tuple(
            model.UntrackedFile(
                path=each["path"], sha256=each.get("sha256"), artifact=each.get("artifact")
            )
            for each in code.get("untracked", ())
        ),
        stored=tuple(code.get("stored", ())),
    )


def _patch(patch: Mapping[str, Any] | None) -> Patch | None:
    if patch is None:
        return None
    return Patch(content=b"", sha256=patch["sha256"], base=patch.get("base"), size=patch["size"])


def _file(file: Mapping[str, Any], document: Mapping[str, Any]) -> RecordedFile:
    origin = file.get("origin")
    return RecordedFile(
        path=file["path"],
        content=b"",
        origin=origin_of(origin) if origin else _found(document, ""),
        sha256=file.get("sha256", ""),
        size=file.get("size", 0),
    )


def _artifact(artifact: Mapping[str, Any]) -> model.Artifact:
    return model.Artifact(
        path=artifact["path"],
        size=artifact.get("size"),
        sha256=artifact.get("sha256", ""),
        uri=artifact.get("uri", ""),
    )


def _approval(approval: Mapping[str, Any]) -> model.Approval:
    return model.Approval(**{**approval, "at": _time(approval.get("at"))})


def finding_of(finding: Mapping[str, Any]) -> model.Finding:
    """A finding."""
    return model.Finding(
        code=finding["code"],
        severity=Severity(finding["severity"]),
        message=finding["message"],
        hint=finding["hint"],
        pointer=finding["pointer"],
        fix=finding.get("fix", ""),
    )


def _extra(document: Mapping[str, Any]) -> Mapping[str, object]:
    capture = {CAPTURE: document["capture"]} if document.get("capture") else {}
    return {key: frozen(each) for key, each in (document.get("extra", {}) | capture).items()}


def frozen(value: object) -> object:
    """A value of JSON with tuples for lists."""
    match value:
        case Mapping():
            return {key: frozen(each) for key, each in value.items()}
        case list():
            return tuple(map(frozen, value))
        case _:
            return value


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
    content, recorded = spec["content"].encode(), spec.get("sha256", "")
    return EnvironmentSpec(
        kind=EnvironmentKind(spec["kind"]),
        file=spec["file"],
        content=content,
        directory=spec.get("directory"),
        python=spec.get("python"),
        origin=_found(document, "/environment"),
        companions=tuple(_file(each, document) for each in spec.get("companions", ())),
        sha256="" if recorded == hashlib.sha256(content).hexdigest() else recorded,
    )


def with_short_histories(document: Mapping[str, Any]) -> dict[str, Any]:
    """With two points a history: a thousand more are of one type, and slow to check."""
    metrics = document.get("metrics")
    if not isinstance(metrics, dict):
        return dict(document)
    return {**document, "metrics": {name: _short_metric(each) for name, each in metrics.items()}}


def _short_metric(metric: object) -> object:
    if isinstance(metric, dict) and isinstance(metric.get("history"), list):
        return {**metric, "history": metric["history"][:2]}
    return metric


def _metric(name: str, metric: Mapping[str, Any]) -> Metric:
    """A metric to judge by: of a history that is there only in part, its last point."""
    found = shown_metric(name, metric)
    return Metric(name=name, history=found.history[-1:]) if found.points else found


def shown_metric(name: str, metric: Mapping[str, Any]) -> Metric:
    """A metric to show, with the points that the document has. Raises `ValueError`."""
    points = tuple(_point(name, point) for point in metric["history"])
    if any((a.step, a.timestamp_ms) > (b.step, b.timestamp_ms) for a, b in pairwise(points)):
        raise ValueError(f"the history of {name} is not in the order of its steps")
    if repr(points[-1].value) != repr(number(name, metric["value"])):  # NaN equals no NaN
        raise ValueError(f"the value of {name} is not the last of its history")
    whole = metric.get("points", len(points))
    return Metric(name=name, history=points, points=0 if whole == len(points) else whole)


def _point(name: str, point: object) -> Point:
    match point:
        case [int(step), int(timestamp_ms), value]:
            return Point(step=step, timestamp_ms=timestamp_ms, value=number(name, value))
    raise ValueError(f"the history of {name} has a point that is not [step, time, value]")


def number(name: str, value: object) -> float:
    """A value of what is named so. Raises `ValueError`, `OverflowError` for what no float holds."""
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
    metrics = {name: number(name, value) for name, value in sibling["metrics"].items()}
    return Sibling(run_id=sibling["run_id"], metrics=metrics)


def _definition(document: Mapping[str, Any]) -> ExperimentDefinition | None:
    found = document.get("definition")
    if found is None:
        return None
    return definition.from_document(found, _found(document, "/definition"))


def _found(document: Mapping[str, Any], place: str) -> Origin:
    """Where the document says that a part was found."""
    origin = document.get("origins", {}).get(place)
    if origin is None:
        return Origin(kind=OriginKind.FILE, where=f"the record of run {document['run_id']}")
    return origin_of(origin)


def origin_of(origin: Mapping[str, str]) -> Origin:
    """Where a fact was found. Raises `ValueError`."""
    return Origin(kind=OriginKind(origin["kind"]), where=origin["where"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
