"""DVC's directory lists. They come from a remote, so what they name is not trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from reprocheck.errors import RestoreError
from reprocheck.hostile import cut, printable

MD5 = re.compile(r"[0-9a-f]{32}")


def parse(content: bytes, what: str) -> dict[str, str]:
    """The MD5 of each file, by its path inside the directory; `what` names the list in messages.

    Raises `RestoreError` for a list that DVC does not make.
    """
    try:
        rows = [(row["relpath"], row["md5"]) for row in json.loads(content)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused(what, f"is not DVC's: {type(error).__name__}: {error}") from error
    return checked(rows, what)


def checked(rows: Iterable[tuple[object, object]], what: str) -> dict[str, str]:
    """The rows of a list, each of them proved to be a name inside and an MD5.

    Raises `RestoreError` for a list that DVC does not make.
    """
    entries: dict[str, str] = {}
    for given, digest in rows:
        name = str(given)
        if not (isinstance(digest, str) and MD5.fullmatch(digest)):
            raise _refused(what, f"gives no MD5 for {_shown(name)}")
        if (wrong := _wrong(given)) is not None:
            raise _refused(what, f"names {_shown(name)}, {wrong}")
        if name in entries:
            raise _refused(what, f"names {_shown(name)} twice")
        entries[name] = digest
    _refuse_collisions(entries, what)
    return entries


def folders(names: Iterable[str]) -> set[str]:
    """The folders in which the files lie, inside the directory."""
    found: set[str] = set()
    for name in names:
        parent = name.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def _wrong(name: object) -> str | None:
    """What is wrong with a name of a list, if anything."""
    if not isinstance(name, str) or not name:
        return "which is no name"
    parts = name.split("/")
    if PurePosixPath(name).is_absolute() or ".." in parts:
        return "outside the directory"
    if "" in parts or "." in parts:
        return "which is no plain path"
    if any(len(part.encode(errors="replace")) > 255 for part in parts):
        return "which is too long a name"
    # A backslash is a folder's separator to DVC under Windows, and control characters forge lines.
    if "\\" in name or any(ord(character) < 32 or ord(character) == 127 for character in name):
        return "with a backslash or a control character"
    return None


def _refuse_collisions(entries: Mapping[str, str], what: str) -> None:
    for folder in folders(entries):
        if folder in entries:
            raise _refused(what, f"names {_shown(folder)} both as a file and as a folder")


def _shown(name: object) -> str:
    return f"'{cut(printable(str(name)), 120)}'"


def _refused(what: str, said: str) -> RestoreError:
    return RestoreError(
        f"the directory list of {what} {said}",
        "the list was not made by DVC; do not trust this remote, and push the directory again "
        "from a machine that has it intact",
    )
