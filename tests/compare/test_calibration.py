"""Error rates of the whole stage, simulated through `judge`: 2000 runs a bar, fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest

from reprocheck.compare import judge
from reprocheck.model import Verdict

RUNS = 2000


def draws(seed, k, shift=0.0, luck=True):
    """Originals and k reruns of a normal process with sd 1, moved by `shift` for the reruns."""
    generator = np.random.default_rng([20261121, seed, k])
    originals = generator.standard_normal(RUNS) * luck
    reruns = generator.standard_normal((RUNS, k)) + shift
    return zip(originals.tolist(), reruns.tolist(), strict=True)


def percent(judge_one, drawn, **given):
    """The percentage of each verdict."""
    verdicts = [judge_one(y, x, **given).verdict for y, x in drawn]
    return {verdict: 100 * verdicts.count(verdict) / RUNS for verdict in Verdict}


@pytest.mark.parametrize("k", [3, 5, 8])
def test_prediction_test_rejects_honest_runs_at_its_level(judge_one, k):
    p = [judge_one(y, x).comparisons[0].p_difference for y, x in draws(1, k)]
    assert 3.4 <= 100 * np.mean(np.array(p) <= 0.05) <= 6.6


@pytest.mark.parametrize(("n", "k"), [(2, 3), (2, 10), (3, 5), (5, 5)])
def test_pooled_prediction_test_rejects_honest_runs_at_its_level(
    build_question, build_trials, build_metrics, n, k
):
    drawn = np.random.default_rng([20261121, 13, n, k]).standard_normal((RUNS, n + k))
    found = []
    for row in drawn.tolist():
        metrics = [{"accuracy": x} for x in row]
        baselines = tuple(map(build_metrics, metrics[1:n]))
        question = build_question(metrics[0], reruns=k, baselines=baselines)
        found.append(judge(question, build_trials(*metrics[n:])).comparisons[0].p_difference)
    assert 3.4 <= 100 * np.mean(np.array(found) <= 0.05) <= 6.6


@pytest.mark.parametrize("k", [3, 5, 10])
@pytest.mark.parametrize("side", [-1, 1])
def test_equivalence_has_its_size_at_the_margin(judge_one, k, side):
    drawn = draws(2 + side, k, shift=2.8 * side, luck=False)
    found = percent(judge_one, drawn, margin=2.8)
    assert 3.4 <= found[Verdict.REPRODUCED] <= 6.6


def test_honest_runs_are_reproduced_at_a_margin_of_2_8_sd(judge_one):
    found = percent(judge_one, draws(4, 5), margin=2.8)
    assert 88 <= found[Verdict.REPRODUCED] <= 92.5
    assert found[Verdict.NOT_REPRODUCED] <= 0.5


def test_honest_runs_at_a_margin_of_2_sd(judge_one):
    found = percent(judge_one, draws(5, 5), margin=2.0)
    assert 63 <= found[Verdict.REPRODUCED] <= 70
    assert 0.3 <= found[Verdict.NOT_REPRODUCED] <= 1.9


def test_a_shift_of_6_sd_is_found(judge_one):
    found = percent(judge_one, draws(6, 5, shift=6.0), margin=2.8)
    assert found[Verdict.NOT_REPRODUCED] >= 95
    assert found[Verdict.REPRODUCED] <= 0.3


def test_a_process_shifted_by_the_margin_is_called_either_way_alike(judge_one):
    found = percent(judge_one, draws(7, 5, shift=2.8), margin=2.8)
    assert 18.5 <= found[Verdict.REPRODUCED] <= 24.5
    assert 18.5 <= found[Verdict.NOT_REPRODUCED] <= 24.5


def test_no_evidence_of_a_difference_is_not_taken_for_equivalence(judge_one):
    found = percent(judge_one, draws(8, 3, shift=5.0), margin=2.8)
    assert found[Verdict.REPRODUCED] <= 2


def test_without_a_margin_honest_runs_are_rarely_rejected(judge_one):
    found = percent(judge_one, draws(9, 5), same_machine=True)
    assert 0.3 <= found[Verdict.NOT_REPRODUCED] <= 1.8
    assert 77 <= found[Verdict.CONSISTENT] <= 83
    assert found[Verdict.REPRODUCED] == 0


def test_without_a_margin_another_machine_is_never_a_rejection(judge_one):
    found = percent(judge_one, draws(10, 5, shift=4.0), same_machine=False)
    assert found[Verdict.NOT_REPRODUCED] == 0


def test_five_metrics_raise_no_more_alarms_than_one(build_question, build_trials):
    runs = 500  # 20 % without Holm's correction; the bar of 2000 runs is beside the others of paths
    generator = np.random.default_rng([20261121, 11])
    common = generator.standard_normal((runs, 6, 1))
    drawn = np.sqrt(0.5) * (common + generator.standard_normal((runs, 6, 5)))
    alarms = sum(alarmed(run.tolist(), build_question, build_trials) for run in drawn)
    assert 100 * alarms / runs <= 7.8


def alarmed(run, build_question, build_trials):
    original, *reruns = ({f"m{i}": value for i, value in enumerate(row)} for row in run)
    judgement = judge(build_question(original), build_trials(*reruns))
    return any(comparison.p_difference <= 0.05 for comparison in judgement.comparisons)


@pytest.mark.parametrize("examples", [100, 360])
def test_a_coarse_metric_never_ends_the_job_at_the_first_rerun(
    build_question, build_trials, examples
):
    generator = np.random.default_rng([20261121, 12, examples])
    drawn = generator.binomial(examples, 0.96, (RUNS, 2)) / examples
    judgements = [
        judge(build_question({"accuracy": y}), build_trials({"accuracy": x}))
        for y, x in drawn.tolist()
    ]
    assert np.mean(drawn[:, 0] == drawn[:, 1]) > 0.07  # by chance alone
    assert not any(judgement.decided for judgement in judgements)


@pytest.mark.parametrize("sd", [0.002, 0.005, 0.01])
def test_rounding_lets_no_shift_pass(build_question, build_rule, build_trials, sd):
    """Two decimals, a true shift as large as the margin: taking equal reruns for proof of
    determinism would call 97, 33 and 10 % of them reproduced."""
    question = build_question({"accuracy": 0.9}, build_rule("accuracy", margin=0.02), reruns=3)
    drawn = np.random.default_rng([20261121, 14]).standard_normal((500, 3))
    rounded = np.round(0.92 + sd * drawn, 2).tolist()
    found = [
        judge(question, build_trials(*({"accuracy": x} for x in row))).verdict for row in rounded
    ]
    assert 100 * found.count(Verdict.REPRODUCED) / 500 <= 7.5
