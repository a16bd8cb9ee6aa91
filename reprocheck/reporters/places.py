"""Which file of the repository a finding speaks about, as far as the record tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from reprocheck.config import FILE_NAME
from reprocheck.model import Origin, OriginKind, RunRecord

_AT_COMMIT = " at the commit"
_LINE = re.compile(r"^(?P<path>[^:]+)(?::(?P<line>[0-9]{1,6}))?(?::? .*)?$")
_KNOWN = re.compile(
    r"(?:.*\.(?:dvc|ya?ml|toml|txt|lock|py|ipynb|json|cfg)|MLproject|Dockerfile|Pipfile)"
)
_IN_REPOSITORY = (OriginKind.FILE, OriginKind.CONFIG)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A file, relative to the repository's root, and a line of it."""

    path: str
    line: int = 1


def place(record: RunRecord | None, pointer: str) -> Place:
    """The file that the part of a record at a JSON pointer came from; else the config.

    What the record says is not trusted: the path is a plain relative one.
    """
    found = _candidates(record, pointer) if record else iter(())
    return next((each for each in found if _is_plain(each.path)), Place(path=FILE_NAME))


def _candidates(record: RunRecord, pointer: str) -> Iterator[Place]:
    noun, _, rest = pointer.removeprefix("/").partition("/")
    if noun == "data":
        yield from _of_data(record, rest.partition("/")[0])
    for part in _upwards(pointer):
        yield from _of_origin(record.origins.get(part))
    spec = record.environment
    if noun == "environment" and spec is not None:
        if spec.directory is not None:
            yield Place(path=str(PurePosixPath(spec.directory) / spec.file))
        yield from _of_origin(spec.origin)
    if noun == "definition" and record.definition is not None:
        yield from _of_origin(record.definition.origin)
    if pointer in ("/command", "/code/script", "/seeds") and record.code.script:
        yield Place(path=str(PurePosixPath(record.code.subdirectory) / record.code.script))


def _of_data(record: RunRecord, index: str) -> Iterator[Place]:
    if index.isascii() and index.isdigit() and int(index) < len(record.data):
        yield from _of_origin(record.data[int(index)].origin)


def _of_origin(origin: Origin | None) -> Iterator[Place]:
    if origin is None or origin.kind not in _IN_REPOSITORY:
        return
    at_commit, found, _ = origin.where.partition(_AT_COMMIT)
    if found:
        yield Place(path=at_commit)
        return
    told = _LINE.match(origin.where.partition(", ")[0])
    if told:
        yield Place(path=told["path"], line=max(1, int(told["line"] or 1)))


def _upwards(pointer: str) -> Iterator[str]:
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]


def _is_plain(path: str) -> bool:
    """Whether it is a file's path below the root, of a kind that a repository keeps."""
    parts = path.split("/")
    usual = path.isprintable() and len(path) <= 500 and "\\" not in path and ":" not in path
    return usual and not {"", "..", ".git"} & set(parts) and bool(_KNOWN.fullmatch(parts[-1]))
