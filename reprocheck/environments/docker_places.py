"""Where an image has a copy of the code: there, too, a trial finds its own tree.

An image that copies the code often reads it by its full name: ENV PYTHONPATH=/app, an editable
install, a path in a config. Those must not lead to the image's copy.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck.environments.docker_contents import Contents, Place
from reprocheck.model import Finding, Severity

_COPIED_BYTES = 64 * 2**20  # of what the build made beside the code, copied into each tree
_MOST_MOUNTS = 100
_NOISE = (".pyc", ".pyo")

Runner = Callable[[str, Path], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover:
    """How a copy of the code in an image is covered by a trial's tree."""

    path: str  # of the copy
    mounts: tuple[str, ...]  # relative paths of the tree, mounted over the copy's
    made: tuple[str, ...] = ()  # relative paths that the build made, to be copied into the tree

    @property
    def is_whole(self) -> bool:
        """Whether the whole tree takes the copy's place."""
        return self.mounts == (".",)


def covers(holds: Contents, tree: Path) -> tuple[Cover, ...]:
    """How the copies of a tree are covered; those inside another copy are covered with it."""
    found: list[Cover] = []
    for place in sorted(holds.places, key=lambda place: len(place.path)):
        if any((place.path + "/").startswith(other.path + "/") for other in found):
            continue
        if _is_copy(place, tree):
            found.append(_cover(place, tree))
    return tuple(found)


def findings(found: tuple[Cover, ...], holds: Contents) -> Iterator[Finding]:
    """What is told about entry points, and copies of the code."""
    if holds.skipped:
        yield _finding(
            "entrypoint-skipped",
            f"the image's entry point does not run what it is given, and is left out: "
            f"{holds.skipped[:200]}",
            "nothing to do if the trials run; what it sets up can go into ENV or into the command",
        )
    for cover in found:
        if not cover.mounts:
            yield _finding(
                "code-in-image",
                f"the image's own copy of the code at {cover.path} could not be covered by the "
                "trial's: what reads it by its full name reads the image's",
                "install and read the code by relative paths",
                Severity.WARNING,
            )
        if cover.made:
            yield _finding(
                "made-by-image",
                f"the image's build made files beside the code at {cover.path}; each trial gets "
                f"them: {', '.join(cover.made[:5])}{', …' if len(cover.made) > 5 else ''}",
                "nothing to do if these are no results of a training",
            )


def _finding(code: str, message: str, hint: str, severity: Severity = Severity.NOTE) -> Finding:
    return Finding(code=code, severity=severity, message=message, hint=hint, pointer="/environment")


def _is_copy(place: Place, tree: Path) -> bool:
    if not place.files:
        return place.workdir  # there `docker run -v $PWD:/app` put it
    # Where the image starts, a requirements.txt may be all that the build copied.
    names = (name for name, _ in place.files if place.workdir or name.endswith(".py"))
    return any((tree / name).is_file() for name in names)


def _cover(place: Place, tree: Path) -> Cover:
    made = {
        name: size
        for name, size in place.files
        if not name.endswith(_NOISE) and not os.path.lexists(tree / name)
    }
    big = {name for name, size in made.items() if size < 0}
    if sum(size for size in made.values() if size > 0) > _COPIED_BYTES:
        big = set(made)
    copied = tuple(dict.fromkeys(_topmost(name, tree) for name in sorted(made) if name not in big))
    mounts = tuple(_around(".", {PurePosixPath(name) for name in big}, tree))
    if max(len(mounts), len(copied)) > _MOST_MOUNTS:
        return Cover(path=place.path, mounts=())
    return Cover(path=place.path, mounts=mounts, made=copied)


def _topmost(name: str, tree: Path) -> str:
    """The folder that the tree does not have, else the file."""
    path = PurePosixPath(name)
    absent = [parent for parent in path.parents if not os.path.lexists(tree / parent)]
    return str(absent[-1] if absent else path)


def _around(at: str, big: set[PurePosixPath], tree: Path) -> Iterator[str]:
    """What of the tree can be mounted without hiding what the build made."""
    below = PurePosixPath(at)
    if not any(name.is_relative_to(below) for name in big):
        yield at
        return
    for child in sorted((tree / at).iterdir()):
        if child.is_symlink():  # mounted, it would be what it points to on this machine
            continue
        if child.is_dir():
            yield from _around(str(below / child.name), big, tree)
        elif child.is_file():
            yield str(below / child.name)


# --- what the build made beside the code ------------------------------------------------------

# For the image's Python, from 2.7 up. What cannot be read is left out.
_COPY = """
import os, shutil, sys
top, names = sys.argv[1], sys.argv[2:]
for name in names:
    source, target = os.path.join(top, name), os.path.join("/reprocheck-made", name)
    try:
        if not os.path.isdir(os.path.dirname(target)):
            os.makedirs(os.path.dirname(target))
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
        elif os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)
    except EnvironmentError:
        pass
"""


def take_made(found: tuple[Cover, ...], holds: Contents, run: Runner, folder: Path) -> None:
    """Copies out of an image what its build made beside the code, into a new folder for each copy.

    `run` runs a script of /bin/sh with a folder mounted at /reprocheck-made.
    """
    for number, cover in enumerate(found):
        own = folder / str(number)
        own.mkdir(parents=True)
        own.chmod(0o777)  # for the image's user; the folder around it is ours alone
        if cover.made:
            words = [holds.program, "-c", _COPY, cover.path, *cover.made]
            run(shlex.join(words), own)


def put_made(found: tuple[Cover, ...], folder: Path, tree: Path) -> None:
    """Puts into a tree what was copied out of the image; what is there stays."""
    for number, cover in enumerate(found):
        own = folder / str(number)
        for name in cover.made:
            source, target = own / name, tree / name
            # Neither the image's links nor the tree's may lead elsewhere.
            if _inside(source, own) and _inside(target, tree) and not os.path.lexists(target):
                _copy(source, target)


def _inside(path: Path, folder: Path) -> bool:
    return path.parent.resolve().is_relative_to(folder.resolve())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, symlinks=True)
    elif os.path.lexists(source):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
