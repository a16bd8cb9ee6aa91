"""Requirements that name no package of an index: folders and files of the tree, URLs, clones."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

COPY = "tree"
"""Where the tree's copy is, below the folder that uv runs in; nothing is built in the tree."""

_LINE = re.compile(
    r"(?:(?P<name>[\w.-]+)\s*(?:\[(?P<named>[^\]]*)\])?\s*@\s*)?"
    r"(?P<place>[^\s;\[#]+)(?:\[(?P<extras>[^\]]*)\])?(?:#\S*)?(?P<rest>\s*(?:;.*|--.*)?)"
)
_HEAD = re.compile(r"[0-9a-f]{40,64}")
_LARGE = 1_000_000  # bytes: such files are not read at once
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalProject:
    """A project of the tree that is installed editable: trials import it from their own tree."""

    path: str  # of its folder, relative to the tree's root
    extras: str = ""  # "[dev,test]"
    optional: bool = False  # where it cannot be built, its dependencies alone are installed
    listed: bool = False  # what it depends on is among the requirements

    @property
    def line(self) -> str:
        """The requirement by which uv finds it, in the tree's copy."""
        return (
            f"./{COPY}/{self.path}{self.extras}" if self.path != "." else f"./{COPY}{self.extras}"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalLine:
    """A requirement that names a place, taken apart."""

    name: str  # "" where it does not say one
    place: str  # a path without "file:"
    extras: str  # "[dev,test]" or ""
    rest: str  # marker and hashes

    @property
    def version(self) -> tuple[str, str] | None:
        """Name and version, where the place is a file whose name tells them."""
        return version_of(self.place)


def take_apart(line: str) -> LocalLine:
    """The parts of a requirement such as `./pkg[dev]` or `pkg @ file:///place`."""
    found = _LINE.fullmatch(line)
    if found is None:
        return LocalLine(name="", place=line, extras="", rest="")
    place = re.sub(r"^file:(//(localhost)?)?(?=/)|^file:", "", found["place"])
    extras = found["named"] or found["extras"] or ""
    return LocalLine(
        name=found["name"] or "",
        place=unquote(place) if found["place"].startswith("file:") else place,
        extras=f"[{extras}]" if extras else "",
        rest=found["rest"],
    )


def version_of(place: str) -> tuple[str, str] | None:
    """Name and version that the name of a wheel or source archive tells."""
    name = unquote(PurePosixPath(place.partition("#")[0]).name)
    try:
        if name.endswith(".whl"):
            project, version, *_ = parse_wheel_filename(name)
        else:
            project, version = parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return project, str(version)


def find(tree: Path, folder: str, place: str) -> str | None:
    """Where in the tree a place is, relative to its root: below `folder`, or, for the absolute
    path of another machine, at the longest end of it that the tree has.
    """
    if not place.startswith(("/", "~")):
        return _inside(tree, posixpath.normpath(posixpath.join(folder, place)))
    parts = PurePosixPath(place).parts[1:]
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((end for end in ends if _inside(tree, end)), None)


def _inside(tree: Path, path: str) -> str | None:
    root = tree.resolve()
    found = (root / path).resolve()
    return path if found.exists() and found.is_relative_to(root) else None


def is_project(folder: Path) -> bool:
    """Whether pip could install a folder."""
    return any((folder / name).is_file() for name in _BUILD_FILES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clone:
    """A requirement that names a version control system's address."""

    name: str  # "" where it does not say one
    address: str  # as pip takes it, with the revision
    revision: str  # "" where it is left open
    subdirectory: str

    @property
    def line(self) -> str:
        """The requirement, not editable."""
        where = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        return f"{self.name} @ {self.address}{where}" if self.name else f"{self.address}{where}"


def clone_of(line: str) -> Clone | None:
    """What a line such as `git+https://host/x@rev#egg=x&subdirectory=y` names, else None."""
    named = re.fullmatch(r"(?:(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*@\s*)?(?P<url>git\+\S+)", line)
    if named is None:
        return None
    parts = urlsplit(named["url"])
    fragment = parse_qs(parts.fragment)
    address = named["url"].partition("#")[0]
    _, at, revision = parts.path.rpartition("@")
    return Clone(
        name=named["name"] or fragment.get("egg", [""])[0].partition("[")[0],
        address=address,
        revision=revision if at else "",
        subdirectory=fragment.get("subdirectory", [""])[0],
    )


def head(tree: Path) -> str:
    """The commit that is checked out; "" where that is not known."""
    try:
        text = (tree / ".git/HEAD").read_text().strip()
    except OSError:
        return ""
    return text if _HEAD.fullmatch(text) else ""


def copy_of(tree: Path, work: Path) -> Path:
    """The tree's copy that packages are built in, made at the first use."""
    copy = work / COPY
    if not copy.exists():
        shutil.copytree(tree, copy, symlinks=True)
    return copy


def digest_of(place: Path) -> str:
    """Of the paths, modes and contents of all files of a tree, git's own aside; or of one file.
    The commit counts, since some projects derive their version from it.
    """
    digest = hashlib.sha256(head(place).encode())
    root = os.path.join(place, "")  # noqa: PTH118 - with a slash at its end
    # Strings and whole reads: a tree of 10,000 files takes a third of the time.
    found = ((entry.path, entry) for entry in _entries(str(place))) if place.is_dir() else ()
    for path, entry in sorted(found, key=lambda pair: pair[0]):
        link = entry.is_symlink()
        mode = entry.stat(follow_symlinks=False).st_mode
        executable = bool(mode & 0o111) and not link
        told = f"-> {os.readlink(path)}" if link else _content(path)  # noqa: PTH115
        name = path.removeprefix(root)
        digest.update(f"\0{name}\0{executable:d}\0{told}".encode(errors="replace"))
    if not place.is_dir():
        digest.update(f"\0{os.access(place, os.X_OK):d}\0{_content(str(place))}".encode())
    return digest.hexdigest()


def files(folder: Path) -> Iterator[Path]:
    """Files and links below a folder, git's own and byte code aside."""
    return (Path(entry.path) for entry in _entries(str(folder)))


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in (".git", "__pycache__"):
                    yield from _entries(entry.path)
            elif entry.is_symlink() or entry.is_file():
                yield entry


def _content(path: str) -> str:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        if os.fstat(file.fileno()).st_size > _LARGE:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(file.read()).hexdigest()
