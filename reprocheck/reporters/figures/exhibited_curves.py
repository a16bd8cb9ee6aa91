"""Curves that runs logged, as of ROC: both sides over one another, and their difference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from reprocheck.model import Grid
from reprocheck.numbers import counted, format_size
from reprocheck.reporters.figures.base import Figure, finite, named, plain
from reprocheck.reporters.figures.canvas import LINE, WIDTH, Box, Panel, canvas
from reprocheck.reporters.figures.labels import apart, width
from reprocheck.reporters.figures.scales import Scale, scale_of, ticks

_POINTS = 200
_LINES = 6
"""Of a curve's table, at most; of more, the first ones."""
_NAME = 13
_TOP = LINE + 8
_HEIGHT = 160.0
_BELOW = 76.0

_Points = list[tuple[float, float]]


def curves(original: Grid, rerun: Grid | None) -> Figure:
    """Every y over x, the original's and the rerun's, and below it their difference.

    There is no difference where the two are not over the same x.
    """
    parts = _differences(original, rerun)
    alt = _told(original, rerun, parts)
    x, y = _scales(original, rerun)
    apart_y = scale_of([0.0, *(change for points in parts for _, change in points)], pad=0.1)
    below = _HEIGHT + _TOP + 2 * LINE + 12
    with canvas(below + (_BELOW + 2 * LINE if parts else 0.0)) as paper:
        panel = paper.panel(_box(_TOP, _HEIGHT, y, apart_y), x, y)
        panel.scale()
        panel.ruler(plain(original.columns[0], 40))
        _draw_sides(panel, original, rerun)
        if parts:
            lower = paper.panel(_box(below + LINE, _BELOW, y, apart_y), x, apart_y)
            _draw_differences(lower, parts)
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def _columns(grid: Grid | None) -> tuple[list[float], list[list[float]]]:
    """The x, and each y that is drawn."""
    if grid is None:
        return [], []
    first, *others = map(list, zip(*grid.values, strict=True))
    return first, others[:_LINES]


def _scales(original: Grid, rerun: Grid | None) -> tuple[Scale, Scale]:
    sides = [_columns(original), _columns(rerun)]
    xs = finite(x for side, _ in sides for x in side)
    ys = finite(y for _, side in sides for column in side for y in column)
    return scale_of(xs or (0.0,), pad=0.0), scale_of(ys or (0.0,), pad=0.04)


def _differences(original: Grid, rerun: Grid | None) -> list[_Points]:
    """By y, its points: x, and rerun minus original."""
    (xs, ours), (other, theirs) = _columns(original), _columns(rerun)
    same = repr(xs) == repr(other)  # NaN equals a NaN that was read again, too
    if rerun is None or not same or len(original.columns) != len(rerun.columns):
        return []
    found = [
        [(x, b - a) for x, a, b in zip(xs, *pair, strict=True) if math.isfinite(b - a)]
        for pair in zip(ours, theirs, strict=True)
    ]
    return [points for points in found if points]


# --- the drawing --------------------------------------------------------------------------


def _box(top: float, height: float, *scales: Scale) -> Box:
    """A panel with room for the ticks of these scales on its left, and for names on its right."""
    left = min(130.0, max(width(each.text) for scale in scales for each in ticks(scale, 4)) + 12)
    return Box(left=left, top=top, width=WIDTH - left - width("n" * _NAME), height=height)


def _draw_sides(panel: Panel, original: Grid, rerun: Grid | None) -> None:
    at = panel.box.left
    for grid, name in ((original, "original"), (rerun, "rerun")):
        xs, columns = _columns(grid)
        for column in columns:
            points = _thinned(list(zip(xs, column, strict=True)))
            panel.line([x for x, _ in points], [y for _, y in points], f"{name} curve side")
        if grid is not None:
            sign = "— " if name == "original" else "- - "
            panel.write(at, panel.box.top - 9, sign + name, name)
            at += width(sign + name) + 12
    _name_lines(panel, original)


def _name_lines(panel: Panel, grid: Grid) -> None:
    """The names of the original's lines where they end."""
    _, columns = _columns(grid)
    lasts = [next((y for y in reversed(column) if math.isfinite(y)), None) for column in columns]
    known = [
        (named(name, _NAME - 1), y)
        for name, y in zip(grid.columns[1:], lasts, strict=False)
        if y is not None
    ]
    ys = [panel.place(panel.x.high, y)[1] + 4.5 for _, y in known]
    ends = (panel.box.top, panel.box.bottom + LINE)
    for (name, _), y in zip(known, apart(ys, LINE, ends), strict=True):
        panel.write(panel.box.right + 8, y, name, "quiet")


def _draw_differences(panel: Panel, parts: list[_Points]) -> None:
    panel.scale()
    panel.write(panel.box.left, panel.box.top - 7, "rerun minus original", "quiet")
    panel.line([panel.x.low, panel.x.high], [0.0, 0.0], "axis")
    for points in map(_thinned, parts):
        panel.line([x for x, _ in points], [y for _, y in points], "difference")


def _thinned(points: _Points) -> _Points:
    step = max(1, math.ceil(len(points) / _POINTS))
    return [*points[::step], points[-1]] if step > 1 else points


# --- the words ----------------------------------------------------------------------------


def _told(original: Grid, rerun: Grid | None, parts: Sequence[_Points]) -> str:
    names = ", ".join(_names(original)) or "No line"
    text = f"{names} over {plain(original.columns[0], 40)}"
    text += f", {counted(len(original.values), 'point')} of the original"
    if rerun is None:
        return f"{text}; there is none of a rerun."
    text += f" and {len(rerun.values)} of the rerun"
    largest = max((abs(y) for points in parts for _, y in points), default=None)
    if largest is None:
        return f"{text}; they are not over the same points, so no difference is drawn."
    if largest == 0:
        return f"{text}; they do not differ."
    return f"{text}; they differ by at most {format_size(largest)}."


def _names(grid: Grid) -> Iterator[str]:
    yield from (plain(name, 40) for name in grid.columns[1 : 1 + _LINES])
    if len(grid.columns) > 1 + _LINES:
        yield f"{len(grid.columns) - 1 - _LINES} more that are not drawn"
