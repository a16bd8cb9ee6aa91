"""What an SQL store answers at once, where MLflow's client would be asked once for each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_store import MlflowStore

# A metric whose last value alone would hide something: another value at the same step and
# millisecond, a value that its history has not got, or a point from after the run's end.
_DOUBTFUL = """
SELECT l.run_uuid, l.key FROM latest_metrics l JOIN runs r ON r.run_uuid = l.run_uuid
WHERE l.run_uuid IN :runs AND (
  (SELECT count(*) FROM metrics m
   WHERE m.run_uuid = l.run_uuid AND m.key = l.key AND m.step = l.step
     AND m.timestamp = l.timestamp) <> 1
  OR NOT EXISTS (SELECT 1 FROM metrics m
   WHERE m.run_uuid = l.run_uuid AND m.key = l.key AND m.step = l.step
     AND m.value = l.value)
  OR EXISTS (SELECT 1 FROM metrics m
   WHERE m.run_uuid = l.run_uuid AND m.key = l.key
     AND (m.step > l.step OR m.timestamp > r.end_time))
)
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
    """For each run, the metrics whose last value is not all that their history has to say.

    Of a store that is not in SQL here, none is known.
    """
    import sqlalchemy

    asked = sqlalchemy.text(_DOUBTFUL).bindparams(sqlalchemy.bindparam("runs", expanding=True))
    found: dict[str, set[str]] = defaultdict(set)
    for run_id, name in _rows(store, asked, {"runs": [run.run_id for run in runs]}):
        found[str(run_id)].add(str(name))
    return found


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
