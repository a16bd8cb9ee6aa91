"""MD5s as DVC computes them, while a stream is copied: one chunk in memory at a time."""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Generic, Protocol, TypeVar

from reprocheck.datastores.base import StoppedError

_T = TypeVar("_T")

CHUNK = 1 << 20  # DVC's own; what it took for text is decided for each chunk of this size
_LOOKED_AT = 512  # bytes of a chunk by which DVC decides
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"
_CANNOT = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)
_WAITING = 4  # chunks that are read and not yet hashed


class Source(Protocol):
    """What can be read."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """What was read."""

    md5: str
    size: int  # bytes
    as_text: frozenset[str] = frozenset()
    """MD5s of DVC 2, for which CRLF was LF in text; of a binary file the plain one. There are two,
    because its versions decided once a file, or once a chunk."""

    def agree(self, digest: str) -> bool:
        """Whether the content is the one that DVC's digest names."""
        return digest.removesuffix(".dir") in {self.md5, *self.as_text}


class _Hashes:
    """The MD5s of a stream of full chunks."""

    def __init__(self, legacy: bool) -> None:
        self._plain = hashlib.md5(usedforsecurity=False)
        self._by_file = hashlib.md5(usedforsecurity=False) if legacy else None
        self._by_chunk = hashlib.md5(usedforsecurity=False)
        self._text: bool | None = None
        self._size = 0

    def update(self, chunk: bytes | memoryview) -> None:
        self._plain.update(chunk)
        self._size += len(chunk)
        if self._by_file is not None and isinstance(chunk, bytes):
            is_text = _is_text(chunk)
            self._text = is_text if self._text is None else self._text
            unix = chunk.replace(b"\r\n", b"\n")
            self._by_file.update(unix if self._text else chunk)
            self._by_chunk.update(unix if is_text else chunk)

    def sums(self) -> Sums:
        others = (self._by_file, self._by_chunk) if self._by_file is not None else ()
        return Sums(
            md5=self._plain.hexdigest(),
            size=self._size,
            as_text=frozenset(each.hexdigest() for each in others),
        )


def _is_text(chunk: bytes) -> bool:
    """DVC's guess: no NUL, and at most 30 % of the first bytes are no text."""
    start = chunk[:_LOOKED_AT]
    others = len(start.translate(None, _TEXT))
    return b"\0" not in start and others <= 0.30 * len(start)


def copy(source: Source, target: IO[bytes], legacy: bool, stop: threading.Event) -> Sums:
    """Copies a stream and returns what it was. Raises `StoppedError`."""
    hashes = _Hashes(legacy)
    chunks = _chunks(source, stop)
    first = next(chunks, b"")
    if len(first) < CHUNK:  # the end: a thread of its own would cost more than the hash
        hashes.update(first)
        target.write(first)
        return hashes.sums()
    target.write(first)
    with _Aside(hashes.update) as aside:
        aside.update(first)
        for chunk in chunks:
            aside.update(chunk)
            target.write(chunk)
    return hashes.sums()


def read(content: bytes, legacy: bool) -> Sums:
    """The digests of a content of at most one chunk."""
    if not legacy:
        return Sums(md5=hashlib.md5(content, usedforsecurity=False).hexdigest(), size=len(content))
    hashes = _Hashes(legacy)
    hashes.update(content)
    return hashes.sums()


def _chunks(source: Source, stop: threading.Event) -> Iterator[bytes]:
    """Full chunks, whatever the source hands out at a time; the last may be shorter."""
    while True:
        parts = []
        missing = CHUNK
        while missing and (part := source.read(missing)):
            if stop.is_set():
                raise StoppedError
            parts.append(part)
            missing -= len(part)
        if parts:
            yield parts[0] if len(parts) == 1 else b"".join(parts)
        if missing:
            return


def copy_file(source: int, target: int, legacy: bool, stop: threading.Event) -> Sums | None:
    """Lets the kernel copy a file, shared where the file system can, and hashes what was written.

    None: it cannot, and nothing was written. Raises `StoppedError`.
    """
    if not hasattr(os, "copy_file_range"):  # macOS
        return None
    hashes = _Hashes(legacy)
    buffer = bytearray(CHUNK)
    done = 0

    def hash_until(end: int) -> None:
        nonlocal done
        while done < end:
            read = os.preadv(target, [buffer], done)
            hashes.update(bytes(buffer[:read]) if legacy else memoryview(buffer)[:read])
            done += read

    copied = 0
    with _Aside(hash_until) as aside:
        while True:
            try:
                count = os.copy_file_range(source, target, 16 * CHUNK)
            except OSError as error:
                if copied or error.errno not in _CANNOT:
                    raise
                return None
            copied += count
            # Only whole chunks, so that DVC 2's guesses are made of what it guessed on.
            aside.update(copied // CHUNK * CHUNK if count else copied)
            if not count:
                break
            if stop.is_set():
                raise StoppedError
    return hashes.sums()


class _Aside(Generic[_T]):
    """Works in a thread beside the one that reads and writes."""

    def __init__(self, work: Callable[[_T], None]) -> None:
        self._work = work
        self._waiting: queue.Queue[_T | None] = queue.Queue(_WAITING)
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> _Aside[_T]:
        self._thread.start()
        return self

    def update(self, item: _T) -> None:
        self._waiting.put(item)

    def __exit__(self, kind: object, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self._failures and kind is None:
            raise self._failures[0]

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            try:
                if not self._failures:
                    self._work(item)
            except BaseException as error:  # the other thread's queue must not fill up
                self._failures.append(error)
