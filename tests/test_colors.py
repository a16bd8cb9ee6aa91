"""Colours and characters of streams."""

from __future__ import annotations

import pytest

from reprocheck.colors import wants_color
from reprocheck.plain_characters import encodable
from reprocheck.reporters.plots import LEGEND


@pytest.mark.parametrize(
    ("env", "terminal", "piped"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, True),
        ({"CLICOLOR": "0"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_the_variables_of_other_programs_are_heeded(env, terminal, piped):
    env = {"TERM": "xterm", **env}
    assert wants_color(env, is_terminal=True) is terminal
    assert wants_color(env, is_terminal=False) is piped


def test_what_an_encoding_lacks_becomes_something_like_it():
    assert encodable("✓ a", "utf-8") == "✓ a"
    assert encodable("✓ -1…2 ±3 café ☃", "ascii") == "+ -1..2 +-3 caf? ?"
    assert encodable("✗ ±3 café", "latin-1") == "x ±3 café"
    assert "?" not in encodable(f"{LEGEND} ├─●─┤·│◉", "ascii")
