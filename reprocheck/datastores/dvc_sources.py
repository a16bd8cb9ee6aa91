"""Where an input may be besides DVC's objects: an import's source, a version in a cloud's storage.

What comes from there counts by its MD5 alone, as everything else.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from reprocheck import dvc_files
from reprocheck.datastores import dvc_config
from reprocheck.datastores.base import Around, DataStore
from reprocheck.datastores.dvc_objects import MissingError, Remote, Wanted, take
from reprocheck.datastores.trust import Trust, refusal
from reprocheck.dvc_files import Kept
from reprocheck.errors import ReprocheckError
from reprocheck.git import Git, last_lines
from reprocheck.model import Material, Origin, OriginKind
from reprocheck.progress import growing

MOST_IMPORTS = 3  # an import of an import of an import


class Source(Protocol):
    """Where an input is asked for when no remote has the object."""

    @property
    def words(self) -> str:
        """What it is, for messages."""

    def fetch(self, wanted: Wanted, inside: str, target: Path, stop: threading.Event) -> int:
        """Writes a file to `target` and returns its size; `inside` is its path in the directory.

        Raises `MissingError`, `CorruptError`, `StoppedError`, or what the file system raises.
        """

    def listing(self, digest: str) -> Mapping[str, str] | None:
        """The MD5s of a directory's files, if they make the digest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """A remote that keeps files under their own names, in versions."""

    words: str
    remote: Remote
    name: str
    root: str  # of the DVC repository, in the tree
    kept: Kept

    def fetch(self, wanted: Wanted, inside: str, target: Path, stop: threading.Event) -> int:
        """See `Source`."""
        version = self.kept.versions.get(inside, {}).get(self.name)
        fs = self.remote.fs
        path = os.path.relpath(self.kept.path, self.root or ".")
        full = fs.join(self.remote.root, *PurePosixPath(path, inside).parts)
        options = {"version_id": version} if version else {}
        try:
            with fs.fs.open(full, "rb", **options) as source:
                return take(source, full, wanted, target, stop)
        except FileNotFoundError:
            raise MissingError from None

    def listing(self, digest: str) -> Mapping[str, str] | None:  # noqa: ARG002 - the seam's
        """See `Source`."""
        return None  # the *.dvc file has it


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A place that only the commit names, where that is not trusted to name any."""

    words: str
    address: str

    def fetch(self, *_: object) -> int:
        """Raises `RestoreError`."""
        raise refusal(self.address, "import from it")

    def listing(self, *_: object) -> Mapping[str, str] | None:
        """Raises `RestoreError`."""
        raise refusal(self.address, "import from it")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where `dvc import-url` took it from. It may have changed since."""

    words: str
    url: str
    around: Around
    opened: list[Any]  # file systems to close at the end
    _place: list[tuple[Any, str]] = field(default_factory=list)

    def fetch(self, wanted: Wanted, inside: str, target: Path, stop: threading.Event) -> int:
        """See `Source`."""
        if not self._place:
            self._place.append(dvc_config.open_address(self._absolute(), self.around))
            self.opened.append(self._place[0][0])
        fs, root = self._place[0]
        path = fs.join(root, *PurePosixPath(inside).parts) if inside else root
        try:
            if fs.protocol == "local" and not Path(path).is_file():  # a pipe would never end
                raise MissingError
            with fs.open(path, "rb") as source:
                return take(source, path, wanted, target, stop)
        except FileNotFoundError:
            raise MissingError from None

    def listing(self, digest: str) -> Mapping[str, str] | None:  # noqa: ARG002 - the seam's
        """See `Source`."""
        return None

    def _absolute(self) -> str:
        home = self.around.repository or self.around.folder
        return self.url if "://" in self.url else os.path.normpath(home / self.url)


