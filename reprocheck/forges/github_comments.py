"""The comments of a pull request on GitHub: which are ours, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from reprocheck.errors import ForgeError
from reprocheck.forges.answers import reading
from reprocheck.forges.github_api import Api
from reprocheck.forges.github_errors import Call, Json
from reprocheck.forges.markers import mark_of
from reprocheck.forges.upsert import Found, Look

READ = "pull-requests: read"
WRITE = "pull-requests: write"
# The login of the token that every job has; `GET /user` is refused to it.
ACTIONS = "github-actions[bot]"
QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid
      comments(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { fullDatabaseId body url viewerDidAuthor isMinimized }
      }
    }
  }
}
"""


class Comments:
    """One pull request's: a `Thread`.

    Who wrote a comment is asked of GraphQL, where `viewerDidAuthor` holds for every kind of token.
    Where GraphQL is refused, a comment is ours when its author is the token's user, or, for a
    token that may not ask who it is (as a job's own may not), `github-actions[bot]`: another app's
    token then finds none of its comments, and writes a second one.
    """

    def __init__(self, api: Api, repository: str, number: int, pause: Callable[[], None]) -> None:
        self._api = api
        self._repository = repository
        self._number = number
        self._path = f"/repos/{repository}/issues/{number}/comments"
        self.pause = pause

    def look(self, key: str) -> Look:
        """All pages; what was minimized is not ours any more."""
        try:
            head_sha, nodes = self._by_graphql()
        except ForgeError:
            head_sha, nodes = self._by_rest()
        ours = (found for found in nodes if (mark := mark_of(found.body)) and mark.key == key)
        return Look(head_sha=head_sha, ours=tuple(sorted(ours, key=lambda found: found.id)))

    def create(self, text: str) -> Found:
        """A new comment."""
        doing = f"comment on pull request {self._number}"
        call = Call(verb="POST", path=self._path, doing=doing, scope=WRITE, body={"body": text})
        return self._found(self._api.write(call), call)

    def change(self, comment_id: int, text: str) -> Found:
        """Replaces the whole text."""
        call = self._one(comment_id, "PATCH", "update the comment on")
        return self._found(self._api.write(replace(call, body={"body": text})), call)

    def delete(self, comment_id: int) -> None:
        """What stays, as GitHub failed, is removed by the next run's comment."""
        try:
            self._api.write(self._one(comment_id, "DELETE", "remove a duplicate comment on"))
        except ForgeError:
            return

    def _one(self, comment_id: int, verb: str, doing: str) -> Call:
        return Call(
            verb=verb,
            path=f"/repos/{self._repository}/issues/comments/{comment_id}",
            doing=f"{doing} pull request {self._number}",
            scope=WRITE,
        )

    def _found(self, answer: Json, call: Call) -> Found:
        with reading(call.doing):
            body = answer.get("body") or ""
            return Found(id=int(answer["id"]), body=body, url=str(answer["html_url"]))

    @property
    def _listing(self) -> Call:
        doing = f"list the comments of pull request {self._number}"
        return Call(verb="GET", path=self._path, doing=doing, scope=READ)

    def _by_graphql(self) -> tuple[str, list[Found]]:
        found: list[Found] = []
        for page in self._graphql_pages():
            found += [
                Found(id=int(node["fullDatabaseId"]), body=node["body"], url=str(node["url"]))
                for node in page["comments"]["nodes"]
                if node["viewerDidAuthor"] and not node["isMinimized"]
            ]
        return str(page["headRefOid"]), found

    def _graphql_pages(self) -> Iterator[Json]:
        owner, name = self._repository.split("/")
        variables = {"owner": owner, "name": name, "number": self._number, "after": None}
        more = True
        while more:
            data = self._api.graphql(self._listing, QUERY, variables)
            with reading(self._listing.doing):
                page = data["repository"]["pullRequest"]
                information = page["comments"]["pageInfo"]
                more, variables["after"] = information["hasNextPage"], information["endCursor"]
            yield page

    def _by_rest(self) -> tuple[str, list[Found]]:
        pull = f"/repos/{self._repository}/pulls/{self._number}"
        doing = f"read pull request {self._number}"
        head = self._api.get(Call(verb="GET", path=pull, doing=doing, scope=READ))
        login = self.login()
        with reading(self._listing.doing):
            return str(head["head"]["sha"]), [
                self._found(item, self._listing)
                for item in self._api.pages(self._listing)
                if (item.get("user") or {}).get("login") == login and not item.get("minimized")
            ]

    def login(self) -> str:
        """Whose token it is, as far as can be known."""
        try:
            user = self._api.get(Call(verb="GET", path="/user", doing="ask whose the token is"))
        except ForgeError:
            return ACTIONS
        with reading("ask whose the token is"):
            return str(user["login"])
