"""Reruns against values that somebody accepted in the original's place."""

from __future__ import annotations

import pytest

from reprocheck.compare import judge, preview
from reprocheck.model import DeclaredMargin, MetricRule, Sibling, Verdict, Width

FINE = 0.34821757311
OTHER = 0.35121844902
NOISY = (0.941, 0.949, 0.938, 0.951, 0.944)


@pytest.fixture
def after(build_question, build_trials):
    def ask(original, accepted, *reruns, rules=(), **given):
        question = build_question(original, *rules, accepted=accepted, **given)
        return judge(question, build_trials(*reruns))

    return ask


def one(**values):
    return [{"accuracy": value} for value in values["accuracy"]]


def test_reruns_near_the_accepted_values_reproduce_them_and_not_the_original(after, build_rule):
    rules = [build_rule("accuracy", margin=0.01)]
    reruns = one(accuracy=(0.943, 0.946, 0.94, 0.948, 0.945))
    alone = after({"accuracy": 0.9611}, {}, *reruns, rules=rules)
    assert alone.verdict is Verdict.NOT_REPRODUCED
    found = after({"accuracy": 0.9611}, {"accuracy": NOISY}, *reruns, rules=rules)
    assert (found.verdict, found.as_recorded) == (Verdict.REPRODUCED, False)
    assert found.comparisons[0].baseline == NOISY
    assert "the mean 0.9446 of 5 accepted reruns" in found.sentence


def test_reruns_near_the_original_alone_do_not_reproduce_what_was_accepted(after, build_rule):
    rules = [build_rule("accuracy", margin=0.005)]
    reruns = one(accuracy=(0.9611, 0.9612, 0.961, 0.9613, 0.9609))
    found = after({"accuracy": 0.9611}, {"accuracy": NOISY}, *reruns, rules=rules)
    assert (found.verdict, found.as_recorded) == (Verdict.NOT_REPRODUCED, False)
    assert "The mean 0.9446 of 5 accepted reruns lies outside" in found.sentence


def test_a_rerun_that_is_the_run_itself_again_is_identical_whatever_was_accepted(after):
    accepted = {"loss": (OTHER, OTHER)}
    found = after({"loss": FINE}, accepted, {"loss": FINE})
    assert (found.verdict, found.decided, found.as_recorded) == (Verdict.IDENTICAL, True, True)
    assert found.comparisons[0].baseline == (FINE,)
    partly = after({"loss": FINE, "error": FINE}, accepted, {"loss": FINE, "error": OTHER})
    assert not partly.as_recorded  # one of two is not the run again


def test_values_that_were_accepted_all_alike_can_be_repeated_bit_for_bit(after):
    found = after({"loss": FINE}, {"loss": (OTHER, OTHER)}, {"loss": OTHER})
    assert (found.verdict, found.stopped_by, found.as_recorded) == (
        *(Verdict.IDENTICAL, "identical"),
        False,
    )
    assert found.sentence == "loss: The rerun gave exactly the accepted value, bit for bit."


def test_one_of_accepted_values_that_vary_is_not_all_of_them(after):
    found = after({"loss": FINE}, {"loss": (OTHER, 0.3513)}, {"loss": OTHER})
    assert not found.decided  # neither stands out: more reruns are wanted
    chance = after({"accuracy": 0.9}, {"accuracy": (0.95, 0.95)}, {"accuracy": 0.95})
    assert not chance.decided  # so coarse a value can agree by chance


def test_metrics_that_were_not_accepted_keep_the_original(after, build_rule):
    rules = [build_rule("a", margin=0.02), build_rule("b", margin=0.02)]
    reruns = [{"a": value, "b": value} for value in NOISY]
    found = after({"a": 0.9611, "b": 0.9611}, {"a": NOISY}, *reruns, rules=rules)
    baselines = {each.metric: each.baseline for each in found.comparisons}
    assert baselines == {"a": NOISY, "b": (0.9611,)}


def test_expressions_of_other_metrics_take_the_originals(after, build_rule):
    gap = MetricRule(metric="gap", gate=True, expr="train - test")
    reruns = [{"train": 0.99, "test": 0.95}] * 5
    found = after(
        *({"train": 0.99, "test": 0.96}, {"test": (0.95,)}, *reruns),
        rules=(gap, build_rule("test", margin=0.02)),
        gates=["gap", "test"],
    )
    baselines = {each.metric: each.baseline for each in found.comparisons if each.gated}
    assert baselines["gap"] == (pytest.approx(0.03),)
    assert baselines["test"] == (0.95,)


def test_accepted_values_stand_in_for_pooled_originals_and_were_not_selected(
    after, build_rule, build_question
):
    pooled = tuple(build_question({"accuracy": value}).metrics for value in (0.97, 0.96))
    peers = (Sibling(run_id="1" * 32, metrics={"accuracy": 0.9}),)
    given = {"rules": [build_rule("accuracy", margin=0.02)], "baselines": pooled, "peers": peers}
    reruns = one(accuracy=NOISY)
    own = after({"accuracy": 0.9611}, {}, *reruns, **given)
    assert (len(own.comparisons[0].baseline), own.comparisons[0].best_of) == (3, 2)
    found = after({"accuracy": 0.9611}, {"accuracy": NOISY}, *reruns, **given)
    assert (found.comparisons[0].baseline, found.comparisons[0].best_of) == (NOISY, None)


def test_relative_margins_are_of_the_baseline_that_counts(build_question):
    margin = DeclaredMargin(relative=Width.both(0.1), source="--margin")
    rule = MetricRule(metric="a", margin=margin)
    question = build_question({"a": 2.0}, rule, accepted={"a": (3.0, 5.0)})
    (planned,) = preview(question)
    assert planned.baseline == (3.0, 5.0)
    assert planned.margin.high == pytest.approx(0.4)


def test_notes_on_the_spread_name_the_accepted_reruns(after, build_rule):
    accepted = {"accuracy": (0.9401, 0.9402, 0.9404)}
    reruns = one(accuracy=(0.9301, 0.9512, 0.9433, 0.9387, 0.9474))
    found = after({"accuracy": 0.9611}, accepted, *reruns, rules=[build_rule("accuracy")])
    (note,) = [each for each in found.comparisons[0].notes if "variance" in each]
    assert "times the accepted ones', and" in note
