"""What the fake GitHub does with a request, and the limits that the description lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.forges import github_replies as replies
from tests.forges.github_state import Repository, Token

# As GitHub says it: see README.md beside this file.
TOO_LONG = {
    "message": "Validation Failed",
    "errors": [
        {
            "resource": "IssueComment",
            "code": "unprocessable",
            "field": "data",
            "message": "Body is too long (maximum is 65536 characters)",
        }
    ],
    "documentation_url": "https://docs.github.com/rest",
}
STATUS_TOO_LONG = {
    "message": "Validation Failed",
    "errors": [
        {
            "resource": "Status",
            "code": "custom",
            "field": "description",
            "message": "description is too long (maximum is 140 characters)",
        }
    ],
    "documentation_url": "https://docs.github.com/rest",
}


@dataclass(kw_only=True)
class Asked:
    """A request, without the mount and with the repository's path as `/repos/{owner}/{repo}`."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: Token | None
    variables: dict[str, str] = field(default_factory=dict)  # of the path


@dataclass(kw_only=True)
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    items: list[Any] | None = None  # all of a list, to be cut into pages
    inside: str = ""


class RefusedError(Exception):
    def __init__(self, status: int, message: str, whole: Any = None) -> None:
        super().__init__(message)
        self.answer = Answer(
            status=status,
            body=whole or {"message": message, "documentation_url": "https://docs.github.com/rest"},
        )


Route = Callable[["Routes", Asked], Answer]
ROUTES: list[tuple[str, re.Pattern[str], Route]] = []


def route(method: str, template: str) -> Callable[[Route], Route]:
    """`{name}` in a template is one part of a path."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))

    def add(function: Route) -> Route:
        ROUTES.append((method, pattern, function))
        return function

    return add


def routed(asked: Asked) -> Route | None:
    for method, pattern, function in ROUTES:
        found = pattern.fullmatch(asked.path)
        if method == asked.method and found:
            asked.variables = found.groupdict()
            return function
    return None


HOME = "/repos/{owner}/{repo}"


class Routes:
    """One repository, served at `api` and shown at `site`."""

    def __init__(self, held: Repository, api: str, site: str, blobs: str) -> None:
        self.held = held
        self.api = api
        self.site = site
        self.blobs = blobs

    @property
    def home(self) -> str:
        return f"{self.site}/{self.held.full_name}"

    def see(self, asked: Asked) -> None:
        """A private repository is not there for who may not see it."""
        named = f"{asked.variables['owner']}/{asked.variables['repo']}"
        seen = not self.held.private or (asked.token is not None and asked.token.sees_private)
        if named != self.held.full_name or not seen:
            raise RefusedError(404, "Not Found")

    def need(self, asked: Asked, access: str, *scopes: str) -> None:
        """Any of the scopes does; what is public may be read by all."""
        self.see(asked)
        if access == "read" and not self.held.private:
            return
        if asked.token is None:
            raise RefusedError(401, "Requires authentication")
        if not any(asked.token.may(scope, access) for scope in scopes):
            raise RefusedError(403, "Resource not accessible by integration")

    def number(self, asked: Asked, access: str, name: str = "issue_number") -> int:
        """A pull request's or an issue's, which the token may read or write."""
        self.see(asked)
        number = int(asked.variables[name])
        is_pull = number in self.held.pulls
        self.need(asked, access, *(("pull-requests", "issues") if is_pull else ("issues",)))
        if not is_pull and number not in self.held.issues:
            raise RefusedError(404, "Not Found")
        return number

    def item(self, held: dict[int, Any], key: str) -> Any:
        if int(key) not in held:
            raise RefusedError(404, "Not Found")
        return held[int(key)]


@route("GET", "/user")
def get_user(routes: Routes, asked: Asked) -> Answer:
    if asked.token is None:
        raise RefusedError(401, "Requires authentication")
    if not asked.token.is_user:
        raise RefusedError(403, "Resource not accessible by integration")
    return Answer(status=200, body=replies.whole_user(asked.token.login))


@route("GET", HOME)
def get_repository(routes: Routes, asked: Asked) -> Answer:
    routes.see(asked)
    return Answer(status=200, body=replies.repository(routes.held, routes.site))


@route("GET", f"{HOME}/pulls")
def list_pulls(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "pull-requests")
    state, head = asked.query.get("state", "open"), asked.query.get("head")
    pulls = [
        pull
        for pull in routes.held.pulls.values()
        if state in ("all", pull.state)
        if head is None or head == f"{pull.head_owner}:{pull.head_branch}"
    ]
    made = [replies.pull(pull, routes.held, routes.home, alone=False) for pull in pulls]
    return Answer(status=200, items=made)


@route("GET", f"{HOME}/pulls/{{pull_number}}")
def get_pull(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "pull-requests")
    pull = routes.item(routes.held.pulls, asked.variables["pull_number"])
    body = replies.pull(pull, routes.held, routes.home, alone=True)
    return Answer(status=200, body=body)


@route("GET", f"{HOME}/pulls/{{pull_number}}/commits")
def list_commits(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "pull-requests")
    pull = routes.item(routes.held.pulls, asked.variables["pull_number"])
    shas = (*pull.commits, pull.head_sha)
    return Answer(status=200, items=[replies.commit(sha) for sha in shas[:250]])


@route("GET", f"{HOME}/commits/{{commit_sha}}/pulls")
def list_pulls_of_commit(routes: Routes, asked: Asked) -> Answer:
    """Empty for a fork's commits, as the base repository does not have them."""
    routes.need(asked, "read", "pull-requests")
    pulls = [
        pull
        for pull in routes.held.pulls.values()
        if pull.head_sha == asked.variables["commit_sha"] and pull.head_id == routes.held.id
    ]
    made = [replies.pull(pull, routes.held, routes.home, alone=False) for pull in pulls]
    return Answer(status=200, items=made)


