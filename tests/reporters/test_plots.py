import math

import pytest

from reprocheck.model import Interval, Margin, MarginSource
from reprocheck.reporters import plots
from tests.reporters.builders import make_comparison


def _bar(difference, low, high, margin=None):
    half = margin and Margin(low=margin, high=margin, source=MarginSource.DECLARED, text="")
    return plots.interval_bar(
        make_comparison(
            difference=difference, interval=Interval(low=low, high=high, level=90.0), margin=half
        )
    )


@pytest.mark.parametrize(
    ("given", "bar"),
    [
        ((0.0, -1.0, 1.0, 6.0), "│····├◉┤····│"),
        ((2.0, 1.0, 4.0, 6.0), "│·····○├●─┤·│"),
        ((0.0, -6.0, 6.0, 1.0), "├─────◉─────┤"),
        ((12.0, 11.0, 12.0, 0.1), "○··········├●"),
        ((2.0, 1.0, 3.0), "○···├───●───┤"),
        ((0.0, 0.0, 0.0), ""),
        ((math.nan, 0.0, 1.0), ""),
        ((0.0, 0.0, math.inf), ""),
        ((0.0, 0.0, 5e-324), ""),
        ((0.0, -1.7e308, 1.7e308), "├─────◉─────┤"),
    ],
)
def test_a_bar_shows_where_the_interval_lies(given, bar):
    assert _bar(*given) == bar


def test_a_sparkline_has_the_first_and_the_last_value_and_gaps():
    assert plots.sparkline([0.0, math.nan, 0.5, 1.0], 0.0, 1.0) == "▁ ▅█"
    assert plots.sparkline([3.0] * 3, 3.0, 3.0) == "───"
    many = plots.sparkline([float(i) for i in range(1_000)], 0.0, 999.0)
    assert (len(many), many[0], many[-1]) == (plots.POINTS, "▁", "█")


def test_a_chart_holds_numbers_alone():
    chart = plots.chart([[-1.5, 0.25], [2.0, 1e6]], 0, 9)
    assert chart == (
        "xychart-beta",
        '  x-axis "step" 0 --> 9',
        "  y-axis -1.5 --> 1000000",
        "  line [-1.5, 0.25]",
        "  line [2, 1000000]",
    )


@pytest.mark.parametrize(
    ("curves", "steps"),
    [
        ([[1.0, math.nan]], (0, 1)),
        ([[1.0, 1e300]], (0, 1)),
        ([[1.0, 1e-9]], (0, 1)),
        ([[1.0, 1.0]], (0, 1)),
        ([[1.0, 2.0], [3.0]], (0, 1)),
        ([[1.0, 2.0]], (1, 1)),
        ([[1.0, 2.0]], (-1, 1)),
        ([[1.0, 2.0]], (0, 10**20)),
        ([], (0, 1)),
    ],
)
def test_no_chart_is_made_of_what_mermaid_cannot_show(curves, steps):
    assert plots.chart(curves, *steps) == ()
