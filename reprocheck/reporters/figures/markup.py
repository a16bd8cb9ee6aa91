"""From matplotlib's SVG to the SVG of a page: shapes with a class each, and nothing else.

A page's policy forbids styles in its elements, and identifiers of several figures would collide.
So only shapes that were given a role are taken over, and colors are left to the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from xml.etree import ElementTree

USUAL = 480.0
"""Units of a usual figure across: few enough for its text to be read on a phone."""

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_ROLE = "role:"
_RECTANGLE = re.compile(
    r"M(?P<a>[0-9.]+) (?P<b>[0-9.]+)L(?P<c>[0-9.]+) (?P=b)L(?P=c) (?P<d>[0-9.]+)L(?P=a) (?P=d)z"
)
_WORD = re.compile(r"[A-Za-z]|-?[0-9.]+(?:e-?[0-9]+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A text at a place; `anchor` is start, middle or end."""

    x: float
    y: float  # of the baseline
    text: str
    role: str = ""
    anchor: str = "start"
    turned: bool = False  # read from below


def role(name: str) -> str:
    """The identifier by which `rewritten` knows that a shape has a role."""
    return _ROLE + name


def rewritten(svg: str, size: tuple[float, float], labels: Iterable[Label], alt: str) -> str:
    """The shapes of matplotlib's SVG and the labels as an inline image."""
    width, height = map(number, size)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "plot wide" if size[0] > USUAL else "plot",
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "role": "img",
            "aria-label": alt,
            "fill": "none",
            "stroke": "currentColor",
        },
    )
    root.extend(_joined(_shapes(ElementTree.fromstring(svg))))  # noqa: S314 - matplotlib's own
    words = ElementTree.SubElement(root, "g", {"fill": "currentColor", "stroke": "none"})
    words.extend(_texts(labels))
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def number(value: float) -> str:
    """A coordinate, to a tenth of a unit."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _shapes(drawing: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for group in drawing.iter(f"{_SVG}g"):
        name = group.get("id", "")
        if name.startswith(_ROLE):
            yield from _of_group(group, name.removeprefix(_ROLE))


def _joined(shapes: Iterable[ElementTree.Element]) -> Iterator[ElementTree.Element]:
    """Closed shapes that follow one another and look alike as one path, as that is shorter."""
    for (_, closed), group in groupby(shapes, _likeness):
        first, *others = group
        if closed:
            first.set("d", "".join(each.get("d", "") for each in (first, *others)))
        yield from (first,) if closed else (first, *others)


def _likeness(shape: ElementTree.Element) -> tuple[str, bool]:
    closed = shape.get("d", "").endswith("z") and "transform" not in shape.attrib
    return shape.get("class", ""), closed


def _of_group(group: ElementTree.Element, role: str) -> Iterator[ElementTree.Element]:
    marks = {path.get("id"): path.get("d", "") for path in group.iterfind(f"{_SVG}defs/{_SVG}path")}
    for path in group.iterfind(f"{_SVG}path"):
        yield ElementTree.Element("path", {"class": role, "d": _path(path.get("d", ""))})
    for use in group.iter(f"{_SVG}use"):
        shape = marks[use.get(_LINK, "").removeprefix("#")]
        yield _mark(shape, role, float(use.get("x", "0")), float(use.get("y", "0")))


def _mark(shape: str, role: str, x: float, y: float) -> ElementTree.Element:
    at = (number(x), number(y))
    if shape.count("C") == 8:  # how matplotlib writes a circle, from its lowest point
        radius = number(float(shape.split()[2]))
        return ElementTree.Element("circle", {"class": role, "cx": at[0], "cy": at[1], "r": radius})
    place = f"translate({at[0]} {at[1]})"
    return ElementTree.Element("path", {"class": role, "transform": place, "d": _path(shape)})


def _path(data: str) -> str:
    """The path's data, rounded, without what can be left out."""
    words = [word if word.isalpha() else number(float(word)) for word in _WORD.findall(data)]
    text = re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(words))
    return _rectangle(re.sub(r"\s-", "-", text))


def _rectangle(path: str) -> str:
    """A rectangle by its sides, any other path as it is."""
    corners = _RECTANGLE.fullmatch(path)
    if not corners:
        return path
    left, top, right, bottom = map(float, corners.groups())
    across, down = number(right - left), number(bottom - top)
    return f"M{number(left)} {number(top)}h{across}v{down}h{number(left - right)}z"


def _texts(labels: Iterable[Label]) -> Iterator[ElementTree.Element]:
    """The labels, those that look alike together, as that is shorter."""
    groups: dict[tuple[str, str], ElementTree.Element] = {}
    for label in labels:
        key = (label.role, label.anchor)
        if key not in groups:
            given = {"class": label.role, "text-anchor": label.anchor}
            usual = ("", "start")
            shown = {name: text for name, text in given.items() if text not in usual}
            groups[key] = ElementTree.Element("g", shown)
        groups[key].append(_text(label))
    yield from groups.values()


def _text(label: Label) -> ElementTree.Element:
    x, y = number(label.x), number(label.y)
    turned = {"transform": f"rotate(-90 {x} {y})"} if label.turned else {}
    element = ElementTree.Element("text", {"x": x, "y": y, **turned})
    element.text = label.text
    return element
