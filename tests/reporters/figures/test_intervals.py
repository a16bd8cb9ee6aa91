import re
from xml.etree import ElementTree

from reprocheck.reporters.figures import intervals
from tests.reporters.builders import make_comparison

SVG = "{http://www.w3.org/2000/svg}"


def _across(svg: str, role: str) -> list[float]:
    """Where the marks of a role are."""
    found = [each for each in ElementTree.fromstring(svg).iter() if each.get("class") == role]
    moved = [re.match(r"translate\(([-0-9.]+) ", each.get("transform", "")) for each in found]
    places = [move[1] if move else each.get("cx") for move, each in zip(moved, found, strict=True)]
    return [float(place) for place in places if place]


def test_what_is_larger_lies_further_right():
    given = make_comparison()
    figure = intervals.interval(given)
    assert figure
    reruns = _across(figure.svg, "rerun")
    assert sorted(reruns) == [reruns[given.reruns.index(x)] for x in sorted(given.reruns)]
    (original,), (mean,) = _across(figure.svg, "original"), _across(figure.svg, "mean")
    low, high = _across(figure.svg, "mean end")
    assert low < mean < original < high


def test_nothing_is_drawn_without_a_rerun():
    assert intervals.interval(make_comparison(reruns=())) is None
