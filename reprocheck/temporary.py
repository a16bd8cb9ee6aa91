"""Temporary folders that are gone at the end, whenever a signal arrives."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reprocheck.errors import ReprocheckError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def temporary_folder(*, keep: bool = False) -> Iterator[Path]:
    """A new folder below TMPDIR, removed at the end unless it is to be kept.

    Raises `ReprocheckError` when it cannot be made.
    """
    # Blocked, a signal waits: raised in the middle of the removal, it would leave the rest.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        folder = _made()
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield folder
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _made() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="reprocheck-"))
    except OSError as error:
        raise ReprocheckError(
            f"making a temporary folder: {error.strerror or error}",
            "set TMPDIR to a directory that can be written and has some space",
        ) from error
