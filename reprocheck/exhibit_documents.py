"""Exhibits as JSON: what both sides left at one path, as PNG or as numbers."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Iterable

from reprocheck.detail import Detail, Document, dump, number
from reprocheck.model import Exhibit, ExhibitSide, Grid, Picture

MOST_BYTES = 100_000  # of an exhibit as it stands in a report
MOST_IN_ALL = Detail().exhibits

LARGE_REPORT = "the rest of the report left no room for it"

_MOST_EXACT = 2**53


def exhibits(found: Iterable[Exhibit], most: int) -> list[Document]:
    """The exhibits, the first ones with their contents: at most `most` bytes of those."""
    documents = []
    for each in found:
        document = exhibit(each)
        if has_content(each):
            most -= (size := size_of(document))
            if most < 0:
                most += size
                document = exhibit(without_content(each, LARGE_REPORT))
        documents.append(document)
    return documents


def exhibit(each: Exhibit) -> Document:
    """One exhibit."""
    return {
        "path": each.path,
        "kind": each.kind.value,
        "original": _side(each.original),
        "rerun": _side(each.rerun),
        "trial": each.trial,
        "pixels": number(each.pixels),
        "left_out": each.left_out,
    }


def size_of(document: Document) -> int:
    """Bytes of an exhibit in a report, in the place where it stands."""
    return len(dump({"exhibits": [document]}).encode())


def has_content(each: Exhibit) -> bool:
    """Whether anything of it can be shown."""
    return each.original.content is not None or each.rerun.content is not None


def without_content(each: Exhibit, why: str) -> Exhibit:
    """The exhibit by name and digest alone."""
    return dataclasses.replace(
        each,
        original=dataclasses.replace(each.original, content=None),
        rerun=dataclasses.replace(each.rerun, content=None),
        left_out=why,
    )


def _side(side: ExhibitSide) -> Document:
    picture = side.content if isinstance(side.content, Picture) else None
    grid = side.content if isinstance(side.content, Grid) else None
    return {
        "sha256": side.sha256,
        "size": side.size,
        "picture": picture and _picture(picture),
        "grid": grid and _grid(grid),
    }


def _picture(picture: Picture) -> Document:
    return {
        "png": base64.b64encode(picture.png).decode(),
        "width": picture.width,
        "height": picture.height,
        "scaled": picture.scaled,
    }


def _grid(grid: Grid) -> Document:
    return {
        "columns": list(grid.columns),
        "rows": list(grid.rows),
        "values": [[_cell(value) for value in row] for row in grid.values],
        "thinned": grid.thinned,
    }


def _cell(value: float) -> float | str | None:
    """A count without a point: half as long. Minus zero has no such form."""
    whole = math.isfinite(value) and value.is_integer() and abs(value) < _MOST_EXACT
    return int(value) if whole and (value or math.copysign(1, value) > 0) else number(value)
