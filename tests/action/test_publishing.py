"""Comments as they come about, against a fake GitHub that is as strict as the true one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import pytest

from reprocheck import publishing
from reprocheck.forges.base import Writing
from reprocheck.model import Check, CommentMode, Page, Verdict
from reprocheck.publishing import Wish
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.github_state import SHA
from tests.forges.hub import hub
from tests.test_checks import check_of

KEY = publishing.comment_key(".github/workflows/reprocheck-pr.yml", "")
GOOD = check_of(Verdict.IDENTICAL, head_sha=SHA)


def post(
    github: FakeGitHub,
    check: Check,
    page: Page,
    mode: CommentMode = CommentMode.ALWAYS,
    token: str = "writer",
) -> tuple[Writing | None, list[str]]:
    warnings: list[str] = []
    wish = Wish(key=KEY, mode=mode)
    posted = publishing.publish(check, page, hub(github, token), wish, warnings.append)
    return (posted.writing if posted else None), warnings


@pytest.fixture
def page(github: FakeGitHub) -> Page:
    pull = github.repository.add_pull()
    return Page(
        server="https://github.com",
        repository="octo/demo",
        number=pull.number,
        head_sha=SHA,
        head_repository="octo/demo",
        run_id=7,
    )


def bodies(github: FakeGitHub, page: Page) -> list[str]:
    assert page.number is not None
    return [comment.body for comment in github.repository.comments_of(page.number)]


def test_a_check_is_one_comment_that_is_kept_up_to_date(github: FakeGitHub, page: Page) -> None:
    assert post(github, GOOD, page) == (Writing.CREATED, [])
    assert post(github, GOOD, page) == (Writing.UNCHANGED, [])
    worse = check_of(Verdict.NOT_REPRODUCED, head_sha=SHA)
    assert post(github, worse, replace(page, run_id=8)) == (Writing.UPDATED, [])
    assert post(github, GOOD, page) == (Writing.OUTDATED, [])
    (body,) = bodies(github, page)
    assert "✗ NOT" in body


def test_comments_on_changes_are_left_while_the_verdicts_stay(
    github: FakeGitHub, page: Page
) -> None:
    mode = CommentMode.CHANGES
    later = replace(page, run_id=8)
    worse = check_of(Verdict.NOT_REPRODUCED, head_sha=SHA)
    lost = check_of(head_sha=SHA, codes=(2,))
    assert post(github, GOOD, page, mode)[0] is Writing.CREATED
    assert post(github, GOOD, later, mode)[0] is None
    assert post(github, lost, later, mode)[0] is Writing.UPDATED
    assert post(github, GOOD, later, mode)[0] is Writing.UPDATED
    assert post(github, worse, replace(page, run_id=9), mode)[0] is Writing.UPDATED


MODES: Mapping[str, set[CommentMode]] = {
    "identical": {CommentMode.ALWAYS, CommentMode.CHANGES},
    "failing": {CommentMode.ALWAYS, CommentMode.CHANGES, CommentMode.FAILURES},
    "nothing": set(),
    "waiting": {CommentMode.ALWAYS},
}
CHECKS = {
    "identical": GOOD,
    "failing": check_of(Verdict.NOT_REPRODUCED, head_sha=SHA),
    "nothing": check_of(head_sha=SHA),
    "waiting": check_of(head_sha=SHA, waiting="waiting for a maintainer's fetch"),
}


def test_modes_say_when_a_first_comment_is_made(github: FakeGitHub, page: Page) -> None:
    made: dict[str, set[CommentMode]] = {name: set() for name in CHECKS}
    for name, mode in itertools.product(CHECKS, CommentMode):
        own = replace(page, number=github.repository.add_pull().number)
        writing, warnings = post(github, CHECKS[name], own, mode)
        made[name] |= {mode} if writing is Writing.CREATED else set()
        assert not warnings
    assert made == MODES


def test_a_comment_that_is_there_is_brought_up_to_date(github: FakeGitHub, page: Page) -> None:
    post(github, CHECKS["failing"], page)
    newer = replace(page, run_id=8)
    assert post(github, GOOD, newer, CommentMode.FAILURES) == (Writing.UPDATED, [])
    assert post(github, CHECKS["failing"], newer, CommentMode.OFF) == (None, [])


def test_what_cannot_be_read_leaves_the_older_result_below(github: FakeGitHub, page: Page) -> None:
    post(github, GOOD, page)
    (older,) = bodies(github, page)
    lost = check_of(codes=(3,), head_sha=SHA)
    broken = replace(lost, problems=(replace(lost.problems[0], message="it | <b>expired</b> @me"),))
    for run_id in (8, 9):  # twice: a notice replaces the one before
        assert post(github, broken, replace(page, run_id=run_id))[0] is Writing.UPDATED
        (body,) = bodies(github, page)
        assert body.endswith(older.partition("\n")[2])
        assert body.count("[!WARNING]") == 1
        assert "<b>" not in body.replace(older, "")
    assert post(github, GOOD, replace(page, run_id=10))[0] is Writing.UPDATED
    assert "[!WARNING]" not in bodies(github, page)[0]


@pytest.mark.parametrize("token", ["reader", "none"])
def test_a_token_without_the_scope_is_one_warning_that_names_it(
    github: FakeGitHub, page: Page, token: str
) -> None:
    github.token("none", contents="read")
    writing, (warning,) = post(github, GOOD, page, token=token)
    assert writing is None
    assert "pull-requests: " in warning
    assert "\n" not in warning


def test_a_forge_that_fails_is_one_warning(github: FakeGitHub, page: Page) -> None:
    github.faults.append(Fault(method="POST", path="/comments", times=99, status=502))
    writing, warnings = post(github, GOOD, page)
    assert (writing, len(warnings)) == (None, 1)
    assert warnings[0].startswith("commenting failed: ")


def test_without_a_pull_request_nothing_is_asked(github: FakeGitHub, page: Page) -> None:
    assert post(github, GOOD, replace(page, number=None)) == (None, [])
    assert not github.seen


def test_keys_tell_workflows_and_names_apart() -> None:
    keys = {publishing.comment_key(*named) for named in (("a", ""), ("a", "b"), ("ab", ""))}
    assert len(keys) == 3
    assert all(len(key) == 16 and int(key, 16) for key in keys)
