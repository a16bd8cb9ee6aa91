"""Metrics that are sums or differences of logged ones: `expr: "train_accuracy - accuracy"`."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reprocheck.compare.ladder import storable
from reprocheck.errors import ConfigError
from reprocheck.model import Metric, MetricRule, Point

# Spaces around an operator tell it from the - and + inside a name.
_OPERATOR = re.compile(r"\s+([+-])\s+")
_LEADING_MINUS = re.compile(r"-\s+")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


class _Term(NamedTuple):
    sign: int
    text: str

    @property
    def is_number(self) -> bool:
        return _NUMBER.fullmatch(self.text) is not None


def with_expressions(
    metrics: Mapping[str, Metric], rules: Mapping[str, MetricRule]
) -> dict[str, Metric]:
    """The metrics, and one more for each rule with an `expr` whose terms were all logged.

    Its final value combines the terms' final values; its history holds the steps that all terms
    have and ends in that value. Rules are those that `check_expressions` accepted.
    """
    derived = {}
    for name, rule in rules.items():
        metric = _derived(name, _terms(rule.expr), metrics) if rule.expr else None
        if metric is not None:
            derived[name] = metric
    return {**metrics, **derived}


def check_expressions(rules: Mapping[str, MetricRule], metrics: Mapping[str, Metric]) -> None:
    """Raise ConfigError for an expression that the original's logged metrics cannot give."""
    expressions = {name for name, rule in rules.items() if rule.expr is not None}
    for name, rule in rules.items():
        if rule.expr is None:
            continue
        if name in metrics:
            raise _error(
                rule, f"{name} has an expr, but the run logged {name} itself", "rename the one here"
            )
        for term in _terms(rule.expr):
            _check_term(rule, term, expressions, metrics)
        if all(term.is_number for term in _terms(rule.expr)):
            hint = 'write for example "train_accuracy - accuracy"'
            raise _error(rule, f"the expr of {name} names no metric: '{rule.expr}'", hint)
        _check_cancelled(rule)


def _terms(expr: str) -> list[_Term]:
    text = expr.strip()
    leading = _LEADING_MINUS.match(text)
    first, *rest = _OPERATOR.split(text[leading.end() :] if leading else text)
    pairs = zip(["-" if leading else "+", *rest[::2]], [first, *rest[1::2]], strict=True)
    return [_Term(-1 if sign == "-" else 1, name.strip()) for sign, name in pairs]


def _check_term(
    rule: MetricRule, term: _Term, expressions: set[str], metrics: Mapping[str, Metric]
) -> None:
    if term.is_number or (term.text in metrics and term.text not in expressions):
        return
    where = f"the expr of {rule.metric}"
    if term.text in expressions:
        raise _error(
            rule,
            f"{where} uses {term.text}, which is an expression itself",
            "write it out: an expression is a sum or difference of logged metrics",
        )
    nearest = difflib.get_close_matches(term.text, metrics, n=3, cutoff=0.5) or sorted(metrics)[:8]
    hint = f"nearest logged names: {', '.join(nearest)}" if nearest else "it logged no metric"
    raise _error(
        rule,
        f"{where} uses '{term.text}', which the run never logged",
        f"{hint}; + and - stand between spaces",
    )


def _check_cancelled(rule: MetricRule) -> None:
    """A metric less itself is a number that every rerun has, whatever it measured."""
    counts: dict[str, int] = {}
    for term in _terms(rule.expr or ""):
        if not term.is_number:
            counts[term.text] = counts.get(term.text, 0) + term.sign
    cancelled = [name for name, count in counts.items() if count == 0]
    if cancelled:
        message = f"in the expr of {rule.metric} {cancelled[0]} cancels out: '{rule.expr}'"
        raise _error(rule, message, "name each metric on one side only")


def _error(rule: MetricRule, message: str, hint: str) -> ConfigError:
    return ConfigError(f"{rule.place}: {message}" if rule.place else message, hint)


def _derived(name: str, terms: list[_Term], metrics: Mapping[str, Metric]) -> Metric | None:
    named = [term for term in terms if not term.is_number]
    if not all(term.text in metrics for term in named):
        return None
    constant = [term.sign * float(term.text) for term in terms if term.is_number]
    signed = [(term.sign, metrics[term.text]) for term in named]
    curves = [(sign, _by_step(metric)) for sign, metric in signed]
    common = sorted(set.intersection(*(set(curve) for _, curve in curves)))
    history = [_combined(step, [(s, c[step]) for s, c in curves], constant) for step in common]
    last = max(metric.history[-1].step for _, metric in signed)
    if not common or common[-1] != last:  # the terms end at different steps
        ends = [(sign, metric.history[-1]) for sign, metric in signed]
        history.append(_combined(last, ends, constant))
    return Metric(name=name, history=tuple(history))


def _by_step(metric: Metric) -> dict[int, Point]:
    """Of several values at one step, the last."""
    return {point.step: point for point in metric.history}


def _combined(step: int, points: list[tuple[int, Point]], constant: list[float]) -> Point:
    return Point(
        step=step,
        timestamp_ms=max(point.timestamp_ms for _, point in points),
        value=_sum([*(sign * storable(point.value) for sign, point in points), *constant]),
    )


def _sum(values: Iterable[float]) -> float:
    """The same for every order of the terms; infinities that cancel out are no number."""
    listed = list(values)
    if not all(map(math.isfinite, listed)):
        return sum(listed)
    try:
        return math.fsum(listed)
    except OverflowError:
        return sum(sorted(listed))
