"""Hugging Face's cache on disk: what a repository's folder holds, and whether it is what it says.

models--org--name/blobs/DIGEST                  the contents, named by SHA-256 or git's SHA-1
models--org--name/snapshots/COMMIT/config.json  links to them
models--org--name/refs/main                     the commit of a branch or tag
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck.errors import ConfigError, RestoreError

COMMIT = re.compile(r"[0-9a-f]{40}")
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_CHUNK = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A model or data set of the hub."""

    kind: str  # "model" or "dataset"
    name: str

    @property
    def folder(self) -> str:
        """The name of its folder in a cache."""
        return "--".join((f"{self.kind}s", *self.name.split("/")))

    @property
    def shown(self) -> str:
        """As users write it."""
        return self.name if self.kind == "model" else f"datasets/{self.name}"


def repository(text: str, where: str) -> Repository:
    """The repository that NAME or datasets/NAME means.

    Raises `ConfigError` for what is no such name.
    """
    kind = "dataset" if text.startswith("datasets/") else "model"
    name = text.removeprefix("datasets/")
    if not _NAME.fullmatch(name) or "--" in name or ".." in name:
        raise ConfigError(
            f"{where}: {text[:120]!r} is no repository of the Hugging Face hub",
            "write ORGANIZATION/NAME of a model, or datasets/ORGANIZATION/NAME of a data set",
        )
    return Repository(kind=kind, name=name)


def checked_revision(text: str, where: str) -> str:
    """A commit, branch or tag; "" stands for the main branch.

    Raises `ConfigError` for what can be none.
    """
    if text and (not _REVISION.fullmatch(text) or ".." in text):
        raise ConfigError(
            f"{where}: {text[:120]!r} is no revision of a repository of the hub",
            "write the commit's 40 hexadecimal digits",
        )
    return text


def resolved(folder: Path, revision: str) -> str | None:
    """The commit that a branch or tag had when this folder was last written to."""
    try:
        commit = (folder / "refs" / (revision or "main")).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if COMMIT.fullmatch(commit) else None


def blobs(folder: Path, commit: str) -> Mapping[str, str]:
    """The files of a snapshot, each with the name of its blob; empty: it is not there.

    Raises `RestoreError` for a file that leads out of the repository's blobs.
    """
    root = folder / "snapshots" / commit
    return {path.relative_to(root).as_posix(): _blob_of(path, folder) for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(root):
        yield from (Path(place, name) for name in sorted(files))
        # A link to a folder is not gone into.
        yield from (path for name in folders if (path := Path(place, name)).is_symlink())


def _blob_of(path: Path, folder: Path) -> str:
    target = path.resolve()
    inside = path.is_symlink() and target.parent == (folder / "blobs").resolve()
    if not inside or not _BLOB.fullmatch(target.name):
        raise RestoreError(
            f"{path}: it is no link to one of its repository's blobs",
            f"remove {folder}, so that it is fetched again",
        )
    return target.name


def checked_blob(name: str) -> str:
    """The name of a blob. Raises `RestoreError` for what is none."""
    if not _BLOB.fullmatch(name):
        raise RestoreError(f"{name[:80]!r} is no name of a blob", "fetch the repository again")
    return name


def digest(path: Path, name: str) -> str:
    """What a blob's name must be by its content: SHA-256, or git's SHA-1, as its name is."""
    is_git = len(name) == 40
    made = hashlib.sha1(usedforsecurity=False) if is_git else hashlib.sha256()
    with path.open("rb") as file:
        if is_git:
            made.update(b"blob %d\0" % os.fstat(file.fileno()).st_size)
        while chunk := file.read(_CHUNK):
            made.update(chunk)
    return made.hexdigest()


def wrong(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The blobs that are not what they are named by, with what they are; "": not there."""
    distinct = sorted(set(names))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = pool.map(lambda name: _found(folder / "blobs" / name, name), distinct)
        return {name: is_ for name, is_ in zip(distinct, found, strict=True) if is_ != name}


def _found(path: Path, name: str) -> str:
    # A link among the blobs may lead anywhere.
    return digest(path, name) if path.is_file() and not path.is_symlink() else ""


def take(source: Path, target: Path, commit: str) -> None:
    """Copies what a snapshot lacks from another cache, each file checked before it is put there.

    Raises `RestoreError` for one that is not what it is named by.
    """
    for path, name in blobs(source, commit).items():
        blob = target / "blobs" / name
        if not blob.exists():
            blob.parent.mkdir(parents=True, exist_ok=True)
            copy = blob.with_name(f"{name}.{os.getpid()}.incomplete")
            try:
                _copy(source / "blobs" / name, copy)
                found = digest(copy, name)
                if found != name:
                    raise mismatch(path, name, found, source)
                copy.replace(blob)
            finally:
                copy.unlink(missing_ok=True)
        link(target / "snapshots" / commit / path, blob)


def _copy(source: Path, target: Path) -> None:
    # Not copy2: neither modes nor links of the other cache.
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise RestoreError(
            f"copying {source}: {error.strerror or error}",
            "mend or remove that cache; what it lacks is fetched again",
        ) from error


def link(path: Path, blob: Path) -> None:
    """Puts a file of a snapshot, as the hub's own library does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to(os.path.relpath(blob, path.parent))


def mismatch(path: str, expected: str, found: str, source: Path | str) -> RestoreError:
    """What is told of a file with another content."""
    kind = "git SHA-1" if len(expected) == 40 else "SHA-256"
    return RestoreError(
        f"{path}: expected {kind} {expected}, found {found or 'nothing'}, from {source}",
        f"remove {source}, so that it is fetched again"
        if isinstance(source, Path)
        else "try again; a proxy or mirror may have changed it",
    )


def lay_view(view: Path, own: Path, commit: str, revision: str) -> None:
    """Makes a folder in which a repository has one snapshot only: main, whatever main is now.

    The blobs stay where they are.
    """
    for path, name in blobs(own, commit).items():
        link(view / "snapshots" / commit / path, view / "blobs" / name)
    for name in {"main", revision or "main"} - {commit}:
        ref = view / "refs" / PurePosixPath(name)
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit)
    (view / "blobs").symlink_to((own / "blobs").resolve())
