"""The records of many runs, at the price of few requests each.

What a record's findings depend on is read as `mlflow_record.read_record` reads it. Left out are
siblings and peers, and histories of metrics, where the last point says as much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from reprocheck.model import Finding, Metric, Point, RunRecord, Severity
from reprocheck.trackers.mlflow_artifacts import RootFinder, UnreachableError, moved_uri
from reprocheck.trackers.mlflow_held import with_held
from reprocheck.trackers.mlflow_lineage import read_start
from reprocheck.trackers.mlflow_record import Parts, models_of, put_together
from reprocheck.trackers.mlflow_recorded_files import UNREACHABLE, Kept, gather, unreachable
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_sql import doubtful_metrics
from reprocheck.trackers.mlflow_store import MlflowStore

UNREAD = "artifacts-unread"
_ASKERS = 8
_MOST_PARENTS = 500  # kept in memory
_PATIENCE = 3  # runs whose artifacts a storage may fail to give before it is not asked any more


@dataclass(kw_only=True, slots=True)
class LightReader:
    """Reads records; to be used inside `client_settings`."""

    store: MlflowStore
    finder: RootFinder
    remote: bool  # whether artifacts that are not on this machine are read
    parents: dict[str, FoundRun] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)  # by storage

    def read(self, runs: Sequence[FoundRun], experiments: Mapping[str, str]) -> list[RunRecord]:
        """The records of a page, in its order; `experiments` are names by id.

        Raises `ReadError`.
        """
        doubtful = doubtful_metrics(self.store, runs)
        return [
            put_together(
                self.store,
                run,
                Parts(
                    kept=kept,
                    family=read_start(self._ask, run),
                    experiment=experiments[run.experiment_id],
                    metrics=self._metrics(run, doubtful.get(run.run_id, set())),
                ),
            )
            for run, kept in zip(runs, self._kept(runs), strict=True)
        ]

    def _ask(self, run_id: str) -> FoundRun:
        """A parent, asked for once while its children come one after the other."""
        if run_id not in self.parents:
            if len(self.parents) >= _MOST_PARENTS:
                self.parents.clear()
            self.parents[run_id] = self.store.run(run_id)
        return self.parents[run_id]

    def _metrics(self, run: FoundRun, doubtful: set[str]) -> Mapping[str, Metric]:
        return {
            name: Metric(name=name, history=self._history(run, name, value, name in doubtful))
            for name, value in sorted(run.last.items())
        }

    def _history(self, run: FoundRun, name: str, value: float, doubtful: bool) -> tuple[Point, ...]:
        last = run.last_points.get(name, Point(step=0, timestamp_ms=0, value=value))
        if doubtful or not math.isfinite(value):  # it may have been finite before
            return self.store.history(run.run_id, name) or (last,)
        return (last,)

    def _kept(self, runs: Sequence[FoundRun]) -> list[Kept]:
        """What each run kept: from this machine one by one, from others several at a time."""
        far = [run for run in runs if self._storage(run)]
        if not far:
            return [self._gathered(run) for run in runs]
        if not self.remote:
            return [_unread(run) if self._storage(run) else self._gathered(run) for run in runs]
        with ThreadPoolExecutor(_ASKERS) as pool:
            return list(pool.map(self._gathered, runs))

    def _gathered(self, run: FoundRun) -> Kept:
        storage = self._storage(run)
        if self.failures[storage] >= _PATIENCE:
            said = f"{storage} did not answer for {_PATIENCE} other runs, and was not asked again"
            error = UnreachableError(run.artifact_uri, said)
            return Kept(findings=(unreachable(error),))
        own = gather(run, models_of(self.store, run), self.finder)
        kept = with_held(self.store, run, own, self.finder)
        if storage and any(finding.code == UNREACHABLE for finding in kept.findings):
            self.failures[storage] += 1
        return kept

    def _storage(self, run: FoundRun) -> str:
        """Where the run's artifacts are, if not on this machine."""
        parts = urlsplit(moved_uri(run.artifact_uri, self.finder.moved))
        return "" if parts.scheme in {"", "file"} else f"{parts.scheme}://{parts.netloc}"


def _unread(run: FoundRun) -> Kept:
    finding = Finding(
        code=UNREAD,
        severity=Severity.WARNING,
        message=f"the run's artifacts at {run.artifact_uri} were not looked at: its patch, its "
        "environment and what else it keeps there are not known",
        hint="leave --offline out to have them read",
        pointer="/artifacts",
    )
    return Kept(findings=(finding,))
