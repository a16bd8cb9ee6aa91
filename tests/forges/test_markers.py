"""The hidden first line of a comment."""

from __future__ import annotations

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.base import Draft
from reprocheck.forges.markers import Mark, mark_of, text_for, unmarked
from tests.forges.github_state import SHA
from tests.forges.hub import draft


def test_a_mark_is_read_back() -> None:
    text = text_for(draft("Body", attempt=3), SHA)

    assert mark_of(text) == Mark(key="ab12", head_sha=SHA, run_id=7, attempt=3)
    assert unmarked(text) == "Body"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Body",
        f" <!-- reprocheck:v1 key=ab head={SHA} run=1 attempt=1 -->",
        f"<!-- reprocheck:v2 key=ab head={SHA} run=1 attempt=1 -->",
        f"<!-- reprocheck:v1 key=ab head={SHA} run=1 attempt=1 --> more",
        f"<!-- reprocheck:v1 key=ab head={SHA} run={'9' * 21} attempt=1 -->",
        f"<!-- reprocheck:v1 key=ab head={SHA} run=1 attempt=-1 -->",
    ],
)
def test_other_beginnings_are_no_marks(body: str) -> None:
    assert mark_of(body) is None
    assert unmarked(body) == body


@pytest.mark.parametrize(
    ("key", "head_sha"), [("ab -->", SHA), ("", SHA), ("AB", SHA), ("ab", "main"), ("ab", "-->")]
)
def test_nothing_ends_the_hidden_line_early(key: str, head_sha: str) -> None:
    with pytest.raises(ForgeError, match="hexadecimal"):
        text_for(Draft(key=key, body="", head_sha=head_sha, run_id=1, attempt=1), SHA)
