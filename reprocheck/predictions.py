"""Reads the artifact in which a run logged a prediction for each example: CSV, JSON or parquet."""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.errors import ConfigError
from reprocheck.model import Artifact, MetricRule, Predictions, PredictionsRule
from reprocheck.numbers import counted
from reprocheck.numeric_text import delimiter_of

MOST_EXAMPLES = 5_000_000
MOST_BYTES = 256 * 2**20

Columns = Mapping[str, Sequence[object]]

_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)


class UnusableError(Exception):
    """A file that holds no predictions as declared: a config error, or a finding on a rerun."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def check_logged(rule: PredictionsRule, artifacts: Sequence[Artifact]) -> None:
    """Raises `ConfigError` when the run has no such artifact."""
    paths = [artifact.path for artifact in artifacts]
    if rule.artifact not in paths:
        raise ConfigError(
            f"{_place(rule)}the run logged no artifact {rule.artifact}",
            nearest(rule.artifact, paths),
        )


def original_predictions(
    rule: PredictionsRule, file: Path, rules: Iterable[MetricRule]
) -> Predictions:
    """The original's predictions, checked against the sizes of test sets that are declared.

    Raises `ConfigError` that names the config's line.
    """
    try:
        found = read_predictions(rule, file)
        _check_size(found, [each for each in rules if each.test_size is not None])
    except UnusableError as error:
        raise ConfigError(f"{_place(rule)}{error.message}", error.hint) from error
    return found


def read_predictions(rule: PredictionsRule, file: Path) -> Predictions:
    """The predictions of a file, in its order. Raises `UnusableError`."""
    columns = _columns(rule, file)
    wanted = [_column(rule, columns, name) for name in (rule.id, rule.label, rule.prediction)]
    ids = tuple(_text(value) for value in wanted[0])
    if not ids:
        raise UnusableError(f"{rule.artifact} has no rows", "log a row for each example")
    _refuse_duplicates(rule, ids)
    labels, predicted = (tuple(_kind(value) for value in column) for column in wanted[1:])
    return Predictions(ids=ids, labels=labels, predicted=predicted)


def _check_size(found: Predictions, rules: Sequence[MetricRule]) -> None:
    """Some declared size must be that of the file; there may be several test sets."""
    if rules and all(rule.test_size != len(found.ids) for rule in rules):
        declared = ", ".join(f"{rule.test_size} for {rule.metric}" for rule in rules)
        raise UnusableError(
            f"the predictions are {len(found.ids)} rows, and the declared test_size is {declared}",
            "name the artifact with the predictions of that test set, or correct test_size",
        )


def _columns(rule: PredictionsRule, file: Path) -> Columns:
    suffix = PurePosixPath(rule.artifact.lower()).suffix
    read = _READERS.get(suffix)
    if read is None:
        raise UnusableError(
            f"{rule.artifact} is of no kind that is read", "log CSV, TSV, JSON or parquet"
        )
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UnusableError(f"{rule.artifact} is too large", "log the three columns alone")
        return read(file, (rule.id, rule.label, rule.prediction))
    except UnusableError:
        raise
    except Exception as error:  # whatever a broken or hostile file makes a parser raise
        raise UnusableError(
            f"{rule.artifact} cannot be read as {suffix.removeprefix('.')}: {_first_line(error)}",
            "look at the file in the run's artifacts",
        ) from error


def _read_csv(file: Path, _wanted: Sequence[str]) -> Columns:
    text = file.read_text("utf-8-sig")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    header, *rows = [row for row in lines if row] or [[]]
    ragged = next((row for row in rows if len(row) != len(header)), None)
    if ragged is not None:
        raise UnusableError(
            f"{file.name} has a row of {counted(len(ragged), 'cell')} under {len(header)} columns",
            "quote the cells that hold a delimiter",
        )
    return {name: tuple(row[place] for row in rows) for place, name in enumerate(header)}


def _read_json(file: Path, _wanted: Sequence[str]) -> Columns:
    """Records, columns, or pandas' `split`, as mlflow.log_table writes it."""
    text = file.read_text("utf-8-sig")
    document: Any = json.loads(text)
    if isinstance(document, dict) and document.keys() >= {"columns", "data"}:
        named = [dict(zip(document["columns"], row, strict=True)) for row in document["data"]]
        return _of_records(named) or dict.fromkeys(document["columns"], ())
    if isinstance(document, list):
        return _of_records(document)
    return {
        str(name): tuple(column.values()) if isinstance(column, dict) else tuple(column)
        for name, column in document.items()
        if isinstance(column, dict | list)
    }


def _read_json_lines(file: Path, _wanted: Sequence[str]) -> Columns:
    lines = file.read_text("utf-8-sig").splitlines()
    return _of_records([json.loads(line) for line in lines if line.strip()])


def _of_records(records: Sequence[Mapping[str, object]]) -> Columns:
    names = records[0].keys() if records else ()
    return {name: tuple(record.get(name) for record in records) for name in names}


def _read_parquet(file: Path, wanted: Sequence[str]) -> Columns:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise UnusableError(
            "reading parquet needs pyarrow, which is not installed",
            "install reprocheck[parquet], or log the predictions as CSV",
        ) from error
    with parquet.ParquetFile(file) as opened:
        # A few bytes can stand for any number of equal rows.
        if opened.metadata.num_rows > MOST_EXAMPLES:
            raise UnusableError(
                f"the predictions are more than {MOST_EXAMPLES} rows", "log a sample of them"
            )
        names = opened.schema_arrow.names
        table = opened.read(columns=[name for name in names if name in wanted])
    known: dict[str, Sequence[object]] = dict.fromkeys(names, ())
    return known | {name: tuple(table.column(name).to_pylist()) for name in table.column_names}


_READERS: Mapping[str, Callable[[Path, Sequence[str]], Columns]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}


def _column(rule: PredictionsRule, columns: Columns, name: str) -> Sequence[object]:
    if not columns:
        raise UnusableError(f"{rule.artifact} has no rows", "log a row for each example")
    if name not in columns:
        raise UnusableError(f"{rule.artifact} has no column {name}", nearest(name, list(columns)))
    column, ids = columns[name], columns.get(rule.id, ())
    if len(column) != len(ids):
        raise UnusableError(
            f"{rule.artifact} has {len(column)} values of {name} and {len(ids)} of {rule.id}",
            "log a row for each example",
        )
    return column


def _refuse_duplicates(rule: PredictionsRule, ids: Sequence[str]) -> None:
    twice = next((id_ for id_, count in Counter(ids).items() if count > 1), None)
    if twice is None:
        return
    raise UnusableError(
        f"{rule.artifact} has the {rule.id} {twice[:50]} more than once",
        "name a column that tells the examples apart",
    )


def _kind(value: object) -> str:
    """A label or a prediction as text, such that 1, 1.0 and "1.0" are one class."""
    text = _text(value).strip()
    return str(int(float(text))) if _WHOLE.fullmatch(text) and len(text) < 16 else text


def _text(value: object) -> str:
    """A value as text; a missing one is empty, and a whole number has no point."""
    if value is None:
        return ""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value)


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint that names what is like a name, or what there is."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)[:8]
    return f"nearest names: {', '.join(near)}" if near else "there is none at all"


def _place(rule: PredictionsRule) -> str:
    return f"{rule.place}: " if rule.place else ""


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
