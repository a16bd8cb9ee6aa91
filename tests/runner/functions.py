"""The functions of expressions that need no job: what each does is in GitHub's documentation."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.runner.syntax import ExpressionError
from tests.runner.values import Value, equal, folded, is_simple, text

PLACE = re.compile(r"\{\{|\}\}|\{(\d+)[^{}]*\}|[{}]")


@dataclass(frozen=True, slots=True)
class Function:
    call: Callable[..., Value]
    least: int
    most: int


def _contains(held: Value, wanted: Value) -> bool:
    if isinstance(held, list):
        return any(equal(wanted, each) for each in held)
    both = is_simple(held) and is_simple(wanted)
    return both and text(wanted).lower() in text(held).lower()


def _starts_with(held: Value, wanted: Value) -> bool:
    both = is_simple(held) and is_simple(wanted)
    return both and folded(text(held)).startswith(folded(text(wanted)))


def _ends_with(held: Value, wanted: Value) -> bool:
    both = is_simple(held) and is_simple(wanted)
    return both and folded(text(held)).endswith(folded(text(wanted)))


def _join(held: Value, separator: Value = ",") -> str:
    if is_simple(held):
        return text(held)
    between = text(separator) if is_simple(separator) else ","
    return between.join(text(each) for each in held) if isinstance(held, list) else ""


def _format(template: Value, *values: Value) -> str:
    def place(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise ExpressionError(f"format: {found[0]!r} of {text(template)!r} cannot be filled")
        return text(values[int(found[1])])

    return PLACE.sub(place, text(template))


def _from_json(written: Value) -> Value:
    try:
        return json.loads(text(written))
    except ValueError as error:
        raise ExpressionError(f"fromJSON of {text(written)[:200]!r}: {error}") from error


def _to_json(value: Value) -> str:
    return json.dumps(_whole(value), indent=2, ensure_ascii=False)


def _whole(value: Value) -> Value:
    """Numbers without a fraction as JSON of JavaScript has them."""
    match value:
        case Mapping():
            return {name: _whole(each) for name, each in value.items()}
        case list():
            return [_whole(each) for each in value]
        case float() if not math.isfinite(value):
            return None
        case float() if value == int(value):
            return int(value)
    return value


FUNCTIONS = {
    "contains": Function(_contains, 2, 2),
    "startswith": Function(_starts_with, 2, 2),
    "endswith": Function(_ends_with, 2, 2),
    "join": Function(_join, 1, 2),
    "format": Function(_format, 1, 255),
    "fromjson": Function(_from_json, 1, 1),
    "tojson": Function(_to_json, 1, 1),
}
