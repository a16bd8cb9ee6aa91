"""The one comment, whatever else is on the thread and whoever writes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.base import Writing
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.github_state import ACTIONS, SHA, Comment
from tests.forges.hub import Clock, draft, hub

MARK = f"<!-- reprocheck:v1 key=ab12 head={SHA} run=7 attempt=1 -->"


def bodies(github: FakeGitHub) -> list[str]:
    return [comment.body for comment in github.repository.comments]


def written(github: FakeGitHub) -> list[str]:
    return [seen.method for seen in github.seen if seen.method != "GET" and seen.path != "/graphql"]


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
    assert written(github) == ["POST", "PATCH"]
    assert bodies(github) == [f"{MARK.replace('run=7', 'run=8')}\nIt does not."]
    assert forge.previous(pull.number, "ab12") == "It does not."


@pytest.mark.parametrize("graphql", [True, False])
def test_only_what_we_wrote_and_nobody_minimized_is_ours(github: FakeGitHub, graphql: bool) -> None:
    """Where GraphQL is refused, the author is told by the login of a job's token."""
    github.graphql_works = graphql
    pull = github.repository.add_pull()
    others = [
        github.repository.add_comment(pull.number, f"{MARK}\nNot by us."),
        github.repository.add_comment(pull.number, f"Look:\n{MARK}\nQuoted.", ACTIONS),
        github.repository.add_comment(pull.number, f"{MARK}\nHidden.", ACTIONS),
        github.repository.add_comment(pull.number, MARK.replace("ab12", "ff"), ACTIONS),
    ]
    others[2].minimized = True
    before = [comment.body for comment in others]

    assert hub(github).previous(pull.number, "ab12") == ""
    assert hub(github).comment(pull.number, draft()).writing is Writing.CREATED
    assert bodies(github) == [*before, f"{MARK}\nIt reproduces."]


@pytest.mark.parametrize("graphql", [True, False])
def test_our_comment_is_found_behind_300_others(github: FakeGitHub, graphql: bool) -> None:
    github.graphql_works = graphql
    pull = github.repository.add_pull()
    for n in range(301):
        github.repository.add_comment(pull.number, f"Comment {n}")
    github.repository.add_comment(pull.number, f"{MARK}\nIt reproduces.", ACTIONS)

    posted = hub(github).comment(pull.number, draft())

    assert posted.writing is Writing.UNCHANGED
    assert len(github.repository.comments) == 302


def test_a_user_s_token_without_graphql_asks_who_it_is(github: FakeGitHub) -> None:
    github.graphql_works = False
    pull = github.repository.add_pull()
    github.repository.add_comment(pull.number, f"{MARK}\nBy the job.", ACTIONS)
    github.repository.add_comment(pull.number, f"{MARK}\nBy her.", "carol")

    assert hub(github, "user").previous(pull.number, "ab12") == "By her."


