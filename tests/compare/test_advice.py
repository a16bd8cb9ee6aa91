from __future__ import annotations

from dataclasses import replace

import pytest

from reprocheck.compare import judge
from reprocheck.model import DeclaredMargin, MetricRule, Sigma, Verdict, Width

RULE = MetricRule(
    metric="accuracy", margin=DeclaredMargin(absolute=Width.both(0.05), source="--margin")
)

NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]


@pytest.mark.parametrize(
    ("original", "reruns", "given", "needed"),
    [
        (0.915, NOISY, {"margin": 0.01}, "about 62 reruns: --reruns 62"),
        (0.915, NOISY, {"margin": 0.05}, ""),
        (0.99, NOISY, {"margin": 0.01}, ""),
        (0.9, [0.91], {}, "more reruns: --reruns 5"),
        (0.9, [0.9], {}, "more reruns: --reruns 3"),
        (0.9, [0.91], {"planned": 5}, "the remaining reruns, at most 5 in all"),
    ],
)
def test_the_next_step_is_told_exactly(judge_one, original, reruns, given, needed):
    assert judge_one(original, reruns, **given).needed == needed


@pytest.mark.parametrize(
    ("original", "reruns", "given", "words"),
    [
        (0.915, NOISY, {}, "--margin accuracy="),  # consistent
        (0.955, NOISY, {}, "--margin accuracy="),  # noise
        (0.947, NOISY, {}, "; or about 7 reruns: --reruns 7"),
        (1.2, NOISY, {}, "--margin accuracy="),  # shift detected
        (0.97, NOISY, {"margin": 0.04}, "more reruns alone will not"),
        (0.9, [0.9, float("nan"), 0.9], {}, "see the logs"),
        (float("nan"), NOISY, {}, "--gate"),
    ],
)
def test_the_next_step_names_its_option(judge_one, original, reruns, given, words):
    assert words in judge_one(original, reruns, **given).needed


def test_a_margin_that_is_declared_is_not_asked_for(ask_one):
    known = replace(RULE, sigma=Sigma(value=0.01, freedom=9))
    (comparison,) = (found := ask_one(known, 0.9, [0.901])).comparisons
    assert comparison.verdict is Verdict.CONSISTENT
    assert comparison.sentence.startswith("The mean of 1 rerun differs from the reported 0.9 by ")
    assert found.needed == "to test equivalence, more reruns: --reruns 5"


@pytest.fixture
def ask_one(build_question, build_trials):
    def ask(rule, original, reruns):
        question = build_question({rule.metric: original}, rule, reruns=len(reruns))
        return judge(question, build_trials(*({rule.metric: value} for value in reruns)))

    return ask


def test_what_depends_on_the_hardware_cannot_be_mended_by_logging(ask_one):
    assert "hardware: --gate" in ask_one(MetricRule(metric="latency_ms"), 5.0, [5.0, 6.0]).needed
