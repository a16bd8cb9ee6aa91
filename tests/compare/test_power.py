from __future__ import annotations

import numpy as np
import pytest

from reprocheck.compare.paths import decide_paths
from reprocheck.compare.power import (
    chance_of_answer,
    chance_of_reproduced,
    detectable_difference,
    reruns_for,
)
from reprocheck.compare.sequential import nominal_level
from reprocheck.model import RerunPlan, Verdict


def draw(seed, *shape):
    return np.random.default_rng([20261121, 100, seed]).standard_normal(shape)


def fixed(reruns):
    return RerunPlan(least=reruns, most=reruns)


@pytest.mark.parametrize("margin", [0.5, 2.8, 6.0])
@pytest.mark.parametrize("k", range(3, 21))
def test_a_detectable_difference_is_found_in_80_percent(k, margin):
    originals, reruns = 0.1 * draw(1, 4000), 0.1 * draw(2, 4000, k)
    difference = detectable_difference(0.1, k, 0.1 * margin, 0.05)
    outcomes = decide_paths(originals, reruns + difference, fixed(k), 0.1 * margin)
    assert 77.5 <= 100 * outcomes.share(Verdict.NOT_REPRODUCED) <= 82.5


@pytest.mark.parametrize("k", [5, 8])
def test_without_a_margin_the_prediction_test_alone_counts(k):
    difference = detectable_difference(1.0, k, None, 0.01)
    outcomes = decide_paths(draw(3, 4000), draw(4, 4000, k) + difference, fixed(k), None)
    assert 77.5 <= 100 * outcomes.share(Verdict.NOT_REPRODUCED) <= 82.5


def test_several_originals_see_smaller_differences():
    difference = detectable_difference(1.0, 8, 1.0, 0.05, originals=3)
    assert difference < detectable_difference(1.0, 8, 1.0, 0.05)
    outcomes = decide_paths(draw(5, 4000, 3), draw(6, 4000, 8) + difference, fixed(8), 1.0)
    assert 77.5 <= 100 * outcomes.share(Verdict.NOT_REPRODUCED) <= 82.5


@pytest.mark.parametrize("margin", [1.0, 2.8])
def test_several_looks_find_at_least_what_their_last_one_does(margin):
    difference = detectable_difference(1.0, 8, margin, nominal_level(0.05, 8, 8))
    outcomes = decide_paths(draw(7, 4000), draw(8, 4000, 8) + difference, RerunPlan(), margin)
    assert 79 <= 100 * outcomes.share(Verdict.NOT_REPRODUCED) <= 87


def test_detectable_differences_scale_with_the_unit():
    assert detectable_difference(2e-9, 5, 4e-9, 0.05) == pytest.approx(
        2e-9 * detectable_difference(1.0, 5, 2.0, 0.05), rel=1e-5
    )
    assert detectable_difference(0.0, 5, 0.25, 0.05) == 0.25
    assert detectable_difference(0.0, 5, None, 0.05) == 0.0


# STATISTICS section 4, with the original's luck; where its tables are coarser than one rerun,
# the exact probability decides: 64 instead of 75 at 1.5 sd, 28 instead of 29 at 2 sd.
@pytest.mark.parametrize(
    ("margin", "for_80", "for_90"),
    [(1.0, None, None), (1.28, None, None), (1.5, 64, None), (2.0, 9, 28), (2.5, 5, 7), (3, 4, 5)],
)
def test_reruns_for_an_answer(margin, for_80, for_90):
    assert reruns_for(0.8, 0.02, 0.02 * margin) == for_80
    assert reruns_for(0.9, 0.02, 0.02 * margin) == for_90


@pytest.mark.parametrize(("margin", "ceiling"), [(1.0, 0.6827), (1.5, 0.8664), (2.0, 0.9545)])
def test_the_originals_luck_sets_a_ceiling(margin, ceiling):
    assert chance_of_reproduced(10**6, 1.0, margin) == pytest.approx(ceiling, abs=2e-3)


@pytest.mark.parametrize("k", [3, 5, 20])
@pytest.mark.parametrize("margin", [1.0, 2.0, 2.8])
def test_the_chance_by_formula_is_the_simulated_one(k, margin):
    chance = chance_of_answer(fixed(k), 1.0, margin, (draw(9, 20_000), draw(10, 20_000, k)))
    assert chance_of_reproduced(k, 1.0, margin) == pytest.approx(chance.reproduced, abs=0.012)


def test_the_chances_of_a_sequential_plan():
    draws = draw(11, 10_000), draw(12, 10_000, 8)
    chance = chance_of_answer(RerunPlan(), 0.003, 2.8 * 0.003, draws)
    assert chance.reproduced == pytest.approx(0.941, abs=0.01)
    assert chance.not_reproduced <= 0.005
    assert chance.consistent == 0.0
    assert chance.reproduced + chance.inconclusive + chance.not_reproduced == pytest.approx(1.0)
    assert 4.55 <= chance.mean_reruns <= 4.85


def test_without_a_margin_the_best_answer_is_consistent():
    chance = chance_of_answer(RerunPlan(), 7.0, None, (draw(13, 10_000), draw(14, 10_000, 8)))
    assert chance.consistent == pytest.approx(0.80, abs=0.015)
    assert chance.reproduced == 0.0
    assert chance.mean_reruns == 5.0


def test_runs_without_noise_are_reproduced_at_once():
    assert reruns_for(0.9, 0.0, 0.01) == 3
