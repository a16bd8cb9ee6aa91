"""The runs that are wished for, each with why: the best by a metric, of models, by tags."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reprocheck.compare.names import usual_direction
from reprocheck.config import Config
from reprocheck.errors import UsageError
from reprocheck.model import Direction, ModelVersion, RunRef, RunStatus, RunSummary
from reprocheck.numbers import counted
from reprocheck.schedule.wishes import ModelWish, TagWish, Wishes
from reprocheck.trackers.base import RERUN_OF, Search, Tracker

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What is kept of a run while the others are looked at."""

    ref: RunRef
    name: str
    experiment: str
    started_at: datetime
    value: float | None  # of the metric that runs are chosen by; None: not looked at


@dataclass(kw_only=True, slots=True)
class Choosing:
    """Chooses runs of one tracker; whys are gathered for each run once."""

    tracker: Tracker
    config: Config
    wishes: Wishes
    notes: list[str] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)  # by run id
    whys: dict[str, list[str]] = field(default_factory=dict)

    def choose(self) -> Iterator[tuple[Seen, str]]:
        """The runs, those that were wished for first, first.

        Raises `ReadError` and `UsageError`.
        """
        self._models()
        if self.wishes.metric or self.wishes.tags:
            self._searched()
        for run_id, whys in self.whys.items():
            yield self.seen[run_id], "; ".join(dict.fromkeys(whys))

    def _take(self, run: Seen, why: str) -> None:
        known = self.seen.get(run.ref.run_id)
        if known is None or known.value is None:
            self.seen[run.ref.run_id] = run
        self.whys.setdefault(run.ref.run_id, []).append(why)

    # --- models -------------------------------------------------------------------------------

    def _models(self) -> None:
        found = [
            (wish, version)
            for wish in self.wishes.models
            for version in self.tracker.versions((wish.name,), alias=wish.alias, stage=wish.stage)
        ]
        ids = tuple(dict.fromkeys(version.run_id for _, version in found if version.run_id))
        search = self.tracker.search(Search(run_ids=ids)).summaries() if ids else ()
        runs = {run.ref.run_id: run for run in search}
        for wish, version in found:
            run = runs.get(version.run_id)
            if run is None or run.status is not RunStatus.FINISHED:
                self.notes.append(_unusable(wish, version, run))
            else:
                self._take(_seen(run, None), wish.words)

    # --- metric and tags ----------------------------------------------------------------------

    def _searched(self) -> None:
        runs: dict[str, list[Seen]] = {}
        names: dict[str, None] = {}
        odd = 0
        search = self.tracker.search(Search(experiments=self.wishes.experiments))
        for run in search.summaries():
            if run.status is not RunStatus.FINISHED or RERUN_OF in run.tags:
                continue
            for wish in self.wishes.tags:
                if _has(run.tags, wish):
                    self._take(_seen(run, None), wish.words)
            names.update(dict.fromkeys(run.metrics))
            value = run.metrics.get(self.wishes.metric)
            if value is not None and math.isfinite(value):
                runs.setdefault(run.experiment, []).append(_seen(run, value))
            odd += value is not None and not math.isfinite(value)
        if self.wishes.metric:
            self._best(runs, search.experiments, names, odd)
        if self.wishes.tags and not self.whys:
            self.notes.append("no finished run has a tag that was asked for")

    def _best(
        self,
        runs: Mapping[str, list[Seen]],
        experiments: Sequence[str],
        names: Iterable[str],
        odd: int,
    ) -> None:
        metric = self.wishes.metric
        if odd:
            self.notes.append(f"{counted(odd, 'run')} left out: {metric} is no finite number")
        if not runs and not odd:
            raise _unknown_metric(metric, names, experiments)
        for experiment, found in runs.items():
            self._best_of(experiment, found, several=len(runs) > 1)

    def _best_of(self, experiment: str, found: list[Seen], *, several: bool) -> None:
        metric = self.wishes.metric
        sign = -1 if self._direction(experiment, found) is Direction.HIGHER else 1
        # Of the same value the earlier one: a later run does not push it out.
        ranked = sorted(found, key=lambda run: (sign * _value(run), run.started_at, run.ref.run_id))
        where = f" in {experiment}" if several else ""
        for i, run in enumerate(ranked[: self.wishes.best], start=1):
            rank = "best" if i == 1 else f"no. {i}"
            self._take(run, f"{rank} by {metric}{where}")

    def _direction(self, experiment: str, found: Sequence[Seen]) -> Direction:
        metric, wished = self.wishes.metric, self.wishes.direction
        if wished is not Direction.UNKNOWN:
            return wished
        rule = self.config.metrics.get(metric)
        told = (
            self._defined(found),
            rule.direction if rule else Direction.UNKNOWN,
            usual_direction(metric),
        )
        known = next((each for each in told if each is not Direction.UNKNOWN), None)
        if known is None:
            raise UsageError(
                f"whether {metric} of {experiment} is better when higher or lower is not known",
                f"name --direction higher or lower, or metrics.{metric}.direction in "
                f"{self.config.name}",
            )
        return known

    def _defined(self, found: Sequence[Seen]) -> Direction:
        """As the experiment definition says that the newest of these runs recorded."""
        newest = max(found, key=lambda run: (run.started_at, run.ref.run_id))
        for run in self.tracker.search(Search(run_ids=(newest.ref.run_id,))):
            definition = run.record.definition
            rule = definition.rules.get(self.wishes.metric) if definition else None
            return rule.direction if rule else Direction.UNKNOWN
        return Direction.UNKNOWN


def _seen(run: RunSummary, value: float | None) -> Seen:
    return Seen(
        ref=run.ref,
        name=run.name,
        experiment=run.experiment,
        started_at=run.started_at or _EARLIEST,
        value=value,
    )


def _value(run: Seen) -> float:
    return run.value if run.value is not None else math.nan


def _has(tags: Mapping[str, str], wish: TagWish) -> bool:
    return wish.name in tags and wish.value in (None, tags[wish.name])


def _unusable(wish: ModelWish, version: ModelVersion, run: RunSummary | None) -> str:
    what = f"{wish.words} (version {version.version}) was left out"
    if not version.run_id:
        return f"{what}: no run is recorded that made it"
    if run is None:
        return f"{what}: its run {version.run_id} is not in the tracker, or was deleted"
    return f"{what}: its run {version.run_id} is {run.status.value}"


def _unknown_metric(metric: str, names: Iterable[str], experiments: Sequence[str]) -> UsageError:
    known = [each for each in names if not each.startswith("system/")]
    where = ", ".join(experiments[:3]) + (" and others" if len(experiments) > 3 else "")
    near = difflib.get_close_matches(metric, known, 5, 0.5) or known[:5]
    hint = f"they have: {', '.join(near)}" if near else "no finished run has any metric"
    return UsageError(
        f"no finished run of {where or 'the tracker'} has the metric {metric!r}", hint
    )
