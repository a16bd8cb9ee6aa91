from __future__ import annotations

import pytest

from reprocheck.compare import choose_gates
from reprocheck.compare.gates import MOST_DEFAULT_GATES
from reprocheck.model import MetricRule
from tests.reporters.builders import make_definition


@pytest.fixture(scope="session")
def chosen(build_metrics):
    """The gates of a run that logged these names, without options and config."""

    def choose(*names, rules=(), named=(), primary=(), secondary=()):
        metrics = build_metrics(dict.fromkeys(names, 1.0))
        definition = make_definition(primary=primary, secondary=secondary, rules={})
        return choose_gates(
            metrics,
            {rule.metric: rule for rule in rules},
            named,
            definition if primary or secondary else None,
        )

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


def test_the_experiment_definition_comes_before_names(chosen):
    gates = chosen("val_loss", "foo", "bar", "baz", primary=("foo",), secondary=("bar", "gone"))
    assert gates.metrics == ("bar", "foo")
    assert gates.reason == (
        "the primary and secondary metrics of reprocheck/experiment.yaml, "
        "since neither --gate nor reprocheck.yaml names any"
    )


def test_options_and_config_come_before_the_definition(chosen):
    rules = [MetricRule(metric="loss", gate=True)]
    assert chosen("loss", "foo", named=("loss",), primary=("foo",)).metrics == ("loss",)
    assert chosen("loss", "foo", rules=rules, primary=("foo",)).metrics == ("loss",)


def test_a_primary_metric_that_the_run_never_logged_is_missed(chosen):
    assert chosen("loss", primary=("accuracy",)).metrics == ("accuracy",)


def test_a_definition_gates_neither_hardware_nor_what_the_config_refuses(chosen):
    rules = [MetricRule(metric="foo", gate=False)]
    gates = chosen("foo", "bar", "latency", rules=rules, primary=("foo", "latency", "bar"))
    assert gates.metrics == ("bar",)


def test_a_definition_of_which_nothing_is_left_leaves_the_choice_to_names(chosen):
    gates = chosen("foo", "val_loss", secondary=("gone",))
    assert gates.metrics == ("val_loss",)
    assert gates.reason.startswith("headline metrics by name")


def test_primary_metrics_come_before_the_eight_first(chosen, build_rule):
    names = [f"a{i}" for i in range(10)]
    rules = [build_rule(name, margin=0.1) for name in names]
    gates = chosen("z", "y", *names, rules=rules, primary=("z",), secondary=("y",))
    assert {"z", "y"} < set(gates.metrics)
    assert len(gates.metrics) == MOST_DEFAULT_GATES
    assert gates.reason.startswith("metrics with a declared margin, and the primary")


def test_a_computed_metric_is_chosen_like_a_logged_one(chosen):
    rules = [MetricRule(metric="accuracy_gap_error", expr="train_accuracy - accuracy")]
    gates = chosen("train_accuracy", "accuracy", rules=rules)
    assert gates.metrics == ("accuracy", "accuracy_gap_error")


def test_the_metrics_of_mlflow_evaluate_are_headline_metrics(chosen):
    assert chosen("toxicity/v1/mean", "answer_similarity/v2", "accuracy", "foo/v1beta").metrics == (
        "answer_similarity/v2",
        "toxicity/v1/mean",
    )
    assert chosen("accuracy_score_on_data_test", "loss").metrics == ("accuracy_score_on_data_test",)
