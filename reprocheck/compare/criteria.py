"""Success criteria, `min` and `max` of a metric: judged on the reruns, beside the verdict.

A run may reproduce and miss its own threshold. The reruns estimate the mean that the training
gives; it meets a criterion only where a one-sided confidence bound lies on the right side, and
misses it only where the opposite bound lies on the wrong one. Both are wrong at most in a share
alpha of the cases. Reruns that are proven equal leave nothing to estimate: the value decides.

A run that collapsed (a non-finite value, `failure_if`, or no positive one under scale: log) is no
part of the mean. Where all collapsed the criterion is missed; where some did it is never met, but
it may still be missed.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reprocheck.compare.case import resolution_of
from reprocheck.compare.counts import counts_of
from reprocheck.compare.distributions import clopper_pearson
from reprocheck.compare.ladder import storable
from reprocheck.compare.margins import is_value, on_scale
from reprocheck.compare.sample import summarise
from reprocheck.errors import ConfigError
from reprocheck.model import CriterionResult, Metric, MetricRule, Outcome, Require, Scale
from reprocheck.numbers import counted, format_percent, format_value

FEWEST_EQUAL = 5
"""Equal values without a known resolution say little of the spread before so many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Criterion:
    """One bound of one metric."""

    metric: str
    bound: str  # min or max
    threshold: float

    def is_met(self, x: float) -> bool:
        return x >= self.threshold if self.bound == "min" else x <= self.threshold

    @property
    def words(self) -> str:
        return f"{self.bound} {format_value(self.threshold)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bounds:
    """The mean with its lower and its upper bound, each at the level, in the metric's unit."""

    mean: float
    low: float
    high: float
    level: float  # percent, of each


def judge_criteria(
    rule: MetricRule, values: Sequence[float], *, alpha: float, proven: bool, unlogged: int = 0
) -> tuple[CriterionResult, ...]:
    """One result for each success criterion of the rule, from the reruns' final values.

    `alpha` is the level of this look. `proven`: the reruns are known to repeat, or to equal the
    original beyond chance. `unlogged`: finished reruns that did not log the metric; they decide
    nothing. No result without a criterion.
    """
    if unlogged:
        told = f"{unlogged} of {counted(unlogged + len(values), 'rerun')} did not log it"
        return tuple(_result(each, Outcome.UNDECIDED, told) for each in _criteria(rule))
    stored = tuple(storable(value) for value in values)
    return tuple(_judged(rule, each, stored, alpha, proven) for each in _criteria(rule))


def check_criteria(
    rules: Mapping[str, MetricRule], metrics: Mapping[str, Metric], require: Require
) -> None:
    """Raise ConfigError for a criterion that cannot be judged, or one that is required and missing.

    `metrics` are the original's, those of expressions among them.
    """
    declared = [(rule, each) for rule in rules.values() for each in _criteria(rule)]
    for rule, criterion in declared:
        _check(rule, criterion, metrics)
    if require is Require.CRITERIA and not declared:
        raise ConfigError(
            "success criteria are required, and no metric has one",
            "declare one in reprocheck.yaml, for example metrics: {accuracy: {min: 0.9}}",
        )


def _criteria(rule: MetricRule) -> tuple[_Criterion, ...]:
    bounds = (("min", rule.least), ("max", rule.most))
    return tuple(
        _Criterion(metric=rule.metric, bound=bound, threshold=threshold)
        for bound, threshold in bounds
        if threshold is not None
    )


def _check(rule: MetricRule, criterion: _Criterion, metrics: Mapping[str, Metric]) -> None:
    name, where = rule.metric, f"{rule.place}: " if rule.place else ""
    if not math.isfinite(criterion.threshold):
        message = f"the success criterion {criterion.words} of {name} is no number"
        raise ConfigError(where + message, "give a finite number")
    if rule.scale is Scale.LOG and criterion.threshold <= 0:
        message = f"the success criterion {criterion.words} of {name} does not fit scale: log"
        raise ConfigError(where + message, "on it all values are above 0")
    if name not in metrics:
        nearest = difflib.get_close_matches(name, metrics, n=3, cutoff=0.5) or sorted(metrics)[:8]
        raise ConfigError(
            f"{where}{name} has a success criterion, but the run never logged it",
            f"nearest logged names: {', '.join(nearest)}" if nearest else "it logged no metric",
        )


# --- judging ------------------------------------------------------------------------------


def _judged(
    rule: MetricRule, criterion: _Criterion, values: Sequence[float], alpha: float, proven: bool
) -> CriterionResult:
    sound = [x for x in values if is_value(rule, x)]
    collapsed = len(values) - len(sound)
    if values and proven and len(set(map(criterion.is_met, values))) == 1:
        mean = None if collapsed else _mean(rule, values)
        return _by_value(criterion, values, mean)
    if len(values) > 1 and not sound:
        told = f"all {len(values)} reruns collapsed ({_shown(values)})"
        return _result(criterion, Outcome.MISSES, told)
    why = _too_little(rule, sound, len(values))
    if why:
        mean = _mean(rule, sound) if sound else None
        return _result(criterion, Outcome.UNDECIDED, why, mean=mean)
    bounds = _bounds(rule, sound, alpha)
    return _by_bounds(criterion, bounds, len(values), collapsed)


