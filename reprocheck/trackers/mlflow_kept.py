"""Reruns kept in MLflow as runs of an experiment of their own, beside the original's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from reprocheck.detail import time
from reprocheck.hostile import cut, printable
from reprocheck.model import Report, Trial
from reprocheck.trackers.base import RERUN_OF
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_store import first_line

SUFFIX = "-reprocheck"
"""What the experiment of the reruns is called, after the original's name."""

OF, VERIFICATION, TRIAL = RERUN_OF, "reprocheck.verification", "reprocheck.trial"
"""Tags of a rerun: the original's id, which verification it was made by, and its index."""

_METRICS, _PARAMETERS = 1_000, 100  # of one request to any server
_LONGEST_PARAMETER = 500  # characters that every version of MLflow takes


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """A verified run and its report, without secrets."""

    run: FoundRun
    report: Report
    local: bool  # a store on this machine, whose artifacts lie where the client says

    @property
    def verification(self) -> str:
        """What tells this verification of the run from others."""
        return f"{self.run.run_id} {time(self.report.created_at)}"


def keep_reruns(
    client: Any,  # noqa: ANN401  (MlflowClient)
    original: Original,
    notices: list[str],
) -> tuple[str, tuple[str, ...]]:
    """The name of the experiment and the ids of the reruns in it; those that are there are left.

    What MLflow refuses becomes a notice.
    """
    from mlflow.exceptions import MlflowException

    runs: list[str] = []
    name = ""
    try:
        experiment_id, name = _experiment(client, original)
        there = _there(client, experiment_id, original)
        for trial in original.report.trials:
            known = there.get(str(trial.index))
            runs.append(known or _keep(client, experiment_id, original, trial))
    except MlflowException as error:
        notices.append(f"the reruns were not all kept as runs: {first_line(error)}")
    return name, tuple(runs)


def _experiment(client: Any, original: Original) -> tuple[str, str]:  # noqa: ANN401
    beside = client.get_experiment(original.run.experiment_id)
    name = f"{beside.name}{SUFFIX}"
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id), name
    # A store on this machine would take the current directory; a server knows its own place.
    place = f"{str(beside.artifact_location).rstrip('/')}{SUFFIX}" if original.local else None
    return str(client.create_experiment(name, artifact_location=place)), name


def _there(client: Any, experiment_id: str, original: Original) -> dict[str, str]:  # noqa: ANN401
    """Ids of the reruns that an earlier call finished, by index; unfinished ones are removed."""
    where = f"tags.`{VERIFICATION}` = '{original.verification}'"
    kept = {}
    for run in client.search_runs([experiment_id], where, 1, 1_000):
        if run.info.status in ("FINISHED", "FAILED"):
            kept[str(run.data.tags.get(TRIAL))] = str(run.info.run_id)
        else:
            client.delete_run(run.info.run_id)
    return kept


def _keep(client: Any, experiment_id: str, original: Original, trial: Trial) -> str:  # noqa: ANN401
    from mlflow.entities import Metric, Param

    started = _start_ms(original.report, trial)
    title = f"{printable(original.run.name)[:200]} rerun {trial.index}".strip()
    made = client.create_run(experiment_id, started, _tags(original, trial), run_name=title)
    run_id = str(made.info.run_id)
    parameters = [
        Param(name, cut(text, _LONGEST_PARAMETER)) for name, text in trial.parameters.items()
    ]
    points = (Metric(name, value, at, step) for name, value, at, step in _points(trial))
    for some in _batches(parameters, _PARAMETERS):
        client.log_batch(run_id, params=some)
    for few in _batches(points, _METRICS):
        client.log_batch(run_id, metrics=few)
    status = "FINISHED" if trial.exit_code == 0 else "FAILED"
    client.set_terminated(run_id, status, started + int(trial.duration_s * 1000))
    return run_id


def _batches(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch


def _points(trial: Trial) -> Iterator[tuple[str, float, int, int]]:
    for metric in trial.metrics.values():
        for point in metric.history:
            yield metric.name, point.value, point.timestamp_ms, point.step


def _start_ms(report: Report, trial: Trial) -> int:
    """When the trial's first value was logged: the report does not hold its start."""
    first = [metric.history[0].timestamp_ms for metric in trial.metrics.values()]
    return min(first, default=int(report.created_at.timestamp() * 1000))


def _tags(original: Original, trial: Trial) -> dict[str, str]:
    run, report = original.run, original.report
    page = f"#/experiments/{quote(run.experiment_id)}/runs/{quote(run.run_id)}"
    tags = {
        OF: run.run_id,
        VERIFICATION: original.verification,
        TRIAL: str(trial.index),
        "reprocheck.tool": f"reprocheck {cut(report.tool_version, 40)}",
        "mlflow.note.content": f"Rerun {trial.index} of {len(report.trials)} of the run "
        f"[{run.run_id[:8]}]({page}), made by reprocheck: {report.verdict.value}.",
    }
    if trial.seed is not None:
        tags["reprocheck.seed"] = cut(trial.seed, 100)
    return tags
