"""DVC's remotes, read object by object through DVC's own file systems.

`dvc pull` is not used: it delivers a corrupted read-only object without a word, and deletes a
corrupted writable one from a local remote (both measured with DVC 3.67). Here a remote is only
ever opened for reading, and each object's MD5 is computed while it is read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.datastores.base import Around, Stop
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, Severity

CHUNK = 1 << 20
WORKERS = 8  # an object of a remote costs a round trip; the work is waiting


class _MissingError(Exception):
    """No such object in this place."""


class _CorruptError(Exception):
    """The object's content is not what its name says."""


class _StoppedError(Exception):
    """Another file failed, or a signal came: the rest is not wanted any more."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A remote, or the user's own DVC cache."""

    words: str
    fs: Any  # an fsspec-like file system of DVC's
    root: str

    def paths(self, digest: str) -> Iterator[str]:
        """Where an object lies under DVC 3's layout, then DVC 2's."""
        for prefix in (("files", "md5"), ()):
            yield str(self.fs.join(self.root, *prefix, digest[:2], digest[2:]))

    def fetch(self, digest: str, target: Path, legacy: bool, stop: threading.Event) -> None:
        """Writes an object to `target`; its name is not trusted.

        Raises `_MissingError`, `_CorruptError`, `_StoppedError` or what the file system raises.
        """
        for path in self.paths(digest):
            try:
                with self.fs.open(path, "rb") as source:
                    found = _copy(source, target, stop)
            except FileNotFoundError:
                continue
            plain = digest.removesuffix(".dir")
            if found != plain and not (legacy and _md5_of_text(target) == plain):
                target.unlink()
                raise _CorruptError(f"{path} has MD5 {found}")
            return
        raise _MissingError


class DvcStore:
    """Inputs that DVC tracks, by MD5."""

    def __init__(self, around: Around) -> None:
        self._tree = around.tree
        self._repository = around.repository
        self._progress = around.progress
        self._known: tuple[_Place, ...] | None = None
        self._stop = Stop(around.stop)

    def accepts(self, material: Material) -> bool:
        """Whether the digest is an MD5, the only one that names DVC's objects."""
        return (
            material.algorithm in ("md5", "md5-dos2unix")
            and len(material.digest.removesuffix(".dir")) == 32
        )

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file or directory to `target`, every file's MD5 recomputed.

        Raises `RestoreError`.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        if not material.digest.endswith(".dir"):
            place = self._fetch(material, material.path, material.digest, target)
            return _cache_finding({place}, material)
        listing = target.with_name(target.name + ".dir")
        places = {self._fetch(material, material.path, material.digest, listing)}
        entries = _read_listing(listing, material)
        listing.unlink()
        target.mkdir(exist_ok=True)
        with ThreadPoolExecutor(WORKERS) as pool:
            jobs = [
                pool.submit(self._fetch, material, f"{material.path}/{name}", digest, target / name)
                for name, digest in entries.items()
            ]
            try:
                for index, job in enumerate(jobs, 1):
                    places.add(job.result())
                    self._progress.update(f"{material.path}: {index} of {len(jobs)} files")
            except BaseException:
                self._stop.set()  # for those that are in the middle of a large file
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return _cache_finding(places, material)

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """Not told yet."""

    def _fetch(self, material: Material, path: str, digest: str, target: Path) -> _Place:
        """The first place that has the object, intact."""
        target.parent.mkdir(parents=True, exist_ok=True)
        said = []
        for place in self._places():
            try:
                place.fetch(digest, target, material.algorithm == "md5-dos2unix", self._stop)
            except _MissingError:
                said.append(f"{place.words}: not there")
            except _CorruptError as error:
                said.append(f"{place.words}: corrupted, {error}")
            except Exception as error:  # each of DVC's plugins raises its own library's errors
                said.append(f"{place.words}: {type(error).__name__}: {error}")
            else:
                return place
        corrupt = any("corrupted" in line for line in said)
        raise RestoreError(
            f"restoring {path} at MD5 {digest} ({material.origin.where}): " + "; ".join(said),
            "the remote's object was changed; push it again from a machine that has it intact"
            if corrupt
            else "push it from a machine that has it: dvc push, or name its remote in .dvc/config",
        )

    def _places(self) -> tuple[_Place, ...]:
        if self._known is None:
            self._known = tuple(_places(self._tree, self._repository))
        if not self._known:
            raise RestoreError(
                "no DVC remote is configured, neither at the commit nor in the repository",
                "name one: dvc remote add --default NAME URL",
            )
        return self._known


