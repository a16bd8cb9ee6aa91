"""Where an input can be shown that the machine has no such place for.

In a read-only view of the machine nothing can be made. So the nearest folder that exists becomes
a file system in memory, with all its other entries put back as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reprocheck.errors import RerunError

_MOST_ENTRIES = 2000
# The sandbox makes its own.
_OF_SANDBOX = {Path("/"): frozenset(("proc", "dev"))}


def has_place(path: Path, *, folder: bool) -> bool:
    """Whether the machine has a file or folder there, over which another can be mounted."""
    return os.path.isdir(path) if folder else os.path.isfile(path)  # noqa: PTH112, PTH113 - as below


def nearest_folder(path: Path) -> Path:
    """The innermost folder around a path that exists, and may be looked into."""
    # Path's own methods raise where they may not look.
    found = (each for each in path.parents if os.path.isdir(each))  # noqa: PTH112
    return next(each for each in found if os.access(each, os.R_OK | os.X_OK))


def others(folder: Path, path: Path) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder but the one that leads to a path.

    Raises `RerunError` where they cannot be listed, or are too many to put back.
    """
    leads = path.relative_to(folder).parts[0]
    left_out = _OF_SANDBOX.get(folder, frozenset()) | {leads}
    try:
        with os.scandir(folder) as found:
            entries = [each for each in found if each.name not in left_out]
    except OSError as error:
        raise _no_place(path, f"{folder} cannot be listed: {error.strerror}") from error
    if len(entries) > _MOST_ENTRIES:
        raise _no_place(path, f"{folder} has {len(entries)} entries")
    yield from entries


def _no_place(path: Path, reason: str) -> RerunError:
    return RerunError(
        f"showing an input at {path}: {reason}",
        f"make an empty file or folder at {path}, or verify in a container",
    )