def test_ends_of_lines_are_no_change(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    github.repository.add_comment(pull.number, f"{MARK}\r\nOne\r\nTwo", ACTIONS)

    assert hub(github).comment(pull.number, draft("One\nTwo\n")).writing is Writing.UNCHANGED


@pytest.mark.parametrize(("run_id", "attempt"), [(6, 9), (7, 1)])
def test_an_older_result_leaves_a_newer_one(github: FakeGitHub, run_id: int, attempt: int) -> None:
    pull = github.repository.add_pull()
    newer = MARK.replace("attempt=1", "attempt=2")
    github.repository.add_comment(pull.number, f"{newer}\nNewer.", ACTIONS)

    posted = hub(github).comment(pull.number, draft("Older.", run_id=run_id, attempt=attempt))

    assert posted.writing is Writing.OUTDATED
    assert bodies(github) == [f"{newer}\nNewer."]


def test_a_result_of_the_head_replaces_a_later_run_s_of_another_commit(github: FakeGitHub) -> None:
    """A force push back to a commit, whose job is run again."""
    pull = github.repository.add_pull()
    other = MARK.replace(SHA, "e" * 40).replace("run=7", "run=9")
    github.repository.add_comment(pull.number, f"{other}\nOther.", ACTIONS)

    assert hub(github).comment(pull.number, draft()).writing is Writing.UPDATED


def test_a_slow_run_of_a_former_head_leaves_the_head_s_result(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    github.repository.add_comment(pull.number, f"{MARK}\nOf the head.", ACTIONS)

    slow = draft("Of a former head.", head_sha="e" * 40, run_id=99)

    assert hub(github).comment(pull.number, slow).writing is Writing.OUTDATED
    assert bodies(github) == [f"{MARK}\nOf the head."]


def test_a_result_of_a_former_head_says_that_it_is_stale(github: FakeGitHub) -> None:
    pull = github.repository.add_pull(head_sha="e" * 40)

    hub(github).comment(pull.number, draft())

    assert "Stale: the head moved to eeeeeeeeeeee; this tells of 6dcb09b5b578." in bodies(github)[0]


def test_a_head_that_moves_while_we_write_is_told(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()

    def push() -> None:
        pull.head_sha = "e" * 40

    github.faults.append(Fault(method="POST", path="comments", before=push))

    hub(github).comment(pull.number, draft())

    assert "Stale: the head moved to eeeeeeeeeeee" in bodies(github)[0]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="POST", path="comments", status=502, after_commit=True),
        Fault(method="POST", path="comments", hang=True, after_commit=True),
        Fault(method="POST", path="comments", cut=True),
        Fault(method="POST", path="comments", status=200, body=b"<html>", after_commit=True),
        Fault(method="POST", path="comments", status=502, body=b"<html>Unicorn</html>"),
        Fault(method="POST", path="comments", hang=True),
    ],
    ids=["502, done", "cut off, done", "truncated", "a page, done", "502, not done", "cut off"],
)
def test_a_post_that_may_have_been_done_is_not_sent_blindly(
    github: FakeGitHub, fault: Fault
) -> None:
    pull = github.repository.add_pull()
    github.faults.append(fault)

    posted = hub(github).comment(pull.number, draft())

    done = fault.after_commit or fault.cut
    assert posted.writing is Writing.CREATED
    assert bodies(github) == [f"{MARK}\nIt reproduces."]
    assert len(github.requests("POST", "comments")) == (1 if done else 2)


