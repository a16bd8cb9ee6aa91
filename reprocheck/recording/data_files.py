"""Data that a command reads, as its arguments, its config files and its code name it."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck.command_words import words
from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, Step
from reprocheck.recording.base import Situation
from reprocheck.yaml_files import MOST_NODES, read_mapping

CONFIGS = (".yaml", ".yml", ".json", ".toml")
_CODE = (".py", ".ipynb", ".sh", ".bash", *CONFIGS)
_WRITTEN = re.compile(
    r"(?i)(^|[._/-])(out|output|outputs|save|saved|log|logs|logging|dest|target|result|results|"
    r"report|checkpoint|checkpoints|ckpt|artifact|artifacts|tmp|temp|cache|export|write|work|run|"
    r"runs|store|tracking|db)([._/-]|$)"
)
"""Names of options and keys for what a training writes."""
_READS = re.compile(
    r"read_\w+|load|loadtxt|genfromtxt|open|memmap|from_csv|from_parquet|open_dataset"
)
_DATA = (
    *(".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow", ".npy"),
    *(".npz", ".h5", ".hdf5", ".zarr", ".pkl", ".pickle", ".pt", ".pth", ".safetensors", ".zip"),
    *(".gz", ".bz2", ".xz", ".zst", ".tar", ".xlsx", ".avro", ".tfrecord", ".db", ".sqlite"),
    *(".lmdb", ".nii", ".mat", ".joblib", ".onnx", ".json"),
)
_ADDRESS = re.compile(r"(s3|gs|az|abfss?|hdfs|https?|ftp)://\S+")
_LARGEST = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A path or address, and what names it."""

    value: str
    by: str

    def path(self, cwd: Path) -> Path:
        """Where it is on this machine, if it is no address."""
        return Path(os.path.normpath(cwd / self.value))

    @property
    def is_address(self) -> bool:
        """Whether it is kept elsewhere."""
        return _ADDRESS.fullmatch(self.value) is not None


def named_data(situation: Situation) -> tuple[Named, ...]:
    """What exists and is data, once each; nothing that the command seems to write."""
    cwd = situation.asked.cwd
    configs = config_files(situation)
    every = (
        *_of_arguments(situation),
        *(each for path in configs for each in _of_config(path, situation)),
        *_of_code(situation),
    )
    found: dict[str, Named] = {}
    for each in every:
        if each.is_address or _is_data(each.path(cwd)):
            found.setdefault(each.value, each)
    return tuple(found.values())


def config_files(situation: Situation) -> tuple[Path, ...]:
    """The config files that the arguments name."""
    cwd = situation.asked.cwd
    every = (cwd / each.value for each in _words(situation) if each.value.endswith(CONFIGS))
    return tuple(dict.fromkeys(path for path in every if path.is_file()))


def values(path: Path) -> Iterator[tuple[str, object]]:
    """The plain values of a config file, each with its key; none of what cannot be read."""
    try:
        if path.stat().st_size <= _LARGEST:
            # Aliases can make a small file expand without end.
            yield from itertools.islice(_leaves("", _document(path)), MOST_NODES)
    except (OSError, ValueError, SourceError, RecursionError):  # not ours to judge
        return


def _document(path: Path) -> Any:  # noqa: ANN401  (YAML, JSON, TOML)
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".toml":
        return tomllib.loads(path.read_text(encoding="utf-8"))
    return read_mapping(path)


def _leaves(key: str, node: object) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield from _leaves(f"{key}.{name}".lstrip("."), child)
    elif isinstance(node, list):
        for child in node:
            yield from _leaves(key, child)
    else:
        yield key, node


def _words(situation: Situation) -> Iterator[Named]:
    step = Step(run=Argv(args=situation.asked.argv), cwd=".")
    for word in words(Command(steps=(step,))):
        yield Named(value=word.value, by=f"--{word.key}" if word.key else "the command")


def _of_arguments(situation: Situation) -> Iterator[Named]:
    cwd = situation.asked.cwd
    for each in _words(situation):
        is_code = each.value.endswith(_CODE) and not each.value.endswith(_DATA)
        is_path = each.is_address or os.sep in each.value or (cwd / each.value).is_file()
        if is_path and not is_code and not _WRITTEN.search(each.by):
            yield each


def _of_config(path: Path, situation: Situation) -> Iterator[Named]:
    (name,) = situation.told([path])
    for key, value in values(path):
        if isinstance(value, str) and value.endswith(_DATA) and not _WRITTEN.search(key):
            yield Named(value=value, by=f"{name}: {key}")


def _of_code(situation: Situation) -> Iterator[Named]:
    """Paths that code reads by a literal."""
    if _logs_provenance(situation):
        return
    for source in situation.sources:
        (name,) = situation.told([source.path])
        for value in _read_literals(source.tree):
            if value.endswith(_DATA):
                yield Named(value=value, by=name)


def _logs_provenance(situation: Situation) -> bool:
    """Whether the code itself records the digests of its data."""
    calls = (node for each in situation.sources for node in ast.walk(each.tree))
    return any(
        isinstance(node, ast.Call)
        and _called(node.func) == "log_provenance"
        and (node.args or any(word.arg == "datasets" for word in node.keywords))
        for node in calls
    )


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _read_literals(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, args = _called(node.func), node.args
        if name in ("read_text", "read_bytes", "open") and isinstance(node.func, ast.Attribute):
            inner = node.func.value  # Path("data.csv").read_text()
            if isinstance(inner, ast.Call) and _called(inner.func) == "Path":
                yield from _texts(inner.args[:1])
        if _READS.fullmatch(name) and not _writes(node):
            yield from _texts(args[:1])


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(set("wax+").intersection(mode) for mode in _texts(modes))


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _is_data(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_dir() and any(path.iterdir()))
    except OSError:
        return False
