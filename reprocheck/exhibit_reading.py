"""Exhibits out of a report's document, which anybody may have made: no more than is written."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from reprocheck import pictures
from reprocheck.detail import float_of
from reprocheck.exhibit_documents import MOST_IN_ALL, has_content, size_of
from reprocheck.model import Exhibit, ExhibitKind, ExhibitSide, Grid, Picture
from reprocheck.record_reading import number
from reprocheck.tables import MOST_POINTS, MOST_SIDE, MOST_YS

_SLACK = 1.1  # what is hidden of names may make them longer


def exhibits(documents: Iterable[Mapping[str, Any]]) -> tuple[Exhibit, ...]:
    """The exhibits. Raises `ValueError` or `OverflowError` for what we never write."""
    found, left = [], int(MOST_IN_ALL * _SLACK)
    for document in documents:
        left -= size_of(dict(document)) if _holds(document) else 0
        if left < 0:
            raise ValueError(f"the exhibits have over {MOST_IN_ALL // 1000} KB in all")
        found.append(_exhibit(document))
    return tuple(found)


def with_short_grids(document: object) -> object:
    """With two rows a grid: more are of one type, and slow to check."""
    if not isinstance(document, dict):
        return document
    sides = {
        name: _short_side(document[name]) for name in ("original", "rerun") if name in document
    }
    return {**document, **sides}


def _short_side(side: object) -> object:
    grid = side.get("grid") if isinstance(side, dict) else None
    if not isinstance(side, dict) or not isinstance(grid, dict):
        return side
    values = grid.get("values")
    return {**side, "grid": {**grid, "values": values[:2] if isinstance(values, list) else values}}


def _holds(document: Mapping[str, Any]) -> bool:
    sides = (document["original"], document["rerun"])
    return any(side["picture"] or side["grid"] for side in sides)


def _exhibit(document: Mapping[str, Any]) -> Exhibit:
    found = Exhibit(
        path=document["path"],
        kind=ExhibitKind(document["kind"]),
        original=_side(document["original"]),
        rerun=_side(document["rerun"]),
        trial=document["trial"],
        left_out=document["left_out"],
        pixels=float_of(document["pixels"]),
    )
    for side in (found.original, found.rerun):
        is_picture = isinstance(side.content, Picture)
        if side.content is not None and is_picture != (found.kind is ExhibitKind.IMAGE):
            raise ValueError(f"an exhibit is no {found.kind}")
        if found.kind is ExhibitKind.CURVE and isinstance(side.content, Grid):
            _refuse_matrix(side.content)
    if found.left_out and has_content(found):
        raise ValueError("an exhibit that was left out has a content")
    return found


def _side(document: Mapping[str, Any]) -> ExhibitSide:
    picture, grid = document["picture"], document["grid"]
    if picture and grid:
        raise ValueError("an exhibit is a picture and a grid")
    content = _picture(picture) if picture else _grid(grid) if grid else None
    sha256 = document["sha256"]
    if sha256.endswith("\n"):  # which the pattern of a schema lets by
        raise ValueError("a digest ends in a line's end")
    return ExhibitSide(sha256=sha256, size=document["size"], content=content)


def _picture(document: Mapping[str, Any]) -> Picture:
    try:
        png = base64.b64decode(document["png"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a picture is no base64") from error
    if base64.b64encode(png).decode() != document["png"]:
        raise ValueError("a picture is no base64 as we write it")
    picture = Picture(
        png=png,
        width=document["width"],
        height=document["height"],
        scaled=document["scaled"],
    )
    pictures.refuse_others(picture)
    return picture


def _grid(document: Mapping[str, Any]) -> Grid:
    grid = Grid(
        columns=tuple(document["columns"]),
        rows=tuple(document["rows"]),
        values=tuple(map(_row, document["values"])),
        thinned=document["thinned"],
    )
    if any(len(row) != len(grid.columns) for row in grid.values):
        raise ValueError("a grid has rows of other lengths than its columns")
    if grid.rows and len(grid.rows) != len(grid.values):
        raise ValueError("a grid has other names than rows")
    if len(grid.columns) > MOST_SIDE or len(grid.values) > MOST_POINTS:
        raise ValueError("a grid is larger than any that is shown")
    return grid


def _refuse_matrix(grid: Grid) -> None:
    if grid.rows or not 2 <= len(grid.columns) <= MOST_YS + 1:
        raise ValueError("a curve has no x and y")


def _row(cells: object) -> tuple[float, ...]:
    if not isinstance(cells, list):
        raise ValueError("a grid has a row that is none")
    return tuple(number("a grid", cell) for cell in cells)
