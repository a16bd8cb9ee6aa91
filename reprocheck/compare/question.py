"""What the stage is asked: a run's metrics, what the user declared, and how the trials went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reprocheck.compare.expressions import with_expressions
from reprocheck.model import (
    Gates,
    Metric,
    MetricRule,
    Point,
    Predictions,
    Product,
    RerunPlan,
    Sibling,
    Trial,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """All that `judge` needs besides the trials. The last two change between its calls."""

    metrics: Mapping[str, Metric]  # of the original
    rules: Mapping[str, MetricRule]  # by metric; those of `check_margins`
    gates: Gates
    plan: RerunPlan
    same_machine: bool = False  # hardware and landed environment are known to be the original's
    products: Mapping[str, Product] = field(default_factory=dict)  # of the original, by path
    gated_products: tuple[str, ...] = ()  # patterns of paths
    predictions: Predictions | None = None  # of the original
    baselines: tuple[Mapping[str, Metric], ...] = ()  # further runs, pooled with the original
    accepted: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Values of gated metrics that are the baseline in place of the originals', by metric."""
    siblings: tuple[Sibling, ...] = ()
    peers: tuple[Sibling, ...] = ()  # other finished runs of the same sweep
    seeded: bool = True  # the original is not known to have had no seed
    unstable: bool = False  # a trial crashed after another had finished
    over_budget: bool = False  # no time is left for another trial

    def rule(self, metric: str) -> MetricRule:
        """The rule of a metric, an empty one where none was declared."""
        return self.rules.get(metric) or MetricRule(metric=metric)

    def baseline(self, metric: str) -> tuple[float, ...]:
        """What the reruns of a metric are judged against: the accepted values, else the original's
        and those pooled with it; empty where it was not logged."""
        logged = (each for each in (self.metrics, *self.baselines) if metric in each)
        return self.accepted.get(metric) or tuple(each[metric].value for each in logged)

    def repeated(self, metric: str) -> tuple[float, ...]:
        """The values each of which a rerun has to repeat to be called the same: the original's, or
        all that were accepted, of which none stands out."""
        return self.accepted.get(metric) or self.baseline(metric)[:1]


def complete(question: Question, trials: Sequence[Trial]) -> tuple[Question, list[Trial]]:
    """Both with the metrics that expressions give, on every side."""
    rules = {name: rule for name, rule in question.rules.items() if rule.expr is not None}
    if not rules:
        return question, list(trials)
    return (
        replace(
            question,
            metrics=_derived(question.metrics, rules),
            baselines=tuple(_derived(metrics, rules) for metrics in question.baselines),
            siblings=tuple(_derived_values(each, rules) for each in question.siblings),
            peers=tuple(_derived_values(each, rules) for each in question.peers),
        ),
        [replace(trial, metrics=_derived(trial.metrics, rules)) for trial in trials],
    )


def _derived(
    metrics: Mapping[str, Metric], rules: Mapping[str, MetricRule]
) -> Mapping[str, Metric]:
    # What carries an expression's name already was derived from the same rule.
    logged = {name: metric for name, metric in metrics.items() if name not in rules}
    return with_expressions(logged, rules)


def _derived_values(sibling: Sibling, rules: Mapping[str, MetricRule]) -> Sibling:
    """Of a run that is known by its last values only."""
    metrics = {
        name: Metric(name=name, history=(Point(step=0, timestamp_ms=0, value=value),))
        for name, value in sibling.metrics.items()
    }
    derived = _derived(metrics, rules)
    return replace(sibling, metrics={name: metric.value for name, metric in derived.items()})
