"""Tables of numbers as heat, and curves, of both sides and of their difference."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reprocheck.model import Grid
from reprocheck.numbers import format_difference, format_size, format_value
from reprocheck.reporters.figures.base import Figure, finite, plain
from reprocheck.reporters.figures.canvas import LETTER, LINE, WIDTH, Box, Canvas, Panel, canvas
from reprocheck.reporters.figures.labels import apart
from reprocheck.reporters.figures.scales import Scale, scale_of, ticks

LEVELS = 6
"""Shades above the ground's own, as templates/figures.css has them."""
_NUMBERED = 16
"""Columns and rows of a table up to which every cell has its number."""
_CELLS = 60
"""Columns and rows that are drawn; of more, the first ones."""
_POINTS = 200
_LINES = 6


# --- tables -------------------------------------------------------------------------------


def matrix(grid: Grid, title: str) -> Figure:
    """The table with its numbers; the darker a cell, the larger its value beside the others."""
    known = finite(_values(grid))
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    low = min(low, 0.0) if low > 0 and low < high / 2 else low
    shade = Scale(low=low, high=high)
    roles = [[_level(shade, value) for value in row] for row in grid.values]
    alt = _told(title, grid, f"from {format_value(low)} to {format_value(high)}" if known else "")
    return _drawn(grid, roles, [[_cell(value) for value in row] for row in grid.values], alt)


def difference(original: Grid, rerun: Grid) -> Figure | None:
    """The rerun's table minus the original's, gains and losses in colors of their own.

    None where the tables do not have the same columns and rows.
    """
    if (original.columns, original.rows) != (rerun.columns, rerun.rows):
        return None
    if len(original.values) != len(rerun.values):
        return None
    values = tuple(
        tuple(b - a for a, b in zip(*pair, strict=True))
        for pair in zip(original.values, rerun.values, strict=True)
    )
    grid = Grid(columns=original.columns, rows=original.rows, values=values)
    sizes = [abs(value) for value in finite(_values(grid))]
    largest = max(sizes, default=0.0)
    roles = [[_signed(value, largest) for value in row] for row in values]
    changed = sum(value != 0 for row in values for value in row)
    told = f"{changed} of {sum(map(len, values))} cells differ"
    told += f", by at most {format_size(largest)}" if sizes and changed else ""
    alt = _told("Rerun minus original", grid, told)
    return _drawn(grid, roles, [[_change(value) for value in row] for row in values], alt)


def _values(grid: Grid) -> list[float]:
    return [value for row in grid.values for value in row]


def _level(shade: Scale, value: float) -> str:
    at = shade.at(value)
    if math.isnan(at):
        return "heat none"
    return f"heat heat-{round(at * LEVELS)}" if shade.low < shade.high else "heat heat-0"


def _signed(value: float, largest: float) -> str:
    if not math.isfinite(value):
        return "heat none"
    if value == 0 or largest == 0:
        return "heat heat-0"
    level = max(1, math.ceil(abs(value) / largest * LEVELS / 2))
    return f"heat {'gain' if value > 0 else 'loss'}-{level}"


def _cell(value: float) -> str:
    """In three digits, or as many as a whole number has."""
    if not math.isfinite(value) or (value.is_integer() and abs(value) < 1e5):
        return format_value(value)
    return format_value(float(f"{value:.3g}"))


def _change(value: float) -> str:
    return format_difference(float(f"{value:.2g}")) if math.isfinite(value) else _cell(value)


def _drawn(
    grid: Grid, roles: Sequence[Sequence[str]], texts: Sequence[Sequence[str]], alt: str
) -> Figure:
    columns, rows = min(_CELLS, len(grid.columns)), min(_CELLS, len(grid.values))
    numbered = max(columns, rows) <= _NUMBERED
    longest = max(len(text) for row in texts for text in row[:columns]) if numbered else 0
    names = _row_names(grid, rows)
    gutter = min(120.0, max(map(len, names), default=0) * LETTER + 12)
    cell = max(longest * LETTER + 8, (WIDTH - gutter - 4) / max(columns, 4)) if numbered else 8.0
    head = LINE + 6
    tall = 28.0 if numbered else 8.0
    with canvas(head + tall * rows + 4, max(WIDTH, gutter + cell * columns + 4)) as paper:
        box = Box(left=gutter, top=head, width=cell * columns, height=tall * rows)
        panel = paper.panel(
            box, Scale(low=0.0, high=float(columns)), Scale(low=0.0, high=float(rows))
        )
        for i in range(rows):
            for j in range(columns):
                panel.block((j, j + 1), (rows - i, rows - i - 1), roles[i][j])
                if numbered:
                    _write_cell(panel, (j, rows - i), texts[i][j], roles[i][j])
        _name_sides(panel, [plain(name, 40) for name in grid.columns[:columns]], names)
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def _write_cell(panel: Panel, place: tuple[int, int], text: str, role: str) -> None:
    x, y = panel.place(place[0] + 0.5, place[1] - 0.5)
    panel.write(x, y + 4.5, text, f"number on-{role.rsplit(maxsplit=1)[-1]}", "middle")


def _row_names(grid: Grid, rows: int) -> list[str]:
    return [plain(name, 14) for name in grid.rows[:rows]]


