"""The stored quantiles against the script that made them, and against the specification's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import knots as script
from reprocheck.compare import knots
from reprocheck.compare.knots import KNOTS, LEVELS

SPECIFIED_RUNS = 2_000_000
RUNS = 200_000


@pytest.fixture(scope="module")
def simulated():
    return script.smallest(RUNS, seed=7)


def half_a_digit(text):
    """How much the last written digit may hide: 0.00005 of .0052, 0.05e-5 of 4.2e-5."""
    mantissa, _, exponent = text.partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def agrees(found, told, level, *runs):
    """Whether a quantile near 0, where F is about linear, is the specified one up to chance."""
    chance = 4 * float(told) * np.sqrt(sum((1 - level) / (level * n) for n in runs))
    return abs(found - float(told)) <= chance + half_a_digit(told)


def test_the_file_is_what_the_script_renders():
    assert Path(knots.__file__).read_text(encoding="utf-8") == script.render(KNOTS)
    assert LEVELS == script.LEVELS


def test_every_number_of_reruns_has_its_knots():
    assert list(KNOTS) == list(range(4, 21))
    for row in KNOTS.values():
        assert len(row) == len(LEVELS)
        assert list(row) == sorted(row)


@pytest.mark.parametrize("most", KNOTS)
def test_a_smaller_simulation_agrees(simulated, most):
    reached = np.array([np.mean(simulated[0][most] <= knot) for knot in KNOTS[most]])
    level = np.array(LEVELS)
    chance = np.sqrt(level * (1 - level) * (1 / RUNS + 1 / script.RUNS))
    assert np.all(np.abs(reached - level) <= 4 * chance)


@pytest.mark.parametrize("most", [4, 8, 20])
def test_the_knots_are_conservative_for_the_prediction_test(simulated, most):
    level = np.array([level for level in LEVELS if level <= 0.5])
    knots_so_far = KNOTS[most][: len(level)]
    reached = np.array([np.mean(simulated[1][most] <= knot) for knot in knots_so_far])
    chance = np.sqrt(level * (1 - level) * (1 / RUNS + 1 / script.RUNS))
    assert np.all(reached <= level + 4 * chance)


@pytest.mark.parametrize(("most", "row"), script.SPECIFIED["E"].items())
def test_equivalence_agrees_with_the_specification(most, row):
    for found, told, level in zip(KNOTS[most], row.split(), LEVELS, strict=False):
        assert agrees(found, told, level, SPECIFIED_RUNS, script.RUNS), (level, told)


@pytest.mark.parametrize(("most", "row"), script.SPECIFIED["D"].items())
def test_prediction_agrees_with_the_specification(simulated, most, row):
    quantiles = script.quantiles(simulated[1])[most]
    for found, told, level in zip(quantiles, row.split(), LEVELS, strict=False):
        assert agrees(found, told, level, SPECIFIED_RUNS, RUNS), (level, told)


@pytest.mark.parametrize("alpha", script.SPECIFIED_LEVELS)
def test_levels_agree_with_the_specification(alpha):
    for most, told in script.SPECIFIED_LEVELS[alpha].items():
        found = KNOTS[most][LEVELS.index(alpha)]
        assert agrees(found, told, alpha, SPECIFIED_RUNS, script.RUNS), (most, told)
