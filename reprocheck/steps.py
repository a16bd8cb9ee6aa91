"""Runs of several steps: where a rerun starts, and what it then takes as given.

From the first step, nothing that a step makes is restored or left from the commit: that proves the
work. From a later one, what the steps before it made is restored, at digests that something proves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck import dvc_files
from reprocheck.command import CommandFound, PipelineStep
from reprocheck.dvc_pipeline import LOCK, overlaps
from reprocheck.errors import SourceError, UsageError
from reprocheck.model import (
    Command,
    Finding,
    Given,
    Material,
    MaterialPlace,
    OriginKind,
    Scope,
    Severity,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """The inputs that are restored for the steps that are rerun."""

    materials: tuple[Material, ...]
    scope: Scope | None  # None: a run of one step
    findings: tuple[Finding, ...]


def begin_at(found: CommandFound, start: str | None) -> CommandFound:
    """The command from a step on; `start` names it, or the foreach or matrix that it is of.

    Raises `UsageError` that lists the steps where there is none of that name.
    """
    if start is None:
        return found
    names = [part.name for part in found.parts]
    index = next((i for i, name in enumerate(names) if start in _names(name)), None)
    if index is None:
        steps = f"its steps are: {', '.join(names)}" if names else _alone(found)
        raise UsageError(f"--from {start}: the run has no such step ({found.origin.where})", steps)
    left = found.parts[index:]
    return dataclasses.replace(
        found,
        command=Command(
            steps=tuple(step for part in left for step in part.steps), env=found.command.env
        ),
        made=frozenset(path for part in left for path in part.makes or ()),
        parts=left,
        skipped=(*found.skipped, *found.parts[:index]),
    )


def _names(name: str) -> set[str]:
    short = name.rpartition(":")[2]
    return {name, short, short.partition("@")[0]}


def _alone(found: CommandFound) -> str:
    return (
        f"it is one command, and what that makes on its way is not recorded ({found.origin.where});"
        " write its steps as a list under command in reprocheck.yaml, each with a name and outs, "
        "and what they make under data, with its hash"
    )


def settle(found: CommandFound, materials: Sequence[Material], tree: Path) -> Settled:
    """The inputs, of those chosen, that the steps to rerun start from.

    Raises `SourceError` for something that a skipped step makes and nothing proves.
    """
    kept = [
        item
        for item in materials
        if item.place is not MaterialPlace.TREE
        or not (_is_made(item.path, found.parts) or _is_for_others(item, found))
    ]
    given = tuple(_given(found, kept, tree))
    known = {item.path for item in kept}
    added = [item for _, item in given if item is not None and item.path not in known]
    several = len(found.parts) + len(found.skipped) > 1
    scope = Scope(
        rerun=tuple(part.name for part in found.parts),
        skipped=tuple(part.name for part in found.skipped),
        given=tuple(each for each, _ in given),
    )
    return Settled(
        materials=(*kept, *added),
        scope=scope if several else None,
        findings=(*_anew(materials, found), *_later(scope)),
    )


def _is_made(path: str, parts: Sequence[PipelineStep]) -> bool:
    made = (out for part in parts for out in part.makes or ())
    return any(path == out or path.startswith(f"{out}/") for out in made)


def _is_for_others(item: Material, found: CommandFound) -> bool:
    """Whether only steps that are not run read it: it need not be there any more."""
    if any(part.reads is None for part in found.parts) or _reads(item.path, found.parts):
        return False
    if item.path.startswith("/") or item.seen_as:  # outside of the tree, so no step's for sure
        return False
    of_lock = item.origin.kind is OriginKind.FILE and LOCK in item.origin.where
    made = any(overlaps(item.path, out) for part in found.skipped for out in part.makes or ())
    return bool(found.parts) and not made and (of_lock or _reads(item.path, found.skipped))


def _reads(path: str, parts: Sequence[PipelineStep]) -> bool:
    return any(overlaps(path, dep) for part in parts for dep in part.reads or ())


def _given(
    found: CommandFound, materials: Sequence[Material], tree: Path
) -> Iterator[tuple[Given, Material | None]]:
    """What the skipped steps made and the others read, with what is restored for it."""
    for part in found.skipped:
        if part.makes is None:
            raise _undeclared(part)
        for path in sorted(part.makes):
            if any(other.reads is None for other in found.parts) or _reads(path, found.parts):
                yield from _proved(path, part, materials, tree)


def _proved(
    path: str, part: PipelineStep, materials: Sequence[Material], tree: Path
) -> Iterator[tuple[Given, Material | None]]:
    """What is at a path that a skipped step makes.

    Its digest is that of the config or the record where one of them names it, else of dvc.lock.
    """
    here = [item for item in materials if item.place is MaterialPlace.TREE]
    strong = [item for item in here if item.digest and not item.weak]
    whole = [item for item in strong if path == item.path or path.startswith(f"{item.path}/")]
    inside = [item for item in strong if item.path.startswith(f"{path}/")]
    for item in whole or inside:
        yield _as_given(item, part), item
    if whole or inside:
        return
    proof = part.proofs.get(path)
    why = part.unproved or ("" if proof else "nothing names its digest")
    if proof is None or why:
        raise _unproved(path, part, why)
    committed = tree / path
    if committed.is_file() and not committed.is_symlink():  # git has it, and DVC's remote not
        if dvc_files.digest_of(committed, proof.algorithm) != proof.digest:
            raise _unproved(path, part, f"the commit has another than {LOCK}")
        yield _as_given(proof, part), None
    else:
        yield _as_given(proof, part), proof


def _as_given(item: Material, part: PipelineStep) -> Given:
    return Given(path=item.path, digest=item.digest, made_by=part.name)


def _undeclared(part: PipelineStep) -> SourceError:
    return SourceError(
        f"starting later than at '{part.name}': nothing says what that step makes, and so what "
        "has to be restored in its place",
        f"name it in reprocheck.yaml: command: [{{name: {part.name}, run: ..., outs: [PATH]}}], "
        "and under data: {path: PATH, hash: ...}; or start at the first step",
    )


def _unproved(path: str, part: PipelineStep, why: str) -> SourceError:
    return SourceError(
        f"starting later than at '{part.name}': it makes {path}, and nothing proves what the run "
        f"had there: {why}",
        f"name it under data in reprocheck.yaml with its hash: {{path: {path}, hash: ...}}; log "
        f"{LOCK} with the run; or start at the first step",
    )


def _anew(materials: Sequence[Material], found: CommandFound) -> Iterator[Finding]:
    for item in materials:
        if item.place is MaterialPlace.TREE and _is_made(item.path, found.parts):
            yield Finding(
                code="made-anew",
                severity=Severity.NOTE,
                message=f"{item.path} is named as an input ({item.origin.where}), but a step makes "
                "it: it is not restored",
                hint="",
                pointer="/data",
            )


def _later(scope: Scope) -> Iterator[Finding]:
    if scope.skipped:
        paths = ", ".join(each.path for each in scope.given) or "nothing that they made"
        yield Finding(
            code="started-later",
            severity=Severity.NOTE,
            message=f"the verdict is about {', '.join(scope.rerun)}, given {paths} as the run had "
            f"it: {', '.join(scope.skipped)} did not run",
            hint="",
            pointer="/command",
        )
