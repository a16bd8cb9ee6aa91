"""Inputs that the run read by absolute paths of its machine: where a trial finds them.

Where the sandbox shows what is mounted, an input is at the very path, read-only. Elsewhere, and for
what lay in the run's own repository, the command's arguments are made to name the trial's copy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reprocheck import absolute_paths, command_words
from reprocheck.command import find_in_tree
from reprocheck.datastores import Inputs, copies, places
from reprocheck.environments.base import Shown
from reprocheck.errors import RestoreError
from reprocheck.model import (
    Argv,
    Command,
    Finding,
    Material,
    MaterialPlace,
    RunRecord,
    Severity,
)

_FILE = "file://"
_SANDBOX = (
    "install bubblewrap (apt-get install bubblewrap), or verify in a container "
    "(environment: {kind: docker})"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenPaths:
    """What the arguments of a command are made to name: by recorded path, the path in the tree."""

    moved: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()  # what trials find where it was: it is left as it is

    def in_tree(self, command: Command, tree: Path) -> Command:
        """The command with the trial's own paths, in a tree."""
        return command_words.replaced(command, lambda text: self._own(text, tree))

    def named_in(self, command: Command) -> tuple[str, ...]:
        """The recorded paths that the command names, itself or by a folder around or below them."""
        words = (word.value for word in command_words.words(command))
        texts = [text.removeprefix(_FILE) for text in (*words, *command.env.values())]
        return tuple(
            seen
            for seen, inside in self.moved.items()
            if any(self._inside(text, seen, inside) is not None for text in texts)
        )

    def _inside(self, text: str, seen: str, inside: str) -> str | None:
        found = any(PurePosixPath(text).is_relative_to(place) for place in self.shown)
        return None if found else _moved(text, seen, inside)

    def _own(self, text: str, tree: Path) -> str:
        plain = text.removeprefix(_FILE)
        found = (self._inside(plain, seen, inside) for seen, inside in self.moved.items())
        inside = next((each for each in found if each is not None), None)
        if inside is None:
            return text
        end = "/" if plain.endswith("/") else ""
        return f"{text[: len(text) - len(plain)]}{tree.resolve() / inside}{end}"


def _moved(text: str, seen: str, inside: str) -> str | None:
    """Where in the tree a path leads: to what was seen, below it, or to a folder around it."""
    if not text.startswith("/") or ".." in PurePosixPath(text).parts:
        return None
    path, place = PurePosixPath(text), PurePosixPath(seen)
    if path.is_relative_to(place):
        return str(PurePosixPath(inside, path.relative_to(place)))
    rest = place.relative_to(path).parts if place.is_relative_to(path) else ()
    around = PurePosixPath(inside).parts
    if rest and len(path.parts) > 1 and around[-len(rest) :] == rest:
        return str(PurePosixPath(*around[: -len(rest)]))
    return None


def of_trials(
    materials: Iterable[Material], roots: Iterable[PurePosixPath], *, shows: bool
) -> SeenPaths:
    """What the commands of trials must be made to name; `roots` are the run's own trees."""
    asked = {seen: each.path for each in materials if (seen := _seen(each))}
    # The longest first: what is named more closely counts.
    moved = {seen: asked[seen] for seen in sorted(() if shows else asked, key=len, reverse=True)}
    return SeenPaths(
        moved={**moved, **{str(root): "." for root in roots}}, shown=tuple(asked) if shows else ()
    )


def findings(
    paths: SeenPaths, materials: Iterable[Material], command: Command, *, shows: bool
) -> Iterator[Finding]:
    """What is told about paths that the trials do not find where the run did."""
    named = paths.named_in(command)
    for seen in named:
        inside = paths.moved[seen]
        yield Finding(
            code="rewritten-path",
            severity=Severity.NOTE,
            message=f"the command's {seen} is the trial's own "
            + ("tree" if inside == "." else f"copy of {inside}"),
            hint="nothing to do if the trials run; relative paths need no rewriting",
            pointer="/command",
        )
    for each, asked in () if shows else _not_shown(paths, materials, command):
        yield Finding(
            code="path-not-shown",
            severity=Severity.WARNING,
            message=f"{each.path} cannot be shown to the trials as {asked} (seen_as), and the "
            "command does not name that path: what reads it finds what this machine has there",
            hint=_SANDBOX,
            pointer="/data",
        )


