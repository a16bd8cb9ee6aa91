from __future__ import annotations

import math

import pytest

from reprocheck.compare import check_margins
from reprocheck.compare.margins import margin_of
from reprocheck.errors import ConfigError
from reprocheck.model import DeclaredMargin, MarginSource, MetricRule, Scale, Width


def rule(absolute=None, relative=None, **given):
    margin = DeclaredMargin(
        absolute=None if absolute is None else Width.both(absolute),
        relative=None if relative is None else Width.both(relative),
        source="--margin",
    )
    return MetricRule(metric="accuracy", margin=margin, **given)


def check(build_metrics, declared, original=0.9):
    check_margins({"accuracy": declared}, build_metrics({"accuracy": original, "loss": 1.0}))


@pytest.mark.parametrize(
    ("declared", "width", "text"),
    [
        (rule(absolute=0.005), 0.005, "0.005 (--margin)"),
        (rule(relative=0.01), 0.02, "1 % (--margin)"),
        (rule(absolute=0.005, relative=0.01), 0.02, "0.005 or 1 % (--margin)"),
        (rule(absolute=0.05, relative=0.01), 0.05, "0.05 or 1 % (--margin)"),
    ],
)
def test_the_larger_form_counts(declared, width, text):
    margin = margin_of(declared, -2.0)
    assert margin.low == margin.high == width
    assert margin.source is MarginSource.DECLARED
    assert margin.text == text


def test_no_rule_and_no_number_give_no_margin():
    assert margin_of(MetricRule(metric="accuracy"), 1.0) is None
    assert margin_of(rule(relative=0.1), math.nan) is None


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (rule(absolute=0.0), "must be a number above 0"),
        (rule(relative=-0.1), "must be a number above 0"),
        (rule(absolute=math.nan), "must be a number above 0"),
        (rule(absolute=math.inf), "must be a number above 0"),
        (rule(), "has no value"),
        (rule(absolute=0.001, resolution=0.01), "below its resolution"),
        (rule(absolute=0.1, resolution=0.0), "resolution of accuracy is 0"),
        (rule(absolute=0.1, dtype="float8"), "not known"),
    ],
)
def test_a_margin_that_cannot_be_meant_is_refused(build_metrics, declared, message):
    with pytest.raises(ConfigError, match=message) as caught:
        check(build_metrics, declared)
    assert "accuracy" in caught.value.message
    assert caught.value.hint


def test_a_relative_margin_of_zero_is_refused(build_metrics):
    with pytest.raises(ConfigError, match="original value is 0"):
        check(build_metrics, rule(relative=0.01), original=0.0)


def test_a_margin_for_a_metric_that_was_never_logged_names_the_nearest(build_metrics, build_rule):
    metrics = build_metrics({"val_accuracy": 0.9, "loss": 0.3})
    with pytest.raises(ConfigError, match="never logged") as caught:
        check_margins({"val_acuracy": build_rule("val_acuracy", margin=0.1)}, metrics)
    assert caught.value.hint == "Nearest logged names: val_accuracy."


def test_honest_margins_pass(build_metrics):
    check(build_metrics, rule(absolute=0.01, resolution=0.01))
    check(build_metrics, rule(relative=0.01), original=math.nan)
    check_margins({"gone": MetricRule(metric="gone", gate=True)}, {})


def test_a_log_margin_that_differs_below_and_above_means_what_it_says():
    declared = DeclaredMargin(relative=Width(below=0.5, above=0.1), source="--margin")
    found = margin_of(MetricRule(metric="m", margin=declared, scale=Scale.LOG), 3.0)
    assert math.exp(-found.low) == pytest.approx(0.5)
    assert math.exp(found.high) == pytest.approx(1.1)
