"""Limits, failures and refusals: who waits how long, and what is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reprocheck.errors import ForgeError
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.hub import Clock, draft, hub

SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait."}'
PRIMARY = b'{"message": "API rate limit exceeded for installation ID 1."}'


def limited(method: str, path: str, times: int = 1, status: int = 403, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    primary = headers.get("x_ratelimit_remaining") == "0"
    body = PRIMARY if primary else SECONDARY
    return Fault(method=method, path=path, times=times, status=status, headers=named, body=body)


@pytest.mark.parametrize(
    ("fault", "slept"),
    [
        (limited("GET", "pulls", retry_after="17"), [17.0]),
        (limited("GET", "pulls", status=429, retry_after="17"), [17.0]),
        (
            limited("GET", "pulls", x_ratelimit_remaining="0", x_ratelimit_reset="1000040"),
            [41.0],
        ),
        (
            limited("GET", "pulls", times=2, x_ratelimit_remaining="0", x_ratelimit_reset="5"),
            [1.0, 2.0],
        ),
        (limited("GET", "pulls", times=2), [60.0, 120.0]),
        (limited("GET", "pulls", status=429), [60.0]),
    ],
    ids=["Retry-After", "429", "the hour's end", "a reset in the past", "no word", "429, no word"],
)
def test_a_limit_is_waited_for_as_github_asks(
    github: FakeGitHub, fault: Fault, slept: list[float]
) -> None:
    pull, clock = github.repository.add_pull(), Clock()
    forge = hub(github, clock=clock)
    forge.is_public()
    github.faults.append(fault)

    assert forge.pull_request(pull.number).number == pull.number
    assert clock.slept == slept


def test_what_a_limit_refused_is_sent_again(github: FakeGitHub) -> None:
    """It was not done; so a POST may be repeated."""
    pull, clock = github.repository.add_pull(), Clock()
    github.faults.append(limited("POST", "comments", retry_after="20"))

    hub(github, clock=clock).comment(pull.number, draft())

    assert clock.slept[0] == 20.0
    assert len(github.repository.comments) == 1


def test_a_block_is_a_limit_and_no_lock(github: FakeGitHub) -> None:
    pull, clock = github.repository.add_pull(), Clock()
    said = (
        b'{"message": "You have exceeded a secondary rate limit and have been temporarily blocked '
        b'from content creation. Please retry your request again later."}'
    )
    github.faults.append(Fault(method="POST", path="comments", status=403, body=said))

    hub(github, clock=clock).comment(pull.number, draft())

    assert clock.slept[0] == 60.0


@pytest.mark.parametrize(
    "fault",
    [
        limited("GET", "pulls", retry_after="301"),
        limited("GET", "pulls", x_ratelimit_remaining="0", x_ratelimit_reset="1003600"),
        limited("GET", "pulls", times=9),
    ],
)
def test_patience_ends(github: FakeGitHub, fault: Fault) -> None:
    pull, clock = github.repository.add_pull(), Clock()
    github.faults.append(fault)

    with pytest.raises(ForgeError, match=r"limit asks to wait .* s, longer than we do"):
        hub(github, clock=clock).pull_request(pull.number)

    assert sum(clock.slept) <= 300


def test_limits_of_seconds_end_too(github: FakeGitHub) -> None:
    pull = github.repository.add_pull()
    github.faults.append(limited("GET", "pulls", times=99, retry_after="0"))

    with pytest.raises(ForgeError, match="limit"):
        hub(github).pull_request(pull.number)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="pulls", times=3, status=502, body=b"<html>Unicorn</html>"),
        Fault(path="pulls", times=3, hang=True),
        Fault(path="pulls", times=3, cut=True),
        Fault(path="pulls", times=3, status=503),
        Fault(path="pulls", times=1, delay_s=1.2),
    ],
    ids=["502", "cut off", "truncated", "503", "slow"],
)
def test_reads_are_repeated_where_github_fails(github: FakeGitHub, fault: Fault) -> None:
    pull, clock = github.repository.add_pull(), Clock()
    times = fault.times
    github.faults.append(fault)

    assert hub(github, clock=clock).pull_request(pull.number).number == pull.number
    assert clock.slept == [1.0, 2.0, 4.0][:times]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(path="pulls", times=9, status=502), "could not read pull request 1: .* 502"),
        (Fault(path="pulls", times=9, hang=True), "the connection to GitHub failed"),
        (Fault(path="pulls", times=9, cut=True), "no JSON of GitHub's, or was cut off"),
        (Fault(path="pulls", times=9, status=200, body=b"<html>Log in</html>"), "no JSON"),
        (Fault(path="pulls", times=9, status=200, body=b"[1, 2]"), "not of GitHub's form"),
        (Fault(path="pulls", times=9, status=418, body=b'{"message": "teapot"}'), "teapot"),
    ],
)
def test_a_failure_that_lasts_is_told_in_one_line(
    github: FakeGitHub, fault: Fault, told: str
) -> None:
    pull = github.repository.add_pull()
    github.faults.append(fault)

    with pytest.raises(ForgeError, match=told) as caught:
        hub(github).pull_request(pull.number)

    assert caught.value.hint
    assert "writer" not in str(caught.value)  # the token


def test_a_wrong_token_is_told(github: FakeGitHub) -> None:
    with pytest.raises(ForgeError, match="401: Bad credentials") as caught:
        hub(github, "expired").is_public()

    assert "renew" in caught.value.hint


def test_a_server_that_is_not_there_is_told() -> None:
    from reprocheck.forges.github import GitHub

    forge = GitHub(
        api_url="http://127.0.0.1:9",
        graphql_url="http://127.0.0.1:9/graphql",
        repository="octo/demo",
        token="secret",
        waiting=Clock().waiting(),
    )

    with pytest.raises(ForgeError, match="the connection to GitHub failed"):
        forge.is_public()


def test_clients_are_loaded_when_something_is_asked() -> None:
    """`reprocheck --help` must not wait for them."""
    program = (
        "import sys, reprocheck.forges.github, reprocheck.forges.gitlab;"
        "print({'github', 'gitlab', 'requests', 'urllib3'} & set(sys.modules))"
    )

    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_graphql_s_limit_is_one(github: FakeGitHub) -> None:
    pull, clock = github.repository.add_pull(), Clock()
    body = b'{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}'
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000009"}
    github.faults.append(
        Fault(method="POST", path="graphql", status=200, headers=headers, body=body)
    )

    hub(github, clock=clock).comment(pull.number, draft())

    assert clock.slept[0] == 10.0


def test_the_token_is_sent_to_github_alone_and_shown_nowhere(github: FakeGitHub) -> None:
    forge = hub(github)
    forge.is_public()

    assert github.seen[0].headers["authorization"] == "token writer"
    assert "writer" not in repr(vars(forge))
    other = hub(github, graphql_url=f"{github.blobs}/graphql")
    pull = github.repository.add_pull()
    other.comment(pull.number, draft())  # by REST, as GraphQL is at another host
    assert not github.requests("POST", "graphql")


@pytest.mark.parametrize(
    "name", ["octo", "octo/demo/x", "../demo", "octo/..", "-/ x", "octo/de mo"]
)
def test_only_owner_and_name_are_a_repository(github: FakeGitHub, name: str) -> None:
    with pytest.raises(ForgeError, match="is no repository"):
        hub(github, repository=name)


@pytest.mark.parametrize("url", ["", "github.example", "file:///etc", "https://"])
def test_an_address_that_is_none_is_told(github: FakeGitHub, url: str) -> None:
    with pytest.raises(ForgeError, match="is no address"):
        hub(github, api_url=url)
