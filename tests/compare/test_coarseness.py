from __future__ import annotations

import math
import random

import pytest

from reprocheck.compare.coarseness import is_coarse, step_of
from reprocheck.compare.ladder import nearest_float32


@pytest.mark.parametrize(
    "value",
    [
        *(347 / 360, 9748 / 10000, 76.543, 0.123457, 12.0, 0.0, -3.5, 1e6, 100 * 347 / 360),
        *(nearest_float32(347 / 360), nearest_float32(9748 / 10000)),
        *(math.nan, math.inf),
    ],
)
def test_shares_integers_and_rounded_numbers_are_coarse(value):
    assert is_coarse(value)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 50.0, 3000.0, 1e6])
def test_measured_numbers_are_not_coarse(scale):
    generator = random.Random(20261121)
    values = [scale * (0.1 + generator.random()) for _ in range(300)]
    assert sum(map(is_coarse, values)) <= 9


def test_a_declared_resolution_makes_every_value_coarse():
    assert is_coarse(math.pi, resolution=0.01)
    assert not is_coarse(math.pi)


def test_extreme_values_have_an_answer():
    assert not is_coarse(5e-324)
    assert is_coarse(1e308)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.92, 0.9], 0.01),
        ([0.945, 0.95], 0.001),
        ([12.0, 14.0], 1.0),
        ([nearest_float32(0.92), 0.9], 0.01),
        ([347 / 360, 350 / 360], 1 / 360),
        ([nearest_float32(347 / 360)], 1 / 360),
        ([0.34821757311, math.nan], 0.0),
    ],
)
def test_coarse_values_tell_their_grid(values, step):
    assert step_of(values) == pytest.approx(step)
