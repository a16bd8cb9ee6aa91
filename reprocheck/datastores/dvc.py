"""DVC's inputs, read object by object from this machine's cache and the remotes.

`dvc pull` is not used: it delivers a corrupted read-only object without a word, and deletes a
corrupted writable one from a local remote (both measured with DVC 3.67). Here a remote is only
ever opened for reading, and each object's MD5 is computed while it is read.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck import dvc_files
from reprocheck.datastores import dvc_config, dvc_findings, dvc_lists, dvc_work
from reprocheck.datastores.base import Around, Stop, StoppedError
from reprocheck.datastores.dvc_config import Remotes
from reprocheck.datastores.dvc_lists import MD5
from reprocheck.datastores.dvc_objects import (
    ABSENT,
    CorruptError,
    MissingError,
    Place,
    Remote,
    Wanted,
)
from reprocheck.datastores.dvc_sources import (
    MOST_IMPORTS,
    Address,
    Refused,
    Source,
    SourceRepository,
    Versions,
)
from reprocheck.datastores.trust import ONLY_NAMED
from reprocheck.dvc_files import Kept
from reprocheck.errors import RestoreError
from reprocheck.hostile import printable
from reprocheck.model import Finding, Material, OriginKind

WORKERS = 16  # an object of a remote costs a round trip; the work is waiting
NEAR = 2  # where the work is opening and hashing
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """An input on its way back."""

    material: Material
    remotes: Remotes
    kept: Kept
    stop: Stop
    cached: list[str] = field(default_factory=list)  # digests that the cache had
    spoilt: list[tuple[str, str]] = field(
        default_factory=list
    )  # where content was another, and how
    elsewhere: dict[str, int] = field(default_factory=dict)  # files by a source that is no remote
    sizes: list[int] = field(default_factory=list)

    def wanted(self, digest: str) -> Wanted:
        """The object; a hash that no file of DVC says may be one of DVC 2."""
        legacy = self.material.algorithm == "md5-dos2unix"
        unsure = not legacy and self.material.origin.kind is not OriginKind.FILE
        return Wanted(digest=digest, legacy=legacy or unsure, unsure=unsure)


class DvcStore:
    """Inputs that DVC tracks, by MD5."""

    def __init__(self, around: Around, depth: int = 0, opened: list[Any] | None = None) -> None:
        self._around = around
        self._depth = depth  # of imports that come from imports
        self._lock = threading.Lock()
        self._remotes: dict[tuple[PurePosixPath | None, str | None], Remotes] = {}
        self._sources: dict[str, tuple[Source, ...]] = {}
        self._kept: Mapping[str, Kept] | None = None
        self._opened = [] if opened is None else opened  # file systems, the outermost closes them
        self._busy = 0  # inputs on their way back, several at a time

    def accepts(self, material: Material) -> bool:
        """Whether the digest is an MD5, the only one that names DVC's objects."""
        return (
            material.algorithm in ("md5", "md5-dos2unix")
            and MD5.fullmatch(material.digest.removesuffix(".dir")) is not None
        )

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file or directory to `target`, every file's MD5 recomputed.

        Raises `RestoreError`.
        """
        with self._sessions():
            return self._restored(self._job(material), target)

    def _restored(self, job: _Job, target: Path) -> tuple[Finding, ...]:
        material = job.material
        target.parent.mkdir(parents=True, exist_ok=True)
        if material.digest.endswith(".dir"):
            self._restore_directory(job, target)
        else:
            self._fetch(job, "", material.digest, target)
        return dvc_findings.found(
            dvc_findings.Restored(
                material=material,
                remotes=job.remotes,
                files=len(job.sizes),
                size=sum(job.sizes),
                cached=tuple(job.cached),
                spoilt=tuple(job.spoilt),
                elsewhere=dict(job.elsewhere),
                imported=bool(job.kept.repository),
            )
        )

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """A directory's files, from its list in the cache, a remote, or an import's source."""
        if not material.digest.endswith(".dir"):
            return None
        with self._sessions(), contextlib.suppress(RestoreError):
            return self._entries(self._job(material))
        return None

    @contextlib.contextmanager
    def _sessions(self) -> Iterator[None]:
        """While an input is on its way, file systems stay open for all; the last one closes."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                if self._depth == 0 and self._busy == 0:
                    dvc_config.close(self._opened)

    def _job(self, material: Material) -> _Job:
        only = self._around.remote or material.remote
        folder = dvc_config.nearest(material.path, self._around)
        with self._lock:
            if self._kept is None:
                self._kept = dvc_files.kept(self._around.tree)
            kept = self._kept.get(material.path, Kept(path=material.path))
            known = self._remotes.get((folder, only))
            if known is None:
                known = dvc_config.remotes_for(folder, self._around, only)
                self._remotes[folder, only] = known
                self._opened.extend(each.fs for each in known.places if isinstance(each, Remote))
        return _Job(material=material, remotes=known, kept=kept, stop=Stop(self._around.stop))

    def _restore_directory(self, job: _Job, target: Path) -> None:
        entries = self._entries(job)
        target.mkdir(exist_ok=True)
        for folder in sorted(dvc_lists.folders(entries)):
            (target / folder).mkdir(exist_ok=True)
        done = 0

        def work(entry: tuple[str, str]) -> None:
            nonlocal done
            name, digest = entry
            self._fetch(job, name, digest, target / name)
            done += 1
            if done % 64 == 0 or len(entries) < 64:
                text = f"{job.material.path}: {done} of {len(entries)} files"
                self._around.progress.update(text)

        workers = WORKERS if job.remotes.is_far else NEAR
        dvc_work.each(entries.items(), work, workers, job.stop)

    def _entries(self, job: _Job) -> Mapping[str, str]:
        """The files of a directory. Raises `RestoreError`."""
        digest = job.material.digest
        if job.kept.files and dvc_files.directory_digest(job.kept.files) == digest:
            return dvc_lists.checked(job.kept.files.items(), job.material.path)
        with tempfile.TemporaryDirectory(prefix="reprocheck-") as folder:
            path = Path(folder, "list")
            said: list[str] = []
            try:
                self._from_places(job, digest, path, said)
            except MissingError:
                listed = self._listed_elsewhere(job, said)
                if listed is None:
                    raise _gone(job, job.material.path, digest, said) from None
                return dvc_lists.checked(listed.items(), job.material.path)
            job.sizes.clear()  # the list is none of its files
            return dvc_lists.parse(path.read_bytes(), f"{job.material.path} ({digest})")

    def _listed_elsewhere(self, job: _Job, said: list[str]) -> Mapping[str, str] | None:
        for source in self._sources_of(job):
            try:
                found = source.listing(job.material.digest)
            except Exception as error:
                said.append(f"{source.words}: {_named(error, job)}")
                continue
            if found is not None:
                return found
            said.append(f"{source.words}: not there")
        return None

    def _fetch(self, job: _Job, inside: str, digest: str, target: Path) -> None:
        """Takes an object from the first place that has it intact."""
        path = f"{job.material.path}/{inside}" if inside else job.material.path
        said: list[str] = []
        try:
            self._from_places(job, digest, target, said)
        except MissingError:
            if not self._from_sources(job, inside, digest, target, said):
                raise _gone(job, path, digest, said) from None

    def _from_places(self, job: _Job, digest: str, target: Path, said: list[str]) -> None:
        cache = job.remotes.cache
        wanted = job.wanted(digest)
        for place in (cache, *job.remotes.places) if cache else job.remotes.places:
            problem = self._tried(job, place, wanted, target)
            if problem is None:
                if place is cache:
                    job.cached.append(digest)
                return
            if "corrupted" in problem:
                job.spoilt.append((place.words, problem))
            said.append(f"{place.words}: {problem}")
        raise MissingError

    def _tried(self, job: _Job, place: Place, wanted: Wanted, target: Path) -> str | None:
        """What went wrong when a place was asked; None: the object is there."""
        return _attempt(job, target, lambda: place.fetch(wanted, target, job.stop))

    def _from_sources(
        self, job: _Job, inside: str, digest: str, target: Path, said: list[str]
    ) -> bool:
        wanted = job.wanted(digest)
        for source in self._sources_of(job):
            problem = _attempt(job, target, _fetch_of(source, wanted, inside, target, job.stop))
            if problem is None:
                if not isinstance(source, Versions):
                    job.elsewhere[source.words] = job.elsewhere.get(source.words, 0) + 1
                return True
            said.append(f"{source.words}: {problem}")
        return False

    def _sources_of(self, job: _Job) -> tuple[Source, ...]:
        with self._lock:
            if job.kept.path not in self._sources:
                self._sources[job.kept.path] = tuple(self._new_sources(job))
            return self._sources[job.kept.path]

    def _deeper(self, around: Around) -> DvcStore:
        return DvcStore(around, self._depth + 1, self._opened)

    def _new_sources(self, job: _Job) -> Iterator[Source]:
        kept = job.kept
        for name, remote in job.remotes.versioned:
            words = f"{remote.words}, under its own name"
            yield Versions(words=words, remote=remote, name=name, root=job.remotes.root, kept=kept)
        trust, address = self._around.trust, kept.repository or kept.source
        if address and trust is not None and not trust.imported(kept):
            words = f"what it was imported from, {job.remotes.plain(address)}"
            yield Refused(words=words, address=address)
        elif kept.repository and self._depth < MOST_IMPORTS:
            folder = Path(tempfile.mkdtemp(prefix="reprocheck-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            yield SourceRepository(kept, self._around, folder, self._deeper)
        elif kept.source and not kept.repository:
            words = f"the address that it was imported from, {job.remotes.plain(kept.source)}"
            yield Address(words=words, url=kept.source, around=self._around, opened=self._opened)


def _fetch_of(
    source: Source, wanted: Wanted, inside: str, target: Path, stop: threading.Event
) -> Callable[[], int]:
    return lambda: source.fetch(wanted, inside, target, stop)


def _attempt(job: _Job, target: Path, fetch: Callable[[], int]) -> str | None:
    """What went wrong when an object was fetched; None: it is there, and its size is noted.

    Raises `RestoreError` for what is wrong with this machine, `StoppedError`.
    """
    try:
        job.sizes.append(fetch())
    except (StoppedError, KeyboardInterrupt):
        raise
    except MissingError as error:
        return job.remotes.plain(error) or "not there"
    except CorruptError as error:
        return f"corrupted, {job.remotes.plain(error)}"
    except FileExistsError as error:
        raise RestoreError(
            f"restoring {printable(str(target))}: two names of its directory are one here",
            "this file system does not tell upper from lower case; verify on another machine",
        ) from error
    except OSError as error:
        if error.errno in _FULL:
            said = f"writing {printable(str(target))}: {error.strerror}"
            raise RestoreError(said, "make room: inputs are restored below TMPDIR") from error
        return _named(error, job)
    except Exception as error:  # each of DVC's plugins raises its own library's errors
        return _named(error, job)
    return None


def _named(error: Exception, job: _Job) -> str:
    return f"{type(error).__name__}: {job.remotes.plain(error)}"


def _gone(job: _Job, path: str, digest: str, said: list[str]) -> RestoreError:
    if not job.remotes.places:
        said = ["no DVC remote is configured, neither at the commit nor in the repository", *said]
    if any("corrupted" in line for line in said):
        hint = "the object was changed; push it again from a machine that has it intact"
    elif any(ONLY_NAMED in line for line in said):
        hint = "name that address in DVC's config, or the import, on the base branch"
    elif any(ABSENT in line for line in said):
        hint = "mount it, or name its present place: dvc remote modify --local NAME url PATH"
    elif job.remotes.places:
        hint = "push it from a machine that has it: dvc push, or name its remote in .dvc/config"
    else:
        hint = "name one: dvc remote add --default NAME URL"
    where = job.material.origin.where
    return RestoreError(
        f"restoring {printable(path)} at MD5 {digest} ({where}): " + "; ".join(said), hint
    )
