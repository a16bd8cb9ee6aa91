"""The numbers of docs/statistics.md against the code."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import operating_characteristics as script
from reprocheck.compare.power import reruns_for
from reprocheck.compare.sequential import nominal_level

PATHS = 4000
PAGE = (Path(__file__).parents[1] / "docs/statistics.md").read_text(encoding="utf-8")


def numbers(text):
    return np.array([float(number) for number in re.findall(r"[\d.]+(?= |$)", text)])


def rows_between(begin, end):
    table = PAGE.split(begin)[1].split(end)[0]
    return [line for line in table.splitlines() if re.match(r"\| \d", line)]


@pytest.mark.parametrize("margin", script.MARGINS)
def test_the_tables_are_what_the_rule_does(margin):
    rows = rows_between(*script.markers(margin))
    draws = script.draw(PATHS, seed=1)
    assert len(rows) == len(script.SHIFTS)
    for row, shift in zip(rows, script.SHIFTS, strict=True):
        told, found = (
            numbers(row),
            numbers(script.row_of(shift, script.simulate(draws, shift, margin))),
        )
        assert told[0] == found[0]
        share = np.clip(told / 100, 0.001, 0.999)
        chance = 400 * np.sqrt(share * (1 - share) / PATHS)
        chance[4] = 4 * 2.5 / np.sqrt(PATHS)  # the mean of reruns between 3 and 8
        assert np.all(abs(told - found)[1:] <= chance[1:] + 0.1)


def test_the_figure_is_small_and_tells_no_date():
    figure = html.unescape(script.FIGURE.read_text(encoding="utf-8"))
    assert len(figure) < 150_000
    assert "<dc:date>" not in figure
    assert all(name in figure for name in ("NOT_REPRODUCED", "margin 2.8 SD", *script.LINES))
    assert f"(figures/{script.FIGURE.name})" in PAGE


def test_the_figure_is_drawn_alike_each_time(tmp_path):
    draws = script.draw(50, seed=1)
    for name in ("a.svg", "b.svg"):
        script.plot(draws, (0.0, 4.0), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_table_without_a_place_is_refused():
    assert script.replaced("\n".join(script.markers(2.0)), 2.0, "new").split("\n")[2] == "new"
    with pytest.raises(ValueError, match="0 times"):
        script.replaced("nothing", 2.0, "new")


def test_the_reruns_for_an_answer_are_those_of_the_formula():
    rows = re.findall(r"^\| ([\d.]+) σ(?: or less)? \| (\w+) \| (\w+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for margin, *told in rows:
        found = [reruns_for(chance, 1.0, float(margin)) for chance in (0.8, 0.9)]
        assert told == ["never" if reruns is None else str(reruns) for reruns in found]


def test_the_levels_of_the_looks_are_those_of_the_knots():
    first, last = (100 * nominal_level(0.05, look, 8) for look in (3, 8))
    assert f"{first:.1f} % at the third of\neight, {last:.1f} % at the last" in PAGE
    intervals = f"{100 - 2 * first:.1f} % at the third look,\n{100 - 2 * last:.1f} % at the eighth"
    assert intervals in PAGE
