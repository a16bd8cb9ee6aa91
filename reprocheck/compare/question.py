"""What the stage is asked: a run's metrics, what the user declared, and how the trials went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reprocheck.model import (
    Gates,
    Metric,
    MetricRule,
    Predictions,
    Product,
    RerunPlan,
    Sibling,
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
    siblings: tuple[Sibling, ...] = ()
    peers: tuple[Sibling, ...] = ()  # other finished runs of the same sweep
    unstable: bool = False  # a trial crashed after another had finished
    over_budget: bool = False  # no time is left for another trial

    def rule(self, metric: str) -> MetricRule:
        """The rule of a metric, an empty one where none was declared."""
        return self.rules.get(metric) or MetricRule(metric=metric)
