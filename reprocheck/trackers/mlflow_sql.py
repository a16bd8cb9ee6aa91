"""What an SQL store answers at once, where MLflow's client would be asked once for each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from reprocheck.trackers.mlflow_run import FoundRun, unclamped
from reprocheck.trackers.mlflow_store import MlflowStore

_ENDS = """
SELECT run_uuid, key, MAX(step), MAX(timestamp) FROM metrics
WHERE run_uuid IN :runs GROUP BY run_uuid, key
"""
_LAST = """
SELECT m.run_uuid, m.key, m.value FROM metrics m JOIN latest_metrics l
ON l.run_uuid = m.run_uuid AND l.key = m.key AND l.step = m.step AND l.timestamp = m.timestamp
WHERE m.run_uuid IN :runs
"""


def count_runs(store: MlflowStore, experiment_ids: Sequence[str]) -> int | None:
    """How many runs experiments have, without those that were deleted; None: not told."""
    import sqlalchemy

    if store.folder is not None:
        return sum(len([*store.folder.glob(f"{each}/*/meta.yaml")]) for each in experiment_ids)
    count = sqlalchemy.text(
        "SELECT count(*) FROM runs WHERE experiment_id IN :ids AND lifecycle_stage = 'active'"
    ).bindparams(sqlalchemy.bindparam("ids", expanding=True))
    rows = _rows(store, count, {"ids": [int(each) for each in experiment_ids]})
    return int(rows[0][0]) if rows else None


def doubtful_metrics(store: MlflowStore, runs: Sequence[FoundRun]) -> Mapping[str, set[str]]:
    """For each run, the metrics whose last point is not all that their history has to say.

    That is one with another value at the same step and millisecond, one that the history has not
    got, and one with a point of a later step, or from after the run's end. Of a store that is not
    in SQL here, none is known.
    """
    ends = {(str(run), str(name)): (step, ms) for run, name, step, ms in _of(store, _ENDS, runs)}
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run_id, name, value in _of(store, _LAST, runs) if ends else ():
        values[str(run_id), str(name)].append(unclamped(value))
    found: dict[str, set[str]] = defaultdict(set)
    for run in runs if ends else ():
        for name, point in run.last_points.items():
            key = (run.run_id, name)
            step, ms = ends.get(key, (0, 0))
            late = step > point.step or (run.ended_at and ms > run.ended_at.timestamp() * 1000)
            if late or values[key] != [point.value]:
                found[run.run_id].add(name)
    return found


def _of(store: MlflowStore, query: str, runs: Sequence[FoundRun]) -> list[Any]:
    import sqlalchemy

    asked = sqlalchemy.text(query).bindparams(sqlalchemy.bindparam("runs", expanding=True))
    return _rows(store, asked, {"runs": [run.run_id for run in runs]})


def _rows(store: MlflowStore, query: Any, values: Mapping[str, Any]) -> list[Any]:  # noqa: ANN401
    from sqlalchemy.exc import SQLAlchemyError

    engine = getattr(store.client._tracking_client.store, "engine", None)
    if engine is None:
        return []
    try:
        with engine.connect() as connection:
            return list(connection.execute(query, values))
    except SQLAlchemyError:
        return []  # what MLflow's client reads then is all there is