def _copy(source: Any, target: Path, stop: threading.Event) -> str:  # noqa: ANN401 - untyped
    """Copies a stream and returns its MD5."""
    md5 = hashlib.md5(usedforsecurity=False)
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            if stop.is_set():
                raise _StoppedError
            md5.update(chunk)
            file.write(chunk)
    return md5.hexdigest()


def _md5_of_text(path: Path) -> str:
    """DVC 2's MD5 of a text file: CRLF counts as LF."""
    content = path.read_bytes().replace(b"\r\n", b"\n")
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _read_listing(path: Path, material: Material) -> dict[str, str]:
    """A directory's files and their MD5s, from DVC's directory object."""
    try:
        rows = json.loads(path.read_bytes())
        entries = {str(row["relpath"]): str(row["md5"]) for row in rows}
    except (ValueError, TypeError, KeyError) as error:
        raise RestoreError(
            f"the directory list of {material.path} ({material.digest}) is not DVC's: {error}",
            "push the directory again from a machine that has it intact",
        ) from error
    for name in entries:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise RestoreError(
                f"the directory list of {material.path} names '{name}', outside the directory",
                "the list was not made by DVC; do not trust this remote",
            )
    return entries


def _places(tree: Path, repository: Path | None) -> Iterator[_Place]:
    """The remotes of the user's repository and of the commit, default first; then the cache."""
    from dvc.fs import LocalFileSystem, get_cloud_fs

    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    seen = set()
    for config in _configs(tree, repository):
        default = config["core"].get("remote")
        for name in sorted(config["remote"], key=lambda name: (name != default, name)):
            try:
                cls, options, root = get_cloud_fs(config, name=name)
                key = (str(config["remote"][name].get("url")), name)
                if key not in seen:
                    seen.add(key)
                    yield _Place(words=f"DVC remote '{name}'", fs=cls(**options), root=root)
            except Exception as error:  # a plugin that is absent must not hide the other remotes
                yield _Place(words=f"DVC remote '{name}'", fs=_Unusable(error), root="")
    if repository is not None and (cache := _cache_folder(repository)).is_dir():
        yield _Place(words=CACHE, fs=LocalFileSystem(), root=str(cache))


CACHE = "this machine's DVC cache"


class _Unusable:
    """Stands for a remote whose file system could not be made; says why when it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def join(self, *parts: str) -> str:
        return "/".join(parts)

    def open(self, path: str, mode: str) -> Any:  # noqa: ANN401, ARG002 - DVC's signature
        raise self._error


def _configs(tree: Path, repository: Path | None) -> Iterator[Any]:
    """The user's present config with its local part, then the commit's."""
    if repository is not None and (repository / ".dvc").is_dir():
        yield config_of(repository / ".dvc")
    if (tree / ".dvc").is_dir():
        config = config_of(tree / ".dvc")
        for remote in config["remote"].values():
            remote["url"] = _at_home(remote["url"], tree, repository)
        yield config


def config_of(folder: Path) -> Any:  # noqa: ANN401 - dvc.config.Config
    """DVC's config in a `.dvc` folder. Raises `RestoreError` for one that cannot be read."""
    from dvc.config import Config, ConfigError

    try:
        return Config(dvc_dir=str(folder))
    except ConfigError as error:
        raise RestoreError(
            f"reading {folder / 'config'}: {error}", "mend the file, or ask DVC: dvc config --list"
        ) from error


def _at_home(url: str, tree: Path, repository: Path | None) -> str:
    """A relative path of the commit's config, counted from the user's repository."""
    if repository is None or "://" in url or not getattr(url, "def_path", None):
        return url
    return os.path.normpath(repository / ".dvc" / os.path.relpath(url, tree / ".dvc"))


def _cache_folder(repository: Path) -> Path:
    folder = repository / ".dvc"
    configured = config_of(folder)["cache"].get("dir") if folder.is_dir() else None
    return Path(configured) if configured else folder / "cache"


def _cache_finding(places: set[_Place], material: Material) -> tuple[Finding, ...]:
    if all(place.words != CACHE for place in places):
        return ()
    return (
        Finding(
            code="data-only-in-cache",
            severity=Severity.WARNING,
            message=f"{material.path} is in no DVC remote, only in this machine's DVC cache",
            hint="push it, so that others can verify the run: dvc push",
            pointer="/data",
        ),
    )
