"""Where DVC's objects lie: a folder, or a remote's file system. Only ever opened for reading."""

from __future__ import annotations

import errno
import os
import stat
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Protocol

from reprocheck.datastores import dvc_digests
from reprocheck.datastores.dvc_digests import CHUNK, Source, Sums

ABSENT = "there is no folder"
_LAYOUTS = (("files", "md5"), ())  # of DVC 3, then of DVC 2
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A planted pipe must not be waited for, nor a symlink be followed before it was looked at.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class MissingError(Exception):
    """No such object in this place. Its text, where it has one, says why."""


class CorruptError(Exception):
    """The object's content is not what its name says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """An object to fetch."""

    digest: str  # with ".dir" of a directory's list
    legacy: bool = False  # the digest may be one of DVC 2, for which CRLF was LF in text
    unsure: bool = False  # it may be so only where DVC 2 kept its objects

    def where(self, layout: tuple[str, ...]) -> Wanted:
        """What is wanted of a place with that layout."""
        return replace(self, legacy=False) if self.unsure and layout else self


class Place(Protocol):
    """Where objects are looked for."""

    @property
    def words(self) -> str:
        """What it is, for messages."""

    def fetch(self, wanted: Wanted, target: Path, stop: threading.Event) -> int:
        """Writes an object to `target`, which must not exist, and returns its bytes' number.

        Raises `MissingError`, `CorruptError`, `StoppedError`, or what the file system raises.
        """

    def has(self, digest: str) -> bool:
        """Whether an object of that name is there. Raises what the file system raises."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A local remote, or a cache. Opened directly: 10,000 small files are a matter of layers."""

    words: str
    root: Path
    _real: dict[str, str | None] = field(default_factory=dict)  # folders, with symlinks resolved

    def fetch(self, wanted: Wanted, target: Path, stop: threading.Event) -> int:
        """See `Place`. A symlink that leads out of the folder is no object."""
        for layout in _LAYOUTS:
            path = self._path(layout, wanted.digest)
            try:
                descriptor = self._open(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            try:
                return _take_descriptor(descriptor, path, wanted.where(layout), target, stop)
            finally:
                os.close(descriptor)
        raise MissingError(*self._without())

    def has(self, digest: str) -> bool:
        """Whether an object of this name is there."""
        return any(os.path.lexists(self._path(layout, digest)) for layout in _LAYOUTS)

    def _without(self) -> tuple[str, ...]:
        """What to say when there is not even the folder, as where nothing is mounted."""
        return () if self.root.is_dir() else (f"{ABSENT} {self.root}",)

    def _path(self, layout: tuple[str, ...], digest: str) -> str:
        return os.path.join(self.root, *layout, digest[:2], digest[2:])  # noqa: PTH118 - speed

    def _open(self, path: str) -> int:
        folder = path.rpartition("/")[0]
        if folder not in self._real:
            self._real[folder] = self._inside(folder)
        try:
            if self._real[folder] is None:
                raise CorruptError(f"{path} is reached by a symlink that leads out of it")
            return os.open(path, _READ)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        real = self._inside(path)
        if real is None:
            raise CorruptError(f"{path} is a symlink that leads out of it")
        return os.open(real, _READ)

    def _inside(self, path: str) -> str | None:
        real = os.path.realpath(path)
        root = os.path.realpath(self.root)
        return real if Path(real).is_relative_to(root) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """A remote, through DVC's own file system for it."""

    words: str
    fs: Any  # an fsspec-like file system of DVC's
    root: str

    def fetch(self, wanted: Wanted, target: Path, stop: threading.Event) -> int:
        """See `Place`."""
        refusals = []
        for layout in _LAYOUTS:
            path = self._path(layout, wanted.digest)
            try:
                with self.fs.open(path, "rb") as source:
                    return take(source, path, wanted.where(layout), target, stop)
            except FileNotFoundError as error:
                refusals.extend(self._refusal(error))
                if refusals and isinstance(refusals[0], OSError):
                    break  # nobody answers: the other name would be waited for as long
        if refusals:
            raise refusals[0]
        raise MissingError

    def has(self, digest: str) -> bool:
        """Whether an object of this name is there."""
        refusals = []
        for layout in _LAYOUTS:
            try:
                self.fs.info(self._path(layout, digest))
            except FileNotFoundError as error:
                refusals.extend(self._refusal(error))
            else:
                return True
        if refusals:
            raise refusals[0]
        return False

    def _refusal(self, error: FileNotFoundError) -> list[BaseException]:
        """To fsspec a web server that refuses, fails or is not there has no such file, either."""
        cause = error.__cause__
        told = cause is None or getattr(cause, "status", None) in (404, 410)
        is_web = self.fs.protocol in ("http", "https")
        return [cause] if is_web and cause is not None and not told else []

    def _path(self, layout: tuple[str, ...], digest: str) -> str:
        return str(self.fs.join(self.root, *layout, digest[:2], digest[2:]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """Stands for a remote whose file system could not be made; says why when it is asked."""

    words: str
    error: Exception

    def fetch(self, wanted: Wanted, target: Path, stop: threading.Event) -> int:  # noqa: ARG002
        """See `Place`."""
        raise self.error

    def has(self, digest: str) -> bool:  # noqa: ARG002 - the seam's signature
        """See `Place`."""
        raise self.error


def take(source: Source, path: str, wanted: Wanted, target: Path, stop: threading.Event) -> int:
    """Writes what is read from `path` to `target` if it has the digest, and returns its size.

    Raises `CorruptError` or `StoppedError`, and leaves nothing then.
    """
    with _created(target) as file:
        try:
            sums = dvc_digests.copy(source, file, wanted.legacy, stop)
            _prove(sums, path, wanted.digest)
        except BaseException:
            target.unlink()
            raise
    return sums.size


def _take_descriptor(
    descriptor: int, path: str, wanted: Wanted, target: Path, stop: threading.Event
) -> int:
    known = os.fstat(descriptor)
    if not stat.S_ISREG(known.st_mode):
        raise CorruptError(f"{path} is no regular file")
    if known.st_size < CHUNK:
        return _take_small(os.read(descriptor, CHUNK), path, wanted, target)
    new = os.open(target, _NEW, 0o666)
    try:
        sums = dvc_digests.copy_file(descriptor, new, wanted.legacy, stop)
        if sums is not None:
            _prove(sums, path, wanted.digest)
    except BaseException:
        target.unlink()
        raise
    finally:
        os.close(new)
    if sums is not None:
        return sums.size
    target.unlink()
    with open(descriptor, "rb", buffering=0, closefd=False) as source:
        return take(source, path, wanted, target, stop)


def _take_small(content: bytes, path: str, wanted: Wanted, target: Path) -> int:
    sums = dvc_digests.read(content, wanted.legacy)
    _prove(sums, path, wanted.digest)
    new = os.open(target, _NEW, 0o666)
    try:
        if os.write(new, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(new)
    return sums.size


def _prove(sums: Sums, path: str, digest: str) -> None:
    if not sums.agree(digest):
        raise CorruptError(f"{path} has MD5 {sums.md5} and {sums.size} bytes")


def _created(target: Path) -> IO[bytes]:
    """A file that did not exist: two names of a list may be one on this file system."""
    return open(os.open(target, _NEW, 0o666), "wb")  # noqa: PTH123 - a descriptor
