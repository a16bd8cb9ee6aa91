from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reprocheck.compare import judge
from reprocheck.compare.paths import VERDICTS, decide_paths, errors_of
from reprocheck.model import RerunPlan, Verdict

PATHS = 20_000
# STATISTICS section 3: REPRODUCED % / NOT_REPRODUCED % at a margin of 2.8 sd, by (least, most)
# and the shift in sd; sequential plans besides with their mean number of reruns without futility.
SPECIFIED = {
    (3, 3): {0: (67.0, 0.2), 1: (55, 0.7), 2: (31, 4), 2.8: (14, 13), 4: (2, 36), 8: (0, 91)},
    (5, 5): {0: (90.3, 0.1), 1: (78, 0.9), 2: (47, 7), 2.8: (21.5, 21.3), 4: (3, 59), 8: (0, 100)},
    (8, 8): {0: (95.6, 0.1), 1: (86, 1.2), 2: (56, 9), 2.8: (27, 27), 4: (4, 69), 8: (0, 100)},
    (3, 8): {0: (94.1, 0.1), 1: (83, 1.0), 2: (52, 8), 2.8: (25, 25), 4: (4, 65), 8: (0, 100)},
    (3, 10): {0: (95.6, 0.2), 1: (85, 1.1), 2: (55, 9), 2.8: (27, 27), 4: (4, 69), 8: (0, 100)},
}
POOLED = {2: (56, 78, 89, 91), 3: (76, 91, 97, 98), 4: (86, 96, 99, 99.5)}  # at k = 3, 5, 8, 10


def draw(seed, *shape):
    return np.random.default_rng([20261121, seed]).standard_normal(shape)


def fixed(reruns):
    return RerunPlan(least=reruns, most=reruns)


def percent(outcomes, verdict):
    return 100 * outcomes.share(verdict)


@pytest.mark.parametrize(("least", "most"), SPECIFIED)
def test_the_specifications_operating_characteristics(least, most):
    originals, reruns = draw(1, PATHS), draw(2, PATHS, most)
    plan = RerunPlan(least=least, most=most)
    for shift, (reproduced, not_reproduced) in SPECIFIED[least, most].items():
        outcomes = decide_paths(originals, reruns + shift, plan, 2.8)
        assert percent(outcomes, Verdict.REPRODUCED) == pytest.approx(reproduced, abs=1.6)
        assert percent(outcomes, Verdict.NOT_REPRODUCED) == pytest.approx(not_reproduced, abs=1.6)


@pytest.mark.parametrize("n", POOLED)
def test_several_originals_are_pooled(n):
    originals, reruns = draw(3, PATHS, n), draw(4, PATHS, 10)
    for k, reproduced in zip((3, 5, 8, 10), POOLED[n], strict=True):
        outcomes = decide_paths(originals, reruns, fixed(k), 2.8)
        # Up to 2.2 points less than the specification's: where the originals happen to vary much
        # more than the reruns, Welch's interval is asked too.
        assert reproduced - 3.4 <= percent(outcomes, Verdict.REPRODUCED) <= reproduced + 1.2


def test_originals_that_vary_more_than_the_reruns_are_not_hidden_by_pooling():
    originals, reruns = draw(11, PATHS, 2), 0.01 * draw(12, PATHS, 8) + 4.0
    outcomes = decide_paths(originals, reruns, fixed(8), 4.0)
    pooled = np.sqrt((originals.var(axis=1, ddof=1) + 7 * reruns.var(axis=1, ddof=1)) / 8)
    half = 1.8595 * pooled * errors_of(2, 8).of_mean
    difference = reruns.mean(axis=1) - originals.mean(axis=1)
    assert 100 * np.mean(abs(difference) + half < 4.0) > 25  # the pooled test alone is liberal
    assert percent(outcomes, Verdict.REPRODUCED) <= 6.6


def test_five_originals_must_pass_welchs_interval_too():
    originals, reruns = 8 * draw(5, PATHS, 5), draw(6, PATHS, 20)
    outcomes = decide_paths(originals, reruns + 8.0, fixed(20), 8.0)
    pooled = np.sqrt((4 * originals.var(axis=1, ddof=1) + 19 * reruns.var(axis=1, ddof=1)) / 23)
    half = 1.714 * pooled * errors_of(5, 20).of_mean
    difference = reruns.mean(axis=1) + 8.0 - originals.mean(axis=1)
    assert 100 * np.mean(abs(difference) + half < 8.0) > 12  # the pooled test alone is liberal
    assert percent(outcomes, Verdict.REPRODUCED) <= 6.6


def test_futility_saves_reruns_where_no_answer_is_in_reach():
    reruns = draw(8, PATHS, 10) + 2.0
    outcomes = decide_paths(draw(7, PATHS), reruns, RerunPlan(most=10), 2.0)
    assert 6.1 <= outcomes.reruns.mean() <= 6.7
    stopped = outcomes.reruns[outcomes.verdicts == VERDICTS.index(Verdict.INCONCLUSIVE)]
    assert stopped.min() == 5


