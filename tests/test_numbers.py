from __future__ import annotations

import math

import pytest

from reprocheck.model import Scale
from reprocheck.numbers import (
    format_change,
    format_difference,
    format_percent,
    format_size,
    format_spread,
    format_value,
    format_width,
)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.9583333333333334, "0.958333"),
        (1234567.0, "1234567"),
        (-0.0, "0"),
        (1.5e-07, "1.5e-7"),
        (2.5e20, "2.5e20"),
        (float("nan"), "NaN"),
        (float("-inf"), "-inf"),
    ],
)
def test_values_have_six_digits(x, text):
    assert format_value(x) == text


def test_a_value_shows_the_difference_it_stands_beside():
    assert format_value(0.912345678, beside=1e-6) == "0.9123457"
    assert format_value(0.912344, beside=1e-6) != format_value(0.912345, beside=1e-6)


def test_a_value_beside_a_tiny_difference_has_no_more_digits_than_a_double():
    assert format_value(0.1, beside=1e-300) == "0.10000000000000001"


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.00123456, "+0.001235"), (-3.0, "-3"), (0.0, "0"), (-0.0, "0"), (float("inf"), "+inf")],
)
def test_differences_have_a_sign_and_four_digits(x, text):
    assert format_difference(x) == text


def test_sizes_have_four_digits():
    assert format_size(1.3e-06) == "1.3e-6"
    assert format_size(0.0123456) == "0.01235"


def test_a_percentage_has_three_digits_and_none_too_many():
    assert format_percent(0.025) == "0.025 %"
    assert format_percent(1250.0) == "1250 %"
    assert format_percent(90.0) == "90 %"
    assert format_percent(98.333) == "98.3 %"


@pytest.mark.parametrize(
    ("low", "high", "scale", "text"),
    [
        (0.005, 0.005, Scale.LINEAR, "±0.005"),
        (0.01, 0.005, Scale.LINEAR, "-0.01…+0.005"),
        (math.log(1.02), math.log(1.02), Scale.LOG, "-1.96 %…+2 %"),
    ],
)
def test_a_margin_shows_both_ends_where_they_differ(low, high, scale, text):
    assert format_width(low, high, scale) == text


def test_differences_of_logarithms_are_factors():
    assert format_change(math.log(1.021), Scale.LOG) == "+2.1 %"
    assert format_change(-math.log(2), Scale.LOG) == "-50 %"
    assert format_change(-0.5, Scale.LINEAR) == "-0.5"
    assert format_spread(math.log(1.021), Scale.LOG) == "2.1 %"
    assert format_change(1e9, Scale.LOG) == "+inf"
