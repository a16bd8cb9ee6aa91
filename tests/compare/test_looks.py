"""Plans with several looks, through `judge`: when the trials end, and what then counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reprocheck.compare import judge, planned_reruns
from reprocheck.compare.looks import judged_reruns, level_at, single_look
from reprocheck.model import Direction, RerunPlan, Verdict

SPREAD = [0.912, 0.931, 0.905, 0.94, 0.922, 0.917, 0.928, 0.909]


@pytest.fixture(scope="session")
def after(build_question, build_trials):
    """The judgement by a plan of looks, of the metric `m` unless several are given."""

    def ask(original, reruns, *rules, plan=None, **given):
        wrap = isinstance(original, float)
        logged = [{"m": value} for value in reruns] if wrap else reruns
        question = build_question({"m": original} if wrap else original, *rules, **given)
        return judge(replace(question, plan=plan or RerunPlan()), build_trials(*logged))

    return ask


def test_the_first_look_that_passes_ends_it(after, build_rule):
    rule = build_rule("m", margin=0.08)
    assert [after(0.92, SPREAD[:k], rule).decided for k in (1, 2, 3)] == [False, False, True]
    found = after(0.92, SPREAD[:3], rule)
    assert (found.verdict, found.stopped_by) == (Verdict.REPRODUCED, "decided")
    assert found.comparisons[0].interval.level == pytest.approx(98.27, abs=0.02)


def test_what_is_not_sure_goes_on_to_the_last_look(after, build_rule):
    rule = build_rule("m", margin=0.025)
    for k in range(1, 8):
        found = after(0.905, SPREAD[:k], rule)
        assert (found.decided, found.comparisons[0].reason) == (False, "unfinished"), k
    found = after(0.905, SPREAD, rule)
    assert (found.verdict, found.stopped_by) == (Verdict.INCONCLUSIVE, "planned")
    assert found.comparisons[0].reason == "noise"


def test_a_far_original_ends_it_before_the_last_look(after, build_rule):
    rule = build_rule("m", margin=0.02, direction=Direction.HIGHER)
    found = after(1.6, SPREAD[:3], rule)
    assert (found.verdict, found.stopped_by) == (Verdict.NOT_REPRODUCED, "decided")


def test_several_metrics_must_pass_at_the_same_look(after, build_rule):
    rules = [build_rule("a", margin=0.5), build_rule("b", margin=0.02)]
    logged = [{"a": value, "b": value} for value in SPREAD]
    found = after({"a": 0.92, "b": 0.92}, logged[:3], *rules)
    assert [each.verdict for each in found.comparisons] == ["REPRODUCED", "INCONCLUSIVE"]
    assert not found.decided


def test_hopeless_reruns_are_not_made(after, build_rule):
    """By the fifth rerun neither answer is within reach: the margin is half the noise."""
    rule = build_rule("m", margin=0.004)
    assert not after(0.92, SPREAD[:4], rule).decided
    found = after(0.92, SPREAD[:5], rule)
    assert (found.verdict, found.stopped_by) == (Verdict.INCONCLUSIVE, "futility")
    assert found.comparisons[0].reason == "noise"


def test_without_a_margin_there_is_one_look_at_the_fifth_rerun(after):
    assert not after(0.92, SPREAD[:4]).decided
    found = after(0.92, SPREAD[:5])
    assert (found.verdict, found.stopped_by) == (Verdict.CONSISTENT, "planned")
    assert found.comparisons[0].interval.level == 90


def test_a_look_without_a_margin_is_not_repeated(after, build_rule):
    """Of eight reruns the metric without a margin is judged by the five of its one look."""
    rules = [build_rule("a", margin=0.012)]
    logged = [{"a": value, "b": value if k < 5 else 9.0} for k, value in enumerate(SPREAD)]
    found = after({"a": 0.905, "b": 0.92}, logged, *rules)
    told = {each.metric: each for each in found.comparisons}
    assert told["b"].verdict is Verdict.CONSISTENT
    assert told["b"].mean == pytest.approx(sum(SPREAD[:5]) / 5)
    assert len(told["b"].reruns) == 8


def test_a_coarse_metric_that_agrees_is_looked_at_three_times(after):
    assert not after(0.9, [0.9, 0.9]).decided
    found = after(0.9, [0.9] * 3)
    assert (found.verdict, found.stopped_by) == (Verdict.IDENTICAL, "decided")


def test_a_spent_budget_leaves_what_a_look_decided(after, build_rule):
    rules = [build_rule("a", margin=0.5), build_rule("b", margin=0.02)]
    logged = [{"a": value, "b": value} for value in SPREAD[:3]]
    found = after({"a": 0.92, "b": 0.92}, logged, *rules, over_budget=True)
    assert [(each.verdict, each.reason) for each in found.comparisons] == [
        ("REPRODUCED", "equivalent"),
        ("INCONCLUSIVE", "budget"),
    ]


def test_a_later_first_look_is_kept(after, build_rule):
    rule = build_rule("m", margin=0.5)
    plan = RerunPlan(least=5, most=8)
    assert not after(0.92, SPREAD[:4], rule, plan=plan).decided
    assert after(0.92, SPREAD[:5], rule, plan=plan).verdict is Verdict.REPRODUCED


@pytest.mark.parametrize(
    ("plan", "look"),
    [
        (RerunPlan(), 5),
        (RerunPlan(least=3, most=4), 4),
        (RerunPlan(least=6, most=9), 6),
        (RerunPlan(least=8, most=8), 8),
        (RerunPlan(least=1, most=2), 2),
    ],
)
def test_the_single_look(plan, look):
    assert single_look(plan) == look
    assert judged_reruns(plan, look - 1, has_margin=False) == 0
    assert judged_reruns(plan, look, has_margin=False) == look


def test_a_single_look_has_the_whole_level():
    assert level_at(RerunPlan(least=5, most=5), 5, has_margin=True) == 0.05
    assert level_at(RerunPlan(), 5, has_margin=False) == 0.05
    assert level_at(RerunPlan(), 8, has_margin=True) == pytest.approx(0.0233, rel=0.02)


def test_only_a_margin_asks_for_the_later_reruns(build_question, build_rule):
    question = replace(build_question({"m": 0.9}), plan=RerunPlan())
    assert planned_reruns(question) == 5
    declared = replace(question, rules={"m": build_rule("m", margin=0.1)})
    assert planned_reruns(declared) == 8
