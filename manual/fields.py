"""What a JSON schema says of each key, by its path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manual.markup import code

Node = Mapping[str, Any]

_REFERENCE = re.compile(r"(?:(?:.*/)?(\w+)\.schema\.json)?(?:#(.*))?")
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minProperties": "at least {} keys",
}
_PLURALS = re.compile(r"(?<!>)\b(string|number|integer|boolean|list|mapping)\b")
_FORMATS = {"date-time": "RFC 3339"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A key: `types` is Markdown, `description` is the schema's text."""

    path: str
    required: bool
    types: str
    description: str
    examples: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A node, the schema that it stands in, and the references that led to it."""

    node: Node
    schema: str
    trail: tuple[tuple[str, str], ...] = ()

    def holding(self, node: Node) -> _Place:
        """A node below this one."""
        return _Place(node, self.schema, self.trail)


class Walk:
    """Fields of one schema; what it leads to elsewhere is linked, not repeated."""

    def __init__(self, name: str, every: Mapping[str, Node]) -> None:
        self._name = name
        self._every = every
        self._seen: set[tuple[str, str]] = set()

    def left(self) -> list[str]:
        """Names of definitions with keys of their own that no field has led to yet."""
        definitions = self._every[self._name].get("$defs", {})
        return [
            key
            for key, node in definitions.items()
            if (self._name, f"/$defs/{key}") not in self._seen and "properties" in node
        ]

    def under(self, node: Node, path: str, *, required: bool) -> list[Field]:
        """The field itself and, in order, all that are below it."""
        every = list(self._fields(_Place(node, self._name), path, required))
        told = {each.path for each in every if each.description}
        # A second word on a key only narrows what was said of it.
        kept = (each for each in every if each.description or each.path not in told)
        return list({(each.path, each.types, each.description): each for each in kept}.values())

    def _fields(self, place: _Place, path: str, required: bool) -> Iterator[Field]:
        variants = list(self._variants(place))
        yield Field(
            path=path,
            required=required,
            types=self._words(place) or "anything",
            description=_first(variants, "description") or "",
            examples=tuple(_first(variants, "examples") or ()),
        )
        for each in variants:
            yield from self._children(each, path)

    def _children(self, place: _Place, path: str) -> Iterator[Field]:
        needed = place.node.get("required", ())
        for key, child in place.node.get("properties", {}).items():
            yield from self._fields(place.holding(child), f"{path}.{key}", key in needed)
        for below, child in _entries(place.node, path):
            first, *rest = self._fields(place.holding(child), below, False)
            # An entry that says nothing of its own is told by its list's type.
            yield from (first, *rest) if first.description else rest

    def _variants(self, place: _Place) -> Iterator[_Place]:
        """The node, then all that may stand in its place; no other schema as a whole."""
        yield place
        for each in _alternatives(place.node):
            yield from self._variants(place.holding(each))
        name, pointer = self._referred(place)
        step = (name, pointer)
        if pointer and step not in place.trail:
            self._seen.add(step)
            node = _at(self._every[name], pointer)
            yield from self._variants(_Place(node, name, (*place.trail, step)))

    def _referred(self, place: _Place) -> tuple[str, str]:
        """The schema that a node refers to, and the pointer in it; empty where there is none."""
        ref = place.node.get("$ref", "")
        found = _REFERENCE.fullmatch(ref)
        name = found[1] or place.schema if found else ""
        if name not in self._every:
            raise LookupError(f"{place.schema}.schema.json refers to {ref}, which is none of ours")
        return (name, found[2] or "") if found and ref else ("", "")

    def _words(self, place: _Place) -> str:
        """The types of a node with their limits, in Markdown."""
        told = [self._own_words(each) for each in self._variants(place)]
        return " or ".join(dict.fromkeys(filter(None, told)))

    def _own_words(self, place: _Place) -> str:
        name, pointer = self._referred(place)
        if name and not pointer:
            return f"as in [{name}.schema.json]({name}.md)"
        kind = _kind(place.node)
        if not kind:
            return ""
        inner = [self._words(place.holding(child)) for _, child in _entries(place.node, "")]
        held = _PLURALS.sub(r"\1s", ", ".join(dict.fromkeys(filter(None, inner))))
        limits = ", ".join(_limits(place.node))
        return kind + (f" ({limits})" if limits else "") + (f" of {held}" if held else "")


def _first(variants: list[_Place], key: str) -> Any:  # noqa: ANN401 - JSON
    return next((each.node[key] for each in variants if key in each.node), None)


def _alternatives(node: Node) -> Iterator[Node]:
    for key in ("allOf", "anyOf", "oneOf"):
        yield from (each for each in node.get(key, ()) if set(each) != {"required"})
    if "type" not in node and "properties" not in node:  # else it only narrows what is told
        yield from (node[key] for key in ("if", "then", "else") if key in node)


def _entries(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    """What a list or a mapping of any keys holds, with the path of such an entry."""
    if isinstance(node.get("additionalProperties"), Mapping):
        yield f"{path}.NAME", node["additionalProperties"]
    if isinstance(node.get("items"), Mapping):
        yield f"{path}[]", node["items"]
    for index, each in enumerate(node.get("prefixItems", ())):
        yield f"{path}[{index}]", each


def _at(schema: Node, pointer: str) -> Node:
    found: Any = schema
    for part in pointer.removeprefix("/").split("/"):
        found = found[part]
    return dict(found)


def _kind(node: Node) -> str:
    if "const" in node:
        return f"always {code(_text(node['const']))}"
    if "enum" in node:
        return "one of " + ", ".join(code(_text(each)) for each in node["enum"])
    given = node.get("type", ())
    kinds = (given,) if isinstance(given, str) else given
    return " or ".join({"array": "list", "object": "mapping"}.get(kind, kind) for kind in kinds)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _limits(node: Node) -> Iterator[str]:
    for key, told in _LIMITS.items():
        if key in node:
            nonempty = key in ("minLength", "minItems", "minProperties") and node[key] == 1
            yield "not empty" if nonempty else told.format(node[key])
    if "pattern" in node:
        yield f"matching {code(node['pattern'])}"
    if "pattern" in node.get("propertyNames", {}):
        yield f"keys matching {code(node['propertyNames']['pattern'])}"
    if "format" in node:
        yield _FORMATS.get(node["format"]) or str(node["format"])
    if node.get("uniqueItems"):
        yield "none twice"
    sets = [
        each["required"]
        for key in ("anyOf", "oneOf")
        for each in node.get(key, ())
        if set(each) == {"required"}
    ]
    if sets:
        yield "with " + " or ".join(" and ".join(map(code, names)) for names in sets)
