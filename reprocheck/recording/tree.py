"""Requirement clean-tree: the code is the commit's, or the record has the difference."""

from __future__ import annotations

import os

from reprocheck.model import Requirement
from reprocheck.numbers import counted
from reprocheck.recording.base import Lack, Situation, lack, listed, no_repository

COMMIT = "git add -A && git commit -m 'What is trained'"


def check(situation: Situation) -> tuple[Lack, ...]:
    """A lack where there are changes, but for those that --allow-patch lets the record hold."""
    foreseen = situation.foreseen
    if foreseen.root is None or not foreseen.commit:
        return no_repository(Requirement.CLEAN_TREE, situation)
    if not foreseen.dirty:
        return ()
    if situation.asked.allow_patch:
        return _incomplete(situation)
    names = [*_changed(situation), *sorted(foreseen.kept), *foreseen.listed]
    return (
        lack(
            Requirement.CLEAN_TREE,
            "dirty-tree",
            f"{counted(len(names), 'file')} changed since the commit: {listed(names)}",
            hint="commit what is trained; --allow-patch takes the recorded patch for it",
            fix=COMMIT,
        ),
    )


def _changed(situation: Situation) -> list[str]:
    told = situation.git("diff", "--name-only", "-z", "HEAD", trusting=True, check=False).stdout
    return [os.fsdecode(path) for path in told.split(b"\0") if path]


def _incomplete(situation: Situation) -> tuple[Lack, ...]:
    foreseen = situation.foreseen
    names = ("patch", "untracked")
    why = [foreseen.missing[name] for name in names if name in foreseen.missing]
    if foreseen.whole and not foreseen.listed:
        return ()
    told = f"; not kept: {listed(foreseen.listed)}" if foreseen.listed else ""
    return (
        lack(
            Requirement.CLEAN_TREE,
            "incomplete-patch",
            f"the patch would lack something ({'; '.join(why) or 'too large, or secret'}){told}",
            hint="commit it, or let git ignore what the training does not read",
            fix=COMMIT,
        ),
    )
