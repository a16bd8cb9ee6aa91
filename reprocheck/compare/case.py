"""A gated metric with all that its verdict depends on."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from reprocheck.compare.coarseness import is_coarse, step_of
from reprocheck.compare.counts import Counts, counts_of
from reprocheck.compare.ladder import (
    Tolerance,
    same_bits,
    same_number,
    storable,
    tolerance_of,
    ulps,
)
from reprocheck.compare.looks import judged_reruns, level_at, single_look
from reprocheck.compare.margins import is_value, margin_of, on_scale
from reprocheck.compare.question import Question
from reprocheck.compare.sample import Sample, summarise
from reprocheck.compare.selection import Selection, selection_of
from reprocheck.model import (
    Change,
    Interval,
    Margin,
    Metric,
    MetricRule,
    RerunPlan,
    Scale,
    Verdict,
)


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
    original: float  # of the run that is verified, or the first of what was accepted
    baselines: tuple[float, ...]  # the original first; more where the user named or accepted some
    reruns: tuple[float, ...]
    rung: Rung
    tolerance: Tolerance
    margin: Margin | None
    plan: RerunPlan
    judged: int  # how many of the reruns it is judged by; 0 where it is too early to judge
    samples: Mapping[int, Sample]  # by number of reruns; only where both sides have a value
    selection: Selection | None
    siblings: tuple[float, ...]
    last_steps: tuple[int, ...]  # of the original, then of the reruns; empty of accepted values
    accepted: bool = False  # the baselines are values that were accepted, not the original's

    @property
    def sample(self) -> Sample | None:
        """The statistics of the reruns it is judged by, else of all so far."""
        return self.samples.get(self.judged or len(self.reruns))

    @property
    def level(self) -> float:
        """The nominal level of the present look."""
        looked = self.judged or len(self.reruns)
        return level_at(self.plan, looked, has_margin=self.margin is not None)

    @property
    def interval(self) -> Interval | None:
        """Of the difference, at the present look's level; None without any spread known."""
        counts = self.counts
        if counts is not None:
            return counts.interval(self.level)
        return self.sample.interval(self.level) if self.sample else None

    @property
    def counts(self) -> Counts | None:
        """Of a proportion near 0 or 1."""
        return self.counts_at(self.judged or len(self.reruns))

    def counts_at(self, reruns: int) -> Counts | None:
        """As `counts`, of so many reruns."""
        if self.rule.test_size is None:
            return None
        originals, theirs = (
            [*filter(self.is_value, values)] for values in (self.baselines, self.reruns[:reruns])
        )
        return counts_of(originals, theirs, self.rule.test_size)

    @property
    def finite(self) -> int:
        """How many reruns ended in a finite value that is no failure."""
        return sum(map(self.is_value, self.reruns))

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

    def is_value(self, x: float) -> bool:
        """Whether a run with this value counts for the statistics."""
        return is_value(self.rule, x)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """A verdict with its short reason."""

    verdict: Verdict
    reason: str
    change: Change | None = None


def build_case(
    question: Question, name: str, reruns: Sequence[Metric], flip_floor: float = 0.0
) -> Case:
    """The case of a metric; values that a SQL store clamped are infinite again."""
    rule, original = question.rule(name), question.metrics[name]
    is_accepted = name in question.accepted
    values = tuple(storable(rerun.value) for rerun in reruns)
    baselines = tuple(map(storable, question.baseline(name)))
    siblings = tuple(s.metrics[name] for s in question.siblings if name in s.metrics)
    tolerance = tolerance_of(rule.dtype, (original, *reruns))
    margin = margin_of(rule, centre_of(rule, baselines), siblings)
    steps = tuple(metric.history[-1].step for metric in (original, *reruns))
    return Case(
        metric=name,
        rule=rule,
        original=baselines[0],
        baselines=baselines,
        reruns=values,
        rung=_rung([*map(storable, question.repeated(name))], values, tolerance),
        tolerance=tolerance,
        margin=margin,
        plan=question.plan,
        judged=judged_reruns(question.plan, len(values), has_margin=margin is not None),
        samples=_samples(question, rule, (baselines, values), flip_floor),
        selection=None if is_accepted else selection_of(rule, baselines[0], question.peers),
        siblings=siblings,
        last_steps=() if is_accepted else steps,
        accepted=is_accepted,
    )


def _rung(repeated: Sequence[float], reruns: Sequence[float], tolerance: Tolerance) -> Rung:
    pairs = list(product(repeated, reruns))
    if all(same_bits(original, rerun) for original, rerun in pairs):
        return Rung.BITS
    if all(same_number(original, rerun, tolerance) for original, rerun in pairs):
        return Rung.TOLERANCE
    return Rung.NONE


def centre_of(rule: MetricRule, baselines: Sequence[float]) -> float:
    """The value that a margin is around: of several originals their mean."""
    usable = [value for value in baselines if is_value(rule, value)]
    if len(usable) < 2 or not is_value(rule, baselines[0]):
        return baselines[0]
    return summarise(usable, usable).mean


def _samples(
    question: Question,
    rule: MetricRule,
    values: tuple[Sequence[float], Sequence[float]],
    flip_floor: float,
) -> Mapping[int, Sample]:
    """The statistics at each look so far and now."""
    baselines, reruns = values
    if not is_value(rule, baselines[0]):
        return {}
    floor = max(resolution_of(rule, [*baselines, *reruns]) / math.sqrt(12), flip_floor)
    if rule.scale is Scale.LOG:
        floor /= baselines[0]
    originals = on_scale([x for x in baselines if is_value(rule, x)], rule.scale)
    wanted = {*question.plan.looks, single_look(question.plan), len(reruns)}
    samples: dict[int, Sample] = {}
    for count in sorted(wanted & set(range(1, len(reruns) + 1))):
        usable = [x for x in reruns[:count] if is_value(rule, x)]
        if usable:
            theirs = on_scale(usable, rule.scale)
            sample = summarise(originals, theirs, floor, rule.sigma)
            if sample.sd == 0.0 and sample.spread == 0.0:
                sample = replace(sample, floor=_hidden_spread(rule, baselines, usable[0]))
            samples[count] = sample
    return samples


def _hidden_spread(rule: MetricRule, baselines: Sequence[float], rerun: float) -> float:
    """What rounding may hide where all reruns are equal and only they tell their grid."""
    if not is_coarse(rerun):
        return 0.0
    floor = step_of([rerun, *baselines]) / math.sqrt(12)
    return floor / baselines[0] if rule.scale is Scale.LOG else floor


def resolution_of(rule: MetricRule, values: Sequence[float]) -> float:
    """The step in which the metric can change: declared, of a proportion, of counts; else 0."""
    if rule.resolution is not None:
        return rule.resolution
    if rule.test_size is not None:
        return 1 / rule.test_size
    finite = [value for value in values if math.isfinite(value)]
    whole = all(value.is_integer() for value in finite)
    # 0 and 1 may be shares; a large float is always whole.
    counts = whole and any(abs(x) > 1 for x in finite) and all(abs(x) < 1e6 for x in finite)
    return 1.0 if counts and rule.scale is Scale.LINEAR else 0.0
