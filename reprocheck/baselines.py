"""Further originals that the user names: their values are pooled with the original's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reprocheck.compare.coarseness import is_coarse
from reprocheck.compare.ladder import same_bits
from reprocheck.compare.names import is_hardware_bound
from reprocheck.config import NamedRun
from reprocheck.errors import UnfinishedRunError, UnknownRunError, UsageError
from reprocheck.model import Finding, Gates, Metric, MetricRule, RunRecord, Severity
from reprocheck.recipe import other_recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """A run whose values are pooled with the original's, and where it was named."""

    record: RunRecord
    place: str


def read(
    named: Iterable[NamedRun], original: RunRecord, read_run: Callable[[str], RunRecord]
) -> tuple[Baseline, ...]:
    """The runs that were named, each once.

    Raises `UsageError` for one that is not known, has not finished, or is the original itself.
    """
    found: dict[str, Baseline] = {}
    for name in named:
        try:
            record = read_run(name.run)
        except (UnknownRunError, UnfinishedRunError) as error:
            raise UsageError(
                f"{name.place}: baseline {name.run}: {error.message}", error.hint
            ) from error
        if record.ref == original.ref:
            raise UsageError(
                f"{name.place}: baseline {name.run} is the original run itself",
                "its values count already; name other runs of the same recipe",
            )
        found.setdefault(record.ref.run_id, Baseline(record=record, place=name.place))
    return tuple(found.values())


def doubts(
    original: RunRecord, pooled: Iterable[Baseline], ignore: tuple[str, ...]
) -> tuple[Finding, ...]:
    """A finding for each baseline that is not of the original's recipe."""
    return tuple(
        finding
        for baseline in pooled
        for finding in other_recipe(original, baseline.record, ignore)
    )


def distinct(
    original: RunRecord, pooled: Iterable[Baseline]
) -> tuple[tuple[Baseline, ...], tuple[Finding, ...]]:
    """The baselines without those that only repeat an original before them, and what was left out.

    Runs that logged the same bits are one draw of the recipe: counted several times it would make
    the originals look steadier than they are. Coarse values of different seeds agree by chance.
    """
    kept: list[Baseline] = []
    findings: list[Finding] = []
    for baseline in pooled:
        before = (original, *(each.record for each in kept))
        repeated = next((record for record in before if _repeats(baseline.record, record)), None)
        if repeated is None:
            kept.append(baseline)
        else:
            findings.append(_repetition(baseline, repeated))
    return tuple(kept), tuple(findings)


def _repeats(record: RunRecord, other: RunRecord) -> bool:
    ours, theirs = (_final_values(each) for each in (record, other))
    common = ours.keys() & theirs.keys()
    if not common or not all(same_bits(ours[name], theirs[name]) for name in common):
        return False
    one_seed = bool(record.seeds) and record.seeds == other.seeds
    return one_seed or any(not is_coarse(ours[name]) for name in common)


def _final_values(record: RunRecord) -> Mapping[str, float]:
    return {
        name: metric.value for name, metric in record.metrics.items() if not is_hardware_bound(name)
    }


def _repetition(baseline: Baseline, repeated: RunRecord) -> Finding:
    return Finding(
        code="repeated-baseline",
        severity=Severity.WARNING,
        message=f"{baseline.place}: baseline {baseline.record.ref.run_id} logged the same values "
        f"as run {repeated.ref.run_id}, bit for bit, and does not count: a repetition shows "
        "nothing of how much runs vary",
        hint="name runs of the recipe with other seeds",
        pointer="",
    )


def check_gated(
    pooled: Sequence[Baseline],
    gates: Gates,
    rules: Mapping[str, MetricRule],
    logged: Mapping[str, Metric],
) -> None:
    """Raises `UsageError` for a baseline without a gated metric that the original logged."""
    for baseline in pooled:
        for name in gates.metrics:
            needed = _needed(name, rules) & logged.keys()
            missing = sorted(needed - baseline.record.metrics.keys())
            if missing:
                raise UsageError(
                    f"{baseline.place}: baseline {baseline.record.ref.run_id} did not log "
                    f"{', '.join(missing)}, which is judged",
                    "name a baseline that has it, or judge other metrics: --gate NAME",
                )


def _needed(name: str, rules: Mapping[str, MetricRule]) -> set[str]:
    """What must be logged for a metric to have a value: itself, or the terms of its expression."""
    expr = rules[name].expr if name in rules else None
    return {name} if expr is None else set(re.split(r"\s+[-+]\s+|^-\s+", expr.strip()))
