"""What jsonschema finds wrong with a document, in plain words."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

SHOWN = 60
"""Characters of a document's value that a message shows."""

_SHORT = 4
"""Characters of a word that one other letter makes another word."""

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
    missing: str = ""  # the key that is missing there
    choices: tuple[str, ...] = ()  # what the value can be, of that key or there


def issues_of(errors: Iterable[ValidationError]) -> tuple[SchemaIssue, ...]:
    """Errors of jsonschema in plain words, each once, by their place."""
    found = {issue: None for error in errors for leaf in _leaves(error) for issue in _issues(leaf)}
    return tuple(sorted(found, key=lambda issue: (issue.pointer, issue.message)))


def pointer(parts: Iterable[object]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def near(key: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known key that a misspelt one most likely means, "" for none."""
    folded = {name.lower().replace("-", "_"): name for name in known}
    mine = key[:SHOWN].lower().replace("-", "_")
    found = difflib.get_close_matches(mine, folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else ""


def misspelt(key: str, known: Iterable[str]) -> str:
    """As `near`, where a key of another's own is as likely: `date` is no misspelt `data`."""
    return near(key, known, 0.75 if len(key) > _SHORT else 0.85)


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
    if error.validator in ("anyOf", "oneOf") and error.context:
        return not error.relative_path and all(map(_misses, error.context))
    return not error.relative_path and error.validator in ("type", "const", "enum")


# --- how to tell them ---------------------------------------------------------------------


def _issues(error: ValidationError) -> Iterator[SchemaIssue]:
    unknown = ("additionalProperties", "unevaluatedProperties")
    if error.validator in unknown and error.validator_value is False:
        yield from _unknown_keys(error)
        return
    missing = _missing(error) if error.validator == "required" else ""
    yield SchemaIssue(
        pointer=pointer(error.absolute_path),
        message=_message(error),
        hint=_hint(error),
        missing=missing,
        choices=_choices(_property(error, missing) if missing else _schema(error)),
    )


def _choices(part: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a part of a schema names, or its examples."""
    if "const" in part:
        return (_plain(part["const"]),)
    return tuple(map(_plain, part.get("enum") or part.get("examples", ())))


def _property(error: ValidationError, key: str) -> Mapping[str, Any]:
    found = _schema(error).get("properties", {}).get(key, {})
    return found if isinstance(found, Mapping) else {}


def _unknown_keys(error: ValidationError) -> Iterator[SchemaIssue]:
    schema = _schema(error)
    known = list(schema.get("properties", {}))
    patterns = list(schema.get("patternProperties", {}))
    instance: Any = error.instance
    for key in instance:
        allowed = key in known or any(re.search(pattern, key) for pattern in patterns)
        # Which keys other parts of the schema know is said in jsonschema's message alone.
        if allowed or (
            error.validator != "additionalProperties" and repr(key) not in error.message
        ):
            continue
        yield SchemaIssue(
            pointer=pointer([*error.absolute_path, key]),
            message=f"unknown key {shown(key)}",
            hint=_nearest(str(key), known) or _hint(error),
        )


def _nearest(key: str, known: list[str]) -> str:
    meant = near(key, known)
    if meant:
        return f"did you mean {meant}?"
    return f"known here: {', '.join(known)}" if known else ""


def _message(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    value = shown(error.instance)
    if _of_a_key(error):
        value = f"the key {value}"
    match str(error.validator):
        case "type":
            told = f"must be {_types(wanted)}, not {value}"
        case "anyOf" | "oneOf":
            told = f"must be {_either(_alternatives(error))}, not {value}"
        case "enum":
            told = f"must be {_either([_plain(item) for item in wanted])}, not {value}"
        case "const":
            told = f"must be {_plain(wanted)}, not {value}"
        case "required":
            told = f"the key {_missing(error)} is missing"
        case "dependentRequired":
            told = _dependent(error)
        case "contains":
            told = f"has no entry with {_asked(_schema(error)['contains'])}"
        case "not":
            told = f"{value} must not have {_asked(wanted)}"
        case "format":
            told = f"{value} is no {_format(wanted)}"
        case other:
            told = _limits(other, wanted, value) or _counts(error) or f"{value} is not allowed here"
    return told


def _limits(validator: str, wanted: object, value: str) -> str:
    limit = _plain(wanted)
    return {
        "minimum": f"must be at least {limit}, not {value}",
        "maximum": f"must be at most {limit}, not {value}",
        "exclusiveMinimum": f"must be above {limit}, not {value}",
        "exclusiveMaximum": f"must be below {limit}, not {value}",
        "multipleOf": f"must be a multiple of {limit}, not {value}",
        "minLength": "must not be empty" if wanted == 1 else f"is shorter than {limit} characters",
        "maxLength": f"is longer than {limit} characters",
        "minItems": "must not be empty" if wanted == 1 else f"has fewer than {limit} items",
        "maxItems": f"has more than {limit} items",
        "minProperties": "must not be empty" if wanted == 1 else f"has fewer than {limit} keys",
        "maxProperties": f"has more than {limit} keys",
        "pattern": f"{value} does not have the form that is expected here",
        "uniqueItems": "has an item twice",
    }.get(validator, "")


def _counts(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    asked = _asked(_schema(error).get("contains", {}))
    return {
        "minContains": f"has fewer than {_plain(wanted)} entries with {asked}",
        "maxContains": f"has more than {_plain(wanted)} entries with {asked}",
    }.get(str(error.validator), "")


def _of_a_key(error: ValidationError) -> bool:
    """Whether it is about a key itself and not about what the key has."""
    path = list(error.absolute_schema_path)
    return len(path) > 1 and path[-2] == "propertyNames"


def _dependent(error: ValidationError) -> str:
    """Jsonschema names the two keys only in its message."""
    wanted: Any = error.validator_value
    instance: Any = error.instance
    lacking = (
        (key, other)
        for key, others in wanted.items()
        for other in others
        if key in instance and other not in instance
    )
    pairs = {error.message.startswith(repr(other)): (key, other) for key, other in lacking}
    key, other = pairs.get(True) or next(iter(pairs.values()))
    return f"the key {other} is missing, which {key} needs beside it"


def _asked(part: object) -> str:
    """What a part of a schema asks for: its own words, or its values."""
    if not isinstance(part, Mapping):
        return "what is asked for"
    if "description" in part:
        return str(part["description"])
    told = []
    for name, entry in _entries(part).items():
        if "const" in entry:
            told.append(f"{name} {_plain(entry['const'])}")
        elif "enum" in entry:
            told.append(f"{name} {_either([_plain(item) for item in entry['enum']])}")
    others = [name for name in part.get("required", ()) if name not in _entries(part)]
    return " and ".join([*told, *others]) or "what is asked for"


def _entries(part: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Its properties; of a part that is about the value itself, that one without a name."""
    if "const" in part or "enum" in part:
        return {"the value": part}
    found = part.get("properties", {})
    return {name: each for name, each in found.items() if isinstance(each, Mapping)}


def _hint(error: ValidationError) -> str:
    """What the schema says about the place, with its examples."""
    schema = _schema(error)
    own = schema.get("errorMessage")  # as other validators have it: one, or one by keyword
    own = own.get(str(error.validator)) if isinstance(own, Mapping) else own
    if isinstance(own, str):
        return own
    if error.validator == "required":
        schema = _property(error, _missing(error))
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


def _alternatives(error: ValidationError) -> list[str]:
    """What the value could have been, of alternatives that are all of another kind."""
    told: dict[str, None] = {}
    for inner in error.context or ():
        wanted: Any = inner.validator_value
        match str(inner.validator):
            case "const":
                told[_plain(wanted)] = None
            case "enum":
                told.update(dict.fromkeys(_plain(item) for item in wanted))
            case "type":
                told[_types(wanted)] = None
            case "anyOf" | "oneOf":
                told.update(dict.fromkeys(_alternatives(inner)))
    return list(told) or ["one of the forms that are allowed here"]


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _format(name: object) -> str:
    if name == "date-time":
        return "time of the form 2026-01-31T12:00:00Z"
    return str(name)


def _plain(value: object) -> str:
    """A value of a schema as one would write it."""
    return value if isinstance(value, str) else json.dumps(value)


def shown(value: object) -> str:
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
