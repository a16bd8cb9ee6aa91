"""The values that `${...}` stands for in a dvc.yaml, as DVC resolves them. Read without DVC.

https://doc.dvc.org/user-guide/project-structure/dvcyaml-files#templating
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from reprocheck.errors import SourceError
from reprocheck.yaml_files import read_mapping

_HOLE = re.compile(r"(?<!\\)\$\{(.*?)\}")
_MOST_CHARACTERS = 100_000  # a hostile file nests values that name values
PARAMS = "params.yaml"


class UnknownValueError(Exception):
    """A name that nothing gives a value, or a value that has no place there."""


def variables(folder: Path, entries: object, root: Path) -> dict[str, Any]:
    """What `${...}` may name in a dvc.yaml of the folder: params.yaml, then its own `vars`.

    Files outside of `root` are not read.
    """
    values: dict[str, Any] = read_values(folder / PARAMS, root)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            _merge(values, entry)
        elif isinstance(entry, str):
            name, _, keys = entry.partition(":")
            found = read_values(folder / name, root)
            wanted = [key.strip() for key in keys.split(",") if key.strip()]
            _merge(values, {key: found[key] for key in wanted if key in found} if wanted else found)
    return values


def read_values(path: Path, root: Path) -> dict[str, Any]:
    """The values in a file of parameters (YAML, JSON, TOML); none where there is no such file.

    Raises `SourceError` for a broken one.
    """
    if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
        return {}
    try:
        if path.suffix == ".toml":
            return tomllib.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".json":
            found = json.loads(path.read_bytes())
            return found if isinstance(found, dict) else {}
    except (ValueError, RecursionError) as error:
        raise SourceError(f"reading {path.name} of the run: {error}", "mend the file") from error
    known = path.suffix in (".yaml", ".yml")
    return read_mapping(path, as_dvc=True) or {} if known else {}


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        held = values.get(name)
        if isinstance(held, dict) and isinstance(value, dict):
            values[name] = dict(held)
            _merge(values[name], value)
        else:
            values[name] = value


def select(values: object, name: str) -> Any:  # noqa: ANN401  (a file of the project's)
    """The value of a dotted name such as `train.rates[0]`.

    Raises `UnknownValueError`.
    """
    found: Any = values
    for key in re.split(r"[.\[]", name.replace("]", "").strip()):
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif key.isdigit() and int(key) in _numbers(found):
            found = found[int(key)]
        else:
            raise UnknownValueError(name)
    return found


def _numbers(node: object) -> Container[object]:
    """The numbers by which a list or a mapping can be asked for an item."""
    return range(len(node)) if isinstance(node, list) else node if isinstance(node, dict) else ()


def resolved(node: object, values: Mapping[str, Any], *, command: bool = False) -> Any:  # noqa: ANN401
    """A part of a dvc.yaml with its values; a whole `${name}` keeps the value's type.

    Raises `UnknownValueError`. `command`: a mapping becomes options, as in `cmd`.
    """
    if isinstance(node, dict):
        return {
            resolved(key, values): resolved(value, values, command=command)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [resolved(item, values, command=command) for item in node]
    if not isinstance(node, str):
        return node
    whole = _HOLE.fullmatch(node)
    if whole and not command:
        return select(values, whole[1])
    filled = _HOLE.sub(lambda hole: text_of(select(values, hole[1]), command=command), node)
    if len(filled) > _MOST_CHARACTERS:
        raise UnknownValueError(node[:80])
    return filled.replace("\\${", "${")


def text_of(value: object, *, command: bool = False) -> str:
    """A value as DVC writes it into a text.

    Raises `UnknownValueError` for a list, and for a mapping outside of a command.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict) and command:
        return " ".join(_options(value, ""))
    if isinstance(value, dict | list):
        raise UnknownValueError(str(value)[:80])
    return str(value)


def _options(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _options(value, f"{prefix}{name}.")
        elif isinstance(value, bool):
            yield from (f"--{prefix}{name}",) if value else ()
        elif isinstance(value, list):
            yield from (f"--{prefix}{name}", *(_word(item) for item in value))
        else:
            yield from (f"--{prefix}{name}", _word(value))


def _word(value: object) -> str:
    return shlex.quote(value) if isinstance(value, str) else text_of(value)
