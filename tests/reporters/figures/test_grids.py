import math
import re
from importlib import resources

import pytest

from reprocheck.model import Grid
from reprocheck.reporters.figures import grids
from tests.reporters.figures.drawings import classes, curve, shapes, table, words


def test_every_cell_has_its_number_and_a_shade():
    figure = grids.matrix(table((12.0, 0.0), (1.5, 0.123456)), "confusion.csv")
    assert {"12", "0", "1.5", "0.123"} <= set(words(figure.svg))
    assert len(shapes(figure.svg, "heat heat-6")) == 1
    assert figure.caption == "confusion.csv: 2 rows by 2 columns, from 0 to 12."
    assert figure.alt.endswith("The largest, 12, is at class 0, class 0.")


def test_two_tables_can_share_their_shades():
    small, large = table((0.0, 1.0)), table((0.0, 6.0))
    assert "heat-1" in set(classes(grids.matrix(small, "", beside=large).svg))
    assert "heat-6" in set(classes(grids.matrix(small, "").svg))


def test_a_difference_has_signs():
    figure = grids.difference(table((3.0, 1.0, 5.0)), table((2.0, 1.25, 5.0)))
    assert figure and {"-1", "+0.25", "0"} <= set(words(figure.svg))
    assert {"less-3", "more-1", "heat-0"} <= set(classes(figure.svg))
    assert "2 of 3 cells differ, by at most 1." in figure.caption


def test_the_same_gaps_are_no_difference():
    same = table((math.nan, math.inf))
    figure = grids.difference(same, table((math.nan, math.inf)))
    assert figure and "no cell differs" in figure.caption


def test_tables_of_other_shapes_have_no_difference():
    one = table((1.0, 2.0))
    assert grids.difference(one, table((1.0, 2.0), name="other")) is None
    assert grids.difference(one, table((1.0,))) is None
    bare = Grid(columns=("a",), rows=(), values=((1.0,),))
    assert grids.difference(bare, Grid(columns=("a",), rows=(), values=((1.0,),) * 2)) is None


def test_a_big_table_is_drawn_without_numbers_and_stays_small():
    rows = (tuple(float((i * 7919 + j * 104729) % 97) for j in range(100)) for i in range(100))
    figure = grids.matrix(table(*rows), "big")
    assert len(figure.svg) < 40_000
    assert "(at most the first 40 each way are drawn)" in figure.caption


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e308, 5e-324, 0.0])
def test_any_number_is_drawn(value):
    assert grids.matrix(table((value, 1e308)), "").svg
    assert grids.difference(table((value, 1e308)), table((1e308, -1e308)))
    odd = Grid(columns=("x", "y"), rows=(), values=((value, 1.0), (1.0, value)))
    assert grids.curves(odd, odd).svg and grids.curves(odd, curve(1.0)).svg


def test_curves_lie_over_one_another_with_their_difference_below():
    figure = grids.curves(curve(0.5), curve(0.6))
    assert len(shapes(figure.svg, "original curve side")) == 1
    assert len(shapes(figure.svg, "rerun curve side")) == 1
    ((*_, last),) = shapes(figure.svg, "difference")
    assert last[0] == shapes(figure.svg, "original curve side")[0][-1][0]
    assert "they differ by at most" in figure.caption


def test_curves_over_other_points_have_no_difference():
    figure = grids.curves(curve(0.5), curve(0.5, points=7))
    assert not shapes(figure.svg, "difference")
    assert "not over the same points" in figure.caption
    assert "none of a rerun" in grids.curves(curve(0.5), None).caption


# --- contrast -----------------------------------------------------------------------------


def _themes() -> list[dict[str, str]]:
    """The variables of each theme, those of the page included."""
    folder = resources.files("reprocheck.reporters").joinpath("templates")
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    for name in ("style.css", "figures.css"):
        first, second = re.findall(r":root \{(.*?)\}", folder.joinpath(name).read_text(), re.S)[:2]
        light |= dict(re.findall(r"--([\w-]+): ([^;]+);", first))
        dark |= dict(re.findall(r"--([\w-]+): ([^;]+);", second))
    return [light, light | dark]


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(x * y for x, y in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def _contrast(theme: dict[str, str], one: str, other: str) -> float:
    colors = (theme[re.sub(r"var\(--(.*)\)", r"\1", name)] for name in (one, other))
    low, high = sorted(map(_luminance, colors))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_numbers_and_lines_stand_out_in_both_themes(theme):
    strong = {"heat-5", "heat-6", "more-3", "less-3"}
    shades = [name for name in theme if re.fullmatch(r"(heat|more|less)-\d", name)]
    assert len(shades) == 12
    for shade in shades:
        text = "ground" if shade in strong else "text"
        text = theme["on-heat-4"] if shade == "heat-4" else text
        assert _contrast(theme, text, shade) >= 4.5, shade
    for name in ("plot-original", "plot-rerun"):  # of texts, too
        assert _contrast(theme, name, "ground") >= 4.5
    assert _contrast(theme, "quiet", "plot-margin") >= 4.5
    assert _contrast(theme, "plot-edge", "plot-margin") >= 3
    assert _contrast(theme, "plot-original", "plot-margin") >= 3
    assert _contrast(theme, "plot-rerun", "plot-band") >= 3


def test_curves_are_drawn_the_same_of_a_nan_that_was_read_again():
    def over(nan):
        return Grid(columns=("x", "y"), rows=(), values=((nan, 1.0), (0.0, 2.0), (1.0, 3.0)))

    one, other = float("nan"), float("nan")
    assert grids.curves(over(one), over(one)) == grids.curves(over(one), over(other))
