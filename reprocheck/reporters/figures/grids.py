"""Tables of numbers as heat: of one side, and what differs between two."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from reprocheck.model import Grid
from reprocheck.numbers import counted, format_difference, format_size, format_value
from reprocheck.reporters.figures.base import Figure, finite, named, plain
from reprocheck.reporters.figures.canvas import LINE, WIDTH, Box, Panel, canvas
from reprocheck.reporters.figures.exhibited_curves import curves
from reprocheck.reporters.figures.labels import width
from reprocheck.reporters.figures.scales import Scale

__all__ = ["curves", "difference", "matrix"]

LEVELS = 6
"""Shades above the ground's own, as templates/figures.css has them; of differences, half of them
each way."""
_NUMBERED = 16
"""Columns and rows of a table up to which every cell has its number."""
_CELLS = 40
"""Columns and rows that are drawn; of more, the first ones."""
_DENSE = 9.0
"""Units of a cell without a number, as wide as templates/figures.css draws a line of them."""
_NAME = 14
"""Letters of a row's or a column's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """What is drawn of a grid: for each cell its shade and its number in words."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]  # names; () where they have none
    shades: tuple[tuple[str, ...], ...]
    texts: tuple[tuple[str, ...], ...]

    @property
    def numbered(self) -> bool:
        """Whether its cells have room for their numbers."""
        return max(len(self.columns), len(self.shades)) <= _NUMBERED


def matrix(grid: Grid, title: str, *, beside: Grid | None = None) -> Figure:
    """The table with its numbers; the stronger a cell's color, the larger its value.

    With `beside` the same color stands for the same value in both tables.
    """
    known = finite(_values(grid))
    told = _ends(known) if known else "no finite number"
    shade = _shade(finite([*known, *(_values(beside) if beside else [])]))
    table = _table(grid, lambda value: _level(shade, value), _cell)
    return _drawn(table, _told(title, grid, told), _largest(grid))


def _ends(known: tuple[float, ...]) -> str:
    low, high = format_value(min(known)), format_value(max(known))
    return f"all {low}" if low == high else f"from {low} to {high}"


def _shade(known: tuple[float, ...]) -> Scale:
    low, high = min(known, default=0.0), max(known, default=0.0)
    # Counts and shares begin at nothing.
    return Scale(low=0.0 if 0 < low < high / 2 else low, high=high)


def difference(original: Grid, rerun: Grid) -> Figure | None:
    """The rerun's table minus the original's, more and less in colors and signs of their own.

    None where the tables do not have the same columns and rows.
    """
    same = (original.columns, original.rows) == (rerun.columns, rerun.rows)
    if not same or len(original.values) != len(rerun.values):
        return None
    values = tuple(
        tuple(_minus(b, a) for a, b in zip(*pair, strict=True))
        for pair in zip(original.values, rerun.values, strict=True)
    )
    grid = Grid(columns=original.columns, rows=original.rows, values=values)
    largest = max(map(abs, finite(_values(grid))), default=0.0)
    table = _table(grid, lambda value: _signed(value, largest), _change)
    changed = sum(value != 0 for value in _values(grid))
    told = f"{changed} of {len(_values(grid))} cells differ" if changed else "no cell differs"
    if changed and largest:
        told += f", by at most {format_size(largest)}"
    return _drawn(table, _told("Rerun minus original", grid, told), "")


def _minus(b: float, a: float) -> float:
    """The difference; none between what is not finite in the same way."""
    return 0.0 if b == a or (math.isnan(a) and math.isnan(b)) else b - a


def _values(grid: Grid) -> list[float]:
    return [value for row in grid.values for value in row]


def _table(grid: Grid, shade: Callable[[float], str], text: Callable[[float], str]) -> _Table:
    shown = [row[:_CELLS] for row in grid.values[:_CELLS]]
    return _Table(
        columns=tuple(named(name, _NAME) for name in grid.columns[:_CELLS]),
        rows=tuple(named(name, _NAME) for name in grid.rows[:_CELLS]),
        shades=tuple(tuple(map(shade, row)) for row in shown),
        texts=tuple(tuple(map(text, row)) for row in shown),
    )


def _level(scale: Scale, value: float) -> str:
    at = scale.at(value)
    if math.isnan(at) or scale.low == scale.high:
        return "heat-0"
    return f"heat-{round(at * LEVELS)}"


def _signed(value: float, largest: float) -> str:
    if not math.isfinite(value) or value == 0 or largest == 0:
        return "heat-0"
    level = max(1, math.ceil(abs(value) / largest * LEVELS / 2))
    return f"{'more' if value > 0 else 'less'}-{level}"


def _cell(value: float) -> str:
    """In three digits, or as many as a whole number has."""
    if not math.isfinite(value) or (value.is_integer() and abs(value) < 1e5):
        return format_value(value)
    return format_value(float(f"{value:.3g}"))


def _change(value: float) -> str:
    return format_difference(float(f"{value:.2g}")) if math.isfinite(value) else _cell(value)


# --- the drawing --------------------------------------------------------------------------


def _drawn(table: _Table, caption: str, more: str) -> Figure:
    box, turned = _box(table)
    with canvas(box.bottom + 4, max(WIDTH, box.right + 4)) as paper:
        rows = float(len(table.shades))
        across = Scale(low=0.0, high=float(len(table.columns)))
        panel = paper.panel(box, across, Scale(low=0.0, high=rows))
        if table.numbered:
            _draw_cells(panel, table)
        else:
            _draw_lines(panel, table)
        _name_rows(panel, table)
        _name_columns(panel, table, turned=turned)
        alt = f"{caption} {more}".rstrip()
        return Figure(svg=paper.svg(alt), alt=alt, caption=caption)


def _box(table: _Table) -> tuple[Box, bool]:
    """Where the cells are, and whether the names of columns are written upwards."""
    left = max(map(width, table.rows), default=0.0) + 14
    cell = tall = _DENSE
    if table.numbered:
        longest = max(width(text) for row in table.texts for text in row)
        cell = max(longest + 10, (WIDTH - left - 4) / max(len(table.columns), 4))
        tall = 28.0
    names = max(map(width, table.columns), default=0.0)
    turned = names > cell - 6
    top = (names if turned else LINE) + 8
    sides = {"width": cell * len(table.columns), "height": tall * len(table.shades)}
    return Box(left=left, top=top, **sides), turned


def _draw_cells(panel: Panel, table: _Table) -> None:
    rows = len(table.shades)
    cells = [(shade, i, j) for i, row in enumerate(table.shades) for j, shade in enumerate(row)]
    for shade, i, j in sorted(cells):
        panel.block((j, j + 1), (rows - i, rows - i - 1), f"heat {shade}")
        x, y = panel.place(j + 0.5, rows - i - 0.5)
        panel.write(x, y + 4.5, table.texts[i][j], f"number on-{shade}", "middle")


def _draw_lines(panel: Panel, table: _Table) -> None:
    """Rows as thick lines, one path a shade: thousands of rectangles would be long."""
    panel.block((0.0, panel.x.high), (0.0, panel.y.high), "heat heat-0")
    for shade, spans in _spans(table).items():
        xs = [x for start, end, _ in spans for x in (start, end, math.nan)]
        ys = [y for _, _, y in spans for _ in range(3)]
        panel.line(xs, ys, f"dense {shade}")


def _spans(table: _Table) -> dict[str, list[tuple[float, float, float]]]:
    """By shade: from and to which column, and in which row, it reaches."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for i, shades in enumerate(table.shades):
        start = 0
        for shade, cells in groupby(shades):
            end = start + len(list(cells))
            if shade != "heat-0":
                found.setdefault(shade, []).append((start, end, len(table.shades) - i - 0.5))
            start = end
    return dict(sorted(found.items()))


