"""A gated metric with all that its verdict depends on, and the moment at which it is given."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from reprocheck.compare.ladder import (
    Tolerance,
    same_bits,
    same_number,
    storable,
    tolerance_of,
    ulps,
)
from reprocheck.compare.margins import margin_of
from reprocheck.compare.sample import Sample, summarise
from reprocheck.model import Change, Margin, Metric, MetricRule, Verdict


class Rung(enum.Enum):
    """Where on the tolerance ladder all reruns stand."""

    BITS = "bits"
    TOLERANCE = "tolerance"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One metric, logged by the original and by every rerun."""

    metric: str
    rule: MetricRule
    original: float
    reruns: tuple[float, ...]
    rung: Rung
    tolerance: Tolerance
    margin: Margin | None
    sample: Sample | None  # None without a finite value on both sides
    last_steps: tuple[int, ...]  # of the original, then of the reruns

    @property
    def finite(self) -> int:
        """How many reruns ended in a finite value."""
        return sum(map(math.isfinite, self.reruns))

    @property
    def repeats(self) -> bool:
        """Whether all reruns gave the same value."""
        return all(same_bits(self.reruns[0], rerun) for rerun in self.reruns)

    @property
    def max_ulps(self) -> int | None:
        """The largest distance in units in the last place, None where one is not finite."""
        distances = [ulps(self.original, rerun, self.tolerance.dtype) for rerun in self.reruns]
        known = [distance for distance in distances if distance is not None]
        return max(known) if known and len(known) == len(distances) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """The moment of judging: how many reruns there are and what is known about them."""

    reruns: int
    planned: int
    alpha: float
    stopped_by: str  # "" while undecided
    deterministic: bool  # the reruns are proven equal to each other
    beyond_chance: bool  # that they equal the original is no coincidence
    same_seed: bool  # the reruns are asked to repeat the original's seed
    same_machine: bool  # known to be the original's, environment included

    @property
    def is_planned(self) -> bool:
        """Whether this is the plan's one look at its level."""
        return self.stopped_by == "planned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """A verdict with its short reason."""

    verdict: Verdict
    reason: str
    change: Change | None = None


def build_case(rule: MetricRule, original: Metric, reruns: Sequence[Metric]) -> Case:
    """The case of a metric; values that a SQL store clamped are infinite again."""
    value = storable(original.value)
    values = tuple(storable(rerun.value) for rerun in reruns)
    tolerance = tolerance_of(rule.dtype, (original, *reruns))
    return Case(
        metric=original.name,
        rule=rule,
        original=value,
        reruns=values,
        rung=_rung(value, values, tolerance),
        tolerance=tolerance,
        margin=margin_of(rule, value),
        sample=_sample(rule, value, values),
        last_steps=tuple(metric.history[-1].step for metric in (original, *reruns)),
    )


def _rung(original: float, reruns: Sequence[float], tolerance: Tolerance) -> Rung:
    if all(same_bits(original, rerun) for rerun in reruns):
        return Rung.BITS
    if all(same_number(original, rerun, tolerance) for rerun in reruns):
        return Rung.TOLERANCE
    return Rung.NONE


def _sample(rule: MetricRule, original: float, reruns: Sequence[float]) -> Sample | None:
    finite = [rerun for rerun in reruns if math.isfinite(rerun)]
    if not finite or not math.isfinite(original):
        return None
    return summarise(original, finite, rule.resolution)
