"""Where in a JSON text the values stand that JSON pointers name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def lines_of(text: str, pointers: Iterable[str]) -> Mapping[str, int]:
    """The line, from 1, of each pointer, of one that the text lacks that of its nearest parent.

    Raises `ValueError` for a text that is no JSON.
    """
    try:
        return {each: text.count("\n", 0, _position(text, each)) + 1 for each in pointers}
    except (IndexError, RecursionError) as error:
        raise ValueError("no JSON") from error


def has(text: str, key: str) -> bool:
    """Whether the text is an object with that key. Raises `ValueError` for one that is no JSON."""
    try:
        return _child(text, _skip(text, 0), key) is not None
    except (IndexError, RecursionError) as error:
        raise ValueError("no JSON") from error


def _position(text: str, pointer: str) -> int:
    """Where the value stands, or the last one on the way to it that there is."""
    at = _skip(text, 0)
    parts = pointer.split("/")[1:]
    for part in parts:
        inner = _child(text, at, part.replace("~1", "/").replace("~0", "~"))
        if inner is None:
            break
        at = inner
    return at


def _child(text: str, at: int, part: str) -> int | None:
    """Where in the object or list at a position the value of that key or index begins."""
    is_object = text[at] == "{"
    if not is_object and text[at] != "[":
        return None
    place, index = _skip(text, at + 1), 0
    while text[place] not in "}]":
        key = str(index)
        if is_object:
            key, place = _DECODER.raw_decode(text, place)
            place = _skip(text, _skip(text, place) + 1)  # past the colon
        if key == part:
            return place
        _, place = _DECODER.raw_decode(text, place)  # past the value
        place = _skip(text, place)
        place, index = _skip(text, place + 1) if text[place] == "," else place, index + 1
    return None


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
