"""Small tables of numbers in CSV, JSON and numpy's files: confusion matrices, ROC curves.

Only what a person would look at as a whole: no predictions, no data, nothing with words in it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from reprocheck.arrays import read_array
from reprocheck.errors import OpaqueError
from reprocheck.hostile import cut, printable
from reprocheck.model import ExhibitKind, Grid
from reprocheck.numeric_text import delimiter_of, number_of

MOST_BYTES = 1_000_000  # of a file: parsed, it takes many times its size
MOST_SIDE = 100  # rows and columns of a matrix
MOST_YS = 20  # of a curve
MOST_POINTS = 500  # of a curve: as many as histories have
LONGEST_NAME = 60  # characters of a row's or column's

_MOST_ROWS, _MOST_COLUMNS = 50, 20  # of a table whose name does not say what it shows
_FEWEST_POINTS = 3

_MATRIX = re.compile(r"confusion|matrix|per_class|correlation|classification_report")
_CURVE = re.compile(r"(?<![a-z])(roc|prc?|det|lift|gain)(?![a-z])|curve|calibration|reliability")
_DATA = re.compile(
    r"predict|(?<![a-z])preds?(?![a-z])|eval_results|dataset|input_example|serving_input|sample"
    r"|embedding|cv_results"
)
_ROW_NAMES = re.compile(
    r"|index|unnamed: 0|(true |actual |positive[ _])?(class|label)e?s?|names?|actual|true"
)
_PREFERRED_X = ("fpr", "false_positive_rate", "false positive rate", "recall")
_FIRST_X = re.compile(
    r"fpr|recall|thresholds?|epochs?|steps?|iterations?|x|mean_predicted|prob_pred"
)
_THRESHOLD = re.compile(r"thresholds?")
_SCORES = {"precision", "recall", "f1-score"}

Cells = Sequence[Sequence[object]]


class NoTableError(Exception):
    """The file holds something else than a small table of numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    header: tuple[str, ...] | None
    rows: Cells
    names: tuple[str, ...] = ()  # of the rows, where they stand apart


def is_table(path: str) -> bool:
    """Whether a file of this name may hold one."""
    return _suffix(path) in _READERS and not _DATA.search(_stem(path))


def kind_by_name(path: str) -> ExhibitKind | None:
    """What its name says that a table shows; None: nothing."""
    stem = _stem(path)
    if _MATRIX.search(stem):
        return ExhibitKind.MATRIX
    return ExhibitKind.CURVE if _CURVE.search(stem) else None


def read_table(path: str, data: bytes) -> tuple[ExhibitKind, Grid]:
    """The table in a file of at most `MOST_BYTES`.

    Raises `NoTableError` for what is none, `OpaqueError` for what cannot be read or shown.
    """
    try:
        table = _READERS[_suffix(path)](data)
        return _shown(kind_by_name(path), _sides(table))
    except (NoTableError, OpaqueError):
        raise
    except Exception as error:  # whatever a broken or hostile file makes a parser raise
        raise OpaqueError("it cannot be read") from error


def thin(grid: Grid, most: int) -> Grid:
    """A curve with at most `most` (2 or more) of its points, the first and last among them."""
    rows, last = grid.values, len(grid.values) - 1
    if last < most:
        return grid
    kept = tuple(rows[round(i * last / (most - 1))] for i in range(most))
    return Grid(
        columns=grid.columns,
        rows=(),
        values=kept,
        thinned=grid.thinned + len(rows) - most,
    )


def _suffix(path: str) -> str:
    return PurePosixPath(path.lower()).suffix


def _stem(path: str) -> str:
    return PurePosixPath(path.lower()).stem.replace("-", "_").replace(" ", "_")


# --- what is shown ------------------------------------------------------------------------


def _shown(named: ExhibitKind | None, grid: Grid) -> tuple[ExhibitKind, Grid]:
    rows, columns = len(grid.values), len(grid.columns)
    points = not grid.rows and rows >= _FEWEST_POINTS and 2 <= columns <= MOST_YS + 1
    is_curve = named is ExhibitKind.CURVE or (
        named is None and bool(_FIRST_X.fullmatch(grid.columns[0].lower()))
    )
    if points and is_curve:
        return ExhibitKind.CURVE, thin(_as_curve(grid), MOST_POINTS)
    if named is None and (rows > _MOST_ROWS or columns > _MOST_COLUMNS) and not _is_square(grid):
        raise NoTableError
    if max(rows, columns) > MOST_SIDE:
        if named is None:
            raise NoTableError
        raise OpaqueError(f"it has {rows} rows and {columns} columns; {MOST_SIDE} are shown")
    return ExhibitKind.MATRIX, grid


def _is_square(grid: Grid) -> bool:
    return len(grid.values) == len(grid.columns)


def _as_curve(grid: Grid) -> Grid:
    """With x in front; thresholds that only label the points are no y."""
    names = [name.lower() for name in grid.columns]
    order = list(range(len(names)))
    x = next((names.index(name) for name in _PREFERRED_X if name in names), 0)
    if not _THRESHOLD.fullmatch(names[0]):
        order = [x, *(i for i in order if i != x and not _THRESHOLD.fullmatch(names[i]))]
    if len(order) < 2:
        return grid
    return Grid(
        columns=tuple(grid.columns[i] for i in order),
        rows=(),
        values=tuple(tuple(row[i] for i in order) for row in grid.values),
    )


# --- the table ----------------------------------------------------------------------------


