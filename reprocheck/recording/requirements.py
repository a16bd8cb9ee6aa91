"""What a record has to have: the checks, and which of what is lacking refuses a run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping

from reprocheck.model import Requirement
from reprocheck.recording import data, definition_file, imports, packages, pushed, seed, tree
from reprocheck.recording.base import Asked, Lack, Situation, lack
from reprocheck.recording.programs import ignores_variables

CHECKS: Mapping[Requirement, Callable[[Situation], tuple[Lack, ...]]] = {
    Requirement.CLEAN_TREE: tree.check,
    Requirement.PUSHED_COMMIT: pushed.check,
    Requirement.TRACKED_IMPORTS: imports.check,
    Requirement.PINNED_ENVIRONMENT: packages.check,
    Requirement.DATA_HASH: data.check,
    Requirement.DEFINITION: definition_file.check,
    Requirement.SEED: seed.check,
}


def check(situation: Situation, silent: str = "") -> tuple[Lack, ...]:
    """All that the record would lack; `silent` says why the training's Python told nothing."""
    found = [*_capture(situation, silent)]
    for each in CHECKS.values():
        found += each(situation)
    return tuple(found)


def refused(lacks: Iterable[Lack], asked: Asked) -> tuple[Lack, ...]:
    """Those without which the command does not start: all of them under --strict, else what the
    config requires, if it is known to be lacking."""
    required = asked.config.record.require
    return tuple(
        each
        for each in lacks
        if asked.strict or (each.requirement in required and not each.unknown)
    )


def _capture(situation: Situation, silent: str) -> tuple[Lack, ...]:
    argv = situation.asked.argv
    if ignores_variables(argv):
        return (
            lack(
                None,
                "capture-off",
                "Python's options -I and -E keep capture from being switched on from outside",
                hint="leave them out, or install reprocheck-capture in the training's environment",
                fix=f"{shlex.quote(argv[0])} -m pip install reprocheck-capture",
            ),
        )
    if not silent:
        return ()
    return (
        lack(
            None,
            "capture-off",
            f"the training's Python does not answer, and may record nothing: {silent}",
            hint="capture needs Python 3.8 or later; activate the environment that trains",
        ),
    )
