"""The published JSON schemas, and what is wrong with a document in plain words."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprocheck.schema_words import (
    SHOWN,
    TYPES,
    SchemaIssue,
    issues_of,
    misspelt,
    near,
    pointer,
    shown,
)
from reprocheck.text_files import odd_text

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry

__all__ = [
    "SHOWN",
    "TYPES",
    "SchemaIssue",
    "check",
    "issues_of",
    "load",
    "misspelt",
    "near",
    "newer",
    "odd_texts",
    "pointer",
]

NAMES = (
    *("run", "config", "experiment", "report", "check"),
    *("plan", "doctor", "audit", "validation", "top", "aggregate", "bundle"),
    *("baseline", "history"),
)
DEEPEST = 100
LONGEST_NUMBER = 1_024  # bits: as large as a float may be

UPDATE = "update it, for example with `pip install --upgrade reprocheck`"


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


def check(
    document: object, name: str, part: str = "", most: int | None = None
) -> tuple[SchemaIssue, ...]:
    """What is wrong with a document, by its place; empty when it follows the schema `name`.

    With `part`, the one of that name among the schema's `$defs`; with `most`, it is looked no
    further than so many issues, which a hostile document may have by the million. References
    between the schemas are resolved from the shipped files, never from the network.
    """
    odd = tuple(_odd(document, finite=name == "config"))
    if odd:
        return odd
    return issues_of(islice(_validator(name, part).iter_errors(document), most))


def strange(document: object, longest: int) -> tuple[SchemaIssue, ...]:
    """What no document of ours has, whatever it describes: values nested too deep, numbers that
    no float holds, lists and mappings of more than `longest` items.
    """
    return tuple(_odd(document, finite=False, longest=longest))


def newer(document: object, key: str, known: int = 1) -> str:
    """Why a document of a version to come cannot be read, "" for one of ours."""
    version = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(version, int) or isinstance(version, bool) or version <= known:
        return ""
    told = shown(version) if version.bit_length() <= LONGEST_NUMBER else "a huge one"
    return f"it is of version {told}, made for a newer reprocheck; this one reads version {known}"


def odd_texts(document: object, longest: int, *, nul: bool = False) -> Iterator[SchemaIssue]:
    """Texts in a document that none of ours holds; what is nested too deep was refused before."""
    left: list[tuple[object, tuple[object, ...]]] = [(document, ())]
    while left:
        value, place = left.pop()
        if isinstance(value, Mapping):
            left += ((key, (*place, str(key)[:SHOWN])) for key in value)
            left += ((each, (*place, key)) for key, each in value.items())
        elif isinstance(value, list):
            left += ((each, (*place, i)) for i, each in enumerate(value))
        elif isinstance(value, str) and (why := odd_text(value, longest, nul=nul)):
            yield SchemaIssue(pointer=pointer(place), message=why, hint="shorten or mend it")


@functools.cache
def _validator(name: str, part: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    whole = load(name)
    asked = {"$ref": f"{whole['$id']}#/$defs/{part}"} if part else whole
    return Draft202012Validator(asked, registry=registry(), format_checker=formats())


@functools.cache
def registry() -> Registry[Any]:
    """The published schemas by their addresses, which refer to parts of each other."""
    from referencing import Registry, Resource

    found: Registry[Any] = Registry()
    for name in NAMES:
        found = Resource.from_contents(load(name)) @ found
    return found


def formats() -> FormatChecker:
    """Formats checked here: jsonschema checks no date-time without a further package."""
    from jsonschema import FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_instant)
    return formats


def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


def _odd(document: object, *, finite: bool, longest: int | None = None) -> Iterator[SchemaIssue]:
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
        if longest is not None and len(value) > longest:
            message = f"has {len(value)} items; at most {longest} are read"
            yield SchemaIssue(pointer=pointer(path), message=message, hint="")
        yield from _odd_keys(value, pointer(path))
        left += ((child, (*path, key)) for key, child in _children(value))


def _odd_keys(value: object, at: str) -> Iterator[SchemaIssue]:
    for key in value if isinstance(value, Mapping) else ():
        if not isinstance(key, str):  # YAML reads the keys `on` and `1` as other types
            message = f"the key {shown(key)} is not text"
            yield SchemaIssue(pointer=at, message=message, hint="put the key in quotes")


def _children(value: Mapping[object, object] | list[object]) -> Iterable[tuple[object, object]]:
    return value.items() if isinstance(value, Mapping) else enumerate(value)
