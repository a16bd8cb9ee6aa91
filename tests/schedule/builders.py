"""Verifications and reports of the schedule's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reprocheck.exit_codes import EXIT_CODES
from reprocheck.model import Stage, Verdict, Verification

DAY = datetime(2026, 1, 1, 6, 17, tzinfo=UTC)
LETTERS = {
    "✓": Verdict.REPRODUCED,
    "≈": Verdict.CONSISTENT,
    "?": Verdict.INCONCLUSIVE,
    "c": Verdict.NOT_COMPARABLE,
    "✗": Verdict.NOT_REPRODUCED,
    "!": Verdict.NOT_VERIFIED,
}


def verification(letter: str, day: int = 0, subject: str = "a" * 64) -> Verification:
    verdict = LETTERS[letter]
    return Verification(
        at=DAY + timedelta(days=day),
        verdict=verdict,
        failed_stage=Stage.REBUILD if verdict is Verdict.NOT_VERIFIED else None,
        subject=subject,
        exit_code=EXIT_CODES[verdict],
        means={"accuracy": 0.9 + day / 100},
    )


def history(letters: str, subject: str = "a" * 64) -> tuple[Verification, ...]:
    """One each day, the first on `DAY`."""
    return tuple(verification(letter, day, subject) for day, letter in enumerate(letters))
