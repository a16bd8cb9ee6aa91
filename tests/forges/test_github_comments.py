"""The one comment, whatever else is on the thread and whoever writes at the same time."""

from __future__ import annotations

from reprocheck.forges.base import Writing
from tests.forges.github_server import FakeGitHub
from tests.forges.hub import draft, hub


def test_a_comment_is_made_then_left_then_updated(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    forge = hub(github)

    first = forge.comment(pull.number, draft())
    again = forge.comment(pull.number, draft())
    changed = forge.comment(pull.number, draft("It does not.", run_id=8))

    assert [p.writing for p in (first, again, changed)] == [
        Writing.CREATED,
        Writing.UNCHANGED,
        Writing.UPDATED,
    ]
    assert first.id == again.id == changed.id
    assert [c.body for c in github.repository.comments] == [
        f"<!-- reprocheck:v1 key=ab12 head={pull.head_sha} run=8 attempt=1 -->\nIt does not."
    ]
    assert forge.previous(pull.number, "ab12") == "It does not."
