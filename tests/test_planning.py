"""What a verification can be expected to answer: sources of sigma, chances, and what is lacking."""

import dataclasses
from typing import Any

import pytest

from reprocheck.compare import Question, choose_gates
from reprocheck.errors import CompareError, UsageError
from reprocheck.metric_rules import parse_margin, parse_sigma
from reprocheck.model import (
    Cost,
    DeclaredMargin,
    MetricRule,
    RerunPlan,
    Scale,
    SeedPolicy,
    Sibling,
    Width,
)
from reprocheck.planning import Forecast, Outlook, SpreadSource, forecast
from tests.reporters.builders import make_metric, make_record

RECORD = make_record()
COST = Cost(original_s=200.0, reruns=8, trial_timeout_s=1_200.0, longest_s=10_800.0)


def told(
    *options: str, gates: tuple[str, ...] = ("accuracy",), given: str = "", **changes: Any
) -> Forecast:
    """The forecast under options such as margin:accuracy=0.005 and sigma:accuracy=0.002."""
    rules: dict[str, MetricRule] = dict(changes.pop("rules", {}))
    for option in options:
        kind, _, text = option.partition(":")
        name, value = (parse_margin if kind == "margin" else parse_sigma)(text)
        rule = rules.get(name, MetricRule(metric=name))
        rules[name] = dataclasses.replace(rule, **{kind: value})
    metrics = {**RECORD.metrics, **changes.pop("metrics", {})}
    question = Question(
        **{
            "metrics": metrics,
            "rules": rules,
            "gates": choose_gates(metrics, rules, gates),
            "plan": RerunPlan(),
            **changes,
        }
    )
    names = frozenset([given] if given else [])
    return forecast(
        Outlook(asked="3f2a91", record=RECORD, question=question, cost=COST, given=names)
    )


def siblings(*values: float) -> tuple[Sibling, ...]:
    return tuple(Sibling(run_id=str(i), metrics={"accuracy": x}) for i, x in enumerate(values))


# --- the chance of an answer --------------------------------------------------------------


def test_the_default_plan_has_the_power_that_the_specification_simulated() -> None:
    # STATISTICS: margin 2.8 sigma, looks after 3 to 8: 94.1 % REPRODUCED, 0.1 % NR, 4.7 reruns.
    found = told("margin:accuracy=0.0028", "sigma:accuracy=0.001").joint
    assert found is not None
    assert found.reproduced == pytest.approx(0.941, abs=0.01)
    assert found.not_reproduced == pytest.approx(0.001, abs=0.001)
    assert found.mean_reruns == pytest.approx(4.7, abs=0.1)


def test_three_metrics_together_are_harder_to_reproduce_than_one() -> None:
    # STATISTICS: jointly 84 % with 5.8 reruns, for a correlation of one half; independent ones
    # do worse.
    names = ("accuracy", "loss", "f1")
    options = [
        option for name in names for option in (f"margin:{name}=0.0028", f"sigma:{name}=0.001")
    ]
    joint = told(*options, gates=names, metrics={"f1": make_metric("f1", 0.8)}).joint
    assert joint is not None
    assert 0.75 < joint.reproduced < 0.86
    assert 5.5 < joint.mean_reruns < 6.2


def test_reruns_needed_are_those_of_the_specification() -> None:
    # STATISTICS, the original's own luck included: 2 sigma 9/29, 2.5 sigma 5/7, 3 sigma 4/5.
    needed = [
        told(f"margin:accuracy={margin}", "sigma:accuracy=0.001").metrics[0].reruns
        for margin in (0.002, 0.0025, 0.003, 0.001)
    ]
    pairs = [(each.for_80, each.for_90) for each in needed if each]
    assert pairs[1:] == [(5, 7), (4, 5), (None, None)]
    assert pairs[0][0] == 9
    assert pairs[0][1] in (28, 29)


def test_only_the_ratio_of_spread_and_margin_matters() -> None:
    one = told("margin:accuracy=0.005", "sigma:accuracy=0.002").joint
    other = told("margin:accuracy=0.05", "sigma:accuracy=0.02").joint
    assert one == other


