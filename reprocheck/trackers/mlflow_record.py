"""Puts a run's record together from what MLflow keeps about it."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reprocheck import mending
from reprocheck.definition import read_definition
from reprocheck.errors import UnfinishedRunError, UnknownRunError
from reprocheck.model import (
    Finding,
    Metric,
    Origin,
    OriginKind,
    Point,
    RunRecord,
    RunRef,
    RunStatus,
    Severity,
)
from reprocheck.recipe import SEED_PARAMETERS
from reprocheck.schema import pointer as schema_pointer
from reprocheck.trackers import mlflow_own_record
from reprocheck.trackers.mlflow_altered import altered
from reprocheck.trackers.mlflow_artifacts import RootFinder
from reprocheck.trackers.mlflow_code import COMMIT_TAGS, read_code, without_credentials
from reprocheck.trackers.mlflow_held import with_held
from reprocheck.trackers.mlflow_lineage import Family, as_started, read_family, read_siblings
from reprocheck.trackers.mlflow_patches import GIT_STATE
from reprocheck.trackers.mlflow_recorded_files import UNREACHABLE, Kept, gather
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_server import check_server
from reprocheck.trackers.mlflow_store import FoundModel, MlflowStore
from reprocheck.trackers.mlflow_tags import TagReader

_CUT_AT = {250, 500, 6000}  # characters: where MLflow 1, 2 and 3 cut a parameter's value
_OF_TRACKER = (
    *("/name", "/experiment", "/status", "/started_at", "/ended_at", "/parameters", "/metrics"),
    *("/tags", "/artifacts", "/siblings", "/peers", "/lineage"),
)
"""Places of the record that are fields of MLflow itself."""

_NOT_FINISHED = {
    "RUNNING": (
        "is still running",
        "Wait until it has finished; a run that crashed can stay in this state for ever.",
    ),
    "SCHEDULED": ("has not started yet", "Wait until it has finished."),
    "FAILED": ("failed", "Only a finished run can be reproduced; name another one."),
    "KILLED": ("was killed", "Only a finished run can be reproduced; name another one."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a record is put together from, beside what the store's run tells itself."""

    kept: Kept
    family: Family
    experiment: str
    metrics: Mapping[str, Metric]


def check_finished(run: FoundRun) -> None:
    """Raises `UnfinishedRunError` unless the run finished and was not deleted."""
    if run.deleted:
        raise UnfinishedRunError(f"Run {run.run_id} was deleted.", _restored(run))
    if run.status != RunStatus.FINISHED.name:
        what, hint = _NOT_FINISHED.get(run.status, (f"is {run.status.lower()}", "Name another."))
        raise UnfinishedRunError(f"Run {run.run_id} {what}.", hint)


def _restored(run: FoundRun) -> str:
    return f"Restore it with `mlflow runs restore --run-id {run.run_id}`, or name another one."


def read_record(store: MlflowStore, run: FoundRun, finder: RootFinder) -> RunRecord:
    """The record of a run, in whatever state it is. Raises `ReadError`."""
    kept = with_held(store, run, gather(run, models_of(store, run), finder), finder)
    if store.pages is not None and any(f.code == UNREACHABLE for f in kept.findings):
        check_server(store.uri, store.shown)  # a dead one is told now, not after every timeout
    parts = Parts(
        kept=kept,
        family=read_family(store, run),
        experiment=store.experiment_name(run.experiment_id),
        metrics=read_metrics(store, run),
    )
    record = put_together(store, run, parts)
    siblings = read_siblings(store, run, {*SEED_PARAMETERS, *record.seeds})
    return dataclasses.replace(record, siblings=siblings)


def put_together(store: MlflowStore, run: FoundRun, parts: Parts) -> RunRecord:
    """The record of a run whose parts were read, without siblings. Raises `ReadError`."""
    kept, family, metrics = parts.kept, parts.family, parts.metrics
    started = as_started(run, family)
    code, code_origins, unclear = read_code(_with_git_state(store, started), kept)
    tags = TagReader(run=started, beside=mlflow_own_record.texts(run, kept))
    command, seeds, data, approvals = tags.command(), tags.seeds(), tags.data(), tags.approvals()
    hardware = _hardware(kept)
    definition, broken = read_definition(kept.files)
    return RunRecord(
        ref=RunRef(tracker="mlflow", run_id=run.run_id),
        name=run.name,
        experiment=parts.experiment,
        status=RunStatus(run.status.lower()),
        started_at=run.started_at,
        ended_at=run.ended_at,
        description=run.tags.get("mlflow.note.content", ""),
        url=_page(store, run),
        code=code,
        command=command,
        parameters=run.parameters,
        truncated=frozenset(n for n, text in run.parameters.items() if len(text) in _CUT_AT),
        environment=None,
        files=kept.files,
        data=data,
        metrics=metrics,
        artifacts=kept.artifacts,
        seeds=seeds,
        hardware=hardware,
        tags={name: without_credentials(text) for name, text in run.tags.items()},
        approvals=approvals,
        siblings=(),
        lineage=family.lineage,
        peers=family.peers,
        definition=definition,
        sealed=mlflow_own_record.seal(run, kept),
        dataset_version=tags.dataset_version(),
        origins={**_tracker_origins(store, run, hardware), **code_origins, **tags.origins},
        findings=(
            *(*kept.findings, *unclear, *tags.findings, *broken, *_deleted(store, run)),
            *mlflow_own_record.findings(run, kept),
            *(*altered(run, metrics), *_ambiguous(store, metrics)),
        ),
    )


