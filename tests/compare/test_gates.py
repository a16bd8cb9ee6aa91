from __future__ import annotations

import pytest

from reprocheck.compare import choose_gates
from reprocheck.compare.gates import MOST_DEFAULT_GATES
from reprocheck.model import MetricRule


@pytest.fixture(scope="session")
def chosen(build_metrics):
    """The gates of a run that logged these names, without options and config."""

    def choose(*names, rules=(), named=()):
        metrics = build_metrics(dict.fromkeys(names, 1.0))
        return choose_gates(metrics, {rule.metric: rule for rule in rules}, named)

    return choose


def test_options_come_first(chosen):
    rules = [MetricRule(metric="loss", gate=True)]
    gates = chosen("loss", "accuracy", rules=rules, named=("accuracy", "gone", "accuracy"))
    assert gates.metrics == ("accuracy", "gone")
    assert gates.reason == "named by --gate"


def test_the_config_comes_second(chosen):
    rules = [MetricRule(metric="latency", gate=True), MetricRule(metric="auc", gate=None)]
    gates = chosen("latency", "val_loss", "auc", rules=rules)
    assert gates.metrics == ("latency",)
    assert "gate: true" in gates.reason


def test_headline_metrics_come_third(chosen):
    gates = chosen("val_loss", "loss", "accuracy", "eval_runtime", "eval_batch_size", "lr")
    assert gates.metrics == ("val_loss",)
    assert gates.reason == (
        "headline metrics by name, since neither --gate nor reprocheck.yaml names any"
    )


def test_known_measures_follow_where_no_split_is_named(chosen):
    assert chosen("accuracy", "foo", "f1_score").metrics == ("accuracy", "f1_score")


def test_the_training_split_is_chosen_only_alone(chosen):
    assert chosen("train_loss", "accuracy").metrics == ("accuracy",)
    assert chosen("train_loss", "training_accuracy_score", "foo").metrics == (
        "train_loss",
        "training_accuracy_score",
    )


def test_unknown_names_are_all_chosen_but_hardware_and_settings(chosen):
    gates = chosen("foo", "bar", "latency", "lr", "epoch")
    assert gates.metrics == ("bar", "foo")
    assert gates.reason.startswith("every metric that is not hardware-bound")


def test_a_setting_is_chosen_where_nothing_else_is(chosen):
    assert chosen("epoch", "latency").metrics == ("epoch",)


def test_a_metric_that_the_config_refuses_is_not_chosen(chosen):
    rules = [MetricRule(metric="val_loss", gate=False)]
    assert chosen("val_loss", "accuracy", rules=rules).metrics == ("accuracy",)


def test_a_metric_with_a_margin_is_chosen_too(chosen, build_rule):
    gates = chosen("val_loss", "foo", rules=[build_rule("foo", margin=0.1)])
    assert gates.metrics == ("foo", "val_loss")
    assert gates.reason.startswith("metrics with a declared margin, and headline metrics")


def test_a_margin_does_not_gate_what_the_hardware_does(chosen, build_rule):
    assert chosen("latency", "auc", rules=[build_rule("latency", margin=5.0)]).metrics == ("auc",)


def test_few_are_chosen(chosen):
    gates = chosen(*(f"val_{i}" for i in range(30)))
    assert gates.metrics == tuple(sorted(f"val_{i}" for i in range(30)))[:MOST_DEFAULT_GATES]
    assert "the first 8 of 30" in gates.reason


@pytest.mark.parametrize("names", [(), ("latency", "_runtime")])
def test_nothing_to_judge_is_told(chosen, names):
    gates = chosen(*names)
    assert gates.metrics == ()
    assert "the run logged" in gates.reason
