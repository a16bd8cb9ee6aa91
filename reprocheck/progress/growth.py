"""Progress of what says none itself: how much has arrived on the disk."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from reprocheck.progress.base import Progress, bytes_bar

_EVERY_S = 1.0
_SHARE = 20  # of the time, one part in so many is spent with looking


@contextlib.contextmanager
def growing(progress: Progress, path: Path, doing: str, total: int | None = None) -> Iterator[None]:
    """While the block runs, tells how many bytes came to lie at or below a path."""

    def tell(size: int) -> None:
        progress.update(f"{doing}: {bytes_bar(size, total)}")

    with watched(path, tell):
        yield


@contextlib.contextmanager
def watched(path: Path, tell: Callable[[int], None]) -> Iterator[None]:
    """While the block runs, a thread tells the bytes that came to lie at or below a path, whenever
    there are more; nothing in the first second."""
    before, stop = _size(path), threading.Event()

    def watch() -> None:
        told, wait_s = 0, _EVERY_S
        while not stop.wait(wait_s):
            started = time.monotonic()
            size = _size(path) - before
            wait_s = max(_EVERY_S, _SHARE * (time.monotonic() - started))
            if size > told and not stop.is_set():
                told = size
                tell(size)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Parts:
    """Progress of parts, each told below a line about the whole."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._whole = self._part = ""
        self.start, self.say, self.finish = progress.start, progress.say, progress.finish

    def update(self, doing: str) -> None:
        """What is done with a part."""
        self._part = doing
        self._tell()

    def whole(self, doing: str) -> None:
        """How far all of it is."""
        self._whole = doing
        self._tell()

    def _tell(self) -> None:
        self._progress.update("\n".join(each for each in (self._whole, self._part) if each))


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        found = path.lstat()
        if not path.is_dir() or path.is_symlink():
            return found.st_size
    size = 0
    for root, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - of thousands
    return size
