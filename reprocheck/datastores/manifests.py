"""Lists of files with their digests, as sha256sum and md5sum write them; also JSON and CSV.

A list is hostile: a name that leads out of the folder is refused, and so is one that is there
twice. What is refused is told by its line, never quoted: the list may be another file than meant.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from reprocheck.errors import RestoreError

ALGORITHMS = {32: "md5", 64: "sha256"}
MOST_BYTES = 64 << 20

# "\" before a line tells that its name is escaped; "*" tells that the file was read as binary.
_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9A-Fa-f]{32,128}) [ *](?P<name>.+)", re.DOTALL)
_TAGGED = re.compile(r"(?P<escaped>\\?)[A-Z0-9-]+ \((?P<name>.+)\) = (?P<digest>[0-9A-Fa-f]+)")
_ESCAPES = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}
_NAMES, _DIGESTS = ("path", "file", "name", "filename"), ("sha256", "md5", "hash", "digest")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files of a folder: the digest of each, by its path inside."""

    algorithm: str
    files: Mapping[str, str]


def parse(content: bytes, name: str, folder: str) -> Listing:
    """The list in a file called `name`, of the files in `folder`.

    Names may count from the folder, or, where all begin with it, from the repository's root.
    Raises `RestoreError` for one that is empty, that is no list, or that names what it must not.
    """
    rows = [(where, _plain(path), digest) for where, path, digest in _rows(content, name)]
    inside = PurePosixPath(name).is_relative_to(folder)
    start = f"{folder}/"
    if rows and not inside and all(path.startswith(start) for _, path, _ in rows):
        rows = [(where, path.removeprefix(start), digest) for where, path, digest in rows]
    own = PurePosixPath(name).name  # `sha256sum * > SHA256SUMS` lists the list, still empty
    rows = [row for row in rows if row[1] != own]
    files: dict[str, str] = {}
    for where, path, digest in rows:
        _refuse(path, where)
        if path in files:
            raise _bad(where, "names a file for the second time")
        files[path] = digest
    _refuse_nested(files, name)
    return Listing(algorithm=_algorithm(files, name), files=files)


def _rows(content: bytes, name: str) -> Iterator[tuple[str, str, str]]:
    """Where each entry stands, its name and its digest in small letters."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(name, "is no text in UTF-8") from error
    if text.lstrip().startswith(("{", "[")):
        return _json_rows(text, name)
    if PurePosixPath(name).suffix.lower() == ".csv":
        return _csv_rows(text, name)
    return _line_rows(text, name)


def _line_rows(text: str, name: str) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")  # noqa: PLW2901
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line) or _TAGGED.fullmatch(line)
        where = f"{name}, line {number}"
        if match is None:
            raise _bad(where, "is not what sha256sum or md5sum writes")
        path = match["name"]
        if match["escaped"]:
            path = re.sub(r"\\[\\nr]", lambda found: _ESCAPES[found[0]], path)
        yield where, path, match["digest"].lower()


def _json_rows(text: str, name: str) -> Iterator[tuple[str, str, str]]:
    try:
        entries = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise _bad(name, "is no JSON") from error
    for number, entry in enumerate(entries, 1):
        match entry:
            case (str(path), str(digest)):
                yield f"{name}, entry {number}", path, digest.lower()
            case _:
                raise _bad(name, "is no JSON object of digests by path")


def _csv_rows(text: str, name: str) -> Iterator[tuple[str, str, str]]:
    reader = csv.DictReader(text.splitlines())
    columns = {str(column).strip().lower(): column for column in reader.fieldnames or ()}
    paths = next((columns[key] for key in _NAMES if key in columns), None)
    digests = next((columns[key] for key in _DIGESTS if key in columns), None)
    if paths is None or digests is None:
        raise _bad(name, "has no columns path and sha256 (or md5)")
    for row in reader:
        yield (
            f"{name}, line {reader.line_num}",
            str(row[paths] or ""),
            str(row[digests] or "").strip().lower(),
        )


def _plain(path: str) -> str:
    return path.removeprefix("./")


def _refuse(path: str, where: str) -> None:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        raise _bad(where, "names a file outside the folder")
    if "\0" in path or {"", "."} & set(parts) or parts[0] == ".git":
        raise _bad(where, "has a name that no file of a folder has")
    # Lone surrogates, which JSON can spell, cannot be written; nor can longer names.
    if any(len(part.encode("utf-8", "replace")) > 255 for part in parts) or not _encodes(path):
        raise _bad(where, "has a name that no file of a folder has")


def _encodes(path: str) -> bool:
    return all(not "\ud800" <= character <= "\udfff" for character in path)


def _refuse_nested(files: Mapping[str, str], name: str) -> None:
    """A name cannot be a file and a folder."""
    for path in files:
        if any(str(parent) in files for parent in PurePosixPath(path).parents):
            raise _bad(name, "names something both as a file and as a folder")


def _algorithm(files: Mapping[str, str], name: str) -> str:
    if not files:
        raise _bad(name, "names no file")
    lengths = {len(digest) for digest in files.values()}
    algorithm = ALGORITHMS.get(lengths.pop()) if len(lengths) == 1 else None
    if algorithm is None or not _all_hexadecimal(files.values()):
        raise _bad(name, "has digests that are not all MD5 or all SHA-256")
    return algorithm


def _all_hexadecimal(digests: Iterable[str]) -> bool:
    return all(re.fullmatch(r"[0-9a-f]+", digest) for digest in digests)


def _bad(where: str, said: str) -> RestoreError:
    return RestoreError(
        f"the manifest {where} {said}",
        "write it in the folder by: find . -type f -exec sha256sum {} +",
    )
