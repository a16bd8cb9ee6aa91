import math
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reprocheck.model import Interval, Margin, MarginSource, Scale
from reprocheck.reporters.figures import intervals
from tests.reporters import cases
from tests.reporters.builders import make_comparison
from tests.reporters.figures.drawings import across, shapes, words


def test_what_is_larger_lies_further_right():
    given_one = make_comparison()
    figure = intervals.interval(given_one)
    assert figure
    reruns = across(figure.svg, "rerun")
    order = sorted(range(5), key=given_one.reruns.__getitem__)
    assert [reruns[place] for place in order] == sorted(reruns)
    (original,), (mean,) = across(figure.svg, "original"), across(figure.svg, "mean")
    low, high = across(figure.svg, "mean end")
    least, most = across(figure.svg, "prediction end")
    assert least < low < mean < original < high < most
    (left, *_), (right, *_) = shapes(figure.svg, "margin edge")
    assert left[0] < least and most < right[0]
    assert left[0] + right[0] == pytest.approx(2 * original, abs=0.2)


def test_it_tells_the_numbers_of_the_table():
    figure = intervals.interval(make_comparison())
    assert figure
    assert figure.caption == (
        "The reruns average 0.96078, a difference of -0.00032 from the original "
        "(90 % CI -0.00121…+0.00057); the margin is ±0.005, declared."
    )
    assert "the original is 0.9611, 5 reruns gave 0.9599…0.9614." in figure.alt
    assert {"0.9611", "0.96078", "margin ±0.005", "mean, 90 % CI"} <= set(words(figure.svg))


def test_logarithmic_differences_are_placed_as_factors():
    given_one = make_comparison(
        scale=Scale.LOG,
        baseline=(2.0,),
        reruns=(1.0, 4.0),
        mean=2.0,
        difference=0.0,
        interval=Interval(low=-math.log(2), high=math.log(2), level=90.0),
        prediction=None,
        margin=None,
    )
    figure = intervals.interval(given_one)
    assert figure
    assert across(figure.svg, "mean end") == across(figure.svg, "rerun")
    assert "accuracy (logarithmic)" in words(figure.svg)


def test_each_of_several_originals_is_marked():
    figure = intervals.interval(cases.several().comparisons[0])
    assert figure and len(across(figure.svg, "original")) == 3


def test_a_margin_far_wider_than_all_else_is_cut_and_said_to_be():
    wide = Margin(low=9.0, high=9.0, source=MarginSource.DECLARED, text="9")
    figure = intervals.interval(make_comparison(margin=wide))
    assert figure
    assert "margin ±9, wider than drawn" in words(figure.svg)
    assert not shapes(figure.svg, "margin edge")
    assert len(set(across(figure.svg, "rerun"))) == 5


def test_a_margin_may_be_wider_on_one_side():
    margin = Margin(low=0.004, high=0.002, source=MarginSource.DECLARED, text="")
    figure = intervals.interval(make_comparison(margin=margin))
    assert figure
    (left, *_), (right, *_) = shapes(figure.svg, "margin edge")
    (original,) = across(figure.svg, "original")
    assert original - left[0] == pytest.approx(2 * (right[0] - original), abs=0.3)


def test_an_original_that_is_no_number_is_named_and_not_placed():
    given_one = make_comparison(baseline=(math.nan,), difference=None, interval=None)
    figure = intervals.interval(given_one)
    assert figure and not across(figure.svg, "original") and "NaN" in words(figure.svg)


@pytest.mark.parametrize("reruns", [(), (math.nan,), (math.inf, math.nan)])
def test_nothing_is_drawn_without_a_finite_rerun(reruns):
    assert intervals.interval(make_comparison(reruns=reruns, mean=None)) is None


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=12)
@given(st.lists(numbers, max_size=3), st.lists(numbers, min_size=1, max_size=4), numbers, numbers)
@example([1e308], [-1e308, 1e308], 1e308, 1e308)
@example([5e-324], [0.0, 5e-324], 5e-324, 5e-324)
@example([1.0], [1.0, 1.0], 0.0, 0.0)
def test_any_numbers_are_drawn_on_the_paper(baseline, reruns, difference, size):
    for scale in Scale:
        given_one = make_comparison(
            scale=scale,
            baseline=tuple(baseline),
            reruns=tuple(reruns),
            mean=next(filter(math.isfinite, reruns), None),
            difference=difference,
            interval=Interval(low=difference, high=size, level=90.0),
            prediction=Interval(low=-size, high=size, level=95.0),
            margin=Margin(low=size, high=size, source=MarginSource.SIBLINGS, text=""),
        )
        figure = intervals.interval(given_one)
        assert (figure is None) == (not any(map(math.isfinite, reruns)))
        for role in ("rerun", "original", "mean"):
            assert all(0 <= x <= 480 for x in across(figure.svg if figure else "<a/>", role))


def test_the_axis_names_a_metric_with_its_dollars():
    figure = intervals.interval(replace(make_comparison(), metric="cost_$_per_$"))
    assert figure and "cost_$_per_$" in words(figure.svg)
