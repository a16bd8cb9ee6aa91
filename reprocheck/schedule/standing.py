"""What the kept verifications of one run say together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from reprocheck.exit_codes import EXIT_CODES
from reprocheck.model import Standing, Verdict, Verification


def reproduced(verification: Verification) -> bool:
    """Whether it found that the run reproduces."""
    return EXIT_CODES[verification.verdict] == 0


def measured(verification: Verification) -> bool:
    """Whether it came to an answer: a stage that could not do its work is none."""
    return verification.verdict is not Verdict.NOT_VERIFIED


def standing(history: Sequence[Verification]) -> Standing:
    """What verifications in order say.

    What decided nothing (NOT_VERIFIED, NOT_COMPARABLE, INCONCLUSIVE) neither confirms nor clears.
    """
    decisive = _decisive(history)
    if not decisive:
        return Standing.UNDECIDED
    streak = _streak(decisive)
    if reproduced(streak[0]):
        return Standing.HOLDS
    if len(streak) == len(decisive):
        return Standing.NEVER
    return Standing.STOPPED if _confirmed(streak) else Standing.UNCONFIRMED


def since(history: Sequence[Verification]) -> datetime:
    """When what verifications in order say began; there is at least one."""
    decisive = _decisive(history)
    return _streak(decisive)[0].at if decisive else history[0].at


def _decisive(history: Sequence[Verification]) -> list[Verification]:
    return [each for each in history if reproduced(each) or each.verdict is Verdict.NOT_REPRODUCED]


def _streak(decisive: Sequence[Verification]) -> Sequence[Verification]:
    """The newest ones that all say the same."""
    now = reproduced(decisive[-1])
    first = len(decisive)
    while first and reproduced(decisive[first - 1]) is now:
        first -= 1
    return decisive[first:]


def _confirmed(streak: Sequence[Verification]) -> bool:
    """Whether one after the other found the same of the same: of what was changed in between, the
    later one is a first sight."""
    return any(a.subject == b.subject != "" for a, b in pairwise(streak))