def _by_value(
    criterion: _Criterion, values: Sequence[float], mean: float | None
) -> CriterionResult:
    """Without noise there is nothing to estimate. No mean: a rerun collapsed."""
    met = criterion.is_met(values[0]) and mean is not None
    told = "the rerun gives" if len(values) == 1 else f"all {len(values)} reruns give"
    text = f"{told} {_beside(criterion, values[0])}, without any noise"
    return _result(criterion, Outcome.MEETS if met else Outcome.MISSES, text, mean=mean)


def _too_little(rule: MetricRule, sound: Sequence[float], reruns: int) -> str:
    """Why the reruns cannot tell, "" where they can."""
    if reruns == 0:
        return "no rerun finished"
    if len(sound) < 2:
        return f"{counted(reruns, 'rerun')} cannot tell" + (
            f": {len(sound)} ended in a sound value" if reruns > 1 else ""
        )
    if len(sound) < FEWEST_EQUAL and len(set(sound)) == 1 and not resolution_of(rule, sound):
        return (
            f"all {len(sound)} reruns gave {format_value(sound[0])}, which does not show how much "
            f"they vary; {FEWEST_EQUAL} would, or a declared resolution or test_size"
        )
    return ""


def _by_bounds(
    criterion: _Criterion, bounds: _Bounds, reruns: int, collapsed: int
) -> CriterionResult:
    rising = criterion.bound == "min"
    cautious, hopeful = (bounds.low, bounds.high) if rising else (bounds.high, bounds.low)
    average = f"the reruns average {_beside(criterion, bounds.mean)}"
    level = f"with {format_percent(bounds.level)} confidence"
    lower = f"at least {_beside(criterion, bounds.low)}"
    upper = f"at most {_beside(criterion, bounds.high)}"
    note = f"; {collapsed} of {reruns} reruns collapsed" if collapsed else ""
    if criterion.is_met(cautious) and not collapsed:
        told = f"{average}, {lower if rising else upper} {level}"
        outcome, limit = Outcome.MEETS, cautious
    elif not criterion.is_met(hopeful):
        told = f"{average}, {upper if rising else lower} {level}{note}"
        outcome, limit = Outcome.MISSES, hopeful
    else:
        told = f"{average}, {lower} and {upper}, each {level}{note}"
        return _result(criterion, Outcome.UNDECIDED, told, mean=bounds.mean)
    return _result(criterion, outcome, told, bounds=bounds, limit=limit)


def _result(
    criterion: _Criterion,
    outcome: Outcome,
    told: str,
    *,
    mean: float | None = None,
    bounds: _Bounds | None = None,
    limit: float | None = None,
) -> CriterionResult:
    heads = {
        Outcome.MEETS: f"{criterion.metric} meets its criterion {criterion.words}",
        Outcome.MISSES: f"{criterion.metric} misses its criterion {criterion.words}",
        Outcome.UNDECIDED: f"Whether {criterion.metric} meets its criterion {criterion.words} "
        "is undecided",
    }
    return CriterionResult(
        metric=criterion.metric,
        bound=criterion.bound,
        threshold=criterion.threshold,
        outcome=outcome,
        mean=bounds.mean if bounds else mean,
        limit=limit,
        level=bounds.level if bounds else None,
        sentence=f"{heads[outcome]}: {told}.",
    )


def _beside(criterion: _Criterion, x: float) -> str:
    """A value in as many digits as tell it from the threshold."""
    return format_value(x, x - criterion.threshold)


def _shown(values: Sequence[float]) -> str:
    shown = ", ".join(format_value(value) for value in values[:3])
    return f"{shown}, …" if len(values) > 3 else shown


# --- bounds -------------------------------------------------------------------------------


def _bounds(rule: MetricRule, sound: Sequence[float], alpha: float) -> _Bounds:
    """One-sided bounds of the mean, by Student's t; on the logarithms under scale: log.

    Near the ends of a proportion t is wrong on the side of the end, so there the more cautious of
    t and of the exact bounds of the pooled counts (Clopper and Pearson) is taken on each side.
    """
    low, high = (_in_unit(rule, bound) for bound in _t_bounds(rule, sound, alpha))
    counts = counts_of(sound, sound, rule.test_size)
    if counts is not None:
        fewest, most = clopper_pearson(*counts.theirs, alpha)
        low, high = min(low, fewest), max(high, most)
    return _Bounds(mean=_mean(rule, sound), low=low, high=high, level=100 * (1 - alpha))


def _t_bounds(rule: MetricRule, sound: Sequence[float], alpha: float) -> tuple[float, float]:
    floor = resolution_of(rule, sound) / math.sqrt(12)  # the spread that rounding alone gives
    if rule.scale is Scale.LOG:
        floor /= _mean(rule, sound)
    values = on_scale(sound, rule.scale)
    origin = values[0]  # any number would do: the interval is of the distance from it
    found = summarise([origin], values, floor, rule.sigma).interval(alpha)
    if found is None:
        return -math.inf, math.inf
    return origin + found.low, origin + found.high


def _mean(rule: MetricRule, sound: Sequence[float]) -> float:
    """The mean in the metric's unit; the geometric one under scale: log."""
    values = on_scale(sound, rule.scale)
    return _in_unit(rule, summarise(values, values).mean)


def _in_unit(rule: MetricRule, x: float) -> float:
    if rule.scale is Scale.LINEAR:
        return x
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
