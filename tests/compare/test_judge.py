from __future__ import annotations

from dataclasses import replace

import pytest

from reprocheck.compare import judge
from reprocheck.model import Predictions, RerunPlan, Verdict

FINE = 0.34821757311
CURVE = [0.9, 0.71, 0.55, 0.48, 0.45]
OTHER_CURVE = [0.9, 0.72, 0.56, 0.49, 0.47]
NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]


@pytest.fixture(scope="session")
def after(build_question, build_trials):
    """The judgement of the original against some reruns, five being planned."""

    def ask(original, *reruns, rules=(), **given):
        return judge(build_question(original, *rules, **given), build_trials(*reruns))

    return ask


# --- when to stop -------------------------------------------------------------------------


def test_identity_beyond_chance_ends_the_job_at_once(after):
    found = after({"accuracy": 0.975, "loss": FINE}, {"accuracy": 0.975, "loss": FINE})
    assert (found.decided, found.stopped_by) == (True, "identical")
    assert found.verdict is Verdict.IDENTICAL
    assert found.sentence == (
        "accuracy, loss: The rerun gave exactly the original value, bit for bit."
    )


def test_identity_that_may_be_chance_goes_on(after):
    found = after({"accuracy": 0.975}, {"accuracy": 0.975})
    assert (found.decided, found.stopped_by) == (False, "")
    assert found.verdict is Verdict.INCONCLUSIVE


def test_one_gate_that_differs_goes_on(after):
    found = after({"accuracy": 0.975, "loss": FINE}, {"accuracy": 0.976, "loss": FINE})
    assert not found.decided


def test_a_gate_that_was_not_logged_is_no_reason_to_go_on_and_never_green(after):
    found = after({"loss": FINE}, {"loss": FINE}, gates=["loss", "gone"])
    assert (found.verdict, found.stopped_by) == (Verdict.NOT_COMPARABLE, "identical")
    coarse = after({"loss": 0.9}, {"loss": 0.9}, gates=["loss", "gone"])
    assert not coarse.decided


def test_a_gate_that_one_rerun_lacks_ends_the_job_once_the_others_are_decided(
    build_question, build_rule, build_trials
):
    rules, gates = [build_rule("a", margin=0.1)], ["a", "b"]
    original = {"a": 0.915, "b": 0.5}
    logged = [{"a": value, "b": 0.5 + value / 1e3} for value in NOISY]
    plan = RerunPlan(least=3, most=8)

    def stopped(*reruns):
        question = replace(build_question(original, *rules, gates=gates), plan=plan)
        return judge(question, build_trials(*reruns))

    lacking = [logged[0], {"a": logged[1]["a"]}, *logged[2:]]
    assert not stopped(*lacking[:2]).decided
    found = stopped(*lacking[:3])
    assert (found.verdict, found.stopped_by) == (Verdict.NOT_COMPARABLE, "decided")
    assert not stopped(*logged[:3]).decided  # b, without a margin, is judged after five


def test_a_gate_that_one_rerun_lacks_does_not_hide_another_that_is_not_reproduced(
    after, build_rule
):
    rules = [build_rule("a", margin=0.01)]
    lacking = [{"a": value} for value in NOISY]
    found = after({"a": 0.99, "b": 0.5}, *lacking, rules=rules)
    assert found.verdict is Verdict.NOT_REPRODUCED
    early = after({"a": 0.95, "b": 0.5}, *lacking[:3], rules=rules)
    assert not early.decided


def test_products_are_worth_a_second_rerun_where_no_metric_can_be_compared(
    build_question, build_trial
):
    question = build_question(
        {"a": 0.5}, products={"w.bin": "00"}, gated_products=("w.bin",), same_machine=True
    )
    trials = [build_trial(i, {"b": 1.0}, {"w.bin": "11"}) for i in (1, 2)]
    assert not judge(question, tuple(trials[:1])).decided
    found = judge(question, tuple(trials))
    assert (found.verdict, found.stopped_by) == (Verdict.NOT_REPRODUCED, "decided")


