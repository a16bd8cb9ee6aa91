from __future__ import annotations

import pytest

from reprocheck.checks import in_order
from reprocheck.model import Standing
from reprocheck.schedule.standing import since, standing
from tests.schedule.builders import DAY, history, verification


@pytest.mark.parametrize(
    ("letters", "expected", "day"),
    [
        ("✓", Standing.HOLDS, 0),
        ("✓✓≈", Standing.HOLDS, 0),
        ("✓✗", Standing.UNCONFIRMED, 1),
        ("✓✗✗", Standing.STOPPED, 1),
        ("✓✗!?c✗", Standing.STOPPED, 1),  # what decided nothing clears nothing
        ("✓✗✗!!", Standing.STOPPED, 1),
        ("✓✗✓", Standing.HOLDS, 2),
        ("✓✗✓✗", Standing.UNCONFIRMED, 3),
        ("✗", Standing.NEVER, 0),
        ("!✗✗✗", Standing.NEVER, 1),
        ("✗✗✓✗✗", Standing.STOPPED, 3),
        ("✓!!!", Standing.HOLDS, 0),
        ("✓?", Standing.HOLDS, 0),
        ("!?c", Standing.UNDECIDED, 0),
    ],
)
def test_what_verifications_say_together(letters: str, expected: Standing, day: int):
    told = history(letters)
    assert standing(told) is expected
    assert since(told) == verification("✓", day).at


def test_what_was_changed_in_between_is_confirmed_by_itself():
    good, first, second = verification("✓"), verification("✗", 1), verification("✗", 2, "b" * 64)
    assert standing([good, first, second]) is Standing.UNCONFIRMED
    assert standing([good, first, second, verification("✗", 3, "b" * 64)]) is Standing.STOPPED


def test_an_unknown_subject_confirms_nothing():
    told = [verification("✓"), verification("✗", 1, ""), verification("✗", 2, "")]
    assert standing(told) is Standing.UNCONFIRMED


def test_a_second_copy_of_a_report_confirms_nothing():
    good, bad = verification("✓"), verification("✗", 1)
    told = in_order([bad, good, bad])
    assert told == (good, bad)
    assert standing(told) is Standing.UNCONFIRMED
    assert told[0].at == DAY
