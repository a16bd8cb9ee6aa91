"""A run's artifacts: where they are, what there is, and the small files that are its record."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import urlsplit

from reprocheck.model import Artifact
from reprocheck.trackers.mlflow_open import local_path
from reprocheck.trackers.mlflow_store import first_line
from reprocheck.trackers.mlflow_trust import check_root

MAX_ENTRIES = 2_000


class UnreachableError(Exception):
    """An artifact root that this machine cannot read; becomes a finding."""

    def __init__(self, root: str, reason: str) -> None:
        super().__init__(f"{root}: {reason}")
        self.root = root
        self.reason = reason


class ArtifactRoot(Protocol):
    """The place of a run's or a logged model's artifacts. Methods raise `UnreachableError`."""

    def files(self) -> Iterator[Artifact]:
        """All files below the root, by path."""

    def read(self, path: str) -> bytes:
        """The content of one file."""

    def fetch(self, path: str, folder: Path) -> Path:
        """One file on this machine: where it is, or downloaded into a new folder in `folder`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalRoot:
    """A folder, read as it is: MLflow's client would not tell a missing one from an empty one."""

    uri: str
    folder: Path

    def files(self) -> Iterator[Artifact]:
        """All files below the folder; none behind a link that leads out of it.

        They are read while they are asked for: an address may name a whole disk.
        """
        root = self.folder.resolve()
        try:
            for at, folders, names in os.walk(self.folder):
                folders.sort()
                for path in (Path(at, name) for name in sorted(names)):
                    if path.is_file() and path.resolve().is_relative_to(root):
                        name = path.relative_to(self.folder).as_posix()
                        yield Artifact(path=name, size=path.stat().st_size)
        except OSError as error:
            raise UnreachableError(self.uri, error.strerror or str(error)) from error

    def read(self, path: str) -> bytes:
        """The file's content."""
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            raise UnreachableError(self.uri, error.strerror or str(error)) from error

    def fetch(self, path: str, folder: Path) -> Path:  # noqa: ARG002  (nothing to download)
        """The file where it is; it may be large, so it is not copied."""
        file = self.folder / path
        if not file.is_file() or not file.resolve().is_relative_to(self.folder.resolve()):
            raise UnreachableError(self.uri, f"{path} is no file there")
        return file


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteRoot:
    """Artifacts that MLflow's client fetches: through the server, or from cloud storage."""

    uri: str
    repository: Any  # mlflow.store.artifact.artifact_repo.ArtifactRepository
    scratch: Path

    def files(self) -> Iterator[Artifact]:
        """All files, breadth first; names that lead out of the root are left out."""
        waiting: list[str | None] = [None]
        while waiting:
            for found in self._list(waiting.pop(0)):
                if not _is_inside(found.path):
                    continue
                if found.is_dir:
                    waiting.append(str(found.path))
                else:
                    yield Artifact(path=str(found.path), size=found.file_size)

    def _list(self, path: str | None) -> list[Any]:
        try:
            return sorted(self.repository.list_artifacts(path), key=lambda found: str(found.path))
        except Exception as error:  # a cloud's client raises errors of its own kinds
            raise UnreachableError(self.uri, first_line(error)) from error

    def read(self, path: str) -> bytes:
        """Downloads the file into `scratch` and removes it there."""
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            return self.fetch(path, folder).read_bytes()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def fetch(self, path: str, folder: Path) -> Path:
        """Downloads the file into a new folder in `folder`."""
        own = Path(tempfile.mkdtemp(dir=folder))
        try:
            file = Path(self.repository.download_artifacts(path, str(own)))
            if not file.is_file() or not file.resolve().is_relative_to(own.resolve()):
                raise UnreachableError(self.uri, f"{path} is no file there")
        except Exception as error:  # a cloud's client raises errors of its own kinds
            shutil.rmtree(own, ignore_errors=True)
            if isinstance(error, UnreachableError):
                raise
            raise UnreachableError(self.uri, first_line(error)) from error
        return own / file.resolve().relative_to(own.resolve())


@dataclass(frozen=True, kw_only=True, slots=True)
class RootFinder:
    """Opens artifact roots. `moved` maps the beginnings of recorded addresses to new ones."""

    tracking_uri: str
    moved: Mapping[str, str]
    scratch: Path
    folder: Path | None  # of a file store, whose runs move with it
    trusted: bool = False  # ask no address that only a run names

    def open(self, uri: str) -> ArtifactRoot:
        """The root at a recorded address. Raises `UnreachableError`, and `ReadError` for one that
        may not be asked."""
        uri = moved_uri(uri, self.moved)
        if self.trusted:
            check_root(uri, self.tracking_uri, self.moved.values())
        if urlsplit(uri).scheme in {"", "file"}:
            return LocalRoot(uri=uri, folder=self._folder(uri))
        return RemoteRoot(uri=uri, repository=self._repository(uri), scratch=self.scratch)

    def _folder(self, uri: str) -> Path:
        path = local_path(uri)
        beside = self.folder.joinpath(*path.parts[-3:]) if self.folder else path
        if not path.is_dir() and beside.is_dir():
            return beside  # a file store that was copied here with its runs
        # Without artifacts there is no folder; the one that would hold it tells if we see it.
        if not path.is_dir() and not _has_visible_store(path):
            raise UnreachableError(uri, "this machine has no such folder")
        return path

    def _repository(self, uri: str) -> Any:  # noqa: ANN401  (ArtifactRepository)
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        try:
            return get_artifact_repository(uri, tracking_uri=self.tracking_uri)
        except Exception as error:  # a missing driver or credential, in a cloud's own kind of error
            raise UnreachableError(uri, first_line(error)) from error


def moved_uri(uri: str, moved: Mapping[str, str]) -> str:
    """The address with its longest mapped beginning replaced."""
    for old in sorted(moved, key=len, reverse=True):
        for given, known in ((uri, old), (_plain(uri), _plain(old))):
            start = known.rstrip("/")
            if given in {known, start} or given.startswith(start + "/"):
                return moved[old].rstrip("/") + given[len(start) :]
    return uri


def _plain(uri: str) -> str:
    return str(local_path(uri)) if uri.startswith("file:") else uri


def _has_visible_store(artifacts: Path) -> bool:
    # <root>/<experiment>/<run>/artifacts: the root itself, or the project that holds it.
    root = artifacts.parents[min(2, len(artifacts.parents) - 1)]
    return root.is_dir() or (root.parent != Path("/") and root.parent.is_dir())


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not path.startswith("/")
