"""What a setup made: found after it has run, and carried into each trial's tree and HOME."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprocheck.environments import cache, local
from reprocheck.environments.base import TrialRun

_TEXT = 4_000_000  # bytes: larger files are no scripts, and are not searched for paths


def made_in(tree: Path, original: Path) -> list[str]:
    """Files that the setup added or changed."""
    names = names_below(tree, tree)
    return sorted(name for name in names if not _same(tree / name, original / name))


def names_below(folder: Path, start: Path) -> list[str]:
    """All files below a folder, by their paths from another."""
    return sorted(os.path.relpath(path, start) for path in local.files(folder))


def _same(path: Path, other: Path) -> bool:
    if not os.path.lexists(other) or path.is_symlink() != other.is_symlink():
        return False
    if path.is_symlink():
        return path.readlink() == other.readlink()
    return path.stat().st_mode == other.stat().st_mode and path.read_bytes() == other.read_bytes()


def naming(folder: Path, names: list[str]) -> list[str]:
    """The text files that hold a path of the setup's folder."""
    sign = str(folder).encode()
    return [name for name in names if _is_small(folder / name) and _names(folder / name, sign)]


def _is_small(path: Path) -> bool:
    return not path.is_symlink() and path.suffix != ".pyc" and path.stat().st_size <= _TEXT


def _names(path: Path, sign: bytes) -> bool:
    content = path.read_bytes()
    return sign in content and b"\0" not in content


def fingerprint(folder: Path) -> str:
    """Changes when what a setup left is written to."""
    return cache.digest(*(cache.fingerprint(folder / name) for name in ("tree", "home")))


def carry(kept: Path, state: Mapping[str, Any], trial: TrialRun) -> None:
    """Copies what a setup made into a trial's tree and HOME, with their paths in its text files."""
    # A trial's tree may hold other content under the same name: an input, restored since.
    rewritten = set(state["rewritten"])
    moved = {
        str(kept / "tree"): str(trial.tree.resolve()),
        str(kept / "home"): str(trial.home.resolve()),
    }
    for name in (*(f"tree/{each}" for each in state["made"]), *names_below(kept / "home", kept)):
        place, _, below = name.partition("/")
        target = (trial.tree if place == "tree" else trial.home) / below
        _put(kept / name, target, moved, name in rewritten)


def _put(source: Path, target: Path, moved: Mapping[str, str], rewritten: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if source.is_symlink():
        target.symlink_to(_replaced(str(source.readlink()).encode(), moved).decode())
        return
    shutil.copy2(source, target)
    if rewritten:
        target.write_bytes(_replaced(source.read_bytes(), moved))


def _replaced(content: bytes, moved: Mapping[str, str]) -> bytes:
    for old, new in moved.items():
        content = content.replace(old.encode(), new.encode())
    return content
