"""Paths in a tree of a run's code: none may lead out of it, whatever a record or a link says."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, Step


def is_inside(path: str) -> bool:
    """Whether a path names something in the tree by its words alone, and nothing of git's."""
    parts = PurePosixPath(path).parts
    odd = "\0" in path or "\\" in path or path.startswith(("/", "~"))
    return bool(parts) and not odd and not any(_is_refused(part) for part in parts)


def _is_refused(part: str) -> bool:
    # As git itself: .git in any case, and with what some file systems take off a name's end.
    return part == ".." or part.rstrip(". ").lower() == ".git"


def inside(tree: Path, path: str, what: str) -> Path:
    """Where a recorded path is in the tree. Raises `SourceError` where that is outside of it."""
    place = tree / path
    if not is_inside(path) and PurePosixPath(path) != PurePosixPath("."):
        raise SourceError(f"{what} {path!r} leads out of the run's tree", _HINT)
    if not place.resolve().is_relative_to(tree.resolve()):
        raise SourceError(
            f"{what} {path!r} goes through a symbolic link that leads out of the run's tree", _HINT
        )
    return place


_HINT = "only what is inside the repository is restored; keep the run's files there"


def check_command(command: Command, made: Iterable[str], tree: Path) -> None:
    """Raises `SourceError` for a command that works, begins or makes something outside of the tree.

    Other files that it names are its own affair: where a link leads out, `outward_links` tells.
    """
    for step in command.steps:
        folder = inside(tree, step.cwd, "the command's directory")
        for word in (*_first(step), *filter(None, [_script(step)])):
            if is_inside(word) and (folder / word).is_file():
                inside(tree, (folder / word).relative_to(tree).as_posix(), "the script")
    for path in made:
        inside(tree, path, "what the command makes,")


def is_script(word: str) -> bool:
    """Whether a word of a command names a script, and none that is a part of Python's packages."""
    packaged = re.search(r"/(site-packages|dist-packages|lib/python3(\.\d+)?)/", word)
    known = PurePosixPath(word).suffix in (".py", ".ipynb", ".sh", ".R")
    return known and word[:1] != "-" and packaged is None


def scripts_outside(command: Command) -> Iterator[str]:
    """The scripts of a command that lie elsewhere on this machine."""
    for step in command.steps:
        if _script(step).startswith("/"):
            yield _script(step)


def _first(step: Step) -> Sequence[str]:
    return step.run.args[:3] if isinstance(step.run, Argv) else ()


def _script(step: Step) -> str:
    """The first script that a step names; "" for none."""
    words = step.run.args if isinstance(step.run, Argv) else _split(step.run.line)
    return next(filter(is_script, words), "")


def _split(line: str) -> Sequence[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return ()


def outward_links(tree: Path) -> Iterator[str]:
    """The symbolic links in the tree that lead out of it, by path; none of git's own."""
    root = tree.resolve()
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            if path.is_symlink() and not _target(path).is_relative_to(root):
                yield path.relative_to(tree).as_posix()


def _target(link: Path) -> Path:
    try:
        return link.resolve()
    except (OSError, RuntimeError):  # a link to itself leads nowhere
        return link.parent.resolve()
