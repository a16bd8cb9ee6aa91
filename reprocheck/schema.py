"""The published JSON schemas, and what is wrong with a document in plain words."""

from __future__ import annotations

import difflib
import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import ValidationError

NAMES = ("run", "config", "experiment", "report", "plan", "doctor", "audit", "validation")
SHOWN = 60
"""Characters of a document's value that a message shows."""

DEEPEST = 100
LONGEST_NUMBER = 1_024  # bits: as large as a float may be

TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaIssue:
    """One place where a document does not follow its schema. The hint may be empty."""

    pointer: str  # JSON pointer into the document, "" for the whole
    message: str
    hint: str


@functools.cache
def load(name: str) -> dict[str, Any]:
    """The schema of that name, one of `NAMES`. Not to be changed by the caller."""
    if name not in NAMES:
        raise ValueError(f"no schema is named {name}")
    file = f"{name}.schema.json"
    packaged = resources.files("reprocheck").joinpath("schemas", file)
    # An editable install has no copy inside the package: the repository's own file counts.
    source = packaged if packaged.is_file() else Path(__file__).parents[1] / "schemas" / file
    loaded: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded


def check(document: object, name: str) -> tuple[SchemaIssue, ...]:
    """What is wrong with a document, by its place; empty when it follows the schema `name`.

    References between the schemas are resolved from the shipped files, never from the network.
    """
    odd = tuple(_odd(document, finite=name == "config"))
    if odd:
        return odd
    errors = _validator(name).iter_errors(document)
    found = {issue: None for error in errors for leaf in _leaves(error) for issue in _issues(leaf)}
    return tuple(sorted(found, key=lambda issue: (issue.pointer, issue.message)))


def pointer(parts: Iterable[object]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    registry: Registry[Any] = Registry()
    for other in NAMES:  # they refer to parts of each other
        registry = Resource.from_contents(load(other)) @ registry
    return Draft202012Validator(load(name), registry=registry, format_checker=_formats())


def _formats() -> FormatChecker:
    """Formats checked here: jsonschema checks no date-time without a further package."""
    from jsonschema import FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_instant)
    return formats


def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


