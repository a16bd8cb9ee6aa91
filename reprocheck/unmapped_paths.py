"""Absolute paths that the run read from and nothing brings back: told before anything is run.

They stand in the command, in config files that it names, and in the logged parameters. Only what
looks like data counts: a wrong alarm here teaches people to skip all of them.
"""

from __future__ import annotations

import configparser
import itertools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from reprocheck import absolute_paths, command_words
from reprocheck.model import (
    Command,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    Material,
    MaterialPlace,
    RunRecord,
    Severity,
)
from reprocheck.parameter_names import OUTPUT
from reprocheck.yaml_files import MOST_NODES

_LARGEST = 1_000_000  # bytes of a config file that is looked into
_MOST = 20  # findings
_CONFIGS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
_PATH = re.compile(r"/[^\0-\x1f*?\[\]|^$(){}\\<>\"'`;&#%]+")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_CODE = frozenset((".py", ".sh", ".so", ".ipynb", ".log", ".sock", ".pid", ".lock", ".html"))
_DATA = frozenset(("data", "dataset", "datasets", "input", "inputs"))
# A folder of that name is written; a file may have been read.
_MODEL = frozenset(("checkpoint", "checkpoints", "ckpt", "ckpts", "model", "models"))
_INPUT = frozenset(
    (
        *("data", "dataset", "datasets", "input", "inputs", "train", "training", "test", "val"),
        *("valid", "validation", "eval", "csv", "parquet", "corpus", "images", "labels", "samples"),
        *("pretrained", "weights", "vocab", "embeddings", "features", "annotations", "resume"),
    )
)
# Where people keep data; below anything else a path without a suffix may be an address.
_ROOTS = frozenset(
    (
        *("home", "Users", "root", "data", "data1", "data2", "datasets", "dataset", "mnt", "media"),
        *("srv", "scratch", "work", "workspace", "nfs", "storage", "net", "vol", "volume", "var"),
        *("volumes", "opt", "gpfs", "lustre", "project", "projects", "share", "shared", "kaggle"),
        *("content", "dbfs", "efs", "fsx", "s3", "export", "raid", "disk", "hdd", "ssd"),
    )
)
_PLACED = re.compile(r"^\s*(?:WORKDIR|COPY|ADD|VOLUME)\b.*?(/[^\s\"',\]]+)[\s\"'\]]*$", re.M | re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Where to look, and what is brought back."""

    record: RunRecord
    command: Command
    tree: Path
    materials: tuple[Material, ...]
    environment: EnvironmentSpec | None = None
    roots: tuple[PurePosixPath, ...] = ()  # where the run's own tree lay


@dataclass(frozen=True, kw_only=True, slots=True)
class _Value:
    text: str
    key: str
    where: str


def find(search: Search) -> tuple[Finding, ...]:
    """A warning for each path that looks like data and that no input is seen as."""
    named: dict[str, list[_Value]] = {}
    for value in _values(search):
        path = "/" + value.text.removeprefix("file://").strip().strip("/")
        if _looks_like_data(value) and not _is_known(PurePosixPath(path), value, search):
            named.setdefault(path, []).append(value)
    return tuple(_finding(path, values, search) for path, values in list(named.items())[:_MOST])


# --- where they stand ---------------------------------------------------------------------


def _values(search: Search) -> Iterator[_Value]:
    for word in command_words.words(search.command):
        where = f"the command's {word.key}" if word.key else "the command"
        yield _Value(text=word.value, key=word.key, where=where)
    for name, text in search.command.env.items():
        yield _Value(text=text, key=name, where=f"the variable {name}")
    for path in _configs(search):
        for key, text in _texts(path):
            place = path.relative_to(search.tree)
            yield _Value(text=text, key=key, where=f"{place}: {key}")
    for name, text in search.record.parameters.items():
        yield _Value(text=text, key=name, where=f"the parameter {name}")


def _configs(search: Search) -> list[Path]:
    """The config files of the tree that the command names, and Hydra's own."""
    tree = search.tree.resolve()
    folders = [(tree / step.cwd).resolve() for step in search.command.steps]
    named = [
        folder / word.value.removeprefix("file://")
        for folder, word in itertools.product(folders, command_words.words(search.command))
        if word.value.endswith(_CONFIGS) and "\0" not in word.value and len(word.value) < 1000
    ]
    hydra = [path for folder in folders for path in sorted(folder.glob(".hydra/*.yaml"))]
    found = (path.resolve() for path in (*named, *hydra))
    return [
        search.tree / path.relative_to(tree)
        for path in dict.fromkeys(found)
        if path.is_relative_to(tree) and path.is_file()
    ]


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """The texts of a config file, with their keys; nothing of one that cannot be read."""
    try:
        if path.stat().st_size > _LARGEST:
            return
        document = _parsed(path.read_text(encoding="utf-8"), path.suffix)
    except (OSError, ValueError, RecursionError, yaml.YAMLError, configparser.Error):
        return
    yield from _walk(document)


def _parsed(text: str, suffix: str) -> object:
    match suffix:
        case ".json":
            return json.loads(text)
        case ".toml":
            return tomllib.loads(text)
        case ".ini" | ".cfg":
            parser = configparser.ConfigParser(interpolation=None)
            parser.read_string(text)
            return {name: dict(parser.items(name)) for name in parser.sections()}
    return yaml.safe_load(text)


def _walk(document: object) -> Iterator[tuple[str, str]]:
    left = [("", document)]
    for _ in range(MOST_NODES):  # aliases can make a small file expand without end
        if not left:
            return
        key, value = left.pop()
        if isinstance(value, Mapping):
            left += [(f"{key}.{name}" if key else str(name), each) for name, each in value.items()]
        elif isinstance(value, list):
            left += [(key, each) for each in value[:MOST_NODES]]
        elif isinstance(value, str) and key:
            yield key, value
        elif isinstance(value, str):  # of Hydra's list of overrides
            name, _, text = value.partition("=")
            yield name, text


# --- what is data -------------------------------------------------------------------------


def _looks_like_data(value: _Value) -> bool:
    text = value.text.removeprefix("file://").strip()
    if not _PATH.fullmatch(text) or text.startswith("//") or len(text) > 1000:
        return False
    path = PurePosixPath(text)
    suffix = _SUFFIX.search(path.name)
    words = _words(value.key)
    is_input = bool(words & _INPUT)
    outputs = OUTPUT if suffix else OUTPUT | _MODEL
    if ".." in path.parts or absolute_paths.is_of_system(path) or "bin" in path.parts:
        return False
    if words & outputs or (suffix and suffix[0].lower() in _CODE):
        return False
    if path.is_relative_to("/tmp") or len(path.parts) == 2:  # noqa: S108 - the run's
        return path.name.lower() in _DATA or (is_input and len(path.name) > 1)
    return is_input or _is_where_data_is(path, suffix is not None)


def _is_where_data_is(path: PurePosixPath, named_as_file: bool) -> bool:
    folders = {part.lower() for part in path.parent.parts}
    written = folders & (OUTPUT | _MODEL) or path.name.lower() in OUTPUT
    return not written and (named_as_file or path.parts[1] in _ROOTS)


def _words(key: str) -> set[str]:
    """The words of an option's or parameter's own name, not of what it is nested in."""
    return {word.lower() for word in _WORDS.findall(key.rpartition(".")[2])}


def _is_known(path: PurePosixPath, value: _Value, search: Search) -> bool:
    """Whether trials find it: an input is seen as it, the tree has it, or the image."""
    for material in search.materials:
        seen = PurePosixPath(material.seen_as) if material.seen_as else None
        if seen and (path.is_relative_to(seen) or seen.is_relative_to(path)):
            return True
    if any(path.is_relative_to(place) for place in _of_image(search.environment)):
        return True
    inside = [path.relative_to(root) for root in search.roots if path.is_relative_to(root)]
    # What the tree lacks was an output, unless a name tells otherwise.
    read = bool(path.suffix or _words(value.key) & _INPUT)
    return any(not read or _is_in_tree(each, search) for each in inside)


def _is_in_tree(path: PurePosixPath, search: Search) -> bool:
    restored = (PurePosixPath(material.path) for material in search.materials)
    return (search.tree / path).exists() or any(
        path.is_relative_to(each) or each.is_relative_to(path) for each in restored
    )


def _of_image(spec: EnvironmentSpec | None) -> Iterator[PurePosixPath]:
    """Where a Dockerfile puts what the image brings along."""
    if spec is None or spec.kind is not EnvironmentKind.DOCKER:
        return
    for place in _PLACED.findall(spec.content.decode(errors="replace")):
        if len(PurePosixPath(place).parts) > 1:
            yield PurePosixPath(place)


# --- what is told -------------------------------------------------------------------------


def _finding(path: str, values: Iterable[_Value], search: Search) -> Finding:
    where = ", ".join(dict.fromkeys(value.where for value in values))
    same = next((each for each in search.materials if _is_same_name(each, path)), None)
    if same is not None:
        told = f"if it is {same.path}, which is restored by its digest, write"
        entry = f"{{path: {json.dumps(same.path)}, seen_as: {json.dumps(path)}}}"
    else:
        told = "say what it was, where it is kept, and with which digest"
        inside = f"data/{PurePosixPath(path).name}"
        entry = (
            f"{{path: {json.dumps(inside)}, url: {json.dumps(path)}, sha256: DIGEST, "
            f"seen_as: {json.dumps(path)}}}"
        )
    return Finding(
        code="unmapped-path",
        severity=Severity.WARNING,
        message=f"the run read {path} ({where}), and no input is seen there: trials find what this "
        "machine has at that path, or nothing",
        hint=f"{told}, beside all other inputs,  data: [{entry}]",
        pointer="/data",
    )


def _is_same_name(material: Material, path: str) -> bool:
    is_restored = material.place is MaterialPlace.TREE and not material.weak
    return is_restored and PurePosixPath(material.path).name == PurePosixPath(path).name
