"""Text files of strangers: regular files of UTF-8 alone, and JSON that says one thing.

Python's own reader waits for ever at a pipe, and its JSON takes the last of two equal keys, NaN,
and numbers that no double holds.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BOM = b"\xef\xbb\xbf"  # that some editors write before UTF-8
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class BrokenTextError(Exception):
    """Why a file cannot be read, and where; becomes words of the error of who asked for it."""

    def __init__(self, why: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.why = why
        self.hint = hint
        self.line = line


def read_text(path: Path, most: int, *, follow: bool = True) -> str:
    """The text of a regular file of at most `most` bytes; unless `follow`, of no symbolic link.

    Raises `BrokenTextError`.
    """
    try:
        with _opened(path, follow=follow) as file:
            content = file.read(most + 1)
    except OSError as error:
        raise BrokenTextError(error.strerror or str(error)) from error
    if len(content) > most:
        raise BrokenTextError(f"it has over {most // 1_000_000} MB")
    return decode(content)


def decode(content: bytes) -> str:
    """The text of UTF-8, with or without its mark. Raises `BrokenTextError`."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            convert = f"iconv -f {encoding} -t UTF-8 FILE > NEW"
            raise BrokenTextError(
                f"it is {encoding} text, not UTF-8", f"save it as UTF-8: {convert}"
            )
    content = content.removeprefix(_BOM)
    nul = content.find(b"\0")
    if nul >= 0:
        raise BrokenTextError(
            "it is no text in UTF-8: it holds a NUL byte",
            "save it as UTF-8 text",
            _line(content, nul),
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenTextError(
            f"it is no text in UTF-8: it holds the byte 0x{content[error.start]:02x}",
            "save it as UTF-8; a file in Latin-1: iconv -f LATIN1 -t UTF-8 FILE > NEW",
            _line(content, error.start),
        ) from error


def parse_json(text: str) -> object:
    """The value of strict JSON (RFC 8259) without a key twice. Raises `BrokenTextError`."""
    try:
        parsed: object = json.loads(
            text, object_pairs_hook=_mapping, parse_constant=_constant, parse_float=_float
        )
    except _OddTokenError as odd:
        raise BrokenTextError(odd.why, odd.hint, odd.line(text)) from odd
    except json.JSONDecodeError as error:
        why = f"it is not JSON: {error.msg}"
        raise BrokenTextError(why, "mend the line", error.lineno) from error
    except RecursionError as error:
        raise BrokenTextError("it is not JSON that can be read: it is nested too deep") from error
    except ValueError as error:  # Python refuses to read thousands of digits
        raise BrokenTextError("it has a number with over 4,000 digits") from error
    return parsed


def odd_text(text: str, longest: int, *, nul: bool = False) -> str:
    """Why a text is none that a person wrote, or ""; with `nul` it may hold NUL characters."""
    if len(text) > longest:
        return f"is a text of {len(text):,} characters; at most {longest:,} are read"
    if "\0" in text and not nul:
        return "holds a NUL character"
    if not text.isascii() and re.search("[\ud800-\udfff]", text):
        return "holds half of a character (a lone surrogate)"
    return ""


class _OddTokenError(Exception):
    """A token of JSON that is refused."""

    def __init__(self, why: str, hint: str, token: str, *, repeated: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint
        self._token = token
        self._repeated = repeated

    def line(self, text: str) -> int | None:
        """Where it is; of a repeated key the second place."""
        offsets = _repeats(text) if self._repeated else _tokens(text)
        return next(
            (text.count("\n", 0, at) + 1 for at, each in offsets if each == self._token), None
        )


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        why = f"the key {twice[:60]!r} is given twice"
        raise _OddTokenError(why, "keep one of the two", json.dumps(twice), repeated=True)
    return found


def _constant(token: str) -> NoReturn:
    raise _OddTokenError(f"{token} is no number of JSON", f'write "{token}" in quotes', token)


def _float(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        why = f"the number {token[:60]} is too large"
        raise _OddTokenError(why, 'write "Infinity" in quotes for what has no bound', token)
    return value


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    return ((match.start(), match[0]) for match in _TOKEN.finditer(text))


def _repeats(text: str) -> Iterator[tuple[int, str]]:
    """The keys that their mapping has already."""
    open_: list[set[str]] = []
    before = (0, "")
    for at, each in _tokens(text):
        if each in "{[":
            open_.append(set())
        elif each in "}]":
            open_.pop()
        elif each == ":":
            key = json.dumps(json.loads(before[1]))
            if key in open_[-1]:
                yield before[0], key
            open_[-1].add(key)
        before = (at, each)


def _opened(path: Path, *, follow: bool) -> Any:  # noqa: ANN401  (a binary file)
    """The file, if it is a regular one: a pipe or a device may never end."""
    if not follow and path.is_symlink():  # O_NOFOLLOW alone would say "too many levels"
        raise BrokenTextError("it is a symbolic link", "name the file that it leads to")
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise BrokenTextError(
            "it is a directory" if stat.S_ISDIR(mode) else "it is no regular file",
            "name a file",
        )
    return os.fdopen(handle, "rb")


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1
