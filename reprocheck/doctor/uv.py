"""uv, which builds virtual environments."""

from __future__ import annotations

import os
import time
from pathlib import Path

from reprocheck.doctor.base import Check, Kind, Request, Status, said, version_of
from reprocheck.doctor.disk import writable
from reprocheck.environments import uv_program
from reprocheck.errors import RebuildError
from reprocheck.numbers import format_bytes

_COUNTING_S = 3.0
_REINSTALL = "pip install --force-reinstall uv"


def check_uv(request: Request) -> tuple[Check, ...]:
    """Uv's version and place, and the cache that it keeps."""
    try:
        program = uv_program.find_uv()
    except RebuildError as error:
        return (_uv(Status.ERROR, error.message, _REINSTALL),)
    env = uv_program.environment(request.env)
    version = version_of(program, env)
    if not version:
        return (_uv(Status.ERROR, f"{program} does not run", _REINSTALL),)
    told = f"{version.removeprefix('uv ').partition(' ')[0]}, {program}"
    cache = said((program, "cache", "dir"), env)
    if cache is None or cache.exit_code != 0:
        return (_uv(Status.OK, told),)
    folder = Path(os.fsdecode(cache.stdout.strip()))
    if not writable(folder):
        told += f"; its cache {folder} cannot be written"
        return (_uv(Status.ERROR, told, f"chown -R $USER {folder},  or set UV_CACHE_DIR"),)
    return (_uv(Status.OK, f"{told}; cache {_size(folder)} in {folder}"),)


def _uv(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.UV, name="uv", status=status, told=told, mend=mend)


def _size(folder: Path) -> str:
    """What is in a folder; a large one is not counted to its end."""
    total, deadline = 0, time.monotonic() + _COUNTING_S
    todo = [folder]
    while todo and time.monotonic() < deadline:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                todo.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                total += entry.stat(follow_symlinks=False).st_size
    return f"{'more than ' if todo else ''}{format_bytes(total)}"
