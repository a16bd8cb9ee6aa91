"""What is in the trees of many commits, read by a few calls of git: most folders are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from reprocheck.git import Git

MOST_FOLDERS = 200_000
"""Distinct folders that are read; beyond, a tree is told as not known."""

_FILE, _FOLDER = (b"100644", b"100755"), b"40000"
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0", re.DOTALL)

Files = tuple[tuple[str, str], ...]
"""Paths, each with the id of its content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    name: str
    object_id: str
    folder: bool


@dataclass(kw_only=True, slots=True)
class Trees:
    """The trees of some commits of one repository. Links and submodules are left out."""

    git: Git
    roots: dict[str, str] = field(default_factory=dict)  # by commit
    folders: dict[str, tuple[_Entry, ...]] = field(default_factory=dict)  # by id
    named: dict[str, bool] = field(default_factory=dict)  # by the folder's id
    below: dict[str, Files] = field(default_factory=dict)  # DVC's files, by the folder's id

    def read(self, commits: Iterable[str]) -> None:
        """Reads the trees of commits, given in full, that the repository has."""
        asked = list(commits)
        lines = "".join(f"{commit}^{{tree}}\n" for commit in asked).encode()
        told = self._git("--batch-check=%(objectname)", lines).decode().splitlines()
        found = zip(asked, told, strict=False)
        self.roots |= {commit: root for commit, root in found if " " not in root}
        level = set(self.roots.values())
        while level and len(self.folders) + len(level) <= MOST_FOLDERS:
            self.folders |= dict(self._folders(sorted(level)))
            below = {e.object_id for each in level for e in self.folders.get(each, ()) if e.folder}
            level = below - self.folders.keys()

    def dvc_files(self, commit: str) -> Files | None:
        """DVC's own files and configs at a commit, by path; None: they were not read."""
        try:
            return self._below(self.roots[commit])
        except KeyError:
            return None

    def has(self, commit: str, path: str) -> bool:
        """Whether a commit has something at a path."""
        at = self.roots.get(commit, "")
        for name in path.split("/"):
            found = [each for each in self.folders.get(at, ()) if each.name == name]
            if not found:
                return False
            at = found[0].object_id
        return True

    def names(self, commit: str, wanted: Callable[[str], bool]) -> bool:
        """Whether a commit has a file of a wanted name, the same for all calls; also where it was
        not read, as it may have one."""
        try:
            return self._names(self.roots[commit], wanted)
        except KeyError:
            return True

    def contents(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Files' contents by id."""
        return {name: content for name, kind, content in self._objects(ids) if kind == "blob"}

    def _names(self, folder: str, wanted: Callable[[str], bool]) -> bool:
        if folder not in self.named:
            self.named[folder] = any(
                self._names(each.object_id, wanted) if each.folder else wanted(each.name)
                for each in self.folders[folder]
            )
        return self.named[folder]

    def _below(self, folder: str) -> Files:
        if folder not in self.below:
            self.below[folder] = tuple(self._found(self.folders[folder]))
        return self.below[folder]

    def _found(self, entries: Iterable[_Entry]) -> Iterator[tuple[str, str]]:
        for entry in entries:
            if not entry.folder:
                if _is_of_dvc(entry.name):
                    yield entry.name, entry.object_id
            elif entry.name == ".dvc":
                inside = self.folders[entry.object_id]
                yield from ((f".dvc/{e.name}", e.object_id) for e in inside if e.name == "config")
            else:
                inner = self._below(entry.object_id)
                yield from ((f"{entry.name}/{path}", content) for path, content in inner)

    def _folders(self, ids: Iterable[str]) -> Iterator[tuple[str, tuple[_Entry, ...]]]:
        for name, kind, content in self._objects(ids):
            if kind == "tree":
                yield name, tuple(_entries(content, len(name) // 2))

    def _objects(self, ids: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
        told = self._git("--batch", "".join(f"{each}\n" for each in ids).encode())
        at = 0
        while at < len(told):
            end = told.index(b"\n", at)
            words = told[at:end].decode().split()
            at = end + 1
            if len(words) == 3 and words[2].isdigit():
                size = int(words[2])
                yield words[0], words[1], told[at : at + size]
                at += size + 1

    def _git(self, option: str, lines: bytes) -> bytes:
        return self.git("cat-file", option, trusting=True, check=False, stdin=lines).stdout


def _is_of_dvc(name: str) -> bool:
    """Also params.yaml, of which a dvc.yaml may take the folders of its stages."""
    return name.endswith(".dvc") or name in ("dvc.lock", "dvc.yaml", "params.yaml")


def _entries(content: bytes, digits: int) -> Iterator[_Entry]:
    at = 0
    while match := _ENTRY.match(content, at):
        at = match.end() + digits
        mode, name = match[1], match[2].decode(errors="surrogateescape")
        # A tree can be made by hand: nothing of it may lead out of a folder of ours.
        if mode in (*_FILE, _FOLDER) and name not in ("..", ".", ".git") and "/" not in name:
            object_id = content[match.end() : at].hex()
            yield _Entry(name=name, object_id=object_id, folder=mode == _FOLDER)