def test_two_equal_reruns_end_the_job_where_equality_is_proven(after, build_rule):
    rules = [build_rule("loss", margin=0.05)]
    found = after({"loss": CURVE}, {"loss": OTHER_CURVE}, {"loss": OTHER_CURVE}, rules=rules)
    assert found.stopped_by == "deterministic"
    assert (found.verdict, found.comparisons[0].reason) == (Verdict.REPRODUCED, "deterministic")


def test_a_proven_difference_outside_the_margin_is_not_reproduced(after, build_rule):
    rules = [build_rule("loss", margin=0.01)]
    found = after({"loss": CURVE}, {"loss": OTHER_CURVE}, {"loss": OTHER_CURVE}, rules=rules)
    assert (found.verdict, found.stopped_by) == (Verdict.NOT_REPRODUCED, "deterministic")


def test_two_equal_reruns_go_on_without_proof(after, build_rule):
    rules = [build_rule("accuracy", margin=0.01)]
    found = after({"accuracy": 0.9}, *[{"accuracy": 0.95}] * 2, rules=rules)
    assert not found.decided
    assert found.verdict is Verdict.INCONCLUSIVE


def test_products_prove_determinism(build_question, build_trial, build_rule):
    question = build_question({"accuracy": 0.9}, build_rule("accuracy", margin=0.01))
    trials = tuple(build_trial(i, {"accuracy": 0.95}, {"model.bin": "a"}) for i in (1, 2))
    assert judge(question, trials).verdict is Verdict.NOT_REPRODUCED


def test_a_gate_that_varies_is_not_settled_by_determinism_elsewhere(after, build_rule):
    rules = [build_rule("loss", margin=0.05), build_rule("latency", margin=0.1)]
    runs = [{"loss": OTHER_CURVE, "latency": value} for value in (10.0, 12.0)]
    found = after({"loss": CURVE, "latency": 5.0}, *runs, rules=rules, same_machine=True)
    assert not found.decided
    assert [c.verdict for c in found.comparisons] == [Verdict.REPRODUCED, Verdict.INCONCLUSIVE]


def test_a_proven_difference_without_a_margin_is_a_shift(after):
    found = after({"loss": CURVE}, {"loss": OTHER_CURVE}, {"loss": OTHER_CURVE})
    assert (found.decided, found.verdict) == (True, Verdict.INCONCLUSIVE)
    assert "--margin loss=" in found.needed


def test_nothing_is_judged_before_the_planned_look(after, build_rule):
    rules = [build_rule("accuracy", margin=0.5)]
    reruns = [{"accuracy": value} for value in NOISY]
    for done in range(1, 5):
        found = after({"accuracy": 0.92}, *reruns[:done], rules=rules)
        assert (found.decided, found.verdict) == (False, Verdict.INCONCLUSIVE)
    found = after({"accuracy": 0.92}, *reruns, rules=rules)
    assert (found.stopped_by, found.verdict) == ("planned", Verdict.REPRODUCED)
    assert found.needed == ""


def test_a_spent_budget_is_inconclusive(after, build_rule):
    rules = [build_rule("accuracy", margin=0.5)]
    reruns = [{"accuracy": value} for value in NOISY]
    found = after({"accuracy": 0.92}, *reruns[:4], rules=rules, over_budget=True)
    assert (found.decided, found.stopped_by) == (True, "budget")
    assert (found.verdict, found.comparisons[0].reason) == (Verdict.INCONCLUSIVE, "budget")


def test_a_spent_budget_leaves_what_is_settled(after):
    found = after({"a": 0.9}, {"a": 0.9}, {"a": 0.9}, over_budget=True)
    assert (found.decided, found.verdict) == (True, Verdict.IDENTICAL)


@pytest.mark.parametrize("value", [0.9, 0.91])
def test_a_crash_after_a_finished_trial_is_unstable(after, value):
    found = after({"a": 0.9}, {"a": value}, {"a": value}, unstable=True)
    assert (found.decided, found.stopped_by) == (True, "unstable")
    assert (found.verdict, found.comparisons[0].reason) == (Verdict.INCONCLUSIVE, "unstable")


