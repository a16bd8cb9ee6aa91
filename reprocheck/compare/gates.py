"""Which metrics are judged, and why these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reprocheck.compare.names import (
    ends_in_measure,
    is_hardware_bound,
    is_of_evaluation,
    is_of_training,
    is_setting,
)
from reprocheck.model import ExperimentDefinition, Gates, Metric, MetricRule

MOST_DEFAULT_GATES = 8  # each further gate makes REPRODUCED harder to reach
_UNNAMED = "since neither --gate nor reprocheck.yaml names any"


def choose_gates(
    metrics: Mapping[str, Metric],
    rules: Mapping[str, MetricRule],
    named: tuple[str, ...],
    definition: ExperimentDefinition | None = None,
) -> Gates:
    """The gated metrics: those of `--gate`, else of the config, else headline metrics: those of
    the run's experiment definition, else by name.

    A metric that the user or the definition named is kept even where the run never logged it.
    Metrics that depend on the hardware are gated only where the user names them.
    """
    if named:
        return Gates(metrics=tuple(dict.fromkeys(named)), reason="named by --gate")
    configured = tuple(name for name, rule in rules.items() if rule.gate is True)
    if configured:
        return Gates(metrics=configured, reason="marked gate: true in reprocheck.yaml")
    return _default_gates(metrics, rules, definition)


def _default_gates(
    metrics: Mapping[str, Metric],
    rules: Mapping[str, MetricRule],
    definition: ExperimentDefinition | None,
) -> Gates:
    computed = [name for name, rule in rules.items() if rule.expr]
    names = [name for name in sorted({*metrics, *computed}) if _may_be_chosen(name, rules)]
    chosen, why = _defined(definition, rules, names)
    if not chosen and not names:
        return Gates(metrics=(), reason=_why_none(metrics))
    if not chosen:
        chosen, why = _headline(names)
    # A margin says that the metric matters: declared and then not used, it would mislead.
    margins = [name for name in names if name in rules and rules[name].margin]
    if not set(margins) <= set(chosen):
        why = f"metrics with a declared margin, and {why}"
    ranked = [*chosen, *margins] if definition else [*margins, *chosen]
    ranked = list(dict.fromkeys(ranked))
    return Gates(metrics=_capped(ranked), reason=_reason(why, len(ranked)))


def _may_be_chosen(name: str, rules: Mapping[str, MetricRule]) -> bool:
    refused = name in rules and rules[name].gate is False
    return not refused and not is_hardware_bound(name)


def _defined(
    definition: ExperimentDefinition | None, rules: Mapping[str, MetricRule], known: Sequence[str]
) -> tuple[list[str], str]:
    """Those of the definition: a primary one that the run never logged is missed, not forgotten."""
    if definition is None:
        return [], ""
    primary = [name for name in definition.primary if _may_be_chosen(name, rules)]
    secondary = [name for name in definition.secondary if name in known]
    why = f"the primary and secondary metrics of {definition.origin.where}"
    return [*primary, *secondary], why


def _headline(names: Sequence[str]) -> tuple[list[str], str]:
    evaluated = [name for name in names if is_of_evaluation(name) and not is_setting(name)]
    if evaluated:
        return evaluated, "headline metrics by name"
    measures = [name for name in names if ends_in_measure(name)]
    if measures:
        return _without_training(measures), "headline metrics by name"
    outcomes = [name for name in names if not is_setting(name)] or list(names)
    return _without_training(outcomes), "every metric that is not hardware-bound"


def _without_training(names: list[str]) -> list[str]:
    return [name for name in names if not is_of_training(name)] or names


def _capped(ranked: list[str]) -> tuple[str, ...]:
    return tuple(sorted(ranked[:MOST_DEFAULT_GATES]))


def _reason(why: str, found: int) -> str:
    if found > MOST_DEFAULT_GATES:
        return f"{why} (the first {MOST_DEFAULT_GATES} of {found}), {_UNNAMED}"
    return f"{why}, {_UNNAMED}"


def _why_none(metrics: Mapping[str, Metric]) -> str:
    if not metrics:
        return "the run logged no metric"
    return "every metric that the run logged is hardware-bound or marked gate: false"
