"""Room for environments, workspaces and images."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reprocheck.account import cache_folder
from reprocheck.doctor.base import Check, Kind, Request, Status
from reprocheck.errors import UsageError
from reprocheck.numbers import format_bytes

LITTLE = 10e9
"""Bytes below which an environment with a framework of machine learning may not fit."""

NOTHING = 0.5e9
"""Bytes below which no environment is built."""


def check_disks(request: Request) -> tuple[Check, ...]:
    """The folders that a verification writes to; two on one disk are one line."""
    del request
    return tuple(_disks())


def _disks() -> Iterator[Check]:
    temporary = Path(tempfile.gettempdir())
    try:
        cache = cache_folder()
    except UsageError as error:
        yield _check("cache", Status.ERROR, error.message, error.hint)
        yield disk("temporary folder", temporary, "TMPDIR")
        return
    one = existing(cache).stat().st_dev == existing(temporary).stat().st_dev
    if one and writable(cache) and writable(temporary):
        yield disk("disk", cache, "XDG_CACHE_HOME and TMPDIR", f"{cache} and {temporary}")
        return
    yield disk("cache", cache, "XDG_CACHE_HOME")
    yield disk("temporary folder", temporary, "TMPDIR")


def disk(name: str, folder: Path, variable: str = "", shown: str = "") -> Check:
    """How much is free where a folder is, or will be; `variable` names another place for it."""
    shown = shown or str(folder)
    if variable and not writable(folder):
        mend = f"export {variable}=…  to a folder that this user may write to"
        return _check(name, Status.ERROR, f"{shown} cannot be written", mend)
    usage = shutil.disk_usage(existing(folder))
    told = f"{format_bytes(usage.free)} free of {format_bytes(usage.total)} at {shown}"
    if usage.free >= LITTLE:
        return _check(name, Status.OK, told)
    status = Status.WARNING if usage.free >= NOTHING else Status.ERROR
    elsewhere = f",  or export {variable}=…  to a larger disk" if variable else ""
    return _check(name, status, told, f"reprocheck clean --images 0d,  uv cache clean{elsewhere}")


def writable(folder: Path) -> bool:
    """Whether this user may write into a folder, or make it."""
    return os.access(existing(folder), os.W_OK | os.X_OK)


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next((each for each in (folder, *folder.parents) if _is_there(each)), Path("/"))


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # one above it may not be entered
        return False


def _check(name: str, status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.DISK, name=name, status=status, told=told, mend=mend)