class SourceRepository:
    """The repository that `dvc import` took it from: its git tree, then its own remotes."""

    def __init__(
        self,
        kept: Kept,
        around: Around,
        folder: Path,
        store: Callable[[Around], DataStore],
    ) -> None:
        self.words = f"source repository {kept.repository}"
        self._kept, self._around, self._folder, self._store = kept, around, folder, store
        self._lock = threading.Lock()
        self._tree: Path | None = None
        self._inner: DataStore | None = None

    def fetch(self, wanted: Wanted, inside: str, target: Path, stop: threading.Event) -> int:
        """See `Source`."""
        tree, inner = self._opened()
        path = _inside(tree, self._kept.source, inside)
        if path is not None and path.is_file():
            with path.open("rb") as source:
                return take(source, f"{self._kept.source} of the commit", wanted, target, stop)
        inner.restore(self._material(wanted.digest, wanted.legacy, inside), target)
        return target.stat().st_size

    def listing(self, digest: str) -> Mapping[str, str] | None:
        """See `Source`. A folder that git tracks has no list anywhere: it is made here."""
        tree, inner = self._opened()
        found = inner.listing(self._material(digest, False, ""))
        if found is not None:
            return found
        entries = dict(_files_of_git(tree, self._kept.source))
        top = PurePosixPath(self._kept.source)
        for path, item in dvc_files.at_commit(tree).items():
            entries |= _part(PurePosixPath(path), top, item, inner)
        return entries if dvc_files.directory_digest(entries) == digest else None

    def _opened(self) -> tuple[Path, DataStore]:
        with self._lock:
            if self._tree is None or self._inner is None:
                self._tree = self._clone()
                local = self._local()
                self._inner = self._store(
                    Around(
                        tree=self._tree,
                        repository=local,
                        folder=local or self._tree,
                        env=self._around.env,
                        progress=self._around.progress,
                        stop=self._around.stop,
                        trust=self._trust(),
                    )
                )
        return self._tree, self._inner

    def _trust(self) -> Trust | None:
        """A revision that the checkout's own files name may name its remotes."""
        trust = self._around.trust
        return None if trust is None or trust.pinned(self._kept) else trust

    def _local(self) -> Path | None:
        url = self._kept.repository.removeprefix("file://")
        home = self._around.repository or self._around.folder
        path = Path(os.path.normpath(home / url))
        return path if "://" not in url and path.is_dir() else None

    def _clone(self) -> Path:
        """A clone at the locked revision, with nothing of the user's setup firing."""
        tree = self._folder / "source"
        kept, env = self._kept, self._around.env
        location = str(self._local() or kept.repository)
        options = ("clone", "--quiet", "--no-checkout", "--template=", "--origin", "origin")
        self._folder.mkdir(parents=True, exist_ok=True)
        outside = Git(self._folder, env)
        doing = f"cloning {self.words}"
        self._around.progress.update(doing)
        with growing(self._around.progress, tree, doing):
            done = outside(*options, "--", location, str(tree), trusting=True, check=False)
        if done.exit_code != 0:
            raise MissingSourceError(f"cloning it failed: {last_lines(done.stderr, 2)}")
        git = Git(tree, env)
        revision = f"{kept.revision or 'HEAD'}^{{commit}}"
        commit = git.text("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        if not commit and set(kept.revision) <= set("0123456789abcdef"):
            git("fetch", "--quiet", "origin", kept.revision, trusting=True, check=False)
            commit = git.text("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        if not commit:
            raise MissingSourceError(f"it has no revision {kept.revision}")
        git("checkout", "--quiet", "--detach", "--force", commit)
        return tree

    def _material(self, digest: str, legacy: bool, inside: str) -> Material:
        return Material(
            path=str(PurePosixPath(self._kept.source.lstrip("/"), inside)),
            algorithm="md5-dos2unix" if legacy else "md5",
            digest=digest,
            size=None,
            files=None,
            origin=Origin(kind=OriginKind.FILE, where=f"the import from {self._kept.repository}"),
        )


class MissingSourceError(Exception):
    """An import's repository could not be had."""


def _inside(tree: Path, source: str, inside: str) -> Path | None:
    """A path of the tree, unless a symlink leads it out."""
    path = (tree / source.lstrip("/") / inside).resolve()
    return path if path.is_relative_to(tree.resolve()) else None


def _files_of_git(tree: Path, source: str) -> Mapping[str, str]:
    top = _inside(tree, source, "")
    if top is None or not top.is_dir():
        return {}
    found = {}
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        hidden = path.suffix == ".dvc" or path.name == ".gitignore" or ".git" in path.parts
        if path.is_file() and not path.is_symlink() and not hidden:
            found[name] = dvc_files.digest_of(path, "md5")
    return found


def _part(
    path: PurePosixPath, top: PurePosixPath, item: Material, inner: DataStore
) -> dict[str, str]:
    """What a tracked input of the source brings to a directory of it."""
    if not (path.is_relative_to(top) or top.is_relative_to(path)):
        return {}
    try:
        listed = inner.listing(item) if item.digest.endswith(".dir") else {"": item.digest}
    except ReprocheckError:
        listed = None
    full = {str(path / name): digest for name, digest in (listed or {}).items()}
    return {
        str(PurePosixPath(name).relative_to(top)): digest
        for name, digest in full.items()
        if PurePosixPath(name).is_relative_to(top)
    }