def _name_rows(panel: Panel, table: _Table) -> None:
    for i in _some(len(table.rows), panel.box.height / len(table.shades)):
        _, y = panel.place(0.0, len(table.shades) - i - 0.5)
        panel.write(panel.box.left - 6, y + 4.5, table.rows[i], "quiet", "end")


def _name_columns(panel: Panel, table: _Table, *, turned: bool) -> None:
    wide = panel.box.width / len(table.columns)
    for j in _some(len(table.columns), wide if turned else 100.0):
        x, _ = panel.place(j + 0.5, 0.0)
        if turned:
            panel.write_upwards(x + 4.5, panel.box.top - 5, table.columns[j], "quiet")
        else:
            panel.write(x, panel.box.top - 7, table.columns[j], "quiet", "middle")


def _some(count: int, size: float) -> Iterator[int]:
    """So many of the places that names of one line do not touch."""
    yield from range(0, count, max(1, math.ceil(15 / size)))


# --- the words ----------------------------------------------------------------------------


def _told(title: str, grid: Grid, told: str) -> str:
    size = f"{counted(len(grid.values), 'row')} by {counted(len(grid.columns), 'column')}"
    text = f"{plain(title)}: {size}, {told}"
    if max(len(grid.values), len(grid.columns)) > _CELLS:
        text += f" (at most the first {_CELLS} each way are drawn)"
    return f"{text}."


def _largest(grid: Grid) -> str:
    """Where the largest value is."""
    places = [
        (value, i, j)
        for i, row in enumerate(grid.values)
        for j, value in enumerate(row)
        if math.isfinite(value)
    ]
    if not places:
        return ""
    value, i, j = max(places, key=lambda place: place[0])
    row = plain(grid.rows[i], 40) if i < len(grid.rows) else f"row {i + 1}"
    return f"The largest, {format_value(value)}, is at {row}, {plain(grid.columns[j], 40)}."
