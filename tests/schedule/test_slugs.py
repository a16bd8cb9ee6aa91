from __future__ import annotations

import re

import pytest

from reprocheck.schedule.slugs import slug


@pytest.mark.parametrize(
    "name",
    [
        "digits",
        "",
        "../../etc",
        "a" * 1_000_000,
        "$(id) `x` ${{ y }}",
        "Größe 日本",
        "\u202e\0",
        "--",
    ],
)
def test_a_slug_of_any_name_may_name_an_artifact(name: str):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}-[0-9a-f]{8}", slug(name, "0" * 32))


def test_slugs_are_the_same_each_time_and_differ_between_runs():
    assert slug("Größe A", "1") == slug("Größe A", "1") != slug("Größe A", "2")
    assert slug("Größe A", "1").startswith("groe-a-")


def test_a_slug_that_is_taken_is_not_given_again():
    first = slug("digits", "1")
    assert slug("digits", "1", [first]) != first