def test_a_crashed_trial_is_no_data(build_question, build_trial):
    trials = (
        build_trial(1, {"a": 0.1}, exit_code=1),
        *(build_trial(i, {"a": 0.9}) for i in (2, 3)),
    )
    found = judge(build_question({"a": 0.9}), trials)
    assert found.comparisons[0].reruns == (0.9, 0.9)


# --- never green without a measurement ----------------------------------------------------


def test_no_rerun_is_not_verified(after):
    found = after({"a": 0.9})
    assert (found.verdict, found.decided) == (Verdict.NOT_VERIFIED, False)


def test_no_gate_is_not_verified(after):
    found = after({"a": FINE}, {"a": FINE}, gates=[])
    assert found.verdict is Verdict.NOT_VERIFIED
    assert (found.decided, found.stopped_by) == (True, "nothing to compare")
    assert "--gate" in found.needed


def test_a_rerun_that_logged_nothing_is_not_verified(after):
    assert after({"a": FINE}, {}, {}).verdict is Verdict.NOT_VERIFIED


def test_a_gate_that_was_never_logged_fails_the_run(after):
    found = after({"a": FINE}, *[{"a": FINE, "gone": 1.0}] * 5, gates=["a", "gone"])
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.sentence == "gone could not be compared: the original run did not log it."


def test_a_gate_that_one_rerun_misses_fails_the_run(after):
    found = after({"a": FINE, "b": 1.0}, *[{"a": FINE, "b": 1.0}] * 4, {"b": 1.0})
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.sentence == "a could not be compared: rerun 5 did not log it."


def test_a_gate_on_the_hardware_needs_the_same_machine(after, build_rule):
    rules = [build_rule("latency", margin=5.0)]
    runs = [{"latency": value} for value in (10.0, 11.0, 10.5, 10.2, 10.9, 10.4)]
    assert after(*runs, rules=rules).verdict is Verdict.NOT_COMPARABLE
    assert after(*runs, rules=rules, same_machine=True).verdict is Verdict.REPRODUCED


# --- several metrics ----------------------------------------------------------------------


def test_the_worst_gate_decides(after, build_rule):
    rules = [build_rule("a", margin=0.5), build_rule("b", margin=0.001)]
    runs = [{"a": x, "b": x, "c": 1.0} for x in NOISY]
    found = after({"a": 0.92, "b": 1.5, "c": 1.0}, *runs, rules=rules)
    verdicts = [comparison.verdict for comparison in found.comparisons]
    assert verdicts == [Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.IDENTICAL]
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert found.sentence.startswith("b: The original 1.5 lies outside")


def test_rejections_are_corrected_for_the_number_of_gates(after):
    one = after({"a": 0.97}, *[{"a": x} for x in NOISY]).comparisons[0]
    others = [f"m{i}" for i in range(4)]
    runs = [{"a": x, **dict.fromkeys(others, x)} for x in NOISY]
    five = after({"a": 0.97, **dict.fromkeys(others, 0.92)}, *runs).comparisons[0]
    assert five.p_difference == pytest.approx(5 * one.p_difference)


def test_metrics_that_are_no_gates_are_shown_and_change_nothing(after):
    reruns = [{"a": x} for x in NOISY]
    alone = after({"a": 0.92}, *reruns)
    shown = after(
        {"a": 0.92, "noise": 1.0, "gone": 2.0, "epoch_time": 3.0},
        *[{**run, "noise": 5.0, "new": 4.0, "epoch_time": 6.0} for run in reruns],
        gates=["a"],
    )
    assert replace(shown, comparisons=shown.comparisons[:1]) == alone
    told = {c.metric: (c.verdict, c.reason, c.difference) for c in shown.comparisons[1:]}
    assert told == {
        "epoch_time": (Verdict.INFORMATIONAL, "hardware", 3.0),
        "gone": (Verdict.INFORMATIONAL, "missing", None),
        "new": (Verdict.INFORMATIONAL, "new", None),
        "noise": (Verdict.INFORMATIONAL, "not_gated", 4.0),
    }


# --- products and predictions -------------------------------------------------------------


