"""Where a manifest is: an artifact of the run, a file at the commit, or at an address."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reprocheck.datastores import manifests
from reprocheck.datastores.addressed import source_of
from reprocheck.datastores.addresses import scheme_of, shown
from reprocheck.datastores.base import Around
from reprocheck.datastores.fetching import AbsentError, Source, copy
from reprocheck.datastores.manifests import Listing
from reprocheck.datastores.storage import is_commit, lakefs_ref
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, RecordedFile, Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A manifest that the config names."""

    name: str  # a path or an address
    folder: str  # that it describes
    algorithm: str | None  # of its own digest
    digest: str | None
    told: str  # the rule, in messages


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A manifest's content."""

    listing: Listing
    sha256: str  # of the manifest itself
    findings: tuple[Finding, ...]


def read(request: Request, files: Iterable[RecordedFile], around: Around) -> Read:
    """The manifest, its own digest checked where it is given.

    Raises `RestoreError` for one that is not there, is another one, or names what it must not.
    """
    content, findings = _content(request, files, around)
    if request.digest is not None and request.algorithm is not None:
        found = hashlib.new(request.algorithm, content, usedforsecurity=False).hexdigest()
        if found != request.digest:
            raise RestoreError(
                f"{request.told}: the manifest {shown(request.name)} is another one: expected "
                f"{request.algorithm} {request.digest}, found {found} ({len(content)} bytes)",
                "put the manifest back that the run had",
            )
    name = shown(request.name).partition("?")[0]
    return Read(
        listing=manifests.parse(content, name, request.folder),
        sha256=hashlib.sha256(content).hexdigest(),
        findings=findings,
    )


def _content(
    request: Request, files: Iterable[RecordedFile], around: Around
) -> tuple[bytes, tuple[Finding, ...]]:
    if scheme_of(request.name) or Path(request.name).is_absolute():
        return _fetched(request, around), _unpinned(request)
    logged = next((file.content for file in files if file.path == request.name), None)
    tracked = _at_commit(request, around)
    if logged is not None and tracked is not None and logged != tracked:
        return logged, (_replaced(request),)
    content = tracked if logged is None else logged
    if content is None:
        raise RestoreError(
            f"{request.told}: there is no manifest {request.name}, neither at the commit nor among "
            "the artifacts of the run",
            "name one that is there, or give its address: https://…, file://…",
        )
    return content, ()


def _at_commit(request: Request, around: Around) -> bytes | None:
    path = (around.tree / request.name).resolve()
    if not path.is_relative_to(around.tree.resolve()):
        raise RestoreError(
            f"{request.told}: the manifest {request.name} lies outside the repository",
            "give its address: file://…",
        )
    if not path.is_file():
        return None
    if path.stat().st_size > manifests.MOST_BYTES:
        raise _too_large(request)
    return path.read_bytes()


def _fetched(request: Request, around: Around) -> bytes:
    if request.name not in around.lists:
        read = _asked if around.bundle is None else _bundled
        around.lists[request.name] = read(request, around)
    return around.lists[request.name]


def _bundled(request: Request, around: Around) -> bytes:
    bundle = around.bundle
    sha256 = bundle.addresses.get(shown(request.name)) if bundle else None
    if bundle is None or sha256 is None:
        raise RestoreError(
            f"{request.told}: the bundle does not hold the manifest {shown(request.name)}",
            "make the bundle anew with this config: reprocheck fetch RUN_ID --bundle DIR",
        )
    return bundle.content(sha256)


def _asked(request: Request, around: Around) -> bytes:
    where = f"{request.told}: the manifest {shown(request.name)}"
    with TemporaryDirectory(prefix="reprocheck-manifest-") as folder:
        target = Path(folder) / "manifest"
        try:
            source = _Short(source_of(request.name, around), _too_large(request))
            copy(source, "", target, "sha256", threading.Event())
        except AbsentError as error:
            raise RestoreError(f"{where} is not there", "check its address") from error
        except RestoreError as error:
            raise RestoreError(f"{where}: {error.message}", error.hint) from error
        return target.read_bytes()


class _Short:
    """A source that ends in an error before it fills the disk."""

    def __init__(self, source: Source, error: RestoreError) -> None:
        self._source = source
        self._error = error
        self.shown = source.shown

    @contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        with self._source.open(name) as chunks:
            yield self._counted(chunks)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > manifests.MOST_BYTES:
                raise self._error
            yield chunk


def _too_large(request: Request) -> RestoreError:
    return RestoreError(
        f"{request.told}: {shown(request.name)} is too large for a manifest",
        "name the list of the files, not the data itself",
    )


def _unpinned(request: Request) -> tuple[Finding, ...]:
    """A finding for a list that may be another one tomorrow, and the data with it."""
    ref = lakefs_ref(request.name)
    if request.digest is not None or (ref is not None and is_commit(ref)):
        return ()
    return (
        Finding(
            code="unpinned-manifest",
            severity=Severity.WARNING,
            message=f"{request.folder}: nothing says that the manifest {shown(request.name)} is "
            "the one that the run had; its files are checked against what it says now",
            hint="give the manifest's own sha256 beside it, or commit it to git",
            pointer="/data",
        ),
    )


def _replaced(request: Request) -> Finding:
    return Finding(
        code="file-from-record",
        severity=Severity.NOTE,
        message=f"{request.name} at the commit differs from the one logged with the run; "
        "the run's is used",
        hint="commit before training, so that the commit has what the run had",
        pointer="/artifacts",
    )