def models_of(store: MlflowStore, run: FoundRun) -> tuple[FoundModel, ...]:
    """The models that the run logged, in the order in which they were made. Raises `ReadError`."""
    models = []
    for model_id in dict.fromkeys(run.model_ids):
        try:
            models.append(store.model(model_id))
        except UnknownRunError:
            continue  # deleted since
    return tuple(sorted(models, key=lambda model: (model.created_ms, model.model_id)))


def _with_git_state(store: MlflowStore, run: FoundRun) -> FoundRun:
    """The run with what MLflow knows of its tree, which `mlflow.genai.enable_git_model_versioning`
    keeps with a model that the run only refers to."""
    for model_id in () if any(name in run.tags for name in GIT_STATE) else run.input_model_ids:
        try:
            tags = store.model(model_id).tags
        except UnknownRunError:
            continue  # deleted since
        if tags.get(COMMIT_TAGS[0], "") == run.tags.get(COMMIT_TAGS[0]):
            found = {name: tags[name] for name in GIT_STATE if name in tags}
            return dataclasses.replace(run, tags={**run.tags, **found})
    return run


def read_metrics(store: MlflowStore, run: FoundRun) -> Mapping[str, Metric]:
    """The run's metrics with their histories. Raises `ReadError`."""
    return {
        name: Metric(
            name=name,
            history=store.history(run.run_id, name)
            or (Point(step=0, timestamp_ms=0, value=run.last[name]),),
        )
        for name in sorted(run.last)
    }


def _ambiguous(store: MlflowStore, metrics: Mapping[str, Metric]) -> Iterator[Finding]:
    """Metrics whose last value is not known: SQL stores do not keep the order of logging."""
    for name, metric in metrics.items() if store.folder is None else ():
        last = metric.history[-1]
        rivals = {
            repr(point.value)  # NaN is not equal to itself
            for point in metric.history
            if (point.step, point.timestamp_ms) == (last.step, last.timestamp_ms)
        }
        if len(rivals) > 1:
            yield Finding(
                code="ambiguous-value",
                severity=Severity.WARNING,
                message=f"{len(rivals)} values of {name} were logged at the same step and "
                f"millisecond: which was the last is not known; {last.value} is taken, as MLflow's "
                "pages do",
                hint="log a step with each value",
                pointer=schema_pointer(["metrics", name]),
                fix=mending.line("mlflow.log_metric({}, value, step=step)", name),
            )


def _deleted(store: MlflowStore, run: FoundRun) -> Iterator[Finding]:
    if run.deleted:
        line = mending.shell("mlflow", "runs", "restore", "--run-id", run.run_id)
        uri = shlex.quote(store.shown)
        yield Finding(
            code="deleted-run",
            severity=Severity.ERROR,
            message="the run was deleted: its tracker may remove it for good at any time",
            hint=_restored(run),
            pointer="/status",
            fix=f"MLFLOW_TRACKING_URI={uri} {line}" if uri.isprintable() else line,
        )


def _page(store: MlflowStore, run: FoundRun) -> str | None:
    if store.pages is None:
        return None
    return f"{store.pages}/#/experiments/{run.experiment_id}/runs/{run.run_id}"


def _hardware(kept: Kept) -> Mapping[str, str]:
    content = kept.content("reprocheck/record.json")
    try:
        found = json.loads(content or b"{}")["hardware"]
        return {str(name): _text(value) for name, value in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # the record's own schema is judged elsewhere


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tracker_origins(
    store: MlflowStore, run: FoundRun, hardware: Mapping[str, str]
) -> Mapping[str, Origin]:
    here = Origin(kind=OriginKind.TRACKER, where=store.shown)
    origins = dict.fromkeys(_OF_TRACKER, here)
    if run.tags.get("mlflow.note.content"):
        origins["/description"] = Origin(kind=OriginKind.TAG, where="mlflow.note.content")
    if hardware:
        where = "reprocheck/record.json"
        origins["/hardware"] = Origin(kind=OriginKind.ARTIFACT, where=where)
    return origins