@route("GET", f"{HOME}/issues/{{issue_number}}/comments")
def list_comments(routes: Routes, asked: Asked) -> Answer:
    number = routes.number(asked, "read")
    found = routes.held.comments_of(number)
    return Answer(status=200, items=[replies.comment(item, routes.home) for item in found])


@route("POST", f"{HOME}/issues/{{issue_number}}/comments")
def create_comment(routes: Routes, asked: Asked) -> Answer:
    number = routes.number(asked, "write")
    if number in routes.held.locked:
        raise RefusedError(403, "Unable to create comment because issue is locked.")
    limit(asked.body["body"])
    made = routes.held.add_comment(number, asked.body["body"], asked.token.login)  # type: ignore[union-attr]
    body = replies.comment(made, routes.home)
    return Answer(status=201, body=body, headers={"location": body["url"]})


@route("GET", f"{HOME}/issues/comments/{{comment_id}}")
def get_comment(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "pull-requests", "issues")
    return Answer(status=200, body=replies.comment(comment_of(routes, asked), routes.home))


@route("PATCH", f"{HOME}/issues/comments/{{comment_id}}")
def change_comment(routes: Routes, asked: Asked) -> Answer:
    comment = comment_of(routes, asked, own=True)
    limit(asked.body["body"])
    comment.body = asked.body["body"]
    return Answer(status=200, body=replies.comment(comment, routes.home))


@route("DELETE", f"{HOME}/issues/comments/{{comment_id}}")
def delete_comment(routes: Routes, asked: Asked) -> Answer:
    routes.held.comments.remove(comment_of(routes, asked, own=True))
    return Answer(status=204)


def comment_of(routes: Routes, asked: Asked, *, own: bool = False) -> Any:
    routes.see(asked)
    comment = routes.held.comment_of_id(int(asked.variables["comment_id"]))
    if comment is None:
        raise RefusedError(404, "Not Found")
    if own:
        scopes = ("pull-requests", "issues") if comment.number in routes.held.pulls else ("issues",)
        routes.need(asked, "write", *scopes)
    return comment


def limit(body: str) -> None:
    if len(body) > 65_536:
        raise RefusedError(422, "Validation Failed", TOO_LONG)
