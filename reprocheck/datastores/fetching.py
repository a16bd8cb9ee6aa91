"""Files brought from where they are kept, their digest computed while they stream.

Nothing is believed: not the name, not the size, not what a server says of its own digests.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reprocheck.datastores.base import StoppedError
from reprocheck.errors import RestoreError
from reprocheck.numbers import format_bytes

CHUNK = 1 << 20
PAUSES_S = (0.3, 1.0, 3.0)  # before each further try
_TOLD_BYTES = 64 << 20


class Source(Protocol):
    """A file, or a folder of files, at an address. It is only read."""

    shown: str  # the address without secrets

    def open(self, name: str) -> AbstractContextManager[Iterator[bytes]]:
        """The content of the file of that name in the folder; "" is the address itself.

        Raises `AbsentError`, `TransientError`, or `RestoreError` where no other file of the
        source could be had either.
        """


class AbsentError(Exception):
    """There is no such file."""


class TransientError(Exception):
    """The connection failed; the next try may work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A file of a source, and what it must be."""

    name: str  # in the source; "": the source itself
    algorithm: str
    digest: str
    size: int | None = None


class MismatchError(Exception):
    """The content is another one."""

    def __init__(self, wanted: Wanted, found: str, size: int) -> None:
        told = f"expected {wanted.algorithm} {wanted.digest}"
        if wanted.size is not None and wanted.size != size:
            told += f" and {wanted.size} bytes"
        super().__init__(f"{told}, found {found} ({size} bytes)")


def fetch(
    source: Source,
    wanted: Wanted,
    target: Path,
    stop: threading.Event,
    on_bytes: Callable[[str], None] = lambda _: None,
) -> None:
    """Writes a file to `target` when it is what is wanted; else there is nothing afterwards.

    Raises `MismatchError`, `StoppedError` and what the source raises.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    found, size = copy(source, wanted.name, target, wanted.algorithm, stop, on_bytes)
    if found != wanted.digest or wanted.size not in (None, size):
        target.unlink()
        raise MismatchError(wanted, found, size)


def copy(
    source: Source,
    name: str,
    target: Path,
    algorithm: str,
    stop: threading.Event,
    on_bytes: Callable[[str], None] = lambda _: None,
) -> tuple[str, int]:
    """Writes a file to `target`, and returns its digest and size. On failure nothing is there."""
    for pause_s in (*PAUSES_S, None):
        try:
            with _all_or_nothing(target), source.open(name) as chunks:
                return _write(chunks, target, algorithm, stop, on_bytes)
        except TransientError as error:
            if pause_s is None:
                raise RestoreError(
                    f"{error}, after {len(PAUSES_S) + 1} tries",
                    "check the address and the network, and try again later",
                ) from error
            stop.wait(pause_s)
    raise AssertionError  # the last try returns or raises


@contextlib.contextmanager
def _all_or_nothing(target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _write(
    chunks: Iterator[bytes],
    target: Path,
    algorithm: str,
    stop: threading.Event,
    on_bytes: Callable[[str], None],
) -> tuple[str, int]:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    size = told = 0
    with target.open("wb") as file:
        for chunk in chunks:
            if stop.is_set():
                raise StoppedError
            digest.update(chunk)
            file.write(chunk)
            size += len(chunk)
            if size - told >= _TOLD_BYTES:
                told = size
                on_bytes(format_bytes(size))
    return digest.hexdigest(), size
