import math

import pytest

from reprocheck.durations import format_duration, parse_duration
from reprocheck.errors import UsageError


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (-1.0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3599.6, "1 h"),
        (3_900, "1 h 05 min"),
        (100_000, "27 h 47 min"),
        (math.nan, "unknown"),
        (math.inf, "unknown"),
    ],
)
def test_a_duration_is_said_as_one_says_it(seconds, words):
    assert format_duration(seconds) == words


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("0.5h", 1800)]
)
def test_a_duration_is_read_in_its_units(text, seconds):
    assert parse_duration(text, "--timeout") == seconds


@pytest.mark.parametrize("text", ["", "h", "4hh", "-3s", "0", "1x", "1h 30m", "nan", "m30"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match=r"--timeout: '.*' is no duration"):
        parse_duration(text, "--timeout")
