"""Temporary folders that are gone at the end, whenever a signal arrives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reprocheck.errors import ReprocheckError

_PREFIX, _SUFFIX = "reprocheck-", ".tmp"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def temporary_folder(*, keep: bool = False) -> Iterator[Path]:
    """A new folder below TMPDIR, removed at the end unless it is to be kept.

    Raises `ReprocheckError` when it cannot be made.
    """
    # Blocked, a signal waits: raised in the middle of the removal, it would leave the rest.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        folder, lock = _made(keep)
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield folder
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def remove_dead(place: Path | None = None) -> int:
    """Removes the folders of processes that were killed; returns how many.

    A living process keeps a lock on its own, which ends with it. What was to be kept is kept.
    """
    removed = 0
    for folder in (place or Path(tempfile.gettempdir())).glob(f"{_PREFIX}????????{_SUFFIX}"):
        with contextlib.suppress(OSError):  # another's, or locked, or gone by now
            lock = _locked(folder)
            try:
                if os.fstat(lock).st_uid == os.getuid():
                    shutil.rmtree(folder, ignore_errors=True)
                    removed += 1
            finally:
                os.close(lock)
    return removed


def _made(keep: bool) -> tuple[Path, int]:
    try:
        while True:
            name = tempfile.mkdtemp(prefix=_PREFIX, suffix="" if keep else _SUFFIX)
            with contextlib.suppress(FileNotFoundError, BlockingIOError):  # swept at that moment
                lock = _locked(Path(name))
                if Path(name).exists():
                    return Path(name), lock
                os.close(lock)
    except OSError as error:
        raise ReprocheckError(
            f"making a temporary folder: {error.strerror or error}",
            "set TMPDIR to a directory that can be written and has some space",
        ) from error


def _locked(folder: Path) -> int:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        raise
    return opened
