"""Requirement data-hash: a digest is known of all data, and the files here have it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files
from reprocheck.errors import SourceError
from reprocheck.model import Material, Origin, OriginKind, Requirement
from reprocheck.numbers import counted
from reprocheck.recording.base import Lack, Situation, lack, listed, not_known
from reprocheck.recording.data_files import Named, named_data

_BUDGET = 4_000_000_000  # bytes that are read before a training starts: some seconds
_MOST_FILES = 100_000
_LENGTHS = {32: "md5", 64: "sha256"}


@dataclass(slots=True)
class _Reading:
    """How much may still be read."""

    left: int  # bytes


def check(situation: Situation) -> tuple[Lack, ...]:
    """Lacks for files that are not as DVC's or the config's digest says, and for data without."""
    known = [*_of_dvc(situation), *_of_config(situation)]
    reading = _Reading(left=_BUDGET)
    differing, unread = [], []
    for each in known:
        same = _is_same(each, situation, reading)
        if same is None:
            unread.append(each)
        elif not same:
            differing.append(each)
    loose = _unhashed(situation, known)
    return (
        *([_differs(situation, differing)] if differing else []),
        *([_loose(situation, loose)] if loose else []),
        *([_unread(unread)] if unread else []),
    )


def _of_dvc(situation: Situation) -> Iterator[Material]:
    """What DVC's files name and git does not have; of a lock, where the command is not DVC's."""
    root = situation.foreseen.root
    if root is None:
        return
    is_dvc = Path(situation.asked.argv[0]).name == "dvc"
    for name in sorted({*situation.tracked, *situation.foreseen.kept}):
        is_lock = PurePosixPath(name).name == "dvc.lock"
        if not (name.endswith(".dvc") or (is_lock and not is_dvc)) or not (root / name).is_file():
            continue
        content = (root / name).read_bytes()
        with contextlib.suppress(SourceError):  # a verification tells it
            if is_lock:
                inputs = dvc_files.lock_inputs(content, name, root)
                yield from (each for each in inputs if not _is_tracked(each.path, situation))
            else:
                yield from dvc_files.pointers(content, name)


def _is_tracked(path: str, situation: Situation) -> bool:
    return path in situation.tracked or any(
        each.startswith(f"{path}/") for each in situation.tracked
    )


def _of_config(situation: Situation) -> Iterator[Material]:
    """The entries of `data` with a literal digest."""
    for rule in situation.asked.config.data:
        digest = rule.digest or ""
        if not rule.path or "{" in digest or len(digest) not in _LENGTHS:
            continue
        yield Material(
            path=rule.path,
            algorithm=rule.algorithm or _LENGTHS[len(digest)],
            digest=digest.lower(),
            size=None,
            files=None,
            origin=Origin(kind=OriginKind.CONFIG, where=rule.place),
        )


def _is_same(item: Material, situation: Situation, reading: _Reading) -> bool | None:
    """None: not found out. What is not here was not read, and differs from nothing."""
    path = _place(item, situation)
    if not path.exists():
        return True
    if not item.digest or not (path.is_file() or path.is_dir()) or _is_large(item):
        return None
    size = _size(path)
    plain = path.is_file() and "dos2unix" not in item.algorithm
    if plain and item.size is not None and size != item.size:
        return False
    if size > reading.left:
        return None
    reading.left -= size
    try:
        same = _digest(path, item.algorithm) == item.digest
    except (OSError, ValueError):
        return None
    # A folder's digest is of what .dvcignore leaves of it.
    ignores = path.is_dir() and ".dvcignore" in situation.tracked
    return same if same or not ignores else None


def _is_large(item: Material) -> bool:
    return isinstance(item.files, int) and item.files > _MOST_FILES


def _place(item: Material, situation: Situation) -> Path:
    return (situation.foreseen.root or situation.asked.cwd) / item.path


def _files(folder: Path) -> Iterator[Path]:
    # Links count: DVC may put one in each file's place.
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", ".dvc")]
        yield from (Path(top) / name for name in names)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in _files(path) if each.is_file())


def _digest(path: Path, algorithm: str) -> str:
    if path.is_dir():
        inside = {
            each.relative_to(path).as_posix(): dvc_files.digest_of(each, algorithm)
            for each in _files(path)
        }
        return dvc_files.directory_digest(inside)
    if algorithm.startswith("md5"):
        return dvc_files.digest_of(path, algorithm)
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _unhashed(situation: Situation, known: Sequence[Material]) -> list[Named]:
    """Data that the command names and nothing has a digest of."""
    config, cwd = situation.asked.config, situation.asked.cwd
    root = situation.foreseen.root or cwd
    hashed = [root / item.path for item in known if item.digest]
    hashed += [root / rule.path for rule in config.data if rule.path and _has_digest(rule)]
    seen = {rule.seen_as for rule in config.data}
    urls = {rule.url for rule in config.data}
    found = []
    for each in named_data(situation):
        path = each.path(cwd)
        if each.value in urls or str(path) in seen or situation.is_known(path):
            continue
        name = situation.inside(path)
        if name is not None and _is_tracked(name, situation):
            continue
        if not any(path.is_relative_to(other) or other.is_relative_to(path) for other in hashed):
            found.append(each)
    return found


def _has_digest(rule: object) -> bool:
    names = ("digest", "manifest", "revision", "remote")
    return any(getattr(rule, name) for name in names)


def _differs(situation: Situation, items: Sequence[Material]) -> Lack:
    by_dvc = [item for item in items if item.origin.kind is not OriginKind.CONFIG]
    paths = shlex.join(situation.told(_place(item, situation) for item in by_dvc or items))
    where = (item.origin.where.removesuffix(" at the commit") for item in items)
    told = (f"{item.path} (by {place})" for item, place in zip(items, where, strict=True))
    return lack(
        Requirement.DATA_HASH,
        "changed-data",
        f"{counted(len(items), 'input')} with another content than recorded: {listed(told)}",
        hint="record the new content, or restore the old one with `dvc checkout`"
        if by_dvc
        else "put the new digest into the config's `data`, or restore the file",
        fix=f"dvc commit -f -- {paths} && dvc push && git commit -am 'New data'"
        if by_dvc
        else f"sha256sum -- {paths}",
    )


def _loose(situation: Situation, found: Sequence[Named]) -> Lack:
    told = listed(f"{each.value} ({each.by})" for each in found)
    local = [each for each in found if not each.is_address]
    inside = [each for each in local if situation.inside(each.path(situation.asked.cwd))]
    if inside:
        names = shlex.join(each.value for each in inside)
        fix = f"dvc add -- {names} && dvc push"
    elif local:
        (first, *_) = local
        fix = f"sha256sum -- {shlex.quote(first.value)}"
    else:
        fix = ""
    return lack(
        Requirement.DATA_HASH,
        "unhashed-data",
        f"nothing has a digest of {counted(len(found), 'input')}: {told}",
        hint="let DVC track it, name it with its digest under `data` in reprocheck.yaml, or call "
        "reprocheck_capture.log_provenance(datasets=[…])",
        fix=fix,
    )


def _unread(items: Sequence[Material]) -> Lack:
    return not_known(
        Requirement.DATA_HASH,
        "unread-data",
        f"{counted(len(items), 'input')} not compared with its recorded digest: "
        f"{listed(item.path for item in items)}",
        "it is too much to read before a training, or its digest is of another kind",
        "dvc status",
    )