def test_a_post_without_an_answer_in_time_is_read_again(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    github.faults.append(Fault(method="POST", path="comments", delay_s=1.3))

    hub(github).comment(pull.number, draft())

    assert bodies(github) == [f"{MARK}\nIt reproduces."]


def deleted(github: FakeGitHub, comment: Comment) -> None:
    github.repository.comments.remove(comment)


def minimized(_: FakeGitHub, comment: Comment) -> None:
    comment.minimized = True


def edited(_: FakeGitHub, comment: Comment) -> None:
    comment.body = "Edited by a human: no mark"


@pytest.mark.parametrize("happen", [deleted, minimized, edited])
def test_what_happens_to_our_comment_while_we_write_is_noticed(
    github: FakeGitHub, happen: Callable[[FakeGitHub, Comment], None]
) -> None:
    pull = github.repository.add_pull()
    ours = github.repository.add_comment(pull.number, f"{MARK}\nBefore.", ACTIONS)
    fault = Fault(method="PATCH", path="comments", before=lambda: happen(github, ours))
    github.faults.append(fault)

    hub(github).comment(pull.number, draft("After.", run_id=8))

    shown = [c.body for c in github.repository.comments if not c.minimized]
    assert shown == [f"{MARK.replace('run=7', 'run=8')}\nAfter."]


def test_what_an_older_run_wrote_over_ours_is_repaired(github: FakeGitHub) -> None:
    """Nothing tells a writer that a comment changed since it was listed: so it is read again."""
    pull = github.repository.add_pull()
    ours = github.repository.add_comment(pull.number, f"{MARK}\nBefore.", ACTIONS)

    def overwritten() -> None:
        ours.body = f"{MARK.replace('run=7', 'run=8')}\nSlow."

    first_look = Fault(method="POST", path="graphql")
    github.faults += [first_look, Fault(method="POST", path="graphql", before=overwritten)]

    hub(github).comment(pull.number, draft("Newest.", run_id=9))

    assert bodies(github) == [f"{MARK.replace('run=7', 'run=9')}\nNewest."]
    assert len(github.requests("PATCH")) == 2


def test_two_writers_at_once_end_at_one_comment(github: FakeGitHub) -> None:
    """Both list before either has written."""
    pull = github.repository.add_pull()
    barrier = threading.Barrier(2)
    github.faults.append(
        Fault(method="POST", path="comments", times=2, before=lambda: barrier.wait(5))
    )
    drafts = [draft("One.", run_id=7), draft("Two.", run_id=8)]
    threads = [
        threading.Thread(target=hub(github).comment, args=(pull.number, each)) for each in drafts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hub(github).comment(pull.number, drafts[0])  # whoever comes next sees what is newer

    assert bodies(github) == [f"{MARK.replace('run=7', 'run=8')}\nTwo."]


def test_a_second_leg_of_one_run_merges_into_the_first_one_s_comment(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()

    def other_leg() -> None:
        github.repository.add_comment(pull.number, f"{MARK}\nThe other leg.", ACTIONS)

    github.faults.append(Fault(method="POST", path="comments", before=other_leg))

    posted = hub(github).comment(pull.number, draft("This leg."))

    assert bodies(github) == [f"{MARK}\nThis leg."]
    assert posted.id == github.repository.comments[0].id
    assert written(github) == ["POST", "PATCH", "DELETE"]


def test_a_duplicate_that_cannot_be_removed_is_the_next_run_s(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()

    def other_leg() -> None:
        github.repository.add_comment(pull.number, f"{MARK}\nThe other leg.", ACTIONS)

    github.faults += [
        Fault(method="POST", path="comments", before=other_leg),
        Fault(method="DELETE", path="comments", status=502),
    ]

    posted = hub(github).comment(pull.number, draft("This leg."))
    assert (posted.id, len(bodies(github))) == (github.repository.comments[0].id, 2)
    hub(github).comment(pull.number, draft("The next.", run_id=8))

    assert bodies(github) == [f"{MARK.replace('run=7', 'run=8')}\nThe next."]


def test_legs_of_one_run_do_not_write_over_each_other_forever(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    ours = github.repository.add_comment(pull.number, f"{MARK}\nOther leg.", ACTIONS)

    def other_leg() -> None:
        ours.body = f"{MARK}\nOther leg, again."

    looks = [Fault(method="POST", path="graphql"), Fault(method="POST", path="graphql")]
    looks[1].before = other_leg
    github.faults += looks

    hub(github).comment(pull.number, draft("This leg."))

    assert written(github) == ["PATCH"]


def test_what_an_ended_run_left_twice_is_removed_and_another_job_s_is_not(
    github: FakeGitHub,
) -> None:
    pull = github.repository.add_pull()
    for run_id in (3, 4, 8):
        mark = MARK.replace("run=7", f"run={run_id}")
        github.repository.add_comment(pull.number, f"{mark}\nRun {run_id}.", ACTIONS)
    github.repository.comments[-1].body = MARK  # of this very run

    hub(github).comment(pull.number, draft())

    assert bodies(github) == [f"{MARK}\nIt reproduces.", MARK]


def test_a_locked_conversation_is_told(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    github.repository.locked.add(pull.number)

    with pytest.raises(ForgeError, match="issue is locked") as caught:
        hub(github).comment(pull.number, draft())

    assert "unlock" in caught.value.hint
    assert caught.value.missing == ""


def test_a_token_that_only_reads_lacks_the_scope_by_its_name(github: FakeGitHub) -> None:
    pull = github.repository.add_fork_pull()

    with pytest.raises(ForgeError, match="not accessible by integration") as caught:
        hub(github, "reader").comment(pull.number, draft())

    assert caught.value.missing == "pull-requests: write"
    assert "`pull-requests: write`" in caught.value.hint


def test_no_token_writes_nothing(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()

    with pytest.raises(ForgeError, match="401"):
        hub(github, "").comment(pull.number, draft())


def test_an_unknown_pull_request_is_told(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError, match="pull request 404: GitHub answered 404"):
        hub(github).comment(404, draft())


def test_what_is_too_long_is_never_sent(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    fits = 65_536 - len(MARK) - 1

    with pytest.raises(ForgeError, match="65537 bytes"):
        hub(github).comment(pull.number, draft("x" * (fits + 1)))

    assert hub(github).comment(pull.number, draft("x" * fits)).writing is Writing.CREATED


def test_settling_ends(github: FakeGitHub) -> None:
    """A comment that is never there when read again; and the waits between are not counted in."""
    pull = github.repository.add_pull()

    def vanish() -> None:
        github.repository.comments.clear()

    github.faults.append(Fault(method="POST", path="graphql", times=99, before=vanish))
    clock = Clock()

    with pytest.raises(ForgeError, match="could not settle"):
        hub(github, clock=clock).comment(pull.number, draft())

    assert len(github.requests("POST", "comments")) == 8
    assert sum(clock.slept) == 8 * 0.25
