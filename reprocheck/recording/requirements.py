"""What a record has to have: the checks, and which of what is lacking refuses a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reprocheck.model import Requirement
from reprocheck.recording import data, definition_file, imports, packages, pushed, seed, tree
from reprocheck.recording.base import Asked, Lack, Situation, lack

CHECKS: Mapping[Requirement, Callable[[Situation], tuple[Lack, ...]]] = {
    Requirement.CLEAN_TREE: tree.check,
    Requirement.PUSHED_COMMIT: pushed.check,
    Requirement.TRACKED_IMPORTS: imports.check,
    Requirement.PINNED_ENVIRONMENT: packages.check,
    Requirement.DATA_HASH: data.check,
    Requirement.DEFINITION: definition_file.check,
    Requirement.SEED: seed.check,
}


def check(situation: Situation) -> tuple[Lack, ...]:
    """All that the record would lack."""
    found = [*_capture(situation)]
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


def _capture(situation: Situation) -> tuple[Lack, ...]:
    if not situation.capture_off:
        return ()
    return (
        lack(
            None,
            "capture-off",
            f"capture cannot be switched on, so that the run may have no record: "
            f"{situation.capture_off}",
            hint="install reprocheck-capture where the training runs, or call `reprocheck record` "
            "there; it needs Python 3.8 or later",
            fix="python -m pip install reprocheck-capture",
        ),
    )
