"""MLflow's run as MLflow's client returns it, parsed once into plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any

from reprocheck.model import Point

_CLAMPED = 1.7976931348623157e308  # what MLflow's SQL stores keep for an infinity


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetInput:
    """A dataset that a run logged as its input."""

    name: str
    digest: str  # MLflow's own, of the first rows at most
    source: Mapping[str, Any]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRun:
    """A run as its store keeps it, without histories and artifacts."""

    run_id: str
    name: str
    experiment_id: str
    status: str  # MLflow's word: RUNNING, SCHEDULED, FINISHED, FAILED, KILLED
    deleted: bool
    started_at: datetime | None
    ended_at: datetime | None
    artifact_uri: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    last: Mapping[str, float]  # the last value of each metric
    datasets: tuple[DatasetInput, ...]
    model_ids: tuple[str, ...]  # of logged models that the run wrote; empty before MLflow 3
    input_model_ids: tuple[str, ...] = ()  # of those that it refers to
    last_points: Mapping[str, Point] = field(default_factory=dict)  # of `last`, where told


def parse_run(run: Any) -> FoundRun:  # noqa: ANN401  (mlflow.entities.Run)
    """The plain values of MLflow's run."""
    tags = {str(key): str(value) for key, value in run.data.tags.items()}
    return FoundRun(
        run_id=str(run.info.run_id),
        name=str(run.info.run_name or tags.get("mlflow.runName", "")),
        experiment_id=str(run.info.experiment_id),
        status=str(run.info.status),
        deleted=run.info.lifecycle_stage == "deleted",
        started_at=_utc(run.info.start_time),
        ended_at=_utc(run.info.end_time),
        artifact_uri=str(run.info.artifact_uri or ""),
        parameters={str(key): str(value) for key, value in run.data.params.items()},
        tags=tags,
        last={str(key): unclamped(value) for key, value in run.data.metrics.items()},
        datasets=tuple(_parse_dataset(found) for found in _list(run.inputs, "dataset_inputs")),
        model_ids=tuple(str(m.model_id) for m in _list(run.outputs, "model_outputs")),
        input_model_ids=tuple(str(m.model_id) for m in _list(run.inputs, "model_inputs")),
        last_points={str(m.key): parse_point(m) for m in _list(run.data, "_metric_objs")},
    )


def parse_point(metric: Any) -> Point:  # noqa: ANN401  (mlflow.entities.Metric)
    """A logged value of a metric."""
    return Point(
        step=int(metric.step), timestamp_ms=int(metric.timestamp), value=unclamped(metric.value)
    )


def unclamped(value: float) -> float:
    """The value that was logged: SQL stores keep the largest float for an infinity."""
    if value >= _CLAMPED:
        return inf
    return -inf if value <= -_CLAMPED else float(value)


def _utc(milliseconds: int | None) -> datetime | None:
    # Old servers send 0 for a run that has not ended.
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def _list(holder: Any, name: str) -> list[Any]:  # noqa: ANN401  (mlflow.entities)
    return list(getattr(holder, name, None) or ())


def _parse_dataset(found: Any) -> DatasetInput:  # noqa: ANN401  (mlflow.entities.DatasetInput)
    return DatasetInput(
        name=str(found.dataset.name),
        digest=str(found.dataset.digest),
        source=_json_object(found.dataset.source),
        tags={str(tag.key): str(tag.value) for tag in found.tags},
    )


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
