"""The fake GitHub refuses what GitHub's descriptions do not know: it can fail."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.forges.github_server import FakeGitHub
from tests.forges.github_state import SHA, Pull

HOME = "/repos/octo/demo"


def ask(
    github: FakeGitHub, method: str, path: str, body: object = None, token: str = "writer"
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        github.api_url + path, data=data, headers=headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as failure:
        with failure:
            text = failure.read()
            return failure.code, json.loads(text) if text else None


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("GET", "/repos/octo/demo/nonsense", None, "unknown route: GET"),
        ("PUT", f"{HOME}/issues/1/comments", {}, "unknown route: PUT"),
        ("POST", f"{HOME}/issues/1/comments", {"text": "x"}, "'body' is a required property"),
        ("POST", f"{HOME}/issues/1/comments", {"body": 1}, "1 is not of type 'string'"),
        ("GET", f"{HOME}/issues/one/comments", None, "request get"),
        ("GET", f"{HOME}/pulls?per_page=many", None, "request get"),
        ("GET", f"{HOME}/pulls?per_page=101", None, "per_page over 100"),
        ("GET", f"{HOME}/pulls?state=merged", None, "request get"),
        ("POST", f"{HOME}/statuses/{SHA}", {"state": "ok"}, "'ok' is not one of"),
        ("POST", "/graphql", {"query": "{ viewer { name } }"}, "Cannot query field 'name'"),
    ],
)
def test_what_github_does_not_know_fails_the_test(
    method: str, path: str, body: object, told: str
) -> None:
    server = FakeGitHub().start()
    server.repository.add_pull()
    try:
        ask(server, method, path, body)
    finally:
        server.stop()

    with pytest.raises(AssertionError) as caught:
        server.check()
    assert told in str(caught.value)


def test_its_own_replies_are_judged_too() -> None:
    server = FakeGitHub().start()
    server.repository.pulls[1] = Pull(number=1, state="nonsense")
    try:
        ask(server, "GET", f"{HOME}/pulls/1")
    finally:
        server.stop()

    with pytest.raises(AssertionError, match=r"reply 200 to get .*\n.*'nonsense' is not one of"):
        server.check()


def test_the_token_must_not_reach_the_storage_of_artifacts() -> None:
    server = FakeGitHub().start()
    artifact = server.repository.add_zip(1, "x", b"PK")
    headers = {"Authorization": "Bearer writer"}
    try:
        request = urllib.request.Request(f"{server.blobs}/{artifact.id}", headers=headers)
        urllib.request.urlopen(request).close()
    finally:
        server.stop()

    with pytest.raises(AssertionError, match="the token was sent"):
        server.check()


def test_limits_that_the_description_lacks(github: FakeGitHub) -> None:
    github.repository.add_pull()

    def said(*asked: Any, **about: Any) -> str:
        status, body = ask(github, *asked, **about)
        return f"{status} {json.dumps(body)}"

    long = {"state": "success", "context": "x", "description": "x" * 141}
    comment = f"{HOME}/issues/1/comments"
    assert "maximum is 65536" in said("POST", comment, {"body": "x" * 65_537})
    assert said("POST", comment, {"body": "x" * 65_536}).startswith("201")
    assert "maximum is 140" in said("POST", f"{HOME}/statuses/{SHA}", long)
    assert said("GET", "/user").startswith("403")
    assert said("GET", "/user", token="user").startswith("200")
    assert said("POST", comment, {"body": "x"}, token="reader").startswith("403")
    assert said("POST", comment, {"body": "x"}, token="").startswith("401")
    assert said("GET", HOME, token="wrong").startswith("401")
    assert said("GET", "/repos/octo/other").startswith("404")
