"""Images, matrices and curves of the original and one rerun, side by side, for a page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from reprocheck.model import Exhibit, ExhibitKind, ExhibitSide, Grid, Picture, Report
from reprocheck.numbers import counted, format_bytes, format_percent
from reprocheck.reporters.beside import differs
from reprocheck.reporters.figures import grids
from reprocheck.reporters.figures.base import Figure, plain

Row = dict[str, object]

MOST_SVG = 400_000
"""Characters of all drawings on a page; tables have a shape a cell."""
MOST_CELLS = 6_000
"""Of all tables that are drawn, each in about half a millisecond."""
DRAWING = 40
"""Cells for whose time any drawing is made."""
LARGE = 900
"""Cells of a table of which, with so many, only the difference is drawn."""
LONGEST_PATH = 200

_NOT_DRAWN = "The numbers are in report.json: the page has as many drawings as it can hold."
_LARGE = "The table is large: its difference alone is drawn."
_OTHER_SHAPE = "Rows and columns are not the same on both sides, so no difference is drawn."
_ORDER = ("Original and rerun", "Original", "Rerun", "Rerun minus original")


@dataclass(slots=True)
class _Sheet:
    """How much of the page is left for drawings."""

    svg: int = MOST_SVG
    cells: int = MOST_CELLS

    def draw(self, cells: int, make: Callable[[], Figure | None]) -> Figure | None:
        """The drawing, where there is room for it."""
        cost = cells + DRAWING
        if cost > self.cells:
            return None
        self.cells -= cost
        figure = make()
        if figure is None or len(figure.svg) > self.svg:
            return None
        self.svg -= len(figure.svg)
        return figure


def exhibits(report: Report) -> list[Row]:
    """Values of templates/exhibits.html: what is shown in the report's order, then what is not.

    Every text is plain and to be escaped, but `svg` is markup as it stands; `src` is a data: URI.
    """
    sheet = _Sheet()
    rows = [_row(each, sheet) for each in report.exhibits]
    return sorted(rows, key=lambda row: (not row["is_shown"], not row["differs"]))


def _row(each: Exhibit, sheet: _Sheet) -> Row:
    is_image = each.kind is ExhibitKind.IMAGE
    parts = _pictures(each) if is_image else _drawings(each, sheet)
    is_shown = bool(each.original.content or each.rerun.content)
    told = [_told(each), _NOT_DRAWN if is_shown and not parts else ""]
    return {
        "path": plain(each.path, LONGEST_PATH),
        "kind": each.kind.value,
        "is_shown": is_shown,
        "differs": differs(each),
        "state": _state(each),
        "told": " ".join(filter(None, told)),
        "parts": parts,
        "left_out": plain(each.left_out, LONGEST_PATH),
        "trial": each.trial,
        "original": _file(each.original),
        "rerun": _file(each.rerun),
    }


def _file(side: ExhibitSide) -> Row:
    return {
        "sha256": side.sha256,
        "size": "" if side.size is None else format_bytes(side.size),
        "is_missing": side.size is None,
    }


def _state(each: Exhibit) -> str:
    if each.same:
        return "identical"
    if each.rerun.size is None:
        return "missing in the rerun"
    return "differs" if each.original.sha256 else "not read"


def _told(each: Exhibit) -> str:
    """What a reader should know besides what is to be seen."""
    if each.rerun.size is None:
        return f"Rerun {each.trial} logged no such file."
    if each.original.sha256 and each.original.sha256 == each.rerun.sha256:
        return f"Rerun {each.trial} logged the same file."
    if each.pixels is not None:
        return _pixels(each.pixels)
    match each.original.content, each.rerun.content:
        case Picture(), Picture():
            return "The images are not of one size."
        case Grid() as ours, Grid() as theirs:
            return " ".join(filter(None, (_apart(each, ours, theirs), _thinned(ours, theirs))))
        case _:
            return ""


def _pixels(share: float) -> str:
    if share == 0:
        return "The files differ, and all their pixels are the same."
    percent = "Under 0.01 %" if share < 1e-4 else format_percent(100 * share)
    return f"{percent} of the pixels differ."


def _apart(each: Exhibit, ours: Grid, theirs: Grid) -> str:
    if each.kind is ExhibitKind.MATRIX and _shape(ours) != _shape(theirs):
        return _OTHER_SHAPE
    if _is_large(each):
        return _LARGE
    same = repr(ours.values) == repr(theirs.values)  # NaN equals no NaN
    return "The files differ, and all their numbers are the same." if same else ""


def _thinned(ours: Grid, theirs: Grid) -> str:
    most = max(ours.thinned, theirs.thinned)
    return f"Up to {counted(most, 'point')} of a curve between these are left out." if most else ""


# --- images -------------------------------------------------------------------------------


def _pictures(each: Exhibit) -> list[Row]:
    sides = [(_first(each), each.original.content), ("Rerun", each.rerun.content)]
    return [_image(each, label, one) for label, one in sides if isinstance(one, Picture)]


def _first(each: Exhibit) -> str:
    return "Original and rerun" if each.same else "Original"


def _image(each: Exhibit, label: str, picture: Picture) -> Row:
    scaled = ", made smaller to fit" if picture.scaled else ""
    return {
        "label": label,
        "src": f"data:image/png;base64,{base64.b64encode(picture.png).decode()}",
        "alt": f"{plain(each.path)}, {label.lower()}",
        "caption": f"{picture.width} × {picture.height} pixels{scaled}",
        "width": picture.width,
        "height": picture.height,
        "svg": "",
    }


# --- numbers ------------------------------------------------------------------------------


def _drawings(each: Exhibit, sheet: _Sheet) -> list[Row]:
    """The drawings of a matrix or a curve, the difference first where the sheet is nearly full."""
    ours, theirs = each.original.content, each.rerun.content
    if not isinstance(ours, Grid):
        return []
    rerun = theirs if isinstance(theirs, Grid) else None
    if each.kind is ExhibitKind.CURVE:
        both = ours if each.same else rerun
        figure = sheet.draw(len(ours.columns), lambda: grids.curves(ours, both))
        found = {"Original and rerun" if both else "Original": figure}
    else:
        found = _matrices(each, ours, rerun, sheet)
    return [_drawing(label, figure) for label in _ORDER if (figure := found.get(label))]


def _matrices(
    each: Exhibit, ours: Grid, rerun: Grid | None, sheet: _Sheet
) -> dict[str, Figure | None]:
    name, cells = plain(each.path), _cells(ours)
    found: dict[str, Figure | None] = {}
    if rerun is not None:
        make = grids.difference
        found["Rerun minus original"] = sheet.draw(cells, lambda: make(ours, rerun))
        if _is_large(each):
            return found
    found[_first(each)] = sheet.draw(cells, lambda: grids.matrix(ours, name))
    if rerun is not None:
        found["Rerun"] = sheet.draw(_cells(rerun), lambda: grids.matrix(rerun, name))
    return found


def _is_large(each: Exhibit) -> bool:
    """Whether it is a table of many cells, and comparable."""
    match each.original.content, each.rerun.content:
        case Grid() as ours, Grid() as theirs if each.kind is ExhibitKind.MATRIX:
            return _cells(ours) > LARGE and _shape(ours) == _shape(theirs)
    return False


def _shape(grid: Grid) -> tuple[object, ...]:
    return grid.columns, grid.rows, len(grid.values)


def _cells(grid: Grid) -> int:
    return len(grid.columns) * len(grid.values)


def _drawing(label: str, figure: Figure) -> Row:
    from markupsafe import Markup

    return {
        "label": label,
        "src": "",
        "alt": figure.alt,
        "caption": figure.caption,
        "svg": Markup(figure.svg),  # noqa: S704 - escaped by who drew it
    }
