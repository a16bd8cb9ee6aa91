"""The numbers of JSON and CSV files, apart from all else in them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from typing import Any

from reprocheck.errors import OpaqueError
from reprocheck.model import Numbers

MOST_NUMBERS = 100_000  # of any file: each rerun's are kept and compared after every rerun
MOST_EXACT = 2**53  # integers beyond it are no doubles: names rather than amounts

_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf|infinity)", re.IGNORECASE | re.ASCII
)
_DELIMITERS = ",;\t|"


class _Gathering:
    """Takes a document apart; the digest's input can be read in one way only."""

    def __init__(self) -> None:
        self._rest = hashlib.sha256()
        self._values: list[float] = []

    def add_text(self, text: str) -> None:
        self._rest.update(json.dumps(text).encode())

    def add_mark(self, mark: str) -> None:
        self._rest.update(mark.encode())

    def add_number(self, number: float) -> None:
        if isinstance(number, int) and abs(number) > MOST_EXACT:
            self.add_mark(f"i{number};")
            return
        self.add_mark("#")
        self._values.append(float(number))
        if len(self._values) > MOST_NUMBERS:
            raise OpaqueError(f"it holds more than {MOST_NUMBERS} numbers")

    def numbers(self) -> Numbers:
        return Numbers(skeleton=self._rest.hexdigest(), values=tuple(self._values))


def read_json(data: bytes) -> Numbers:
    """The numbers of a JSON document, in its order but with the keys of objects sorted."""
    gathering = _Gathering()
    _gather(json.loads(data), gathering)
    return gathering.numbers()


def read_json_lines(data: bytes) -> Numbers:
    """The numbers of JSON documents, one a line."""
    gathering = _Gathering()
    for line in data.splitlines():
        if line.strip():
            _gather(json.loads(line), gathering)
    return gathering.numbers()


def _gather(document: Any, gathering: _Gathering) -> None:  # noqa: ANN401  (any JSON)
    waiting = [document]  # a stack, for a document may be as deep as its parser allows
    while waiting:
        node = waiting.pop()
        match node:
            case None | bool():
                gathering.add_mark(f"{node};")
            case str():
                gathering.add_text(node)
            case int() | float():
                gathering.add_number(node)
            case dict():
                gathering.add_mark(f"{{{len(node)}:")
                waiting += (part for key in sorted(node, reverse=True) for part in (node[key], key))
            case _:
                gathering.add_mark(f"[{len(node)}:")
                waiting += reversed(node)


def read_table(data: bytes) -> Numbers:
    """The numbers of a table in CSV or TSV, row by row; a cell is a number or a text."""
    text = data.decode("utf-8-sig")
    gathering = _Gathering()
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)):
        gathering.add_mark(f"[{len(row)}:")
        for cell in row:
            number = number_of(cell.strip())
            if number is None:
                gathering.add_text(cell)
            else:
                gathering.add_number(number)
    return gathering.numbers()


def delimiter_of(text: str) -> str:
    """What parts the columns: the one of `,;|` and tab that the first line has most of."""
    first, _, _ = text.partition("\n")
    return max(_DELIMITERS, key=first.count)


def number_of(cell: str) -> float | None:
    """The number that a cell of a table is, None for any other text."""
    if not _NUMBER.fullmatch(cell):
        return None
    return int(cell) if cell.lstrip("+-").isdecimal() else float(cell)
