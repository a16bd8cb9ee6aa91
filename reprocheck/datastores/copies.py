"""Copies of restored inputs: fast, a trial's own, and looked at again when it has ended."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from reprocheck.errors import RestoreError
from reprocheck.progress import Progress

CHUNK = 2**20
_RANGE = 2**26  # bytes that the kernel copies at a time: between two, a copy can be stopped
_WORKERS = min(8, 2 + (os.cpu_count() or 1))
_BATCH = 64  # files that a worker takes at a time: one by one, the queue costs more than the copy
_TOLD_S = 0.5
# Where the kernel cannot copy from file to file, as between some file systems.
_NOT_BY_KERNEL = (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells, without reading it, that a file was not written."""

    size: int
    written_ns: int
    changed_ns: int  # also by another owner or mode, and nobody can set it back
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """The stamp of a file that was looked at."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


class Copying:
    """Copies files by several threads; on an error or interruption all of them stop soon.

    Where the file system can (btrfs, XFS), a copy shares the blocks of its original until one of
    them is written, and takes neither time nor room. No copy is a hard link.
    """

    def __init__(self, progress: Progress) -> None:
        self.stamps: dict[str, Stamp] = {}
        self._progress = progress
        self._stop = threading.Event()
        self._bytes = 0
        self._told = time.monotonic()

    def copy(self, files: Iterator[tuple[Path, Path, str]]) -> None:
        """Copies from, to, and keeps the copy's stamp under a name.

        Raises `RestoreError` for what is no regular file, `OSError` as the system does.
        """
        with ThreadPoolExecutor(_WORKERS) as pool:
            try:
                left = {pool.submit(self._batch, batch) for batch in _batches(files)}
                while left:
                    done, left = wait(left, timeout=_TOLD_S, return_when=FIRST_EXCEPTION)
                    self._tell()
                    for each in done:
                        each.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _batch(self, batch: list[tuple[Path, Path, str]]) -> None:
        for source, target, name in batch:
            self.stamps[name] = self._one(source, target)

    def _one(self, source: Path, target: Path) -> Stamp:
        with _opened(source) as (reading, found):
            # A store may keep its files read-only; the trial may write its own.
            mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            writing = os.open(target, flags, mode)
            try:
                self._contents(reading, writing, found.st_size)
                return Stamp.of(os.fstat(writing))
            finally:
                os.close(writing)

    def _contents(self, reading: int, writing: int, size: int) -> None:
        left, copy = size, _by_kernel if hasattr(os, "copy_file_range") else _by_hand
        while not self._stop.is_set():
            try:
                count = copy(reading, writing)
            except OSError as error:
                if copy is _by_hand or error.errno not in _NOT_BY_KERNEL:
                    raise
                count = 0
            if not count and (copy is _by_hand or left <= 0):
                return
            # Some file systems tell the kernel that a file ends where it does not.
            copy = copy if count else _by_hand  # which goes on where the kernel left off
            left -= count
            self._bytes += count

    def _tell(self) -> None:
        if time.monotonic() - self._told >= _TOLD_S:
            self._told = time.monotonic()
            self._progress.update(f"copying inputs: {self._bytes / 2**20:,.0f} MiB")


def _by_kernel(reading: int, writing: int) -> int:
    return os.copy_file_range(reading, writing, _RANGE)


def _by_hand(reading: int, writing: int) -> int:
    chunk = left = memoryview(os.read(reading, CHUNK))
    while left:
        left = left[os.write(writing, left) :]
    return len(chunk)


def _batches(files: Iterator[tuple[Path, Path, str]]) -> Iterator[list[tuple[Path, Path, str]]]:
    batch = []
    for file in files:
        batch.append(file)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """A regular file, by no symlink. Raises `RestoreError` for anything else."""
    try:
        # A FIFO would wait for somebody to write into it.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _no_file(path) from error
        raise
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise _no_file(path)
        yield number, found
    finally:
        os.close(number)


def _no_file(path: Path) -> RestoreError:
    return RestoreError(
        f"copying the input {path.name}: it is no regular file",
        "an input is a file or a directory of files; track no symlink with it",
    )


def files_below(folder: Path) -> Iterator[str]:
    """The relative names of all that is in a folder but folders; no symlink is followed."""
    for root, folders, names in os.walk(folder):
        at = Path(root).relative_to(folder)
        links = (each for each in folders if Path(root, each).is_symlink())
        yield from (str(at / name) for name in (*names, *links))


def is_same(one: Path, other: Path) -> bool:
    """Whether two regular files have the same content."""
    with _opened(one) as (left, found), _opened(other) as (right, beside):
        if found.st_size != beside.st_size:
            return False
        while chunk := os.read(left, CHUNK):
            if chunk != os.read(right, CHUNK):
                return False
    return True


def digest_of(path: Path, algorithm: str) -> str:
    """The hexadecimal digest of a regular file."""
    taken = hashlib.new(algorithm, usedforsecurity=False)
    with _opened(path) as (reading, _):
        while chunk := os.read(reading, CHUNK):
            taken.update(chunk)
    return taken.hexdigest()


def in_threads(work: Callable[[str], bool], names: list[str]) -> list[str]:
    """Those of the names for which the work says so, in their order."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        said = pool.map(work, names)
        return [name for name, yes in zip(names, said, strict=True) if yes]
