"""The repository as a job asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reprocheck.errors import ForgeError
from reprocheck.forges.github import GitHub
from tests.forges.github_server import FakeGitHub
from tests.forges.github_state import SHA
from tests.forges.hub import draft, hub


def test_a_pull_request_is_read_as_plain_data(github: FakeGitHub) -> None:
    pull = github.repository.add_pull(body="reprocheck: 0123", base_sha="c" * 40)

    found = hub(github).pull_request(pull.number)

    assert (found.body, found.base_sha, found.head_sha) == ("reprocheck: 0123", "c" * 40, SHA)
    assert (found.head_repository, found.is_fork) == ("octo/demo", False)


def test_the_pull_request_of_a_fork_is_found_by_its_head(github: FakeGitHub) -> None:
    pull = github.repository.add_fork_pull()
    github.repository.add_pull(head_sha="d" * 40)

    found = hub(github).find_pull("mallory", "better", SHA)

    assert found is not None
    assert (found.number, found.is_fork) == (pull.number, True)
    assert github.requests("GET", "/pulls")[0].query["head"] == "mallory:better"


@pytest.mark.parametrize(
    "head",
    [("mallory", "better", "e" * 40), ("mallory", "other", SHA), ("octo", "better", SHA)],
)
def test_no_pull_request_of_another_head_is_found(
    github: FakeGitHub, head: tuple[str, str, str]
) -> None:
    github.repository.add_fork_pull()

    assert hub(github).find_pull(*head) is None


def test_two_pull_requests_of_one_head_are_none(github: FakeGitHub) -> None:
    """One branch may ask to be merged into two."""
    github.repository.add_fork_pull()
    github.repository.add_fork_pull(base_branch="stable")

    assert hub(github).find_pull("mallory", "better", SHA) is None


def test_a_fork_that_is_gone_is_a_fork(github: FakeGitHub) -> None:
    pull = github.repository.add_fork_pull(head_gone=True, body=None)

    found = hub(github).pull_request(pull.number)

    assert (found.is_fork, found.head_owner, found.head_repository) == (True, "mallory", "")
    assert found.body == ""


def test_the_commit_s_own_list_knows_no_fork(github: FakeGitHub) -> None:
    """Why the pull request is looked for by its branch."""
    import json
    import urllib.request

    github.repository.add_fork_pull()
    request = urllib.request.Request(f"{github.api_url}/repos/octo/demo/commits/{SHA}/pulls")

    with urllib.request.urlopen(request) as reply:
        assert json.load(reply) == []


@pytest.mark.parametrize(
    ("private", "visibility", "public"),
    [
        (False, "public", True),
        (True, "private", False),
        (True, "internal", False),
        (True, "", False),
    ],
)
def test_whether_all_may_see_it(
    github: FakeGitHub, private: bool, visibility: str, public: bool
) -> None:
    github.repository.private = private
    github.repository.visibility = visibility

    assert hub(github).is_public() is public


@pytest.mark.parametrize("token", ["", "stranger"])
def test_a_private_repository_is_not_there_for_others(github: FakeGitHub, token: str) -> None:
    github.repository.private = True
    if token:
        github.token(token)
        github.tokens[token].sees_private = False

    with pytest.raises(ForgeError, match="octo/demo: GitHub answered 404: Not Found") as caught:
        hub(github, token).is_public()

    assert "may not see it" in caught.value.hint


@pytest.mark.parametrize(
    ("ask", "scope"),
    [
        (lambda forge: forge.pull_request(1), "pull-requests: read"),
        (lambda forge: forge.find_pull("octo", "better", SHA), "pull-requests: read"),
        (lambda forge: forge.previous(1, "ab12"), "pull-requests: read"),
        (lambda forge: forge.workflow_run(5), "actions: read"),
        (lambda forge: forge.artifacts(5), "actions: read"),
    ],
)
def test_in_a_private_repository_each_scope_is_told(
    github: FakeGitHub, ask: Callable[[GitHub], object], scope: str
) -> None:
    github.repository.private = True
    github.repository.add_pull()
    github.repository.add_run(id=5)
    github.token("none")

    with pytest.raises(ForgeError) as caught:
        ask(hub(github, "none"))

    assert caught.value.missing == scope


def test_public_repositories_are_read_without_a_token(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()

    assert hub(github, "").pull_request(pull.number).number == pull.number
    assert "authorization" not in github.seen[-1].headers


def test_a_renamed_repository_is_found_and_written_where_it_is(github: FakeGitHub) -> None:
    github.renamed.add("octo/former")
    pull = github.repository.add_pull()
    forge = hub(github, repository="octo/former")

    assert forge.find_pull("octo", "better", SHA) is not None
    forge.comment(pull.number, draft())

    assert len(github.repository.comments) == 1
    assert github.requests("POST", "comments")[0].path.startswith("/repos/octo/demo/")


def test_an_enterprise_server_is_asked_at_its_own_paths(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    for n in range(101):
        github.repository.add_comment(pull.number, f"Comment {n}")
    forge = hub(github, api_url=f"{github.site}/api/v3", graphql_url=f"{github.site}/api/graphql")

    forge.comment(pull.number, draft())
    github.graphql_works = False
    forge.comment(pull.number, draft())

    assert len(github.repository.comments) == 102
    assert {seen.mount for seen in github.seen} == {"/api/v3", "/api"}


def test_the_runs_of_a_workflow_are_the_newest_of_a_branch(github: FakeGitHub) -> None:
    for n in range(130):
        github.repository.add_run(id=n + 1, head_branch="main", event="schedule")
    github.repository.add_run(id=500, head_branch="other", event="schedule")
    path = ".github/workflows/reprocheck-pr.yml"

    found = hub(github).workflow_runs(path, branch="main", event="schedule", limit=120)

    assert [run.id for run in found] == list(range(130, 10, -1))
    assert (found[0].workflow_path, found[0].event) == (path, "schedule")


def test_an_unknown_workflow_is_told(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError, match=r"list the runs of x\.yml: GitHub answered 404"):
        hub(github).workflow_runs("x.yml")


def test_the_commits_of_a_pull_request_are_listed_the_head_last(github: FakeGitHub) -> None:
    before = tuple(f"{n:040x}" for n in range(120))
    pull = github.repository.add_pull(commits=before)

    assert hub(github).commits(pull.number) == (*before, SHA)
