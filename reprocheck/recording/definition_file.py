"""Requirement definition: what counts is fixed before the run, and recorded with it."""

from __future__ import annotations

import shlex
from pathlib import Path

from reprocheck.definition import parse_definition
from reprocheck.errors import ConfigError
from reprocheck.model import Origin, OriginKind, RecordedFile, Requirement
from reprocheck.recording.base import Lack, Situation, lack, quoted

FILE_NAME = "experiment.yaml"
VARIABLE = "REPROCHECK_DEFINITION"  # names another
_LARGEST = 1_000_000


def check(situation: Situation) -> tuple[Lack, ...]:
    """A lack where there is no definition, or none that counts."""
    path = _path(situation)
    (told,) = situation.told([path])
    if not path.is_file():
        return (
            lack(
                Requirement.DEFINITION,
                "no-definition",
                f"there is no {told}: nothing fixes before the run which metrics count",
                hint="write one, with the margins and thresholds that the result is held to",
                fix=f"reprocheck record --init {shlex.quote(told)}",
            ),
        )
    broken = _broken(path, told)
    if broken:
        return (
            lack(
                Requirement.DEFINITION,
                "bad-definition",
                f"the experiment definition does not count: {broken}",
                hint="mend that line; schemas/experiment.schema.json tells the keys",
            ),
        )
    return () if situation.is_known(path) else (_untracked(told),)


def _path(situation: Situation) -> Path:
    """The file that capture records."""
    cwd, root = situation.asked.cwd, situation.foreseen.root
    named = situation.asked.env.get(VARIABLE)
    if named:
        return cwd / named
    here = cwd / FILE_NAME
    return here if here.is_file() or root is None else root / FILE_NAME


def _broken(path: Path, told: str) -> str:
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        return f"{told} is larger than {_LARGEST // 1000} kB"
    origin = Origin(kind=OriginKind.FILE, where=told)
    try:
        definition = parse_definition(RecordedFile(path=told, content=content, origin=origin))
    except ConfigError as error:
        return error.message
    return "" if definition.primary else f"{told} names no primary metric"


def _untracked(told: str) -> Lack:
    return lack(
        Requirement.DEFINITION,
        "untracked-definition",
        f"git does not know {told}: nothing tells later that it was fixed before the run",
        hint="add it to a commit",
        fix=f"git add {quoted([told])} && git commit -m 'Fix what counts'",
    )
