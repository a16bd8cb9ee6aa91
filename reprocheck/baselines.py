"""Further originals that the user names: their values are pooled with the original's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reprocheck.config import NamedRun
from reprocheck.errors import UnfinishedRunError, UnknownRunError, UsageError
from reprocheck.model import Finding, Gates, Metric, MetricRule, RunRecord
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
