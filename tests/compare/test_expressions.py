from __future__ import annotations

import math

import pytest

from reprocheck.compare.expressions import check_expressions, with_expressions
from reprocheck.errors import ConfigError
from reprocheck.model import Metric, MetricRule, Point


def rules(**expressions):
    return {
        name: MetricRule(metric=name, expr=expr, place="reprocheck.yaml:7")
        for name, expr in expressions.items()
    }


def points(name, *logged):
    history = (Point(step=step, timestamp_ms=10 * step, value=value) for step, value in logged)
    return Metric(name=name, history=tuple(history))


def steps(metric):
    return [(point.step, point.value) for point in metric.history]


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("a - b", 3.0),
        ("- a + b", -3.0),
        ("1 - b", -1.0),
        ("a + b - 2.5e-1", 6.75),
        ("val/f1-macro @ 0.5 - b", 5.0),
        ("  mean  loss -  a ", 6.0),
        ("a", 5.0),
    ],
)
def test_terms_are_added_and_subtracted(build_metrics, expr, value):
    metrics = build_metrics({"a": 5.0, "b": 2.0, "val/f1-macro @ 0.5": 7.0, "mean  loss": 11.0})
    check_expressions(rules(gap=expr), metrics)
    assert with_expressions(metrics, rules(gap=expr))["gap"].value == value


def test_the_logged_metrics_stay(build_metrics):
    metrics = build_metrics({"a": 5.0, "b": 2.0})
    derived = with_expressions(metrics, {**rules(gap="a - b"), "a": MetricRule(metric="a")})
    assert list(derived) == ["a", "b", "gap"]
    assert derived["gap"].name == "gap"


def test_the_history_holds_the_common_steps():
    metrics = {
        "a": points("a", (0, 1.0), (1, 2.0), (2, 3.0), (2, 4.0)),
        "b": points("b", (0, 0.5), (2, 0.25)),
    }
    assert steps(with_expressions(metrics, rules(gap="a - b"))["gap"]) == [(0, 0.5), (2, 3.75)]


def test_the_history_ends_in_the_combination_of_the_final_values():
    metrics = {"a": points("a", (0, 1.0), (9, 2.0)), "b": points("b", (0, 0.5))}
    assert steps(with_expressions(metrics, rules(gap="a - b"))["gap"]) == [(0, 0.5), (9, 1.5)]
    apart = {"a": points("a", (1, 1.0)), "b": points("b", (3, 0.25))}
    assert steps(with_expressions(apart, rules(gap="a - b"))["gap"]) == [(3, 0.75)]


def test_a_term_that_was_not_logged_gives_no_metric(build_metrics):
    assert "gap" not in with_expressions(build_metrics({"a": 1.0}), rules(gap="a - b"))


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        (math.inf, 1.0, math.inf),
        (1.7976931348623157e308, 1.0, math.inf),  # as a SQL store keeps infinity
        (-1e308, 1e308, -math.inf),
    ],
)
def test_values_beyond_the_range_are_infinite(build_metrics, a, b, value):
    metrics = build_metrics({"a": a, "b": b})
    assert with_expressions(metrics, rules(gap="a - b"))["gap"].value == value


def test_infinities_that_cancel_out_are_no_number(build_metrics):
    metrics = build_metrics({"a": math.inf, "b": math.inf})
    assert math.isnan(with_expressions(metrics, rules(gap="a - b"))["gap"].value)


@pytest.mark.parametrize(
    ("expressions", "message", "hint"),
    [
        ({"gap": "a - acuracy"}, "uses 'acuracy', which the run never logged", "accuracy"),
        ({"gap": "a -accuracy"}, "uses 'a -accuracy'", "between spaces"),
        ({"gap": "a - "}, "uses 'a -'", "between spaces"),
        ({"gap": "a -  - a"}, "uses '- a'", "between spaces"),
        ({"gap": "1 - 2"}, "names no metric", "for example"),
        ({"gap": "a - a"}, "a cancels out: 'a - a'", "one side only"),
        ({"gap": "accuracy + a - a + 0.5"}, "a cancels out", "one side only"),
        ({"gap": "a - other", "other": "a"}, "which is an expression itself", "write it out"),
        ({"gap": "a - gap"}, "which is an expression itself", "write it out"),
        ({"a": "accuracy"}, "the run logged a itself", "rename"),
    ],
)
def test_an_expression_that_cannot_be_meant_is_refused(build_metrics, expressions, message, hint):
    with pytest.raises(ConfigError) as caught:
        check_expressions(rules(**expressions), build_metrics({"a": 1.0, "accuracy": 0.9}))
    assert caught.value.message.startswith("reprocheck.yaml:7: ")
    assert message in caught.value.message
    assert hint in caught.value.hint
