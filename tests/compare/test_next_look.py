"""What is said between two reruns of the next moment of judging."""

from __future__ import annotations

import dataclasses
import math

import pytest

from reprocheck.compare import judge, next_look, preview
from reprocheck.model import RerunPlan, Scale, Verdict
from tests.reporters.builders import make_comparison

PLAN = RerunPlan(least=3, most=8)
OPEN = make_comparison(verdict=Verdict.INCONCLUSIVE, reruns_needed=6)
WITHOUT = make_comparison(metric="f1", verdict=Verdict.INCONCLUSIVE, margin=None)
INSIDE = "accuracy: reproduced once -0.00121…+0.00057 is inside ±0.005"


@pytest.mark.parametrize(
    ("comparisons", "reruns", "told"),
    [
        ((OPEN,), 0, ("first look after trial 3, or after trial 1 if it gives exactly the same",)),
        ((OPEN,), 2, ("first look after trial 3",)),
        ((OPEN,), 3, ("next look after trial 4", f"{INSIDE}; 3 more may do")),
        ((OPEN,), 8, ()),
        ((WITHOUT,), 3, ("first look after trial 5",)),
        ((WITHOUT,), 5, ()),
        (
            (WITHOUT, OPEN),
            4,
            (
                "next look after trial 5",
                f"{INSIDE}; 2 more may do",
                "f1: judged once, after trial 5",
            ),
        ),
        ((dataclasses.replace(OPEN, reruns_needed=30),), 3, (f"{INSIDE}; 30 reruns may do",)),
        ((dataclasses.replace(OPEN, reruns_needed=None),), 3, (INSIDE,)),
        ((make_comparison(),), 3, ("next look after trial 4",)),
        ((make_comparison(gated=False),), 3, ()),
        ((), 0, ()),
    ],
)
def test_what_is_waited_for(comparisons, reruns, told):
    found = next_look(PLAN, comparisons, reruns)
    assert found[-len(told) :] == told if told else found == ()


def test_one_look_is_the_first_and_the_last():
    plan = RerunPlan(least=5, most=5)
    assert next_look(plan, (OPEN,), 4) == ("first look after trial 5",)
    assert next_look(plan, (OPEN,), 5) == ()


def test_logarithms_are_told_as_factors():
    log = dataclasses.replace(
        OPEN,
        scale=Scale.LOG,
        margin=dataclasses.replace(OPEN.margin, low=math.log(1.1), high=math.log(1.1)),
    )
    assert "is inside -9.09 %…+10 %; 3 more" in next_look(PLAN, (log,), 3)[1]


def test_a_judgement_and_the_plan_of_a_question_are_understood(
    build_question, build_rule, build_trials
):
    asked = build_question({"a": 1.0}, build_rule("a", margin=0.2))
    asked = dataclasses.replace(asked, plan=PLAN)
    assert next_look(asked.plan, preview(asked), 0)[0].startswith("first look after trial 3")
    found = judge(asked, build_trials(*({"a": x} for x in (1.05, 1.1, 1.15))))
    assert not found.decided
    look, waiting = next_look(asked.plan, found.comparisons, 3)
    assert look == "next look after trial 4"
    assert waiting.startswith("a: reproduced once ")