def _name_sides(panel: Panel, columns: list[str], rows: list[str]) -> None:
    """The names, as many as have room."""
    tall = panel.box.height / max(1, int(panel.y.high))
    for i in range(0, len(rows), max(1, math.ceil(14 / tall))):
        _, y = panel.place(0.0, panel.y.high - i - 0.5)
        panel.write(panel.box.left - 6, y + 4.5, rows[i], "quiet", "end")
    wide = panel.box.width / max(1, len(columns))
    most = max(3, int(wide / LETTER))
    step = max(1, math.ceil(4 * LETTER / wide))
    for j in range(0, len(columns), step):
        x, _ = panel.place(j + 0.5, 0.0)
        text = plain(columns[j], most * step)
        panel.write(x, panel.box.top - 7, text, "quiet", "middle")


def _told(title: str, grid: Grid, told: str) -> str:
    text = f"{plain(title)}: {len(grid.values)} by {len(grid.columns)}"
    if max(len(grid.values), len(grid.columns)) > _CELLS:
        text += f", of which at most the first {_CELLS} each way are drawn"
    return f"{text}; {told}." if told else f"{text}."


# --- curves -------------------------------------------------------------------------------


def curves(original: Grid, rerun: Grid | None) -> Figure:
    """Every y over x, the original's and the rerun's, and below it their difference.

    There is no difference where the two do not have the same x.
    """
    xs = finite(_column(original, 0) + (_column(rerun, 0) if rerun else []))
    names = original.columns[1 : 1 + _LINES]
    ys = finite(y for grid in (original, rerun) if grid for y in _ys(grid))
    parts = _differences(original, rerun)
    alt = _curves_told(original, rerun, parts)
    x, y = scale_of(xs or (0.0,), pad=0.0), scale_of(ys or (0.0,), pad=0.04)
    height = 240.0 + (120.0 if parts else 0.0)
    with canvas(height) as paper:
        panel = _curve_panel(paper, x, y, 200.0 - 2 * LINE, top=12.0)
        for side, name in ((rerun, "rerun"), (original, "original")):
            for place in range(1, 1 + len(names)) if side else ():
                _draw_curve(panel, side, place, name)
        _name_curves(panel, original, rerun)
        panel.ruler(plain(original.columns[0], 40))
        if parts:
            _draw_differences(paper, x, parts)
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def _column(grid: Grid, place: int) -> list[float]:
    return [row[place] for row in grid.values if place < len(row)]


def _ys(grid: Grid) -> list[float]:
    return [y for row in grid.values for y in row[1 : 1 + _LINES]]


def _differences(original: Grid, rerun: Grid | None) -> list[list[tuple[float, float]]]:
    """By y, its points (x, rerun minus original)."""
    if rerun is None or len(original.columns) != len(rerun.columns):
        return []
    if _column(original, 0) != _column(rerun, 0):
        return []
    xs = _column(original, 0)
    found = []
    for place in range(1, min(len(original.columns), 1 + _LINES)):
        pairs = zip(xs, _column(original, place), _column(rerun, place), strict=True)
        found.append([(x, b - a) for x, a, b in pairs if math.isfinite(b - a)])
    return [points for points in found if points]


def _curve_panel(paper: Canvas, x: Scale, y: Scale, height: float, *, top: float) -> Panel:
    widest = max(len(each.text) for each in ticks(y, 4))
    left = min(120.0, widest * LETTER + 12)
    panel = paper.panel(Box(left=left, top=top, width=WIDTH - left - 76, height=height), x, y)
    panel.scale()
    return panel


def _draw_curve(panel: Panel, grid: Grid | None, place: int, name: str) -> None:
    if grid is None or place >= len(grid.columns):
        return
    points = _thinned(list(zip(_column(grid, 0), _column(grid, place), strict=True)))
    panel.line([x for x, _ in points], [y for _, y in points], f"{name} curve line-{place}")


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, math.ceil(len(points) / _POINTS))
    return [*points[::step], points[-1]] if step > 1 else points


def _name_curves(panel: Panel, original: Grid, rerun: Grid | None) -> None:
    sides = [(original, "original"), (rerun, "rerun")]
    found = [(name, side.values[-1][1]) for side, name in sides if side and len(side.columns) > 1]
    found = [(name, value) for name, value in found if math.isfinite(value)]
    ys = [panel.place(panel.x.high, value)[1] + 4.5 for _, value in found]
    for (name, _), y in zip(found, apart(ys, LINE), strict=True):
        panel.write(panel.box.right + 8, y, name, name)


def _draw_differences(paper: Canvas, x: Scale, parts: list[list[tuple[float, float]]]) -> None:
    values = [y for points in parts for _, y in points]
    y = scale_of([*values, 0.0], pad=0.1)
    panel = _curve_panel(paper, x, y, 76.0, top=272.0)
    panel.write(8, 262.0, "rerun minus original", "quiet")
    panel.line([x.low, x.high], [0.0, 0.0], "axis")
    for points in map(_thinned, parts):
        panel.line([x for x, _ in points], [y for _, y in points], "difference")


def _curves_told(original: Grid, rerun: Grid | None, parts: list[list[tuple[float, float]]]) -> str:
    names = ", ".join(plain(name, 40) for name in original.columns[1 : 1 + _LINES])
    text = f"{names or 'Nothing'} over {plain(original.columns[0], 40)}"
    text += f", {len(original.values)} points of the original"
    if rerun is None:
        return f"{text}; no rerun has it."
    text += f" and {len(rerun.values)} of the rerun"
    largest = max((abs(y) for points in parts for _, y in points), default=None)
    if largest is None:
        return f"{text}; they are not over the same points, so no difference is drawn."
    return f"{text}; they differ by at most {format_size(largest)}."