def _sides(table: _Table) -> Grid:
    """Names of rows and columns, and the numbers between them."""
    rows = table.rows
    width = len(rows[0]) if rows else 0
    header = table.header or tuple(str(i) for i in range(width))
    if not width or any(len(row) != width for row in rows):
        raise NoTableError
    if len(header) == width - 1:  # a corner that is not there
        header = ("", *header)
    names = table.names
    if len(header) != width or (names and len(names) != len(rows)):
        raise NoTableError
    if not names and width > 1 and _are_names(table.header, [row[0] for row in rows]):
        names = tuple(map(_text, (row[0] for row in rows)))
        header, rows = header[1:], [row[1:] for row in rows]
    return Grid(
        columns=tuple(map(_name, header)),
        rows=tuple(map(_name, names)),
        values=tuple(tuple(map(_number, row)) for row in rows),
    )


def _are_names(header: Sequence[str] | None, first: Sequence[object]) -> bool:
    if any(isinstance(cell, str) for cell in first):
        return True
    if header is None:
        return False
    named = _ROW_NAMES.fullmatch(header[0].strip().lower())
    return bool(named) or [_text(cell) for cell in first] == list(header[1:])


def _counts(cells: Sequence[object]) -> bool:
    """Whether they are 0, 1, 2, …, as pandas names what has no name."""
    return all(cell == i for i, cell in enumerate(cells))


def _number(cell: object) -> float:
    if cell is None:
        return math.nan
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise NoTableError
    return float(cell)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _name(text: str) -> str:
    return cut(printable(text), LONGEST_NAME)


# --- files --------------------------------------------------------------------------------


def _read_csv(data: bytes) -> _Table:
    text = data.decode("utf-8-sig")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    rows = [[_cell(cell) for cell in row] for row in lines if row]
    return _headed(rows)


def _cell(text: str) -> object:
    stripped = text.strip()
    number = number_of(stripped)
    return (stripped or None) if number is None else number


def _headed(rows: Sequence[Sequence[object]]) -> _Table:
    """A first row with a name in it is the header, and so is one that counts the columns."""
    counts = bool(rows) and len(rows) == len(rows[0]) + 1 and _counts(rows[0])
    if rows and (counts or any(cell is None or isinstance(cell, str) for cell in rows[0])):
        header = tuple("" if cell is None else _text(cell) for cell in rows[0])
        return _Table(header=header, rows=rows[1:])
    return _Table(header=None, rows=rows)


def _read_json(data: bytes) -> _Table:
    document: Any = json.loads(data)
    match document:
        case {"columns": [*columns], "data": [*rows], **more}:
            index: Any = more.get("index") or ()
            names = [] if _counts(index) else index
            return _Table(header=_texts(columns), rows=_cells(rows), names=_texts(names))
        case dict():
            return _of_mapping(document)
        case [[*_], *_]:
            return _headed(_cells(document))
        case [{}, *_]:
            header = list(document[0])
            if any(not isinstance(each, dict) or list(each) != header for each in document):
                raise NoTableError
            return _Table(header=_texts(header), rows=_cells([[*r.values()] for r in document]))
    raise NoTableError


def _of_mapping(document: Mapping[str, Any]) -> _Table:
    """A matrix beside its labels; columns by name; a report of classes."""
    matrix = document.get("matrix", document.get("confusion_matrix"))
    labels = document.get("labels", document.get("classes"))
    if isinstance(matrix, list):
        names = _texts(labels) if isinstance(labels, list) else ()
        return _Table(header=names or None, rows=_cells(matrix), names=names)
    parts = {name: part for name, part in document.items() if isinstance(part, dict)}
    if parts:
        return _of_parts(parts)
    lists = {name: part for name, part in document.items() if isinstance(part, list)}
    if len({len(part) for part in lists.values()}) > 1:  # a curve has a threshold less
        lists = {name: each for name, each in lists.items() if not _THRESHOLD.fullmatch(name)}
    columns = list(lists.values())
    if not columns or len({len(part) for part in columns}) > 1:
        raise NoTableError
    return _Table(header=tuple(lists), rows=_cells(list(zip(*columns, strict=True))))


def _of_parts(parts: Mapping[str, Mapping[str, Any]]) -> _Table:
    """scikit-learn's report has a row an entry, pandas' frame a column."""
    inner = list(next(iter(parts.values())))
    if any(list(part) != inner for part in parts.values()):
        raise NoTableError
    rows: list[list[object]] = [list(part.values()) for part in parts.values()]
    if _SCORES.intersection(inner):
        return _Table(header=_texts(inner), rows=_cells(rows), names=tuple(parts))
    columns = [list(row) for row in zip(*rows, strict=True)]
    counted = inner == [str(i) for i in range(len(inner))] and inner != list(parts)
    names = () if counted else _texts(inner)
    return _Table(header=tuple(parts), rows=_cells(columns), names=names)


def _texts(cells: Sequence[object]) -> tuple[str, ...]:
    if not all(isinstance(cell, str | int | float | bool) for cell in cells):
        raise NoTableError
    return tuple(map(_text, cells))


def _cells(rows: Sequence[object]) -> Cells:
    found: list[Sequence[object]] = []
    for row in rows:
        if not isinstance(row, list | tuple):
            raise NoTableError
        found.append([_told(cell) for cell in row])
    return found


def _told(cell: Any) -> object:  # noqa: ANN401  (any JSON)
    """The cell; numbers that JSON cannot hold are told as text."""
    return float(cell) if cell in ("NaN", "Infinity", "-Infinity") else cell


def _read_npy(data: bytes) -> _Table:
    array = read_array(data)
    if array.ndim != 2 or array.dtype.kind not in "iufb" or not array.size:
        raise NoTableError
    return _Table(header=None, rows=array.astype("float64").tolist())


_READERS: Mapping[str, Callable[[bytes], _Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".json": _read_json,
    ".npy": _read_npy,
}
