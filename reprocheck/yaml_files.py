"""YAML files: ours with the line of each value, so that an error can name it; a project's."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reprocheck.errors import ConfigError, SourceError
from reprocheck.text_files import BrokenTextError, odd_text, read_text

MOST_NODES = 20_000  # aliases can make a small file expand without end
LARGEST = 1_000_000
"""Bytes of a YAML file: more would take this parser many seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocatedYaml:
    """A parsed file, and the line of each JSON pointer into it."""

    path: Path
    document: object
    lines: Mapping[str, int]

    def place(self, pointer: str) -> str:
        """File, line and key of a pointer; of its nearest parent where it is absent itself."""
        key = pointer.lstrip("/").replace("/", ".").replace("~1", "/").replace("~0", "~")
        where = f"{self.path}:{self._line(pointer)}"
        return f"{where}: {key}" if key else where

    def line(self, pointer: str) -> str:
        """The file's name and the line of a pointer, as `place` finds it."""
        return f"{self.path.name}:{self._line(pointer)}"

    def _line(self, pointer: str) -> int:
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


def load(path: Path) -> LocatedYaml:
    """Reads a YAML file safely.

    Raises `ConfigError` that names file and line.
    """
    try:
        text = read_text(path, LARGEST)
    except BrokenTextError as error:
        hint = error.hint or "give an existing UTF-8 file to --config"
        raise ConfigError(f"reading {path}: {error}", hint) from error
    return parse(text, path)


def parse(text: str, path: Path) -> LocatedYaml:
    """The YAML in a text; `path` names it in messages. What looks like a date is text.

    Raises `ConfigError` that names path and line.
    """
    if len(text) > LARGEST:
        raise ConfigError(f"{path}: it has over {LARGEST // 1_000_000} MB", "shorten it")
    try:
        # One pass for both: parsing is what takes the time.
        loader = _OurLoader(text)
        node = loader.get_single_node()
        lines = dict(_walk(node, path)) if node is not None else {}
        document = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        if not isinstance(error, _RefusedError):
            problem = f"not valid YAML: {problem}"
        raise ConfigError(f"{where}: {problem}", "mend the line") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: values are nested too deep", "nest less") from error
    except ValueError as error:  # a number without end
        raise ConfigError(
            f"{path}: a value cannot be read: {error}", "put text in quotes"
        ) from error
    return LocatedYaml(path=path, document=document, lines=lines)


def read_mapping(path: Path, *, as_dvc: bool = False) -> dict[str, Any] | None:
    """A YAML mapping of the project, or None where there is no such file.

    `as_dvc`: by YAML 1.2, as DVC reads its files: `yes` is a text, and 1e-3 a number.
    Raises `SourceError` for a file that is no YAML mapping.
    """
    if not path.is_file():
        return None
    return parse_mapping(path.read_bytes(), path.name, as_dvc=as_dvc)


def parse_mapping(content: bytes, name: str, *, as_dvc: bool = False) -> dict[str, Any]:
    """A YAML mapping of the project; `as_dvc` as in `read_mapping`.

    Raises `SourceError` for content that is no YAML mapping.
    """
    try:
        loader = _DvcLoader if as_dvc else yaml.SafeLoader
        parsed = yaml.load(content, Loader=loader)  # noqa: S506 - both are SafeLoaders
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise SourceError(f"reading {name} of the run: {error}", "mend the file") from error
    if not isinstance(parsed, dict):
        raise SourceError(f"reading {name} of the run: it is not a mapping", "mend the file")
    return parsed


def escape(key: str) -> str:
    """A key as one part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


class _Loader(yaml.SafeLoader):
    """Safe, and with YAML 1.2's floats: PyYAML alone reads 1e-3 as text."""


_FLOAT = "tag:yaml.org,2002:float"

_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


class _RefusedError(yaml.MarkedYAMLError):
    """YAML that is none of what we read."""


class _OurLoader(_Loader):
    """Also without dates: `2026-01-31` is a version, and JSON has no dates."""

    left = MOST_NODES

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Ends a file of many values as soon as that shows: it would take this parser minutes."""
        self.left -= 1
        if self.left < 0:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = f"it has over {MOST_NODES:,} values, more than are read"
            raise _RefusedError(problem=problem, problem_mark=mark)
        return super().compose_node(parent, index)

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }


_BOOL = "tag:yaml.org,2002:bool"


class _DvcLoader(_Loader):
    """Also with YAML 1.2's truths: `yes`, `no`, `on` and `off` are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }


_DvcLoader.add_implicit_resolver(
    _BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _walk(root: yaml.Node, path: Path) -> Iterator[tuple[str, int]]:
    """The line of each JSON pointer. Refuses cycles, duplicate keys and expansion without end."""
    left = MOST_NODES
    todo: list[tuple[yaml.Node, str, frozenset[int], int]] = [
        (root, "", frozenset(), root.start_mark.line + 1)
    ]
    while todo:
        node, pointer, above, line = todo.pop()
        left -= 1
        if id(node) in above or left < 0:
            many = "" if id(node) in above else f" ({MOST_NODES:,} values are read)"
            raise ConfigError(
                f"{path}:{line}: an alias that contains itself, or expands without end{many}",
                "write the values out instead of using & and *",
            )
        _refuse_odd(node, f"{path}:{line}")
        yield pointer, line
        for name, value, at in _children(node, path):
            todo.append((value, f"{pointer}/{escape(name)}", above | {id(node)}, at))


def _refuse_odd(node: yaml.Node, place: str) -> None:
    if not isinstance(node, yaml.ScalarNode):
        return
    odd = odd_text(node.value, LARGEST)
    if odd:
        raise ConfigError(f"{place}: a value {odd}", "write text in UTF-8, without escapes")
    if node.tag == _FLOAT and _overflows(node.value):
        raise ConfigError(
            f"{place}: the number {node.value[:60]} is too large",
            "write .inf for what has no bound",
        )


def _overflows(text: str) -> bool:
    """Whether a number has no double, as 1e400; .inf and 1:30 are other forms."""
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def _children(node: yaml.Node, path: Path) -> Iterator[tuple[str, yaml.Node, int]]:
    if isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value, value.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise ConfigError(f"{path}:{line}: '{name}' is given twice", "keep one of the two")
            seen.add(name)
            yield name, value, line
