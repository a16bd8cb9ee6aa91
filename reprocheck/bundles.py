"""A bundle: a folder with all that a verification needs of a tracker and of data stores.

bundle.json                   what is in it, by schemas/bundle.schema.json
contents/ab/abcdef0123…       every record, patch, artifact and input, named by its SHA-256

No path of a run, of a commit or of an input is a path of the folder. Each file is proved by its
digest when it is first used.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reprocheck import record_reading, schema
from reprocheck.errors import BundleError
from reprocheck.hostile import cut, printable
from reprocheck.model import Finding, MaterialPlace, Product
from reprocheck.text_files import BrokenTextError, parse_json, read_text

VERSION = 1
FILE = "bundle.json"
CONTENTS = "contents"
LARGEST = 200_000_000
"""Bytes of a bundle.json that is read."""

MAKE = "make it anew: reprocheck fetch RUN_ID --bundle DIR"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledFile:
    """A file of an input."""

    path: str  # inside the input; "": the input is this file
    sha256: str  # of its content in the bundle
    digest: str  # as the input's algorithm has it


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledData:
    """An input at a digest."""

    path: str
    place: MaterialPlace
    algorithm: str
    digest: str
    source: str  # without logins
    revision: str  # of a repository of the hub, its commit; else ""
    files: tuple[BundledFile, ...]
    findings: tuple[Finding, ...] = ()  # of bringing it back


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledRun:
    """A run's record, and what its tracker was asked for besides."""

    run_id: str
    asked: tuple[str, ...]  # by which names
    baseline: bool  # only read beside another one
    record: str  # the SHA-256 of its document
    contents: Mapping[str, str]  # what the document tells by a digest alone, by JSON pointer
    artifacts: Mapping[str, str]  # by path
    products: tuple[Product, ...]
    kept: Mapping[str, str]  # products whose content may tell more, by path
    findings: tuple[Finding, ...]  # of reading the products
    hidden: tuple[str, ...]  # JSON pointers to what the record holds no more


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A bundle that was opened."""

    path: Path
    runs: tuple[BundledRun, ...]
    data: tuple[BundledData, ...]
    files: Mapping[str, int]  # bytes, by SHA-256
    lists: Mapping[str, Mapping[str, str]]  # MD5s by path, of DVC's directories by their digests
    addresses: Mapping[str, str]  # SHA-256 of the manifests that were read, by address
    objects: frozenset[str]  # of git LFS at the run's commit, by SHA-256
    _proved: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that can be verified, in the order in which they were asked for."""
        return tuple(run.run_id for run in self.runs if not run.baseline)

    @property
    def size(self) -> int:
        """Bytes of all contents."""
        return sum(self.files.values())

    def file(self, sha256: str) -> Path:
        """The file of a content, proved when it is first asked for. Raises `BundleError`."""
        path = _place(self.path, sha256)
        with self._lock:
            if sha256 in self._proved:
                return path
        if sha256 not in self.files:
            raise _broken(self.path, f"{sha256[:12]}… is not in its list")
        _prove(self.path, path, sha256, self.files[sha256])
        with self._lock:
            self._proved.add(sha256)
        return path

    def object(self, sha256: str) -> Path | None:
        """An object of git LFS, where the bundle has it. Raises `BundleError`."""
        return self.file(sha256) if sha256 in self.objects else None

    def content(self, sha256: str) -> bytes:
        """The content itself. Raises `BundleError`."""
        return self.file(sha256).read_bytes()


def open_bundle(folder: Path) -> Bundle:
    """Reads what a bundle holds; no content is read.

    Raises `BundleError` for a folder that is no bundle, a broken one, or one of a later version.
    """
    try:
        if (folder / FILE).is_symlink():
            raise BrokenTextError("it is a symbolic link")
        document = parse_json(read_text(folder / FILE, LARGEST))
    except BrokenTextError as error:
        raise BundleError(f"{folder} is no bundle: {FILE}: {error}", MAKE) from error
    if newer := schema.newer(document, "schema_version", VERSION):
        raise BundleError(f"opening the bundle {folder}: {newer}", schema.UPDATE)
    issues = schema.check(document, "bundle")
    if issues or not isinstance(document, dict):
        place = cut(printable(issues[0].pointer), 200) or "/"
        raise _broken(folder, f"{FILE}: {place} {issues[0].message}")
    bundle = _bundle(folder, document)
    _refuse_absent(bundle)
    return bundle


def is_bundle(folder: Path) -> bool:
    """Whether a folder has what only a bundle has."""
    return (folder / FILE).is_file() and (folder / CONTENTS).is_dir()


def _bundle(folder: Path, document: Mapping[str, Any]) -> Bundle:
    return Bundle(
        path=folder,
        runs=tuple(_run(each) for each in document["runs"]),
        data=tuple(_data(each) for each in document["data"]),
        files=document["files"],
        lists=document["lists"],
        addresses=document["addresses"],
        objects=frozenset(document["objects"]),
    )


def _run(run: Mapping[str, Any]) -> BundledRun:
    products = run["products"]
    return BundledRun(
        run_id=run["run_id"],
        asked=tuple(run["asked"]),
        baseline=run["baseline"],
        record=run["record"],
        contents=run["contents"],
        artifacts=run["artifacts"],
        products=tuple(Product(**each) for each in products["files"]),
        kept=products["kept"],
        findings=tuple(record_reading.finding_of(each) for each in products["findings"]),
        hidden=tuple(run["hidden"]),
    )


def _data(data: Mapping[str, Any]) -> BundledData:
    return BundledData(
        path=data["path"],
        place=MaterialPlace(data["place"]),
        algorithm=data["algorithm"],
        digest=data["digest"],
        source=data["source"],
        revision=data["revision"],
        files=tuple(BundledFile(**each) for each in data["files"]),
        findings=tuple(record_reading.finding_of(each) for each in data["findings"]),
    )


def _refuse_absent(bundle: Bundle) -> None:
    """A bundle of which something was lost is told at once, not after hours of training."""
    for sha256, size in bundle.files.items():
        _refuse_other_size(bundle.path, _place(bundle.path, sha256), sha256, size)


def _refuse_other_size(folder: Path, path: Path, sha256: str, size: int) -> None:
    try:
        found = path.lstat()
    except OSError as error:
        raise _broken(folder, f"{sha256[:12]}… is not there") from error
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        kind = f"of {found.st_size} bytes" if stat.S_ISREG(found.st_mode) else "no plain file"
        raise _broken(folder, f"{sha256[:12]}… is {kind} instead of {size} bytes")


def _place(folder: Path, sha256: str) -> Path:
    return folder / CONTENTS / sha256[:2] / sha256


def _prove(folder: Path, path: Path, sha256: str, size: int) -> None:
    try:
        if path.parent.resolve() != folder.resolve() / CONTENTS / sha256[:2]:
            raise _broken(folder, f"{sha256[:12]}… is reached by a symbolic link")
        with os.fdopen(os.open(path, _READ), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _broken(folder, f"{sha256[:12]}… is no plain file")
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _broken(folder, f"{sha256[:12]}…: {error.strerror}") from error
    if found != sha256:
        raise _broken(folder, f"{sha256[:12]}… ({size} bytes) has other content: {found[:12]}…")


def _broken(folder: Path, said: str) -> BundleError:
    return BundleError(f"the bundle {folder} was changed or cut off: {said}", MAKE)
