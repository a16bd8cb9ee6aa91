"""How much of long things a document holds, and how its values are written."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from reprocheck import hostile
from reprocheck.model import Point

Document = dict[str, Any]

ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """The most that a document holds of a long thing."""

    points: int = 500  # of a history, 2 or more
    log_bytes: int = 65_536  # of each log, from its end
    exhibits: int = 800_000  # bytes of all that are carried
    text: int = 1_000_000  # characters of any text
    items: int = 100_000  # of any list or mapping; more than any noun has fields


LEVELS = (
    Detail(),
    Detail(log_bytes=16_384),
    Detail(log_bytes=2_048),
    Detail(log_bytes=2_048, points=100),
    Detail(log_bytes=2_048, points=100, exhibits=300_000),
    Detail(log_bytes=2_048, points=100, exhibits=0),
    Detail(log_bytes=2_048, points=20, exhibits=0),
    Detail(log_bytes=2_048, points=2, exhibits=0),
    Detail(log_bytes=2_048, points=2, exhibits=0, text=20_000),
    Detail(log_bytes=2_000, points=2, exhibits=0, text=2_000, items=1_000),
    Detail(log_bytes=0, points=2, exhibits=0, text=300, items=100),
    Detail(log_bytes=0, points=2, exhibits=0, text=80, items=50),
)
"""What a report gives up until it fits, in this order: logs, histories and exhibits, all else."""


def dump(document: Document) -> str:
    """The document as strict JSON (RFC 8259), indented, with each point of a history on a line."""
    return _dumped(document, "\n") + "\n"


def shorten(document: Document, detail: Detail) -> Document:
    """The document with every text, list and mapping as long as it may be."""
    pairs = islice(document.items(), detail.items)
    return {hostile.cut(key, detail.text): _short(value, detail) for key, value in pairs}


def thin(points: Sequence[Point], limit: int) -> tuple[Point, ...]:
    """At most `limit` (2 or more) of the points, evenly spaced, the first and last among them."""
    if len(points) <= limit:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[round(i * last / (limit - 1))] for i in range(limit))


def tail(text: str, size: int) -> str:
    """The end of the text, at most `size` bytes as UTF-8."""
    return text.encode()[-size:].decode("utf-8", "ignore") if size else ""


def number(value: float | None) -> float | str | None:
    """The value; JSON has no NaN and no infinities, so these are text."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def float_of(told: float | str | None) -> float | None:
    """The value that `number` wrote. Raises `OverflowError` for what no float holds."""
    return None if told is None else float(told)


def time(instant: datetime | None) -> str | None:
    """The instant by RFC 3339, in UTC."""
    if instant is None:
        return None
    utc = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return utc.isoformat().replace("+00:00", "Z")


def _short(value: object, detail: Detail) -> object:
    match value:
        case str():
            return hostile.cut(value, detail.text)
        case dict():
            return shorten(value, detail)
        case [[*_], *_]:  # a history: its points are counted already
            return value
        case list():
            return [_short(item, detail) for item in value[: detail.items]]
        case _:
            return value


def _dumped(value: object, line: str) -> str:
    inner = line + "  "
    match value:
        case dict() if value:
            rows = [f"{ENCODE(str(key))}: {_dumped(item, inner)}" for key, item in value.items()]
            return "{" + ",".join(inner + row for row in rows) + line + "}"
        case [[int(), int(), _], *_]:  # a history, told apart because it is long: numbers only
            return "[" + inner + ENCODE(value)[1:-1].replace("], [", f"],{inner}[") + line + "]"
        case list() if any(isinstance(item, dict | list) for item in value):
            return "[" + ",".join(inner + _dumped(item, inner) for item in value) + line + "]"
        case _:
            return ENCODE(value)
