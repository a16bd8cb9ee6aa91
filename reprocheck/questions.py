"""Puts together what the comparison is asked, from the records and the config."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reprocheck import compare, precedence
from reprocheck.baselines import Baseline, check_gated
from reprocheck.config import Config
from reprocheck.errors import UsageError
from reprocheck.model import (
    ExperimentDefinition,
    Finding,
    Metric,
    MetricRule,
    RunRecord,
    Sibling,
)
from reprocheck.seeds import is_unseeded


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """What the comparison needs of the original run."""

    metrics: Mapping[str, Metric]
    definition: ExperimentDefinition | None = None
    siblings: tuple[Sibling, ...] = ()
    peers: tuple[Sibling, ...] = ()
    seeded: bool = True  # not known to have had no seed

    @classmethod
    def of(cls, record: RunRecord) -> Original:
        """That of a record."""
        return cls(
            metrics=record.metrics,
            definition=record.definition,
            siblings=record.siblings,
            peers=record.peers,
            seeded=not is_unseeded(record),
        )


def ask(
    original: Original, pooled: Sequence[Baseline], config: Config, gates: tuple[str, ...]
) -> tuple[compare.Question, tuple[Finding, ...]]:
    """The question, and what the reader should know of how it came about.

    Raises `ConfigError` for what cannot be meant, and `UsageError` for a baseline without a gated
    metric.
    """
    definition = original.definition
    compare.check_expressions(config.metrics, original.metrics)
    metrics = compare.with_expressions(original.metrics, config.metrics)
    rules, findings = precedence.combine(config.metrics, definition, metrics)
    compare.check_margins(rules, metrics)
    _check_named(gates, metrics)
    compare.check_criteria(_answerable(rules, config, metrics), metrics, config.require)
    chosen = compare.choose_gates(metrics, rules, gates, definition)
    check_gated(pooled, chosen, rules, metrics)
    own = {baseline.record.ref.run_id for baseline in pooled}
    question = compare.Question(
        metrics=metrics,
        rules=rules,
        gates=chosen,
        plan=config.reruns,
        baselines=tuple(baseline.record.metrics for baseline in pooled),
        siblings=tuple(each for each in original.siblings if each.run_id not in own),  # once
        peers=original.peers,
        seeded=original.seeded,
    )
    return question, (*findings, *precedence.left_out(definition, chosen))


def _check_named(gates: tuple[str, ...], metrics: Mapping[str, Metric]) -> None:
    """A name that was mistyped cannot be compared, whatever the reruns would cost."""
    for name in gates:
        if name not in metrics:
            near = difflib.get_close_matches(name, metrics, n=3, cutoff=0.5) or sorted(metrics)[:8]
            hint = f"nearest logged names: {', '.join(near)}" if near else "it logged no metric"
            raise UsageError(f"--gate {name}: the run never logged it", hint)


def _answerable(
    rules: Mapping[str, MetricRule], config: Config, metrics: Mapping[str, Metric]
) -> Mapping[str, MetricRule]:
    """Without criteria of the definition for what the run never logged: these stay undecided, for
    nobody can mend them now."""
    return {
        name: rule
        for name, rule in rules.items()
        if name in metrics or _has_criterion(config.metrics.get(name))
    }


def _has_criterion(rule: MetricRule | None) -> bool:
    return rule is not None and (rule.least is not None or rule.most is not None)
