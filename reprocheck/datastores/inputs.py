"""Restored inputs, and each trial's own copies of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reprocheck.datastores import copies
from reprocheck.datastores.copies import Copying, Stamp
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace
from reprocheck.progress import Progress, Silent


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Restored inputs, kept apart from every tree."""

    folder: Path
    materials: tuple[Material, ...]
    findings: tuple[Finding, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # variables that lead trials to caches

    def copy_into(self, tree: Path, progress: Progress | None = None) -> OwnCopies:
        """Puts a trial's own copies of all inputs into its tree, replacing what is there.

        Raises `RestoreError` when a symlink of the tree leads an input outside.
        """
        copying = Copying(progress or Silent())
        placed = tuple(each for each in self.materials if each.place is MaterialPlace.TREE)
        for material in placed:
            source, target = self.folder / material.path, tree / material.path
            remove_inside(tree, material.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            copying.copy(_files(source, target, material.path))
        return OwnCopies(folder=self.folder, tree=tree, materials=placed, stamps=copying.stamps)


def _files(source: Path, target: Path, name: str) -> Iterator[tuple[Path, Path, str]]:
    """What to copy for an input; makes the folders of a directory on the way."""
    if source.is_symlink() or not source.is_dir():
        yield source, target, name
        return
    for root, folders, names in os.walk(source):
        at = Path(root).relative_to(source)
        (target / at).mkdir()
        links = [each for each in folders if Path(root, each).is_symlink()]  # refused when copied
        for each in [*names, *links]:
            yield Path(root, each), target / at / each, str(PurePosixPath(name, at, each))


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """An input that is no longer what the trial was given."""

    path: str
    expected: str  # "md5 …"
    found: str  # the same, or what is there instead


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnCopies:
    """A trial's own copies of the inputs, as they were put into its tree."""

    folder: Path  # of the restored inputs
    tree: Path
    materials: tuple[Material, ...]
    stamps: Mapping[str, Stamp]  # of each file, by its path in the tree

    def changed(self, most: int) -> tuple[list[Changed], int]:
        """What a trial did to its inputs, at most so many of them told with their digests, and
        how many there are. A file is read only where its stamp leaves a doubt.
        """
        doubtful = self._doubtful()
        names = copies.in_threads(self._is_changed, doubtful)
        return [self._told(name) for name in names[:most]], len(names)

    def added(self) -> list[str]:
        """Files that the trial put into directories that are inputs."""
        return sorted(
            path
            for material in self.materials
            if material.path not in self.stamps and self._is_folder(material.path)
            for name in copies.files_below(self.tree / material.path)
            if (path := str(PurePosixPath(material.path, name))) not in self.stamps
        )

    def _doubtful(self) -> list[str]:
        outside: dict[str, bool] = {}
        found = []
        for name, stamp in self.stamps.items():
            folder = os.path.dirname(name)  # noqa: PTH120 - of many thousands
            if folder not in outside:
                outside[folder] = self._outside(name)
            with contextlib.suppress(OSError):
                if not outside[folder] and Stamp.of(os.lstat(self.tree / name)) == stamp:
                    continue
            found.append(name)
        return found

    def _outside(self, name: str) -> bool:
        """Whether a symlink in the tree now leads there from elsewhere: it is not followed."""
        return not (self.tree / name).parent.resolve().is_relative_to(self.tree.resolve())

    def _is_folder(self, path: str) -> bool:
        there = self.tree / path
        return not self._outside(path) and there.is_dir() and not there.is_symlink()

    def _is_changed(self, name: str) -> bool:
        try:
            same = copies.is_same(self.folder / name, self.tree / name)
        except (OSError, RestoreError):
            return True
        return self._outside(name) or not same

    def _told(self, name: str) -> Changed:
        algorithm = self._algorithm(name)
        expected = copies.digest_of(self.folder / name, algorithm)
        return Changed(
            path=name, expected=f"{algorithm} {expected}", found=self._found(name, algorithm)
        )

    def _found(self, name: str, algorithm: str) -> str:
        if self._outside(name):
            return "a symlink that leads out of the tree"
        with contextlib.suppress(OSError, RestoreError):
            mode = os.lstat(self.tree / name).st_mode
            if not stat.S_ISREG(mode):
                return _KINDS.get(stat.S_IFMT(mode), "something that is no file")
            return f"{algorithm} {copies.digest_of(self.tree / name, algorithm)}"
        return "nothing that can be read" if os.path.lexists(self.tree / name) else "nothing"

    def _algorithm(self, name: str) -> str:
        path = PurePosixPath(name)
        for material in self.materials:
            if path.is_relative_to(material.path) and material.algorithm in _ALGORITHMS:
                return material.algorithm
        return "sha256"


_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
_KINDS = {stat.S_IFLNK: "a symlink", stat.S_IFDIR: "a folder"}


def check_path(path: str) -> None:
    """Raises `RestoreError` for a path that is not below the tree's root, or is git's own."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in path:
        raise RestoreError(
            f"'{path}' is no path inside of the tree",
            "name the input by its path from the repository's root; seen_as is for absolute ones",
        )
    if pure.parts[0] == ".git":
        raise RestoreError(f"'{path}' is inside of git's own folder", "name another path")


def remove_inside(tree: Path, path: str) -> None:
    """Removes what is at a path of the tree, if anything.

    Raises `RestoreError` for a path that leaves the tree, also by a symlink.
    """
    check_path(path)
    target = tree / path
    if not target.parent.resolve().is_relative_to(tree.resolve()):
        raise RestoreError(
            f"{path}: a symlink in the tree leads it outside",
            "replace the symlink by a folder at the commit",
        )
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
