"""A page of the reference for each schema: every key with its path, type, limits and example."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from manual.fields import Field, Walk
from manual.links import REPOSITORY
from manual.markup import cell, code, path

Schema = Mapping[str, Any]

_YAML = ("config", "experiment")
"""What people write by hand."""


def page(name: str, every: Mapping[str, Schema]) -> str:
    """The page of the schema of this name; `every` has all of them, which it may lead to."""
    schema, walk = every[name], Walk(name, every)
    required = frozenset(schema.get("required", ()))
    parts = [
        f"# {cell(schema['title'])}",
        cell(schema["description"]),
        f"Shape: [{name}.schema.json]({REPOSITORY}/schemas/{name}.schema.json). In a path `[]` is "
        "each entry of a list, and `NAME` any key.",
        *_examples(name, schema),
    ]
    for key, node in schema["properties"].items():
        parts += _section(key, walk.under(node, key, required=key in required))
    for key in walk.left():
        parts += _section(key, walk.under(schema["$defs"][key], key, required=False))
    return "\n\n".join(parts) + "\n"


def _examples(name: str, schema: Schema) -> Iterator[str]:
    for example in schema.get("examples", ()):
        if name in _YAML:
            shown = yaml.safe_dump(example, sort_keys=False, allow_unicode=True).rstrip()
            yield f"```yaml\n{shown}\n```"
        else:
            shown = json.dumps(example, indent=2, ensure_ascii=False)
            body = "\n".join(f"    {line}" for line in f"```json\n{shown}\n```".splitlines())
            yield f'??? example "An example"\n\n{body}'


def _section(key: str, fields: list[Field]) -> Iterator[str]:
    first, *rest = fields
    yield f"## {code(key)}"
    need = "Required. " if first.required else ""
    yield f"*{first.types}.* {need}" + _said(first, "  \n")
    if rest:
        yield "\n".join(("| Key | Type | What it says |", "|---|---|---|", *map(_row, rest)))


def _row(field: Field) -> str:
    need = "<br>required" if field.required else ""
    return f"| {path(field.path)}{need} | {field.types} | {_said(field, '<br>')} |"


def _said(field: Field, line_break: str) -> str:
    examples = ", ".join(code(json.dumps(each, ensure_ascii=False)) for each in field.examples)
    shown = f"For example {examples}" if examples else ""
    said = cell(field.description)
    return said + (line_break if said and shown else "") + shown
