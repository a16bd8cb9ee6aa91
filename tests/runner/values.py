"""Values of expressions and how they are coerced, as GitHub documents them.

Null, booleans, numbers, strings, arrays and objects are None, bool, float or int, str, list, dict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Value = Any
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
BASES = {"0x": 16, "0o": 8, "0b": 2}


class Filtered(list[Value]):
    """What `*` leaves of an array or object: a property of it is that of each of its items."""


def is_simple(value: Value) -> bool:
    return not isinstance(value, list | Mapping)


def truthy(value: Value) -> bool:
    if isinstance(value, list | Mapping):
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def text(value: Value) -> str:
    """How a value stands in a string."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number_text(float(value))
        case str():
            return value
        case Mapping():
            return "Object"
    return "Array"


def _number_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    value = round(value, 15) + 0.0  # no sign of zero
    if value == int(value) and abs(value) < 1e21:
        return f"{Decimal(repr(value)):.0f}"
    return repr(value).replace("e-0", "e-").replace("e+0", "e+")


def number(value: Value) -> float:
    match value:
        case None:
            return 0.0
        case bool() | int() | float():
            return float(value)
        case str():
            return _parsed(value.strip())
    return math.nan


def _parsed(written: str) -> float:
    if not written:
        return 0.0
    if written.lstrip("+-") == "Infinity":
        return -math.inf if written.startswith("-") else math.inf
    if (base := BASES.get(written[:2].lower())) is not None:
        try:
            return float(int(written[2:], base))
        except ValueError:
            return math.nan
    return float(written) if NUMBER.match(written) else math.nan


def folded(written: str) -> str:
    """For comparisons that ignore case; the small dotless i stays as it is."""
    return "ı".join(part.upper() for part in written.split("ı"))


def equal(left: Value, right: Value) -> bool:
    left, right = _alike(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return folded(left) == folded(right)
    if not (is_simple(left) and is_simple(right)):
        return left is right
    return type(left) is type(right) and left == right


def greater(left: Value, right: Value) -> bool:
    left, right = _alike(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return folded(left) > folded(right)
    simple = left is not None and is_simple(left) and type(left) is type(right)
    return simple and bool(left > right)


def _alike(left: Value, right: Value) -> tuple[Value, Value]:
    """Both as numbers, unless they are of one kind or one is an array or object."""
    left, right = (_plain(each) for each in (left, right))
    if type(left) is type(right) or not (is_simple(left) and is_simple(right)):
        return left, right
    return number(left), number(right)


def _plain(value: Value) -> Value:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def item(held: Value, key: Value) -> Value:
    """A property of an object or an item of an array; null where there is none."""
    if isinstance(held, Filtered):
        found = (_held(each, key) for each in held)
        return Filtered(each for each in found if each is not MISSING)
    found_one = _held(held, key)
    return None if found_one is MISSING else found_one


def every(held: Value) -> Filtered:
    """What `.*` is of a value."""
    if isinstance(held, Filtered):
        return Filtered(each for inner in held for each in every(inner))
    if isinstance(held, Mapping):
        return Filtered(held.values())
    return Filtered(held) if isinstance(held, list) else Filtered()


MISSING = object()


def _held(held: Value, key: Value) -> Value:
    if isinstance(held, Mapping) and is_simple(key):
        wanted = text(key).lower()
        return next((held[name] for name in held if name.lower() == wanted), _absent(held, wanted))
    index = number(key)
    if isinstance(held, list) and math.isfinite(index) and 0 <= index < len(held):
        return held[int(index)]
    return MISSING


class Closed(dict[str, Value]):
    """An object whose properties are all known: another one is a mistake in the file."""

    def __init__(self, what: str, held: Mapping[str, Value], known: tuple[str, ...] = ()) -> None:
        super().__init__(held)
        self.what = what
        self.known = {name.lower() for name in (*held, *known)}


class UnknownNameError(Exception):
    """The file names an input, step, job or output that does not exist."""


def _absent(held: Mapping[str, Value], name: str) -> Value:
    if isinstance(held, Closed) and name not in held.known:
        raise UnknownNameError(
            f"{held.what} has no {name!r}, only: {', '.join(sorted(held.known))}"
        )
    return MISSING
