"""Commit statuses and check runs, within the limits that GitHub sets."""

from __future__ import annotations

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.github_nouns import Annotation, AnnotationLevel, CheckRun, StatusState
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.github_state import SHA
from tests.forges.hub import hub


def check(annotations: int = 0, summary: str = "It reproduces.") -> CheckRun:
    made = (
        Annotation(path="train.py", line=n + 1, level=AnnotationLevel.WARNING, message=f"Note {n}")
        for n in range(annotations)
    )
    return CheckRun(
        name="reprocheck",
        sha=SHA,
        conclusion="success",
        title="Reproduced",
        summary=summary,
        external_id="7-1",
        annotations=tuple(made),
    )


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(method="POST", path="statuses", status=502, after_commit=True),
        Fault(method="POST", path="statuses", status=502),
    ],
)
def test_a_status_is_set_once_and_cut(github: FakeGitHub, fault: Fault | None) -> None:
    github.faults += [fault] if fault else []

    hub(github).commit_status(SHA, "reprocheck/ab", StatusState.SUCCESS, "x" * 200)

    (held,) = github.repository.statuses
    assert held["description"] == f"{'x' * 139}…"
    assert (held["sha"], held["state"]) == (SHA, "success")


def test_a_status_needs_its_scope(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError) as caught:
        hub(github, "reader").commit_status(SHA, "reprocheck", StatusState.FAILURE, "No.")

    assert caught.value.missing == "statuses: write"


@pytest.mark.parametrize("sha", ["main", "../pulls", SHA[:39]])
def test_only_a_whole_commit_has_a_status(github: FakeGitHub, sha: str) -> None:
    with pytest.raises(ForgeError, match="is no commit"):
        hub(github).commit_status(sha, "reprocheck", StatusState.FAILURE, "No.")


def test_annotations_go_50_at_a_time(github: FakeGitHub) -> None:
    hub(github).check_run(check(annotations=120))

    (held,) = github.repository.checks.values()
    assert [a["message"] for a in held["annotations"]] == [f"Note {n}" for n in range(120)]
    sent = [
        len(seen.body["output"]["annotations"])
        for seen in github.seen
        if seen.method in ("POST", "PATCH")
    ]
    assert sent == [50, 50, 20]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("done", [True, False])
def test_an_unsure_check_run_is_neither_doubled_nor_lost(
    github: FakeGitHub, method: str, done: bool
) -> None:
    github.faults.append(Fault(method=method, path="check-runs", status=502, after_commit=done))

    hub(github).check_run(check(annotations=60))

    (held,) = github.repository.checks.values()
    assert len(held["annotations"]) == 60


def test_a_summary_that_is_too_long_is_never_sent(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError, match="65536 characters"):
        hub(github).check_run(check(summary="x" * 65_536))

    assert hub(github).check_run(check(summary="x" * 65_535)).startswith("http")


def test_a_check_run_needs_its_scope(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError) as caught:
        hub(github, "reader").check_run(check())

    assert caught.value.missing == "checks: write"
