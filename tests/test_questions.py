"""What the comparison is asked."""

import pytest

from reprocheck.baselines import Baseline
from reprocheck.config import Config
from reprocheck.errors import ConfigError, UsageError
from reprocheck.model import MetricRule, RunRef, Sibling
from reprocheck.questions import Original, ask
from tests.reporters.builders import make_definition, make_metric, make_record

OTHER = RunRef(tracker="mlflow", run_id="0" * 32)


def baseline(**changes):
    return Baseline(record=make_record(ref=OTHER, **changes), place="--baseline")


def test_a_baseline_that_is_a_sibling_counts_once():
    peers = (Sibling(run_id="1" * 32, metrics={}),)
    original = Original.of(make_record(peers=peers))
    assert [each.run_id for each in ask(original, (), Config(), ())[0].siblings] == ["0" * 32]
    question, _ = ask(original, (baseline(),), Config(), ())
    assert (question.siblings, question.peers) == ((), peers)
    assert [sorted(each) for each in question.baselines] == [["accuracy", "loss"]]


def test_the_definition_gives_gates_margins_and_findings():
    definition = make_definition(secondary=(), rules=make_definition().rules)
    original = Original.of(make_record(definition=definition))
    question, findings = ask(original, (), Config(), ())
    assert question.gates.metrics == ("accuracy",)
    assert question.rule("accuracy").margin.source == "experiment.yaml"
    assert findings == ()
    _, findings = ask(original, (), Config(), ("loss",))
    assert [finding.code for finding in findings] == ["ungated-primary"]


def test_the_terms_of_a_gated_expression_are_needed():
    rules = {"gap": MetricRule(metric="gap", gate=True, expr="accuracy - loss")}
    pooled = baseline(metrics={"accuracy": make_metric("accuracy", 1.0)})
    with pytest.raises(UsageError, match="did not log loss"):
        ask(Original.of(make_record()), (pooled,), Config(metrics=rules), ())


def test_a_defined_criterion_for_what_the_run_lacks_is_no_wrong_usage():
    rules = {"f1": MetricRule(metric="f1", least=0.9, place="experiment.yaml:4")}
    definition = make_definition(primary=("accuracy",), secondary=("f1",), rules=rules)
    original = Original.of(make_record(definition=definition))
    question, findings = ask(original, (), Config(), ())
    assert question.rule("f1").least == 0.9  # and stays undecided
    assert [finding.code for finding in findings] == ["undelivered-metric"]
    with pytest.raises(ConfigError, match="f1 has a success criterion"):
        ask(original, (), Config(metrics={"f1": rules["f1"]}), ())
