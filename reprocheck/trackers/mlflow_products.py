"""Reads what a run left in its artifacts and in those of its logged models, within limits."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck.errors import ReadError
from reprocheck.exhibits import MOST_FILE_BYTES, may_be_exhibit
from reprocheck.model import Artifact, Finding, Product, RunRecord, Severity
from reprocheck.numbers import format_bytes
from reprocheck.products import is_readable
from reprocheck.progress import Parts, Progress, watched
from reprocheck.trackers.base import Fetched
from reprocheck.trackers.mlflow_artifacts import ArtifactRoot, RootFinder, UnreachableError
from reprocheck.trackers.mlflow_recorded_files import OWN, unreachable

_NAMES_TOLD = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The most bytes that are read of the original's products."""

    file: int = 2**30
    all: int = 4 * 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """An artifact root of a run, and the folder that its files have in the record."""

    folder: str  # "", or models/NAME/
    uri: str
    only: frozenset[str] = frozenset()  # paths in the record that are there and nowhere else


@dataclass(kw_only=True, slots=True)
class Reader:
    """Reads products of one run; a root that fails spoils only what is in it."""

    finder: RootFinder
    roots: Sequence[Root]
    folder: Path  # for what must be downloaded
    limits: Limits = field(default_factory=Limits)
    _opened: dict[str, ArtifactRoot | None] = field(default_factory=dict)
    _findings: list[Finding] = field(default_factory=list)
    _left: int = 0

    def products(self, record: RunRecord, progress: Progress) -> Fetched:
        """Every artifact of the record but reprocheck's own, by digest."""
        artifacts = _own(record)
        products, files, skipped = [], {}, []
        self._left = self.limits.all
        parts = Parts(progress)
        with watched(self.folder, lambda size: parts.whole(f"downloaded: {format_bytes(size)}")):
            for number, artifact in enumerate(artifacts, start=1):
                parts.update(f"the run's product {number} of {len(artifacts)}: {artifact.path}")
                if (artifact.size or 0) > min(self.limits.file, self._left):
                    skipped.append(artifact.path)
                    file = None
                else:
                    file = self._fetch(artifact)
                products.append(_product(artifact, file))
                if file is not None and self._is_kept(artifact, file):
                    files[artifact.path] = file
        if skipped:
            self._findings.append(_too_large(skipped, self.limits))
        return Fetched(products=tuple(products), files=files, findings=tuple(self._findings))

    def file(self, path: str) -> Path:
        """One artifact as a file on this machine. Raises `ReadError`."""
        root = self._root_of(path)
        try:
            opened = self._opened.get(root.uri) or self.finder.open(root.uri)
            self._opened[root.uri] = opened
            return opened.fetch(path.removeprefix(root.folder), self.folder)
        except UnreachableError as error:
            finding = unreachable(error)
            raise ReadError(f"Reading {path}: {finding.message}", finding.hint) from error

    def _fetch(self, artifact: Artifact) -> Path | None:
        """The artifact's file; None where its root cannot be read."""
        root = self._root_of(artifact.path)
        try:
            if root.uri not in self._opened:
                self._opened[root.uri] = None  # until it is open
                self._opened[root.uri] = self.finder.open(root.uri)
            opened = self._opened[root.uri]
            if opened is None:
                return None
            file = opened.fetch(artifact.path.removeprefix(root.folder), self.folder)
        except UnreachableError as error:
            self._opened[root.uri] = None
            self._findings.append(unreachable(error))
            return None
        self._left -= file.stat().st_size
        return file

    def _root_of(self, path: str) -> Root:
        return max(
            (
                root
                for root in self.roots
                if path.startswith(root.folder) and (not root.only or path in root.only)
            ),
            key=lambda root: (bool(root.only), len(root.folder)),
        )

    def _is_kept(self, artifact: Artifact, file: Path) -> bool:
        """Whether the file may be read again; a download that will not be is removed."""
        if is_readable(artifact.path):
            return True
        if may_be_exhibit(artifact.path) and file.stat().st_size <= MOST_FILE_BYTES:
            return True
        if file.is_relative_to(self.folder):
            shutil.rmtree(self.folder / file.relative_to(self.folder).parts[0])
        return False


def unread(record: RunRecord, error: ReadError) -> Fetched:
    """All products of a record, none of which could be read."""
    finding = Finding(
        code="unread-products",
        severity=Severity.WARNING,
        message=f"the run's products are not read: {error.message}",
        hint=error.hint,
        pointer="/artifacts",
    )
    return Fetched(
        products=tuple(_product(each, None) for each in _own(record)),
        files={},
        findings=(finding,),
    )


def _own(record: RunRecord) -> list[Artifact]:
    """The artifacts that the training made."""
    return [each for each in record.artifacts if not each.path.startswith(OWN)]


def _product(artifact: Artifact, file: Path | None) -> Product:
    if file is None:
        return Product(path=artifact.path, sha256="", size=artifact.size or 0)
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return Product(path=artifact.path, sha256=digest, size=file.stat().st_size)


def _too_large(paths: Sequence[str], limits: Limits) -> Finding:
    more = f" and {len(paths) - _NAMES_TOLD} more" if len(paths) > _NAMES_TOLD else ""
    return Finding(
        code="unread-products",
        severity=Severity.NOTE,
        message=f"the run's products are read up to {limits.file // 2**20} MB each and "
        f"{limits.all // 2**20} MB in all; not read: {', '.join(paths[:_NAMES_TOLD])}{more}",
        hint="log a smaller product that tells the same, such as the digests of the tensors",
        pointer="/artifacts",
    )
