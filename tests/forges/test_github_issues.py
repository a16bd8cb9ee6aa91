"""The rolling issue: opened, updated, closed, opened again; and what humans do with it."""

from __future__ import annotations

import threading

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.base import Posted, Writing
from reprocheck.forges.github_nouns import Wanted
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.github_state import ACTIONS, Issue
from tests.forges.hub import hub


def roll(
    github: FakeGitHub, wanted: Wanted, body: str = "Two runs.", **about: str
) -> Posted | None:
    return hub(github, about.get("token", "writer")).rolling_issue(
        key="ab12",
        title=about.get("title", "Runs stopped reproducing"),
        body=body,
        labels=("reproducibility",),
        wanted=wanted,
    )


def only(github: FakeGitHub) -> Issue:
    (issue,) = github.repository.issues.values()
    return issue


@pytest.mark.parametrize("graphql", [True, False])
def test_an_issue_lives(github: FakeGitHub, graphql: bool) -> None:
    github.graphql_works = graphql
    github.repository.add_issue("Somebody's", "<!-- reprocheck:v1 issue=ab12 state=open -->\n")
    somebody_s = github.repository.issues.pop(1)
    states = []
    for wanted in (Wanted.CLOSED, Wanted.OPEN, Wanted.OPEN, Wanted.CLOSED, Wanted.OPEN):
        posted = roll(github, wanted)
        states.append(posted and (posted.writing, only(github).state))

    assert states == [
        None,
        (Writing.CREATED, "open"),
        (Writing.UNCHANGED, "open"),
        (Writing.UPDATED, "closed"),
        (Writing.UPDATED, "open"),
    ]
    assert only(github).labels == ("reproducibility",)
    assert somebody_s.state == "open"


def test_another_s_issue_is_not_ours(github: FakeGitHub) -> None:
    theirs = github.repository.add_issue("x", "<!-- reprocheck:v1 issue=ab12 state=open -->\nx")

    assert roll(github, Wanted.CLOSED) is None
    assert theirs.state == "open"


@pytest.mark.parametrize("graphql", [True, False])
def test_it_is_found_behind_hundreds_of_others(github: FakeGitHub, graphql: bool) -> None:
    github.graphql_works = graphql
    for n in range(120):
        github.repository.add_issue(f"Issue {n}", "Text", ACTIONS)
    roll(github, Wanted.OPEN)

    posted = roll(github, Wanted.OPEN, "Three runs.")

    assert posted is not None
    assert posted.writing is Writing.UPDATED
    assert len(github.repository.issues) == 121


def test_what_a_human_closed_stays_closed_until_it_held_again(github: FakeGitHub) -> None:
    roll(github, Wanted.OPEN)
    only(github).state = "closed"

    roll(github, Wanted.OPEN, "Three runs.")
    assert (only(github).state, "Three runs." in only(github).body) == ("closed", True)
    roll(github, Wanted.CLOSED)
    roll(github, Wanted.OPEN)

    assert only(github).state == "open"


def test_what_a_human_opened_again_stays_open(github: FakeGitHub) -> None:
    roll(github, Wanted.OPEN)
    roll(github, Wanted.CLOSED)
    only(github).state = "open"

    roll(github, Wanted.CLOSED)

    assert only(github).state == "open"


def test_a_body_alone_may_be_updated(github: FakeGitHub) -> None:
    assert roll(github, Wanted.AS_IT_IS) is None
    roll(github, Wanted.OPEN)

    roll(github, Wanted.AS_IT_IS, "Infrastructure failed.", title="Other title")

    issue = only(github)
    assert (issue.state, issue.title) == ("open", "Other title")
    assert "Infrastructure failed." in issue.body


def test_a_locked_issue_is_left(github: FakeGitHub) -> None:
    roll(github, Wanted.OPEN)
    github.repository.locked.add(1)
    before = only(github).body

    posted = roll(github, Wanted.CLOSED, "It holds again.")

    assert posted is not None
    assert posted.writing is Writing.UNCHANGED
    assert (only(github).body, only(github).state) == (before, "open")


def test_two_writers_at_once_leave_one_open(github: FakeGitHub) -> None:
    barrier = threading.Barrier(2)
    github.faults.append(
        Fault(method="POST", path="issues$", times=2, before=lambda: barrier.wait(5))
    )
    threads = [threading.Thread(target=roll, args=(github, Wanted.OPEN)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    issues = github.repository.issues.values()
    assert sorted(issue.state for issue in issues) == ["closed", "open"]
    assert github.repository.issues[1].state == "open"
    assert github.repository.issues[2].body == "A duplicate of #1."


@pytest.mark.parametrize("done", [True, False])
def test_an_unsure_issue_is_neither_doubled_nor_lost(github: FakeGitHub, done: bool) -> None:
    fault = Fault(method="POST", path="issues$", status=502, after_commit=done)
    github.faults.append(fault)

    roll(github, Wanted.OPEN)

    assert only(github).state == "open"


def test_a_repository_without_issues_is_told(github: FakeGitHub) -> None:
    github.repository.has_issues = False

    with pytest.raises(ForgeError, match="410: Issues has been disabled"):
        roll(github, Wanted.OPEN)


def test_an_issue_needs_its_scope(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError) as caught:
        roll(github, Wanted.OPEN, token="reader")

    assert caught.value.missing == "issues: write"