def test_without_a_margin_the_chance_is_that_of_consistent() -> None:
    found = told()
    assert found.joint is not None
    assert found.joint.consistent == pytest.approx(0.80, abs=0.01)  # Wellek at k = 5
    assert found.joint.mean_reruns == 5.0
    assert "at best CONSISTENT" in found.metrics[0].notes[0]


def test_the_narrower_side_of_a_margin_counts() -> None:
    uneven = told("margin:accuracy=-0.005,+0.05", "sigma:accuracy=0.002")
    assert uneven.joint == told("margin:accuracy=0.005", "sigma:accuracy=0.002").joint
    assert "narrower" in uneven.metrics[0].notes[0]


def test_rounding_to_a_resolution_is_a_spread_of_its_own() -> None:
    rules = {"accuracy": MetricRule(metric="accuracy", resolution=0.01)}
    found = told("margin:accuracy=0.02", "sigma:accuracy=0.0001", rules=rules).metrics[0]
    assert found.ratio == pytest.approx(0.01 / 12**0.5 / 0.02)


@pytest.mark.parametrize(("more", "chance"), [(0, 0.956), (3, 0.99)])
def test_pooled_originals_have_the_power_that_the_specification_simulated(
    more: int, chance: float
) -> None:
    plan = RerunPlan(least=8, most=8)
    options = ("margin:accuracy=0.0028", "sigma:accuracy=0.001")
    found = told(*options, plan=plan, baselines=(RECORD.metrics,) * more)
    assert found.joint is not None
    assert found.joint.reproduced == pytest.approx(chance, abs=0.01)
    assert (found.metrics[0].reruns is None) is (more > 0)


def test_a_single_rerun_settles_nothing_by_statistics() -> None:
    plan = RerunPlan(least=1, most=1)
    joint = told("margin:accuracy=0.005", "sigma:accuracy=0.001", plan=plan).joint
    assert joint is not None
    assert (joint.inconclusive, joint.mean_reruns) == (1.0, 1.0)


def test_the_same_question_has_the_same_answer() -> None:
    options = ("margin:accuracy=0.005", "sigma:accuracy=0.002")
    assert told(*options) == told(*options)


# --- how much a metric varies -------------------------------------------------------------


def test_siblings_and_the_run_give_the_spread() -> None:
    found = told("margin:accuracy=0.005", siblings=siblings(0.9621, 0.9631)).metrics[0].spread
    assert found is not None
    assert found.sigma.value == pytest.approx(0.001)
    assert (found.sigma.freedom, found.source) == (2, SpreadSource.SIBLINGS)
    assert found.text == "2 siblings and the run"


def test_one_sibling_tells_no_spread() -> None:
    assert told("margin:accuracy=0.005", siblings=siblings(0.9621)).metrics[0].spread is None


def test_a_given_sigma_wins_over_siblings_and_they_over_the_test_size() -> None:
    rules = {"accuracy": MetricRule(metric="accuracy", test_size=360)}
    many = siblings(0.9621, 0.9631)
    sources = [
        told("margin:accuracy=0.05", *more, rules=rules, siblings=known).metrics[0].spread
        for more, known in ((("sigma:accuracy=0.002/9",), many), ((), many), ((), ()))
    ]
    assert [each.source for each in sources if each] == list(SpreadSource)
    assert sources[2] is not None
    # err is the smaller of both shares where the direction is not known.
    assert sources[2].sigma.value == pytest.approx(((1 - 0.9611) / 2 / 360) ** 0.5)


def test_where_a_sigma_was_given_is_told() -> None:
    options = ("margin:accuracy=0.005", "sigma:accuracy=0.002")
    by_option, by_config = told(*options, given="accuracy"), told(*options)
    texts = [each.metrics[0].spread for each in (by_option, by_config)]
    assert [each.text for each in texts if each] == ["--sigma", "reprocheck.yaml"]
    assert not by_option.metrics[0].notes
    assert "used by the tests too" in by_config.metrics[0].notes[0]


