import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprocheck.reporters.figures.scales import Scale, scale_of, ticks


def test_values_keep_their_order_and_distances():
    scale = scale_of([1.0, 2.0, 3.0], pad=0.0)
    assert [scale.at(x) for x in (1.0, 2.0, 3.0)] == [0.0, 0.5, 1.0]


def test_a_logarithmic_scale_places_factors_evenly():
    scale = scale_of([1.0, 100.0], log=True, pad=0.0)
    assert scale.at(10.0) == pytest.approx(0.5)
    assert [tick.text for tick in ticks(scale)] == ["1", "10", "100"]


def test_what_has_no_logarithm_makes_the_scale_linear():
    assert not scale_of([0.0, 1.0], log=True).log


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.951, 0.969], ["0.95", "0.955", "0.96", "0.965", "0.97"]),
        ([0.0, 100.0], ["0", "25", "50", "75", "100"]),
        ([3.0], ["3"]),
        ([1e-310, 3e-310], ["1e-310", "2e-310", "3e-310"]),
    ],
)
def test_ticks_are_round(values, texts):
    found = [tick.text for tick in ticks(scale_of(values, pad=0.1))]
    assert found == [text for text in texts if text in found] and found


def test_ticks_of_close_values_are_told_apart():
    texts = [tick.text for tick in ticks(scale_of([0.96110001, 0.96110004]))]
    assert len(set(texts)) == len(texts) > 1


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.booleans())
def test_any_finite_values_have_places_and_ticks(values, log):
    scale = scale_of(values, log=log)
    places = [scale.at(value) for value in sorted(values)]
    assert all(0 <= place <= 1 for place in places) and places == sorted(places)
    found = ticks(scale)
    assert 1 <= len(found) <= 7
    assert all(math.isfinite(tick.value) for tick in found)


def test_what_is_not_finite_has_no_place():
    assert all(math.isnan(Scale(low=0.0, high=1.0).at(x)) for x in (math.nan, math.inf))