def test_a_plan_that_looks_later_ends_no_earlier():
    outcomes = decide_paths(draw(9, 500), draw(10, 500, 8), RerunPlan(least=6, most=8), 2.8)
    assert set(outcomes.reruns) == {6, 7, 8}


def test_one_metric_is_decided_alike_in_either_shape():
    originals, reruns = draw(11, 500), draw(12, 500, 8)
    flat = decide_paths(originals, reruns, RerunPlan(), 2.0)
    stacked = decide_paths(originals[:, None], reruns[:, :, None], RerunPlan(), 2.0)
    assert np.array_equal(flat.verdicts, stacked.verdicts)
    assert np.array_equal(flat.reruns, stacked.reruns)


@pytest.mark.parametrize("margin", [None, 1.5])
def test_two_reruns_decide_nothing(margin):
    outcomes = decide_paths(draw(13, 50), draw(14, 50, 2) + 9.0, fixed(2), margin)
    assert outcomes.share(Verdict.INCONCLUSIVE) == 1.0
    assert set(outcomes.reruns) == {2}


@pytest.mark.parametrize(
    ("plan", "look"), [(RerunPlan(), 5), (RerunPlan(least=6), 6), (fixed(3), 3), (fixed(10), 10)]
)
def test_without_a_margin_there_is_one_look(plan, look):
    outcomes = decide_paths(draw(15, 50), draw(16, 50, 10), plan, None)
    assert set(outcomes.reruns) == {look}


def test_without_a_margin_few_reruns_never_reject():
    outcomes = decide_paths(draw(15, 50), draw(16, 50, 4) + 90.0, fixed(4), None)
    assert outcomes.share(Verdict.INCONCLUSIVE) == 1.0


@pytest.fixture
def judge_paths(build_metrics, build_question, build_rule, build_trials):
    """The verdicts of `judge` and the reruns it asked for, path by path."""

    def judge_path(original, path, plan, margin):
        names = [f"m{i}" for i in range(len(original[0]))]
        logged = [dict(zip(names, values, strict=True)) for values in original]
        rules = [build_rule(name, margin) for name in names]
        question = build_question(logged[0], *rules, same_machine=True)
        baselines = tuple(build_metrics(values) for values in logged[1:])
        question = replace(question, plan=plan, baselines=baselines)
        trials = build_trials(*(dict(zip(names, values, strict=True)) for values in path))
        looks = ((judge(question, trials[:k]), k) for k in range(1, len(trials) + 1))
        return next((found.verdict, k) for found, k in looks if found.decided)

    def judge_all(originals, reruns, plan, margin):
        paths = zip(originals.tolist(), reruns.tolist(), strict=True)
        return [judge_path(original, path, plan, margin) for original, path in paths]

    return judge_all


def pairs(outcomes):
    verdicts = [VERDICTS[code] for code in outcomes.verdicts]
    return list(zip(verdicts, outcomes.reruns.tolist(), strict=True))


@pytest.mark.parametrize("shift", [0.0, 2.0, 6.0])
@pytest.mark.parametrize(
    ("paths", "metrics", "margin"), [(200, 1, 2.8), (60, 3, 2.0), (60, 1, None)]
)
def test_paths_are_decided_as_judge_does(judge_paths, shift, paths, metrics, margin):
    originals = draw(17, paths, 1, metrics)
    reruns = draw(18, paths, 8, metrics) + shift * np.eye(metrics)[0]  # in one of the metrics
    found = decide_paths(originals, reruns, RerunPlan(), margin)
    assert pairs(found) == judge_paths(originals, reruns, RerunPlan(), margin)


@pytest.mark.parametrize("margin", [None, 1.5])
@pytest.mark.parametrize(("n", "spread"), [(3, 1.0), (6, 1.0), (2, 0.02)])
def test_pooled_paths_are_decided_as_judge_does(judge_paths, n, spread, margin):
    originals, reruns = draw(19, 40, n, 2), spread * draw(20, 40, 8, 2) + 1.0
    found = decide_paths(originals, reruns, RerunPlan(least=5), margin)
    assert pairs(found) == judge_paths(originals, reruns, RerunPlan(least=5), margin)


@pytest.mark.parametrize("margin", [None, 1.5])
@pytest.mark.parametrize(("k", "metrics"), [(2, 1), (3, 1), (5, 3), (40, 1)])
def test_fixed_plans_are_decided_as_judge_does(judge_paths, k, metrics, margin):
    originals, reruns = draw(21, 30, 1, metrics), draw(22, 30, k, metrics) + 2.0
    found = decide_paths(originals, reruns, fixed(k), margin)
    assert pairs(found) == judge_paths(originals, reruns, fixed(k), margin)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        decide_paths(np.zeros(4), np.zeros((5, 8)), RerunPlan(), 1.0)
    with pytest.raises(ValueError, match="wants 8 reruns, not 5"):
        decide_paths(np.zeros(5), np.zeros((5, 5)), RerunPlan(), 1.0)
    with pytest.raises(ValueError, match="20"):
        decide_paths(np.zeros(5), np.zeros((5, 21)), RerunPlan(most=21), 1.0)
