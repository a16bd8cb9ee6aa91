"""The fake GitHub's GraphQL, executed against the published schema."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.forges.github_state import Comment, Issue, Repository, Token


class Root:
    """What a token sees of a repository."""

    def __init__(self, held: Repository, token: Token, site: str) -> None:
        self._held = held
        self._token = token
        self._home = f"{site}/{held.full_name}"

    def viewer(self, info: Any) -> dict[str, Any]:
        return {"login": self._token.login}

    def repository(self, info: Any, owner: str, name: str, **_: Any) -> dict[str, Any] | None:
        seen = not self._held.private or self._token.sees_private
        if f"{owner}/{name}" != self._held.full_name or not seen:
            raise NotFoundError(
                f"Could not resolve to a Repository with the name '{owner}/{name}'."
            )
        return {"id": "R_1", "pullRequest": self._pull, "issues": self._issues}

    def _pull(self, info: Any, number: int) -> dict[str, Any]:
        self._need("pull-requests")
        if number not in self._held.pulls:
            raise NotFoundError(f"Could not resolve to a PullRequest with the number of {number}.")
        pull = self._held.pulls[number]
        nodes = [self._comment(found) for found in self._held.comments_of(number)]
        return {
            "id": f"PR_{number}",
            "headRefOid": pull.head_sha,
            "comments": lambda info, **asked: paged(nodes, **asked),
        }

    def _issues(self, info: Any, **asked: Any) -> dict[str, Any]:
        self._need("issues")
        nodes = [self._issue(found) for found in self._held.issues.values()]
        return paged(nodes, **asked)

    def _comment(self, found: Comment) -> dict[str, Any]:
        return {
            "id": f"IC_{found.id}",
            "fullDatabaseId": str(found.id),
            "body": found.body,
            "url": f"{self._home}/pull/{found.number}#issuecomment-{found.id}",
            "viewerDidAuthor": found.author == self._token.login,
            "isMinimized": found.minimized,
        }

    def _issue(self, found: Issue) -> dict[str, Any]:
        return {
            "id": f"I_{found.number}",
            "number": found.number,
            "title": found.title,
            "body": found.body,
            "url": f"{self._home}/issues/{found.number}",
            "viewerDidAuthor": found.author == self._token.login,
            "state": found.state.upper(),
            "locked": found.number in self._held.locked,
        }

    def _need(self, scope: str) -> None:
        if self._held.private and not self._token.may(scope, "read"):
            raise ForbiddenError("Resource not accessible by integration")


class NotFoundError(Exception):
    extensions: ClassVar = {"type": "NOT_FOUND"}


class ForbiddenError(Exception):
    extensions: ClassVar = {"type": "FORBIDDEN"}


def paged(
    nodes: list[Any], first: int | None = None, after: str | None = None, **_: Any
) -> dict[str, Any]:
    if first is None or not 1 <= first <= 100:
        raise ValueError("You must provide a `first` between 1 and 100")
    start = int(after or 0)
    end = start + first
    page = {"hasNextPage": end < len(nodes), "hasPreviousPage": start > 0, "endCursor": str(end)}
    return {
        "nodes": nodes[start:end],
        "totalCount": len(nodes),
        "pageInfo": page | {"startCursor": str(start)},
    }


def as_github(answer: dict[str, Any]) -> dict[str, Any]:
    """GitHub has the kind of an error beside its message."""
    for error in answer.get("errors", []):
        error["type"] = error.pop("extensions", {}).get("type", "UNPROCESSABLE")
    return answer
