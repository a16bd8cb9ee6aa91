from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reprocheck.compare.knots import KNOTS, LEVELS
from reprocheck.compare.sequential import critical_value, nominal_level, path_p

most_reruns = st.integers(3, 20)
levels = st.floats(1e-7, 0.5)


@pytest.mark.parametrize(("look", "level"), [(3, 0.00870), (5, 0.0145), (8, 0.0232)])
def test_levels_grow_with_the_looks(look, level):
    assert nominal_level(0.05, look, 8) == pytest.approx(level, rel=0.01)


@pytest.mark.parametrize("alpha", [0.001, 0.01, 0.05, 0.1, 0.37])
def test_a_single_look_has_the_level_itself(alpha):
    assert nominal_level(alpha, 3, 3) == alpha
    assert path_p({3: alpha}, 3) == alpha


@pytest.mark.parametrize("most", KNOTS)
def test_every_knot_is_hit_exactly(most):
    for level, knot in zip(LEVELS, KNOTS[most], strict=True):
        union = knot * sum(range(3, most + 1)) / most
        assert path_p({most: knot}, most) == min(level, union)
        assert critical_value(level, most) >= knot


def test_the_best_look_so_far_counts():
    p = path_p({3: 0.3, 4: 0.004, 5: 0.9}, 8)
    assert p == path_p({4: 0.004}, 8)
    assert 0.01 < p < 0.025  # w = 0.008, between the knots of these levels


def test_below_the_knots_the_union_bound_holds():
    assert path_p({8: 1e-9}, 8) == pytest.approx(1e-9 * (3 + 4 + 5 + 6 + 7 + 8) / 8)
    assert critical_value(1e-6, 8) == pytest.approx(1e-6 * 8 / 33)


def test_no_p_value_leaves_its_range():
    assert path_p({3: 0.0}, 8) == 0.0
    assert path_p({3: 1.0}, 8) == 1.0
    assert path_p({8: 1.0}, 8) == 1.0


@given(most_reruns, st.data())
def test_the_p_value_is_monotone_in_each_looks_own(most, data):
    look = data.draw(st.integers(3, most))
    small, large = sorted(data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
    assert path_p({look: small}, most) <= path_p({look: large}, most)


@given(most_reruns, st.lists(st.floats(0, 1), min_size=1, max_size=18))
def test_looking_again_never_raises_the_p_value(most, drawn):
    path = dict(zip(range(3, most + 1), drawn, strict=False))
    so_far = [path_p({k: path[k] for k in path if k <= look}, most) for look in path]
    assert so_far == sorted(so_far, reverse=True)


def first_by_level(path, alpha, most):
    return next((k for k, p in path.items() if p <= nominal_level(alpha, k, most)), None)


def first_by_path(path, alpha, most):
    so_far = ({k: path[k] for k in path if k <= look} for look in path)
    return next((max(seen) for seen in so_far if path_p(seen, most) <= alpha), None)


@given(most_reruns, levels, st.lists(st.floats(1e-9, 0.2), min_size=1, max_size=18))
def test_both_ways_to_reject_do_so_at_the_same_look(most, alpha, drawn):
    path = dict(zip(range(3, most + 1), drawn, strict=False))
    critical = critical_value(alpha, most)
    # A p-value at its level up to rounding may fall on either side.
    assume(not any(math.isclose(p * most, critical * k, rel_tol=1e-9) for k, p in path.items()))
    assert first_by_level(path, alpha, most) == first_by_path(path, alpha, most)


@given(most_reruns, st.floats(1e-7, 0.99))
def test_the_critical_value_is_where_the_p_value_meets_the_level(most, alpha):
    critical = critical_value(alpha, most)
    assert path_p({most: critical * (1 - 1e-9)}, most) <= alpha
    assert path_p({most: min(1.0, critical * (1 + 1e-9))}, most) >= alpha * (1 - 1e-6)


@pytest.mark.parametrize(("look", "most"), [(2, 8), (9, 8), (3, 21), (2, 2)])
def test_looks_that_were_never_simulated_are_refused(look, most):
    with pytest.raises(ValueError, match=r"reruns|20"):
        nominal_level(0.05, look, most)
    with pytest.raises(ValueError, match=r"reruns|20"):
        path_p({look: 0.1}, most)


def test_no_look_and_no_level_are_refused():
    with pytest.raises(ValueError, match="no look"):
        path_p({}, 8)
    with pytest.raises(ValueError, match="between 0 and 1"):
        critical_value(0.0, 8)
