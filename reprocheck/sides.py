"""The two sides of a comparison of what is recorded: runs, or plain lists of values."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck import baselines, determinism, hardware
from reprocheck.baselines import Baseline
from reprocheck.config import NamedRun
from reprocheck.errors import UnfinishedRunError, UsageError
from reprocheck.model import (
    Finding,
    HardwareSides,
    Metric,
    Point,
    RunRecord,
    RunRef,
    RunStatus,
    SeedPolicy,
    Trial,
)
from reprocheck.questions import Original
from reprocheck.recipe import other_recipe
from reprocheck.record_files import names_file
from reprocheck.recorded_hardware import asked_of

_SHOWN = 8
_ENVIRONMENT = "reprocheck.environment.sha256"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRuns:
    """Runs as the user named them: each is a record file or a run of the tracker."""

    original: str
    reruns: tuple[str, ...]
    baselines: tuple[str, ...] = ()  # further originals

    @property
    def of_tracker(self) -> tuple[str, ...]:
        """Those that are no files."""
        named = (self.original, *self.reruns, *self.baselines)
        return tuple(run for run in named if not names_file(run))


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueLists:
    """Final values by metric; all lists of a side are equally long, and not empty."""

    originals: Mapping[str, tuple[float, ...]]
    reruns: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Both sides as the comparison takes them."""

    original: Original
    trials: tuple[Trial, ...]
    seeds: SeedPolicy | None = None  # None: not known
    record: RunRecord | None = None  # of the original
    pooled: tuple[Baseline, ...] = ()
    more: tuple[Mapping[str, Metric], ...] = ()  # further originals that are plain values
    named: tuple[str, ...] = ()  # metrics that the user named
    told: str = ""  # which runs the reruns are
    same_machine: bool = False  # hardware and environment of all are known to be the original's
    findings: tuple[Finding, ...] = ()

    @property
    def originals(self) -> int:
        """How many runs the baseline has."""
        return 1 + len(self.pooled) + len(self.more)


def sides_of_runs(
    runs: RecordedRuns, read: Callable[[str], RunRecord], ignore: tuple[str, ...] = ()
) -> Sides:
    """The sides of runs that `read` reads; parameters matching `ignore` may differ.

    Raises `ReadError`, and `UsageError` for a run that counts twice.
    """
    original = _finished(read(runs.original), runs.original)
    named = [NamedRun(run=run, place="--baseline") for run in runs.baselines]
    known = baselines.read(named, original, lambda run: _finished(read(run), run))
    pooled, repeated = baselines.distinct(original, known)
    reruns = tuple(_finished(read(run), run) for run in runs.reruns)
    _refuse_twice((original, *(each.record for each in known)), reruns)
    others = (*(each.record for each in pooled), *reruns)
    machines = tuple(_machines(original, other) for other in others)
    return Sides(
        original=_original(original, reruns),
        trials=tuple(_trial(i, record) for i, record in enumerate(reruns, start=1)),
        seeds=_seed_policy(original, reruns),
        record=original,
        pooled=pooled,
        told=", ".join(record.ref.run_id[:8] for record in reruns[:_SHOWN]),
        findings=(
            *repeated,
            *(f for other in others for f in other_recipe(original, other, ignore)),
            *dict.fromkeys(f for each in machines for f in hardware.findings_of(each)),
        ),
        same_machine=all(each.same is True for each in machines)
        and all(_same_environment(original, other) for other in others),
    )


def value_lists(
    originals: Mapping[str, tuple[float, ...]], reruns: Mapping[str, tuple[float, ...]]
) -> ValueLists:
    """Both sides of the same metrics.

    Raises `UsageError` where a metric has values on one side only.
    """
    for one, other, option in ((originals, reruns, "--values"), (reruns, originals, "--original")):
        missing = sorted(one.keys() - other.keys())
        if missing:
            raise UsageError(
                f"{option} gives no values of {', '.join(missing)}",
                f"give the other side's too: {option} {missing[0]}=VALUE,VALUE,…",
            )
    return ValueLists(originals=originals, reruns=reruns)


def sides_of_values(lists: ValueLists) -> Sides:
    """The sides of plain values; those of one place in the lists are one run's."""
    original, *more = _runs(lists.originals)
    reruns = enumerate(_runs(lists.reruns), start=1)
    return Sides(
        original=Original(metrics=original),
        trials=tuple(_made_trial(i, metrics) for i, metrics in reruns),
        more=tuple(more),
        named=tuple(lists.originals),
    )


def _machines(original: RunRecord, other: RunRecord) -> HardwareSides:
    asked, origins = asked_of(original, determinism.settings(original))
    return hardware.beside(asked, origins, asked_of(other, determinism.settings(other))[0])


def _same_environment(original: RunRecord, other: RunRecord) -> bool:
    """By the recorded digests of both; without them it is not known."""
    digest = original.tags.get(_ENVIRONMENT)
    return bool(digest) and digest == other.tags.get(_ENVIRONMENT)


def _original(record: RunRecord, reruns: Sequence[RunRecord]) -> Original:
    """Its siblings without the reruns: what is judged must not give its own margin."""
    judged = {rerun.ref.run_id for rerun in reruns}
    original = Original.of(record)
    return dataclasses.replace(
        original, siblings=tuple(s for s in original.siblings if s.run_id not in judged)
    )


def _finished(record: RunRecord, named: str) -> RunRecord:
    if record.status not in (RunStatus.FINISHED, RunStatus.UNKNOWN):
        raise UnfinishedRunError(
            f"{named}: run {record.ref.run_id} is {record.status.value}: its last values are not "
            "its result",
            "name runs that have finished",
        )
    return record


def _refuse_twice(originals: Sequence[RunRecord], reruns: Sequence[RunRecord]) -> None:
    """A run that is compared with itself is identical, whatever it computed."""
    seen: set[RunRef] = {record.ref for record in originals}
    for record in reruns:
        if record.ref in seen:
            raise UsageError(
                f"run {record.ref.run_id} is named twice",
                "each run counts once: as an original or as a rerun",
            )
        seen.add(record.ref)


def _seed_policy(original: RunRecord, reruns: Sequence[RunRecord]) -> SeedPolicy | None:
    if not all(record.seeds for record in (original, *reruns)):
        return None
    same = all(record.seeds == original.seeds for record in reruns)
    return SeedPolicy.SAME if same else SeedPolicy.FRESH


def _trial(index: int, record: RunRecord) -> Trial:
    seeds = set(record.seeds.values())
    return dataclasses.replace(
        _made_trial(index, record.metrics),
        parameters=record.parameters,
        seed=record.seeds.get("seed") or (seeds.pop() if len(seeds) == 1 else None),
        duration_s=record.duration_s or 0.0,
    )


def _made_trial(index: int, metrics: Mapping[str, Metric]) -> Trial:
    return Trial(
        index=index,
        seed=None,
        metrics=metrics,
        parameters={},
        differences=(),
        exit_code=0,
        duration_s=0.0,
        log=Path(os.devnull),  # what it printed was not recorded
        log_tail="",
        products=(),
    )


def _runs(lists: Mapping[str, tuple[float, ...]]) -> list[Mapping[str, Metric]]:
    """The metrics of each run, from the values of each metric."""
    length = len(next(iter(lists.values())))
    return [
        {name: _metric(name, values[i]) for name, values in lists.items()} for i in range(length)
    ]


def _metric(name: str, value: float) -> Metric:
    return Metric(name=name, history=(Point(step=0, timestamp_ms=0, value=value),))
