"""The repository as a job asks for it."""

from __future__ import annotations

import pytest

from tests.forges.github_server import FakeGitHub
from tests.forges.github_state import SHA
from tests.forges.hub import hub


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