@pytest.fixture(scope="session")
def with_products(build_question, build_trial):
    """The judgement where the original and the reruns logged a model, gated."""

    def ask(original, *reruns, **given):
        products = {"model.bin": original}
        question = build_question(
            {"loss": FINE}, products=products, gated_products=("*.bin",), **given
        )
        trials = [build_trial(i, {"loss": FINE}, {"model.bin": sha}) for i, sha in reruns]
        return judge(question, tuple(trials))

    return ask


def test_a_gated_product_that_is_the_same_counts_as_identical(with_products):
    found = with_products("a", (1, "a"))
    assert (found.verdict, found.stopped_by) == (Verdict.IDENTICAL, "identical")
    assert found.products[0].verdict is Verdict.IDENTICAL


def test_a_gated_product_that_differs_does_not_end_at_the_first_rerun(with_products):
    found = with_products("a", (1, "b"))
    assert (found.verdict, found.decided) == (Verdict.INCONCLUSIVE, False)


def test_a_gated_product_that_every_rerun_changes_alike_is_the_worst(with_products):
    found = with_products("a", (1, "b"), (2, "b"), same_machine=True)
    assert found.verdict is Verdict.NOT_REPRODUCED
    assert found.sentence.startswith("model.bin: ")
    assert found.comparisons[0].verdict is Verdict.IDENTICAL


def test_a_gated_product_that_varies_cannot_settle_it(with_products):
    found = with_products("a", (1, "b"), (2, "c"), (3, "d"), same_machine=True)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "model.bin" in found.needed


def test_products_that_are_not_gated_change_no_verdict(build_question, build_trial):
    question = build_question({"loss": FINE}, products={"model.bin": "a"})
    found = judge(question, (build_trial(1, {"loss": FINE}, {"model.bin": "b"}),))
    assert found.verdict is Verdict.IDENTICAL
    assert found.products[0].verdict is Verdict.INFORMATIONAL


def test_a_gated_product_alone_can_be_judged(build_question, build_trial):
    question = build_question(
        {"loss": FINE}, gates=[], reruns=3, products={"m.bin": "a"}, gated_products=("m.bin",)
    )
    trials = tuple(build_trial(i, {"loss": FINE}, {"m.bin": "a"}) for i in (1, 2, 3))
    assert judge(question, trials[:1]).stopped_by == "identical"
    assert judge(question, trials).verdict is Verdict.IDENTICAL
    other = replace(question, products=build_question({}, products={"m.bin": "b"}).products)
    assert [judge(other, trials[:k]).decided for k in (1, 2, 3)] == [False, False, True]
    assert judge(other, trials).verdict is Verdict.INCONCLUSIVE  # perhaps another machine


def test_flips_are_a_floor_under_the_noise_of_an_accuracy(build_question, build_trial, build_rule):
    """Three equal accuracies whose predictions flip are not without noise."""
    ids = tuple(map(str, range(100)))

    def predicted(wrong):
        labels = ("a",) * 100
        return Predictions(
            ids=ids, labels=labels, predicted=tuple("b" if i in wrong else "a" for i in range(100))
        )

    question = build_question(
        {"accuracy": 0.9},
        build_rule("accuracy", margin=0.05),
        reruns=3,
        predictions=predicted(range(10)),
    )
    starts = (20, 40, 60)
    trials = tuple(
        replace(
            build_trial(i, {"accuracy": 0.9 if i < 3 else 0.91}),
            predictions=predicted(range(start, start + (10 if i < 3 else 9))),
        )
        for i, start in enumerate(starts, 1)
    )
    found = judge(question, trials)
    width = found.comparisons[0].interval.high - found.comparisons[0].interval.low
    plain = judge(replace(question, predictions=None), trials).comparisons[0].interval
    assert width > 2 * (plain.high - plain.low)
    assert found.predictions.examples == 100
    assert found.predictions.churn == (0.2, 0.2, 0.19)


def test_what_cannot_be_compared_keeps_the_margin_it_was_given(after, build_rule):
    found = after({"f1": 0.9}, {"f1": 0.9}, {}, rules=[build_rule("f1", margin=0.05)])
    (comparison,) = found.comparisons
    assert comparison.verdict is Verdict.NOT_COMPARABLE
    assert comparison.margin.text == "0.05 (--margin)"
