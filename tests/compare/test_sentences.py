"""What each verdict says, word by word."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from reprocheck.compare import judge
from reprocheck.compare.sentences import informational, not_comparable
from reprocheck.model import Direction, Metric, Point

NOISY = [0.912, 0.931, 0.905, 0.94, 0.922]
CASES = [
    (0.975, [0.975] * 5, {}, "All 5 reruns gave exactly the original value, bit for bit."),
    (
        *(0.7, [0.7 + 1e-13] * 3, {}),
        "All 3 reruns match the original to 1e-9; the differences are floating-point noise.",
    ),
    (
        *(0.915, NOISY, {"margin": 0.05}),
        "Across 5 reruns the mean differs from the reported 0.915 by +0.007 (90 % CI "
        "-0.006432…+0.02043), inside the margin ±0.05 (declared).",
    ),
    (
        *(0.95, [0.9101, 0.9102, 0.91], {"margin": 0.05}),
        "Across 3 reruns the mean differs from the reported 0.95 by -0.0399 (90 % CI "
        "-0.04007…-0.03973), inside the margin ±0.05 (declared). A small systematic difference "
        "is visible but below the margin.",
    ),
    (
        *(0.9, [0.9212345678] * 5, {"margin": 0.03}),
        "Deterministic offset: all 5 reruns gave 0.921235, which differs from the reported 0.9 by "
        "+0.02123, inside the margin ±0.03 (declared).",
    ),
    (
        *(0.915, NOISY, {}),
        "The reported 0.915 lies within the run-to-run noise of 5 reruns (SD 0.01409); no margin "
        "was declared, so equivalence was not tested. The data would support any margin ≥ "
        "0.02043.",
    ),
    (
        *(0.99, NOISY, {"margin": 0.02, "direction": Direction.HIGHER}),
        "The original 0.99 lies outside what rerunning gives (0.922 ± 0.04285, 95 % prediction "
        "interval) and differs by more than ±0.02: worse.",
    ),
    (
        *(1.2, NOISY, {"same_machine": True}),
        "The original 1.2 lies outside what rerunning gives (0.922 ± 0.04285, 95 % prediction "
        "interval); no margin was declared: changed.",
    ),
    (
        *(0.9, [0.9212345678] * 5, {"margin": 0.01, "direction": Direction.HIGHER}),
        "All 5 reruns gave 0.921235, not the original 0.9: a difference of +0.02123 without any "
        "noise, and more than ±0.01: better.",
    ),
    (
        *(0.915, NOISY, {"margin": 0.01}),
        "5 reruns cannot settle it: the mean difference is +0.007 (90 % CI -0.006432…+0.02043), "
        "margin ±0.01; about 62 reruns would.",
    ),
    (
        *(0.947, NOISY, {}),
        "5 reruns cannot settle it: the mean difference is -0.025 (90 % CI -0.03843…-0.01157), no "
        "margin was declared; about 7 reruns would.",
    ),
    (
        *(0.955, NOISY, {}),
        "5 reruns cannot settle it: the mean difference is -0.033 (90 % CI -0.04643…-0.01957), no "
        "margin was declared; more reruns are not expected to settle it, a margin would.",
    ),
    (
        *(0.975, [0.975], {}),
        "The rerun agrees with the original 0.975, but so coarse a value can agree by chance, and "
        "one rerun cannot tell; 3 reruns would.",
    ),
    (
        *(0.9, [math.nan], {}),
        "1 rerun with a non-finite value cannot settle it; 3 reruns would.",
    ),
    (
        *(0.92, [0.9, 0.94, 0.93], {"margin": 0.004}),
        "3 reruns cannot settle it: the mean difference is +0.003333 (90 % CI "
        "-0.03176…+0.03843), margin ±0.004; more than 100 reruns would.",
    ),
    (
        *(0.97, NOISY, {"margin": 0.04}),
        "5 reruns cannot settle it: the mean difference is -0.048 (90 % CI -0.06143…-0.03457), "
        "margin ±0.04; more reruns are not expected to reproduce it. The difference is more than "
        "the reruns' own noise.",
    ),
    (
        *(0.9, [0.92] * 5, {}),
        "All 5 reruns gave 0.92, not the original 0.9: a difference of +0.02, which another "
        "machine may cause; no margin was declared to judge it by; more reruns are not expected to "
        "settle it, a margin would.",
    ),
    (
        *(0.9, [0.95], {"planned": 5}),
        "After 1 of at most 5 reruns nothing is decided.",
    ),
    (
        *(0.9, [math.nan] * 3, {}),
        "All 3 reruns ended in a non-finite value (NaN, NaN, NaN); the original is 0.9: changed.",
    ),
    (
        *(0.9, [0.9, math.nan, 0.91], {}),
        "The training is unstable; no number of reruns settles that. 1 of 3 reruns ended in a "
        "non-finite value (95 % interval of that share: 0.84 % to 90.6 %).",
    ),
]


@pytest.mark.parametrize(("original", "reruns", "given", "sentence"), CASES)
def test_each_verdict_says_exactly_what_was_found(judge_one, original, reruns, given, sentence):
    assert judge_one(original, reruns, **given).comparisons[0].sentence == sentence


def test_close_values_are_told_apart(judge_one):
    reruns = [0.91234567, 0.91234568, 0.91234566]
    sentence = judge_one(0.91234599, reruns, margin=1e-7).sentence
    assert "0.91234599" in sentence
    assert "0.91234567" in sentence


def test_another_last_step_is_told(build_question, build_metric, build_trials):
    later = Metric(name="a", history=(Point(step=41, timestamp_ms=0, value=0.9),))
    question = build_question({"a": [0.8, 0.9]})
    trials = build_trials(*[{"a": 0.9}] * 2)
    moved = tuple(replace_metric(trial, later) for trial in trials)
    found = judge(question, moved).comparisons[0].sentence
    assert found.endswith(" The original's last step is 1, the reruns' 41.")


def replace_metric(trial, metric):
    return replace(trial, metrics={metric.name: metric})


def test_what_is_not_judged_says_why():
    assert informational("latency", 10.0, 12.5, "hardware-bound") == (
        "latency: 10 → 12.5 (not judged: hardware-bound)."
    )
    assert informational("new", None, 1.0, "new in the reruns") == (
        "new: not logged → 1 (not judged: new in the reruns)."
    )
    assert not_comparable("f1", "it is gone") == "f1 could not be compared: it is gone."


def test_an_original_without_a_value_is_left_out_and_told(build_question, build_rule, build_trials):
    question = build_question(
        {"m": 0.91},
        build_rule("m", margin=0.1),
        reruns=3,
        baselines=(build_question({"m": math.nan}).metrics,),
    )
    found = judge(question, build_trials({"m": 0.9}, {"m": 0.91}, {"m": 0.92}))
    assert "1 of 2 originals has no value here and is left out." in found.comparisons[0].notes


def test_no_share_is_said_to_differ_by_more_than_one(judge_one):
    wild = [0.1, 0.9, 0.4]
    assert judge_one(0.5, wild, margin=0.5).comparisons[0].detectable is None
    assert judge_one(5.0, [1.0, 9.0, 4.0], margin=5.0).comparisons[0].detectable > 1
