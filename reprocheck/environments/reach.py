"""What a command may reach of the machine, for sandboxes without a container."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck.environments.base import Shown, TrialRun
from reprocheck.errors import RerunError

TEMPORARY = "tmp"
"""What a trial sees as /tmp, beside its tree and home: on disk, since it may be large."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The places that a command needs, and whether it may use the network. The rest of the machine
    is read-only, and secrets and other people's temporary files are hidden.
    """

    writable: tuple[Path, ...]
    readable: tuple[Path, ...] = ()  # also where they lie among what is hidden
    fixed: tuple[Path, ...] = ()  # read-only, although inside of what is writable
    temporary: Path | None = None  # what it sees as /tmp; None: a file system in memory
    shown: tuple[Shown, ...] = ()
    network: bool = False


def of_trial(
    trial: TrialRun, caller: Mapping[str, str], needed: tuple[Path, ...], *, network: bool
) -> Reach:
    """What a trial may reach; `needed` are the places of its environment."""
    own = folders(trial)
    together = _together(own)
    temporary = together / TEMPORARY if together is not None else None
    if temporary is not None:
        temporary.mkdir(exist_ok=True)
    # A record's variables are another machine's, and may name what is none of its business.
    given = {name: text for name, text in trial.env.items() if name not in trial.command.env}
    return Reach(
        writable=own if together is None else (together,),
        readable=(*needed, *programs(caller), *named_in(given), *alternates(trial.tree)),
        fixed=() if trial.tracking is None else (trial.tracking / "injected",),
        temporary=temporary,
        shown=trial.shown,
        network=network,
    )


def folders(trial: TrialRun) -> tuple[Path, ...]:
    """The folders that a trial may write."""
    found = (trial.tree, trial.home, trial.tracking, trial.trace)
    return tuple(path for path in found if path is not None)


def own(trial: TrialRun, needed: tuple[Path, ...]) -> Iterator[Path]:
    """All that is a trial's: its folders, its inputs, its environment, the history of its code."""
    yield from (*folders(trial), *needed, *alternates(trial.tree))
    yield trial.tree.parent / TEMPORARY
    for each in trial.shown:
        yield from (each.source, Path(each.target))


def _together(own: tuple[Path, ...]) -> Path | None:
    """The folder that holds a trial's folders and nothing else. Mounted as one, files can be
    renamed from TMPDIR into the tree, as everywhere else.
    """
    parent = own[0].parent
    names = {path.name for path in own} | {TEMPORARY}
    alone = all(path.parent == parent for path in own) and set(os.listdir(parent)) <= names  # noqa: PTH208
    return parent if alone else None


def refuse_cover(shown: Shown, own: tuple[Path, ...]) -> None:
    """Raises `RerunError` where what is to be shown would hide what the trial needs."""
    place = Path(shown.target)
    hidden = next((path for path in own if path.resolve().is_relative_to(place.resolve())), None)
    if hidden is not None:
        raise RerunError(
            f"showing an input at {place}: it would hide {hidden}, which the trial needs",
            "let seen_as name a deeper folder or a file, or verify in a container",
        )


def programs(caller: Mapping[str, str]) -> Iterator[Path]:
    """The folders of the caller's programs and libraries."""
    for name in ("PATH", "LD_LIBRARY_PATH"):
        yield from _paths(caller.get(name, ""))


def named_in(env: Mapping[str, str]) -> Iterator[Path]:
    """The files and folders that variables name."""
    for text in env.values():
        yield from _paths(text.removeprefix("file://"))


def _paths(text: str) -> Iterator[Path]:
    for part in text.split(":"):
        if part.startswith("/") and os.path.lexists(part):
            yield Path(part)


def interpreter(program: Path) -> tuple[Path, ...]:
    """A Python, by all its names, and the folder that it is installed in."""
    return program, program.resolve().parent.parent


def alternates(tree: Path) -> Iterator[Path]:
    """The folders of the objects that a clone shares with another repository, and these of theirs:
    at their own path, so that git works inside.
    """
    left, seen = [tree / ".git/objects"], set[Path]()
    while left:
        objects = left.pop()
        with contextlib.suppress(OSError):
            for line in (objects / "info/alternates").read_text().splitlines():
                other = (objects / line).resolve()
                if line and not line.startswith("#") and other.is_dir() and other not in seen:
                    seen.add(other)
                    left.append(other)
                    yield other
