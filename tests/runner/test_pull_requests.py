"""The project's own workflows for pull requests, executed by the small runner of this folder."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.runner.team import PASSWORD, Team
from tests.runner.workflows import JobRun

UNKNOWN = "0123456789abcdef" * 2
MARKER = "<!-- reprocheck:"


def told(*jobs: JobRun) -> str:
    """All that jobs show, for a failing test to print."""
    return "\n".join(f"{job.id}: {job.console.text}\n{job.summary}" for job in jobs)


def report_of(zipped: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        found: dict[str, Any] = json.loads(archive.read("report.json"))
    return found


def test_a_pull_request_is_fetched_verified_and_commented_on(team: Team, project: Path) -> None:
    pull = team.pull(f"reprocheck: {team.honest}")
    ran = team.verify(pull)
    assert ran.conclusion == "success", told(ran.job("fetch"), ran.job("verify"))
    fetched, verified = ran.job("fetch"), ran.job("verify")
    assert verified.step("verify").outputs["verdict"] == "identical", told(verified)
    assert "IDENTICAL" in verified.summary
    assert team.artifacts(ran) == {
        f"reprocheck-bundle-{pull.head_sha}",
        "reprocheck-report",
        "markdown-of-reprocheck-report",
        "page-of-reprocheck-report.html",
    }
    shown = verified.step("page").outputs["artifact-url"]
    assert verified.summary.endswith(
        f"({shown})**: plots, what was the same and what was not, logs\n"
    )

    # The password is where it fetches, and nowhere where it trains.
    assert PASSWORD in fetched.step("fetch").env.values()
    assert all(PASSWORD not in step.env.values() for step in verified.steps)
    seen = (project / "seen" / "environ").read_bytes()
    assert b"GITHUB_ACTIONS=true" in seen  # it did look
    assert PASSWORD.encode() not in seen

    commented = team.comment(ran)
    posted = commented.job("comment")
    assert posted.result == "success", told(posted)
    (comment,) = team.github.repository.comments_of(pull.number)
    assert comment.body.startswith(MARKER)
    assert "IDENTICAL" in comment.body
    assert posted.step("report").outputs["comment-id"] == str(comment.id)
    # The page that the comment links was made here, of what was checked.
    shown = posted.step("page").outputs["artifact-url"]
    assert posted.step("report").env["REPROCHECK_HTML_URL"] == shown
    assert f"/{commented.id}/artifacts/" in shown
    made = team.artifact(commented, "page-of-reprocheck-report.html")
    assert made == team.artifact(ran, "page-of-reprocheck-report.html")
    assert made.startswith(b"<!doctype html>")

    report = report_of(team.artifact(ran, "reprocheck-report"))
    team.push(pull)
    newer = json.dumps(report | {"head_sha": pull.head_sha}).encode()
    again = team.comment(team.left(pull, {"report.json": newer})).job("comment")
    assert again.result == "success", told(again)
    (updated,) = team.github.repository.comments_of(pull.number)
    assert updated.id == comment.id
    assert pull.head_sha[:12] in updated.body

    # A run that left no report tells so, and does not touch what the comment says.
    team.comment(team.left(pull, {}))
    (left,) = team.github.repository.comments_of(pull.number)
    assert left.id == comment.id
    assert "IDENTICAL" in left.body


def test_a_fork_waits_for_the_fetch_of_a_maintainer_and_is_labelled(team: Team) -> None:
    pull = team.pull(f"reprocheck: {team.honest}", fork=True)
    first = team.verify(pull)
    assert first.job("fetch").result == "skipped"
    waiting = first.job("verify")
    assert waiting.result == "success", told(waiting)
    assert waiting.step("verify").outputs["verdict"] == "none"
    assert "maintainer" in waiting.step("verify").outputs["waiting"]

    fetched = team.fetch(pull).job("fetch")
    assert fetched.result == "success", told(fetched)
    second = team.verify(pull, attempt=2, run_id=first.id)
    verified = second.job("verify")
    # What was fetched is both runs of the commit: also the one whose metric was raised.
    assert verified.step("verify").outputs["verdict"] == "not_reproduced", told(verified)
    assert verified.step("verify").outputs["checked-count"] == "2"
    assert verified.result == "failure"
    assert PASSWORD not in str([step.env for step in verified.steps])

    posted = team.comment(second).job("comment")
    (comment,) = team.github.repository.comments_of(pull.number)
    assert "Computed by the code of a fork" in comment.body, told(posted)
    assert "NOT&#95;REPRODUCED" in comment.body


@pytest.mark.parametrize(
    ("body", "inputs", "verdict", "result", "said"),
    [
        ("Better.", "find: body", "none", "success", "Nothing was verified"),
        ("Better.", "{find: body, require-run: true}", "none", "failure", "Nothing was verified"),
        ("", "run-id: '$(touch${IFS}pwn)'", "not_verified", "failure", "touch"),
    ],
)
def test_what_cannot_be_verified_is_told(
    team: Team, body: str, inputs: str, verdict: str, result: str, said: str
) -> None:
    team.call(inputs)
    ran = team.verify(team.pull(body)).job("verify")
    assert ran.result == result, told(ran)
    assert ran.step("verify").outputs["verdict"] == verdict
    assert said in ran.summary
    assert not list(team.folder.rglob("pwn"))


def test_a_config_that_does_not_validate_ends_with_its_reason(team: Team) -> None:
    team.call("find: body")
    team.broken_config()
    ran = team.verify(team.pull(f"reprocheck: {team.honest}")).job("verify")
    assert ran.result == "failure"
    assert ran.step("verify").outputs["exit-code"] == "2", told(ran)
    assert "reprocheck" in ran.summary
    assert "gaet" in ran.summary


def test_without_the_right_to_comment_there_is_a_warning_and_the_same_answer(team: Team) -> None:
    team.call("find: body")
    ran = team.verify(team.pull(f"reprocheck: {UNKNOWN}"))
    verified = ran.job("verify")
    assert verified.result == "failure"
    assert verified.step("verify").outputs["verdict"] == "not_verified", told(verified)
    assert UNKNOWN in verified.summary
    team.world.token = team.reading_token
    posted = team.comment(ran).job("comment")
    assert posted.result == "success", told(posted)
    assert UNKNOWN in posted.summary
    assert any("pull-requests" in each for each in posted.annotations("warning")), told(posted)
    assert team.github.repository.comments == []