def refuse_others(paths: SeenPaths, inputs: Inputs, command: Command) -> None:
    """Raises `RestoreError` where trials would read what this machine has at an input's path, and
    that is not what was restored: they would say nothing about the run.
    """
    for each, asked in _not_shown(paths, inputs.materials, command):
        there = Path(asked).resolve()
        if there.exists() and not _is_same(places.target_of(inputs.folder, each), there):
            raise RestoreError(
                f"{each.path} cannot be shown to the trials as {asked} (seen_as), and what this "
                "machine has there is not what was restored",
                f"{_SANDBOX}; or put the same there",
            )


def _not_shown(
    paths: SeenPaths, materials: Iterable[Material], command: Command
) -> Iterator[tuple[Material, str]]:
    """Inputs with absolute paths at which trials find what the machine has."""
    named = paths.named_in(command)
    for each in materials:
        asked = _seen(each)
        if asked and asked not in named and asked not in paths.shown:
            yield each, asked


def _is_same(restored: Path, there: Path) -> bool:
    with contextlib.suppress(OSError, RestoreError):
        if not restored.is_dir():
            return copies.is_same(restored, there)
        names = sorted(copies.files_below(restored))
        return names == sorted(copies.files_below(there)) and all(
            copies.is_same(restored / name, (there / name).resolve()) for name in names
        )
    return False


def _seen(material: Material) -> str | None:
    return material.seen_as if material.place is MaterialPlace.TREE else None


def shown(inputs: Inputs) -> tuple[Shown, ...]:
    """What a sandbox that can must show: inputs at absolute paths, and the hub's cache."""
    found: dict[str, Path] = {}
    for each in inputs.materials:
        source = places.target_of(inputs.folder, each)
        if each.seen_as and each.place is MaterialPlace.TREE:
            found[each.seen_as] = source
        elif each.place is MaterialPlace.HUB:
            kept = (source / "blobs").resolve()
            found |= {str(source.parent.resolve()): source.parent.resolve(), str(kept): kept}
    for source in found.values():
        _make_readable(source)
    return tuple(Shown(source=source, target=target) for target, source in found.items())


def _make_readable(place: Path) -> None:
    """Lets everybody read it: in a container a trial is another user."""
    _add_mode(place)
    for root, folders, files in os.walk(place):
        for name in (*folders, *files):
            _add_mode(Path(root, name))


def _add_mode(path: Path) -> None:
    mode = path.lstat().st_mode
    wanted = 0o555 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o444
    if not stat.S_ISLNK(mode) and mode & wanted != wanted:
        path.chmod(stat.S_IMODE(mode) | wanted)


def copy_home(inputs: Inputs, home: Path) -> None:
    """Puts a trial's own copies of what the training fetches into its ~/.cache."""
    for source, below in places.homes(inputs.materials, inputs.folder):
        (home / below).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, home / below)


def recorded_roots(record: RunRecord, tree: Path) -> tuple[PurePosixPath, ...]:
    """Where the run's own tree lay on its machine, as far as its script's absolute path tells."""
    scripts = [record.code.script or "", record.tags.get("mlflow.source.name", "")]
    for step in record.command.steps if record.command else ():
        if isinstance(step.run, Argv):
            scripts += step.run.args[:2]
    found = (_root(script.partition("#")[0].removeprefix(_FILE), tree) for script in scripts)
    return tuple(dict.fromkeys(root for root in found if root is not None))


def _root(script: str, tree: Path) -> PurePosixPath | None:
    path = PurePosixPath(script)
    if not path.is_absolute() or absolute_paths.is_of_system(path):
        return None
    inside = find_in_tree(script, tree)
    if inside is None or not script.endswith(f"/{inside}") or not (tree / inside).is_file():
        return None
    root = PurePosixPath(script.removesuffix(f"/{inside}") or "/")
    return root if len(root.parts) > 1 else None
