"""Requirement tracked-imports: the record has every module that the scripts import."""

from __future__ import annotations

from collections.abc import Sequence

from reprocheck.model import Requirement
from reprocheck.numbers import counted
from reprocheck.recording.base import (
    Lack,
    Situation,
    Source,
    lack,
    listed,
    no_repository,
    not_known,
    quoted,
)


def check(situation: Situation) -> tuple[Lack, ...]:
    """A lack for modules that git does not know, and one for those outside of the repository."""
    foreseen = situation.foreseen
    if foreseen.root is None:
        return no_repository(Requirement.TRACKED_IMPORTS, situation)
    if not situation.sources:
        return (_nothing_read(),)
    every = (*situation.sources, *situation.modules)
    unknown = [each for each in every if not _is_recorded(each, situation)]
    inside = [each for each in unknown if situation.inside(each.path) is not None]
    outside = [each for each in unknown if situation.inside(each.path) is None]
    found = [_untracked(situation, inside)] if inside else []
    return (*found, *([_outside(situation, outside)] if outside else []))


def _is_recorded(source: Source, situation: Situation) -> bool:
    """What the project's own build makes is made again where the project is installed."""
    is_built = source.path.suffix == ".so" or source.path.name == "_version.py"
    is_installed = any(line.startswith("-e .") for line in situation.foreseen.freeze)
    return situation.is_known(source.path) or (is_built and is_installed)


def _nothing_read() -> Lack:
    return not_known(
        Requirement.TRACKED_IMPORTS,
        "unread-code",
        "the command names no script of Python that is here, so its imports are not known",
        "start the training by its script, or see yourself that git knows what it imports",
        "git status --short --ignored",
    )


def _untracked(situation: Situation, unknown: Sequence[Source]) -> Lack:
    paths = situation.told(each.path for each in unknown)
    ignored = [each for each in unknown if situation.inside(each.path) not in _stored(situation)]
    return lack(
        Requirement.TRACKED_IMPORTS,
        "untracked-import",
        f"git does not know {counted(len(unknown), 'file')} that the command runs or imports: "
        f"{listed(_with_importer(situation, unknown))}",
        hint="add them to a commit"
        if ignored
        else "add them to a commit; --allow-patch stores them with the run",
        fix=f"git add {'-f ' if ignored else ''}{quoted(paths)} && git commit -m 'Add modules'",
    )


def _stored(situation: Situation) -> frozenset[str]:
    return situation.foreseen.kept


def _outside(situation: Situation, unknown: Sequence[Source]) -> Lack:
    paths = situation.told(each.path for each in unknown)
    return lack(
        Requirement.TRACKED_IMPORTS,
        "outside-import",
        f"the command runs or imports {counted(len(unknown), 'file')} outside of its repository: "
        f"{listed(_with_importer(situation, unknown))}",
        hint="put them into the repository, or install them as a package",
        fix=f"cp {quoted([*paths, '.'])} && git add -A && git commit -m 'Add modules'",
    )


def _with_importer(situation: Situation, sources: Sequence[Source]) -> list[str]:
    told = []
    for each in sources:
        (path,) = situation.told([each.path])
        by = f" (imported by {situation.told([each.importer])[0]})" if each.importer else ""
        told.append(path + by)
    return told
