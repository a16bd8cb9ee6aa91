from __future__ import annotations

import math

import numpy as np
import pytest

from reprocheck.compare.histories import compare_histories, rank_p
from reprocheck.compare.ladder import TOLERANCES
from reprocheck.model import Direction, Metric, Pair, Point


def curve(*values, steps=None):
    pairs = zip(steps or range(len(values)), values, strict=True)
    history = (Point(step=step, timestamp_ms=0, value=value) for step, value in pairs)
    return Metric(name="loss", history=tuple(history))


def compared(original, *reruns, direction=Direction.LOWER, dtype="float64"):
    return compare_histories(original, reruns, direction, TOLERANCES[dtype])


@pytest.mark.parametrize(
    ("original", "reruns"),
    [
        (curve(1.0, 2.0), []),
        (curve(1.0), [curve(1.0)]),
        (curve(1.0, 2.0, steps=[0, 1]), [curve(1.0, 2.0, steps=[1, 2])]),
        (curve(1.0, 2.0, 3.0), [curve(1.0, 2.0, 3.0), curve(1.0)]),
    ],
)
def test_below_two_common_steps_there_is_nothing_to_compare(original, reruns):
    assert compared(original, *reruns) is None


def test_summaries_are_over_the_common_steps():
    original = curve(4.0, 1.0, 2.0, 9.0, steps=[0, 10, 20, 30])
    found = compared(
        original,
        curve(4.0, 3.0, steps=[0, 20]),
        curve(4.0, 0.0, 5.0, steps=[0, 15, 20]),
    )
    assert found.steps == 2
    assert found.area == Pair(original=60.0, rerun=80.0)
    assert found.best == Pair(original=2.0, rerun=3.5)
    assert found.parted_at == 20


def test_the_best_is_the_largest_where_higher_is_better():
    found = compared(curve(1.0, 3.0, 2.0), curve(1.0, 5.0, 2.0), direction=Direction.HIGHER)
    assert found.best == Pair(original=3.0, rerun=5.0)
    assert compared(curve(1.0, 3.0), curve(1.0, 5.0), direction=Direction.UNKNOWN).best is None


def test_of_several_values_at_one_step_the_last_counts():
    original = curve(1.0, 7.0, 2.0, steps=[0, 1, 1])
    assert compared(original, curve(1.0, 2.0)).parted_at is None


@pytest.mark.parametrize(
    ("values", "parted_at"),
    [
        ((1.0, 2.0, 3.0), None),
        ((1.0, 2.0 + 1e-12, 3.0), None),
        ((1.0, 2.0 + 1e-6, 3.0), 1),
        ((math.nan, 2.0, 3.0), 0),
        ((1.0, 2.0, math.inf), 2),
    ],
)
def test_curves_part_beyond_the_relative_tolerance(values, parted_at):
    original = curve(1.0, 2.0, 3.0)
    assert compared(original, original, curve(*values)).parted_at == parted_at


def test_the_tolerance_is_that_of_the_dtype():
    assert compared(curve(1.0, 2.0), curve(1.0, 2.0 + 1e-6), dtype="float32").parted_at is None


def test_small_values_part_by_the_relative_tolerance_alone():
    assert compared(curve(1e-15, 1.0), curve(2e-15, 1.0)).parted_at == 0


def test_no_number_on_both_sides_is_no_difference():
    found = compared(curve(math.nan, 2.0, -math.inf), curve(math.nan, 2.0, -1.797e308))
    assert found.parted_at is None
    assert math.isnan(found.area.original)
    assert found.best.original == 2.0


def test_an_unusual_curve_has_the_smallest_p():
    reruns = [curve(1.0, 2.0 + i / 10, 3.0 - i / 7) for i in range(4)]
    assert compared(curve(1.0, 9.0, 3.0), *reruns).rank_p == 1 / 5
    assert compared(reruns[1], *reruns[1:]).rank_p > 1 / 5


def test_one_rerun_has_no_rank():
    assert compared(curve(1.0, 2.0), curve(1.0, 3.0)).rank_p is None


def test_a_curve_beside_equal_ones_is_the_most_unusual():
    assert rank_p([[1.0, 0.3], *[[1.0, 0.1]] * 7]) == 1 / 8
    assert rank_p([[1.0, 0.1], *[[1.0, 0.1]] * 7]) == 1.0


def test_steps_without_a_number_have_no_rank():
    assert rank_p([[math.nan, 5.0], [1.0, 1.0], [1.0, 1.1]]) == 1 / 3
    assert rank_p([[math.nan], [1.0], [math.inf]]) is None


def test_the_rank_does_not_depend_on_unit_or_order():
    curves = np.random.default_rng(20261121).standard_normal((6, 20))
    p = rank_p(curves.tolist())
    assert rank_p((1e200 * curves + 7).tolist()) == p
    assert rank_p(curves[[0, 5, 4, 3, 2, 1]].tolist()) == p


@pytest.mark.parametrize("reruns", [2, 5])
def test_p_is_uniform_for_exchangeable_curves(reruns):
    """Heavy-tailed walks with a common jolt: P(p <= j/n) = j/n without ties, ±3.3 SE of 2000."""
    generator = np.random.default_rng([20261121, reruns])
    curves = generator.standard_t(2, (2000, reruns + 1, 8)).cumsum(axis=2)
    curves += 5 * generator.standard_normal((2000, 1, 8))
    found = np.array([rank_p(each.tolist()) for each in curves])
    for j in range(1, reruns + 1):
        share = j / (reruns + 1)
        band = 3.3 * math.sqrt(share * (1 - share) / 2000)
        assert abs(np.mean(found <= share + 1e-9) - share) <= band


@pytest.mark.parametrize("x", [1.7e308, -1.7e308, 5e-324, 0.0, math.inf])
def test_no_value_is_too_large_or_small(x):
    assert compared(curve(x, -x, 1.0), curve(-x, x, 1.0), curve(x, x, x)).steps == 3


def test_what_a_store_clamped_is_infinite_and_never_the_best():
    clamped = curve(1.7976931348623157e308, 2.0)
    assert compared(clamped, curve(1.0, 2.0), direction=Direction.HIGHER).best.original == 2.0


def test_an_area_that_a_double_holds_is_finite():
    assert compared(curve(1.7e308, 1.7e308), curve(1.0, 2.0)).area.original == 1.7e308