@pytest.mark.parametrize("options", [(), ("margin:accuracy=0.005",)])
def test_siblings_that_are_all_alike_promise_an_identical_rerun(options: tuple[str, ...]) -> None:
    found = told(*options, siblings=siblings(0.9611, 0.9611))
    assert found.joint is not None
    assert (found.joint.reproduced, found.joint.mean_reruns) == (1.0, 1.0)
    assert found.expected_s == 200.0


def test_siblings_on_a_log_scale_vary_in_logarithms() -> None:
    relative = DeclaredMargin(relative=Width.both(0.02), source="--margin")
    rules = {"accuracy": MetricRule(metric="accuracy", scale=Scale.LOG, margin=relative)}
    found = told(rules=rules, siblings=siblings(0.9611 * 1.01, 0.9611 / 1.01)).metrics[0]
    assert found.spread is not None
    assert found.spread.sigma.value == pytest.approx(0.00995033, rel=1e-5)  # ln 1.01
    assert found.ratio == pytest.approx(0.00995033 / 0.0198026, rel=1e-5)  # ln 1.02


@pytest.mark.parametrize(("seeds", "noted"), [(SeedPolicy.SAME, True), (SeedPolicy.FRESH, False)])
def test_siblings_vary_as_fresh_seeds_do(seeds: SeedPolicy, noted: bool) -> None:
    found = told(
        "margin:accuracy=0.005", siblings=siblings(0.9621, 0.9631), plan=RerunPlan(seeds=seeds)
    )
    assert any("seeds of their own" in note for note in found.metrics[0].notes) is noted


# --- what is lacking ----------------------------------------------------------------------


def test_an_unknown_spread_is_answered_by_scenarios() -> None:
    found = told("margin:accuracy=0.005")
    assert found.joint is None
    assert "how much it varies is not known of accuracy" in found.joint_lacks
    assert found.expected_s is None
    chances = [scenario.chance.reproduced for scenario in found.scenarios]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.99
    assert chances[-1] < 0.3


def test_nothing_is_told_of_metrics_with_and_without_margins_together() -> None:
    found = told("margin:accuracy=0.005", "sigma:accuracy=0.001", gates=("accuracy", "loss"))
    assert found.joint is None
    assert found.joint_lacks == "no margin is known of loss"
    assert all(each.chance for each in found.metrics)


def test_a_metric_that_was_never_logged_cannot_be_compared() -> None:
    found = told(gates=("accuracy", "f1"))
    assert found.joint is None
    assert found.joint_lacks == "the run never logged f1"
    assert "NOT_COMPARABLE" in found.metrics[1].notes[0]


def test_an_original_that_is_not_finite_has_no_chance() -> None:
    broken = {"accuracy": make_metric("accuracy", float("nan"))}
    assert told(metrics=broken).metrics[0].chance is None


def test_nothing_to_judge_is_an_error() -> None:
    refused = {name: MetricRule(metric=name, gate=False) for name in RECORD.metrics}
    with pytest.raises(CompareError, match="no metric would be judged"):
        told(gates=(), rules=refused)


def test_a_sigma_of_a_metric_that_is_not_judged_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--sigma loss: this metric would not be judged"):
        told("sigma:loss=0.1", given="loss")


def test_the_best_of_a_sweep_is_expected_to_beat_its_reruns() -> None:
    rules = {"accuracy": MetricRule(metric="accuracy", best_of=10)}
    found = told("margin:accuracy=0.005", "sigma:accuracy=0.001", rules=rules, given="accuracy")
    assert "best of 10" in found.metrics[0].notes[0]


def test_the_baseline_that_was_accepted_is_the_one_that_counts() -> None:
    accepted = (0.9, 0.92, 0.94)
    options = ("margin:accuracy=0.01", "sigma:accuracy=0.003")
    found = told(*options, accepted={"accuracy": accepted})
    (metric,) = found.metrics
    assert metric.original == pytest.approx(0.92)
    assert "the baseline is what was accepted: 3 values" in metric.notes
