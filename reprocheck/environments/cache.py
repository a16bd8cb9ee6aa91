"""Finished folders, kept by digest: complete and unchanged, or not there at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reprocheck.errors import RebuildError
from reprocheck.progress import Progress

STATE = "reprocheck.json"
_POLL_S = 0.2
_KINDS = ("venv", "conda", "script", "editable")
_UNUSED_S = 86400.0
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A folder that is in use: nobody rebuilds or removes it meanwhile."""

    folder: Path
    state: dict[str, Any]  # what its builder said of it
    cached: bool  # it was there before


@dataclass(frozen=True, kw_only=True, slots=True)
class Cache:
    """Folders by digest, below one root, shared by all processes of the machine."""

    root: Path
    progress: Progress

    @contextlib.contextmanager
    def entry(
        self,
        digest: str,
        build: Callable[[Path], dict[str, Any]],
        healthy: Callable[[Path, dict[str, Any]], bool],
    ) -> Iterator[Entry]:
        """The folder for a digest; `build` fills it when it is absent, broken or changed.

        Processes wait for each other while one builds; while a folder is in use, it is only read.
        """
        make_folder(self.root)
        folder = self.root / digest
        with (self.root / f"{digest}.lock").open("w") as lock:
            self._acquire(lock, fcntl.LOCK_SH)
            state = _state(folder, healthy)
            cached = state is not None
            if state is None:
                self._acquire(lock, fcntl.LOCK_EX)
                state = _state(folder, healthy)  # another may have built it while we waited
                cached = state is not None
                state = state or self._built(folder, build)
                # Another may come in between the two locks; it finds the folder complete.
                self._acquire(lock, fcntl.LOCK_SH)
            with contextlib.suppress(OSError):
                os.utime(folder / STATE)  # when it was used last
            yield Entry(folder=folder, state=state, cached=cached)

    def _built(self, folder: Path, build: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """Builds; where the disk is full, once more without what nobody used for a day."""
        try:
            return _build(folder, build)
        except (RebuildError, OSError) as error:
            full = getattr(error, "disk_full", False) or (
                isinstance(error, OSError) and error.errno in _FULL
            )
            if not full or not remove_unused(self.root.parent, _UNUSED_S):
                raise
        self.progress.update("the disk is full; old environments were removed, trying again")
        return _build(folder, build)

    def _acquire(self, lock: IO[str], kind: int) -> None:
        # Polling, so that a signal gets through at once.
        told = False
        while True:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                # A failed conversion may have lost the shared lock; without it two that both
                # want the exclusive one cannot block each other.
                fcntl.flock(lock, fcntl.LOCK_UN)
                if not told:
                    self.progress.update("waiting for another reprocheck that builds this")
                    told = True
                time.sleep(_POLL_S)
            else:
                return


def remove_unused(root: Path, older_than_s: float) -> int:
    """Removes the folders below a cache that nobody uses: those of builds that were killed, and
    those that were not used for so long. Returns how many.
    """
    locks = [lock for kind in _KINDS for lock in sorted((root / kind).glob("*.lock"))]
    return sum(_remove(lock, time.time() - older_than_s) for lock in locks)


def _remove(lock: Path, before: float) -> bool:
    folder = lock.with_suffix("")
    with lock.open("r+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # somebody builds or uses it
        state = folder / STATE
        if not folder.is_dir() or (state.is_file() and state.stat().st_mtime > before):
            return False
        state.unlink(missing_ok=True)  # first: a half-removed one is not to be trusted
        shutil.rmtree(folder, ignore_errors=True)
        return True


def digest(*parts: str) -> str:
    """One name for all of the parts."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def fingerprint(folder: Path) -> str:
    """Changes when a file below a folder is added, removed or written; byte code aside."""
    seen = hashlib.sha256()
    root = os.path.join(folder, "")  # noqa: PTH118 - with a slash at its end
    # Not os.path.relpath, which took most of the time for an environment of 10,000 files.
    for name, size, changed in sorted(_files(str(folder))):
        seen.update(f"{name.removeprefix(root)}\0{size}\0{changed}\n".encode(errors="replace"))
    return seen.hexdigest()


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif not entry.name.endswith(".pyc"):
                found = entry.stat(follow_symlinks=False)
                yield entry.path, found.st_size, found.st_mtime_ns


def _state(folder: Path, healthy: Callable[[Path, dict[str, Any]], bool]) -> dict[str, Any] | None:
    try:
        state = json.loads((folder / STATE).read_bytes())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) and healthy(folder, state) else None


def _build(folder: Path, build: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    # In place, since virtual environments cannot be moved. The state comes last.
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    try:
        state = build(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    new = folder / f"{STATE}.new"
    new.write_text(json.dumps(state))
    new.replace(folder / STATE)
    return state


def make_folder(path: Path) -> None:
    """Makes a folder of the cache.

    Raises `RebuildError` where a file is in its way.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (NotADirectoryError, FileExistsError, FileNotFoundError) as error:
        raise RebuildError(
            f"making the folder {path} for environments: {error.strerror}",
            "give a folder that can be written in XDG_CACHE_HOME",
        ) from error


def write_whole(path: Path, text: str) -> None:
    """Writes a file so that others see all of it or nothing."""
    make_folder(path.parent)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_text(text)
    new.replace(path)