def _odd(document: object, *, finite: bool) -> Iterator[SchemaIssue]:
    """What JSON cannot hold or jsonschema cannot show, but YAML can say.

    With `finite`, .nan and .inf, too: no bound of a schema refuses what cannot be compared.
    """
    seen: set[int] = set()  # a YAML alias may name the value that holds it
    left: list[tuple[object, tuple[object, ...]]] = [(document, ())]
    while left:
        value, path = left.pop()
        if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
            yield SchemaIssue(pointer=pointer(path), message="the number is too large", hint="")
        if finite and isinstance(value, float) and not math.isfinite(value):
            yield SchemaIssue(pointer=pointer(path), message="must be a finite number", hint="")
        if not isinstance(value, Mapping | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if len(path) > DEEPEST:
            yield SchemaIssue(pointer="", message="values are nested too deep", hint="")
            return
        yield from _odd_keys(value, pointer(path))
        left += ((child, (*path, key)) for key, child in _children(value))


def _odd_keys(value: object, at: str) -> Iterator[SchemaIssue]:
    for key in value if isinstance(value, Mapping) else ():
        if not isinstance(key, str):  # YAML reads the keys `on` and `1` as other types
            message = f"the key {_shown(key)} is not text"
            yield SchemaIssue(pointer=at, message=message, hint="put the key in quotes")


def _children(value: Mapping[object, object] | list[object]) -> Iterable[tuple[object, object]]:
    return value.items() if isinstance(value, Mapping) else enumerate(value)


# --- which errors to tell -----------------------------------------------------------------


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors that say what is wrong: of alternatives, those of the one that was meant."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        yield error
        return
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [errors for errors in branches.values() if not any(map(_misses, errors))]
    if not meant:
        yield error
        return
    for inner in max(meant, key=_nearness):
        yield from _leaves(inner)


def _nearness(errors: list[ValidationError]) -> tuple[tuple[int, bool], int]:
    """How near an alternative is: one that is wrong deeper inside is right around that place."""
    kinds = ("type", "const", "enum")
    first = min((len(error.absolute_path), error.validator not in kinds) for error in errors)
    return first, -len(errors)


def _misses(error: ValidationError) -> bool:
    """Whether an alternative is refused for what the value is, not for what it holds."""
    return not error.relative_path and error.validator in ("type", "const", "enum")


# --- how to tell them ---------------------------------------------------------------------


def _issues(error: ValidationError) -> Iterator[SchemaIssue]:
    if error.validator == "additionalProperties" and error.validator_value is False:
        yield from _unknown_keys(error)
        return
    yield SchemaIssue(
        pointer=pointer(error.absolute_path), message=_message(error), hint=_hint(error)
    )


def _unknown_keys(error: ValidationError) -> Iterator[SchemaIssue]:
    known = list(_schema(error).get("properties", {}))
    instance: Any = error.instance
    for key in instance:
        if key not in known:
            yield SchemaIssue(
                pointer=pointer([*error.absolute_path, key]),
                message=f"unknown key {_shown(key)}",
                hint=_nearest(str(key), known),
            )


def _nearest(key: str, known: list[str]) -> str:
    folded = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(key[:SHOWN].lower().replace("-", "_"), folded, n=1)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return f"known here: {', '.join(known)}" if known else ""


def _message(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    shown = _shown(error.instance)
    match str(error.validator):
        case "type":
            told = f"must be {_types(wanted)}, not {shown}"
        case "anyOf" | "oneOf":
            told = f"must be {_alternatives(wanted)}, not {shown}"
        case "enum":
            told = f"must be {_either([_plain(item) for item in wanted])}, not {shown}"
        case "const":
            told = f"must be {_plain(wanted)}, not {shown}"
        case "required":
            told = f"the key {_missing(error)} is missing"
        case "format":
            told = f"{shown} is no {_format(wanted)}"
        case other:
            told = _limits(other, wanted, shown)
    return told


def _limits(validator: str, wanted: object, shown: str) -> str:
    limit = _plain(wanted)
    return {
        "minimum": f"must be at least {limit}, not {shown}",
        "maximum": f"must be at most {limit}, not {shown}",
        "exclusiveMinimum": f"must be above {limit}, not {shown}",
        "exclusiveMaximum": f"must be below {limit}, not {shown}",
        "minLength": "must not be empty" if wanted == 1 else f"is shorter than {limit} characters",
        "maxLength": f"is longer than {limit} characters",
        "minItems": "must not be empty" if wanted == 1 else f"has fewer than {limit} items",
        "maxItems": f"has more than {limit} items",
        "minProperties": "must not be empty" if wanted == 1 else f"has fewer than {limit} keys",
        "maxProperties": f"has more than {limit} keys",
        "pattern": f"{shown} does not have the form that is expected here",
        "uniqueItems": "has an item twice",
    }.get(validator, f"{shown} is not allowed here")


def _hint(error: ValidationError) -> str:
    """What the schema says about the place, with its examples."""
    schema = _schema(error)
    if error.validator == "required":
        schema = _schema(error).get("properties", {}).get(_missing(error), {})
    parent: Any = error.parent
    if parent is not None and "description" not in schema:
        return _hint(parent)  # an alternative is described where it is named
    examples = [_plain(example) for example in schema.get("examples", ())]
    short = [example for example in examples if len(example) <= SHOWN]
    example = f"For example {' or '.join(short)}." if short else ""
    return f"{schema.get('description', '')} {example}".strip()


def _missing(error: ValidationError) -> str:
    """The missing key: one error each, and jsonschema names it only in its message."""
    wanted: Any = error.validator_value
    return next(str(key) for key in wanted if error.message.startswith(repr(key)))


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _types(wanted: object) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return _either([TYPES.get(str(name), str(name)) for name in names])


def _alternatives(branches: list[Mapping[str, Any]]) -> str:
    told: dict[str, None] = {}
    for branch in branches:
        if "const" in branch:
            told[_plain(branch["const"])] = None
        elif "enum" in branch:
            told.update(dict.fromkeys(_plain(item) for item in branch["enum"]))
        elif "type" in branch:
            told[_types(branch["type"])] = None
    return _either(list(told)) if told else "one of the forms that are allowed here"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _format(name: object) -> str:
    if name == "date-time":
        return "time of the form 2026-01-31T12:00:00Z"
    return str(name)


def _plain(value: object) -> str:
    """A value of a schema as one would write it."""
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: object) -> str:
    """A value of a document, short and on one line whatever it is."""
    match value:
        case str():
            short = value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
            return "'" + "".join(c if c.isprintable() else "�" for c in short) + "'"
        case Mapping():
            return "a mapping"
        case list():
            return "a list"
        case _:
            text = json.dumps(value, default=str)
            return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
