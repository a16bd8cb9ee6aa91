"""How many reruns would settle it: rerunning so often with the same mean and spread does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from reprocheck.compare import judge
from reprocheck.compare.verdicts import GOOD
from reprocheck.model import Condition, Verdict

NAN = math.nan
NEVER = "no number of reruns settles that"


def of_moments(mean, sd, reruns):
    values = np.linspace(-1, 1, reruns)
    return [float(x) for x in mean + values * sd / values.std(ddof=1)]


@pytest.mark.parametrize(
    ("original", "given", "expected"),
    [
        (1.0171, {}, (Verdict.CONSISTENT,)),
        (1.0210, {}, (Verdict.CONSISTENT,)),
        (1.0280, {"same_machine": True}, (Verdict.NOT_REPRODUCED,)),
        (1.0070, {"margin": 0.013}, (Verdict.REPRODUCED,)),
        (1.0070, {"margin": 0.0075}, (Verdict.INCONCLUSIVE,)),  # more than 100
    ],
)
def test_so_many_reruns_of_the_same_mean_and_spread_settle_it(judge_one, original, given, expected):
    (now,) = judge_one(original, of_moments(1.0, 0.01, 5), **given).comparisons
    assert now.verdict is Verdict.INCONCLUSIVE
    needed = now.reruns_needed or 100
    assert needed > 5
    then = judge_one(original, of_moments(1.0, 0.01, needed), **given)
    before = judge_one(original, of_moments(1.0, 0.01, needed - 1), **given)
    assert (then.verdict in expected, before.verdict) == (True, Verdict.INCONCLUSIVE)
    many = f"about {needed}" if now.reruns_needed else "more than 100"
    assert f"; {many} reruns would" in now.sentence


def test_without_a_margin_a_shift_that_another_machine_explains_needs_one(judge_one):
    (found,) = judge_one(1.028, of_moments(1.0, 0.01, 5)).comparisons
    assert found.reruns_needed is None
    assert found.sentence.endswith("more reruns are not expected to settle it, a margin would.")


@pytest.mark.parametrize(
    ("reruns", "given", "needed", "text"),
    [
        ([0.5], {"margin": 0.01}, None, "margin ±0.01; at least 3 reruns would"),
        ([0.5], {}, None, "no margin was declared; at least 3 reruns would"),
        ([0.52828182845904] * 2, {"margin": 0.01}, 3, "; 3 reruns would"),
        ([0.5] * 4, {"margin": 0.01}, 5, "; 5 reruns would"),  # on an unknown grid
        ([NAN, NAN], {"margin": 0.01}, 3, "; 3 reruns would"),
        ([0.9, NAN, 0.9], {"margin": 0.01}, None, NEVER),
    ],
)
def test_too_few_reruns_say_how_many_are_enough(judge_one, reruns, given, needed, text):
    (found,) = judge_one(0.9, reruns, **given).comparisons
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reruns_needed == needed
    assert text in found.sentence


def test_failures_of_a_kind_that_is_known_may_still_become_too_many(judge_described):
    found = judge_described([0.1, 0.1, 0.1])
    assert (found.reason, found.reruns_needed) == ("unstable", 5)
    assert judge_described([0.1] * 4).verdict is Verdict.INCONCLUSIVE
    assert judge_described([0.1] * 5).verdict is Verdict.NOT_REPRODUCED
    assert NEVER in judge_described([0.9, 0.1, 0.9]).sentence


@pytest.mark.parametrize(
    ("reruns", "given", "text"),
    [
        ([0.52], {"margin": 0.2}, "after 1 of at most 8 reruns, too early to settle it; at least"),
        ([0.512, 0.523], {"margin": 0.03}, "too early to settle it; about 4 reruns would."),
        ([0.502, 0.513, 0.491], {}, "too early to settle it; about 4 reruns would."),
        ([0.5], {"margin": 0.2}, "too early to settle it; 3 reruns would."),
    ],
)
def test_a_budget_that_ended_says_how_many_reruns_would_do(judge_cut, reruns, given, text):
    (found,) = judge_cut(0.5, reruns, over_budget=True, **given).comparisons
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "budget")
    assert text in found.sentence


def test_a_crash_is_settled_by_no_number_of_reruns(judge_cut):
    found = judge_cut(0.5, [0.51, 0.52], unstable=True, margin=0.2)
    assert found.sentence.endswith(f"the training is unstable here; {NEVER}.")
    assert found.comparisons[0].reruns_needed is None


def test_what_another_metric_ended_too_early_says_when_it_is_judged(
    build_question, build_rule, build_trials
):
    question = build_question({"a": 2.0, "b": 0.5}, build_rule("a", margin=0.1), reruns=8)
    question = replace(question, plan=replace(question.plan, least=3))
    logged = [{"a": 1 + x, "b": 0.5 + x} for x in (0.011, 0.012, 0.013)]
    found = judge(question, build_trials(*logged))
    assert found.stopped_by == "decided"
    (b,) = (each for each in found.comparisons if each.metric == "b")
    assert b.sentence == "After 3 of at most 8 reruns nothing is decided; 5 reruns would."


def test_every_inconclusive_answer_says_what_would_settle_it(judge_one):
    draws = np.random.default_rng(5).normal(size=(60, 7))
    seen = 0
    for margin in (None, 0.5, 2.0):
        for row in draws:
            reruns = [float(x) for x in row[1 : 2 + int(abs(10 * row[0])) % 6]]
            found = judge_one(float(3 * row[0]), reruns, margin=margin)
            if found.verdict not in (*GOOD, Verdict.NOT_REPRODUCED):
                seen += 1
                assert "would" in found.sentence or "not expected" in found.sentence
    assert seen > 50


@pytest.fixture
def judge_cut(build_question, build_rule, build_trials):
    def ask(original, reruns, margin=None, **given):
        question = build_question(
            {"m": original}, build_rule("m", margin=margin), reruns=8, **given
        )
        question = replace(question, plan=replace(question.plan, least=3))
        return judge(question, build_trials(*({"m": value} for value in reruns)))

    return ask


@pytest.fixture
def judge_described(build_question, build_rule, build_trials):
    def ask(reruns):
        rule = replace(build_rule("m", margin=0.05), failure_if=Condition(operator="<", value=0.5))
        question = build_question({"m": 0.9}, rule, reruns=len(reruns))
        return judge(question, build_trials(*({"m": value} for value in reruns))).comparisons[0]

    return ask
