"""One issue that is opened, updated, closed and opened again, as what it tells of goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reprocheck.errors import ForgeError
from reprocheck.forges.answers import reading
from reprocheck.forges.base import Posted, Writing
from reprocheck.forges.github_api import Api
from reprocheck.forges.github_comments import ACTIONS
from reprocheck.forges.github_errors import Call, Json
from reprocheck.forges.github_nouns import IssueDraft, Wanted
from reprocheck.forges.markers import MOST_BYTES, is_same
from reprocheck.forges.upsert import ROUNDS, GoneError, UnsureError

_MARK = re.compile(
    r"<!-- reprocheck:v1 issue=(?P<key>[0-9a-f]{1,64}) state=(?P<state>open|closed) -->(?:\r?\n|\Z)"
)
QUERY = """
query($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    issues(first: 100, after: $after, orderBy: {field: CREATED_AT, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes { number title body url viewerDidAuthor state locked }
    }
  }
}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """One of ours. `left` is the state in which we left it: another one is a human's doing."""

    number: int
    title: str
    body: str
    url: str
    is_open: bool
    left_open: bool
    locked: bool


class Issues:
    """Our issues in one repository; who wrote one is asked as it is for comments."""

    def __init__(
        self,
        api: Api,
        repository: str,
        login: Callable[[], str],
        pause: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._api = api
        self._repository = repository
        self._path = f"/repos/{repository}/issues"
        self._login = login
        self._pause = pause
        self._say = say

    def roll(self, draft: IssueDraft) -> Posted | None:
        """Makes the oldest issue of the draft's key be as the draft wants; None where none is.

        What a human closed stays closed until it was wanted closed in between; what a human opened
        again stays open until it is wanted open in between; what is locked is left as it is.
        """
        if not re.fullmatch("[0-9a-f]{1,64}", draft.key):
            raise ForgeError(f"could not mark an issue: {draft.key[:80]!r} is not hexadecimal")
        writing, made = Writing.UNCHANGED, set[int]()
        for _ in range(ROUNDS):
            ours = self._ours(draft.key)
            if not ours and draft.wanted is not Wanted.OPEN:
                return None
            if ours and self._is_settled(ours[0], draft):
                self._close_duplicates(ours, made, draft)
                return Posted(url=ours[0].url, id=ours[0].number, writing=writing)
            if ours:
                writing = writing if writing is Writing.CREATED else Writing.UPDATED
                self._change(ours[0].number, changes(ours[0], draft))
            else:
                writing = Writing.CREATED
                made |= self._create(draft)
            self._pause()
        raise ForgeError("could not settle the issue: others write it at the same time")

    def _is_settled(self, issue: Issue, draft: IssueDraft) -> bool:
        if issue.locked:
            self._say(f"issue {issue.number} is locked, and left as it is: {issue.url}")
        return issue.locked or not changes(issue, draft)

    def _create(self, draft: IssueDraft) -> set[int]:
        body = {"title": draft.title, "body": text_of(draft, is_open=True)}
        labels = {"labels": list(draft.labels)} if draft.labels else {}
        call = self._call("POST", self._path, "open an issue", body | labels)
        try:
            made = self._api.write(call)
        except UnsureError:
            return set()
        with reading(call.doing):
            return {int(made["number"])}

    def _change(self, number: int, body: dict[str, str]) -> None:
        call = self._call("PATCH", f"{self._path}/{number}", f"update issue {number}", body)
        try:
            self._api.write(call)
        except (UnsureError, GoneError):
            return

    def _close_duplicates(self, ours: list[Issue], made: set[int], draft: IssueDraft) -> None:
        """Issues cannot be deleted; without a mark, one is not ours any more."""
        for issue in ours[1:]:
            if issue.number in made:
                body = f"A duplicate of #{ours[0].number}."
                state = {"state": "closed", "state_reason": "not_planned"}
                self._change(issue.number, {"title": draft.title, "body": body} | state)

    def _ours(self, key: str) -> list[Issue]:
        try:
            found = list(self._by_graphql())
        except ForgeError:
            found = list(self._by_rest())
        ours = [i for i in found if (mark := _MARK.match(i.body)) and mark["key"] == key]
        return sorted(ours, key=lambda issue: issue.number)

    def _by_graphql(self) -> Iterator[Issue]:
        owner, name = self._repository.split("/")
        call = self._call("GET", self._path, "list the issues", None)
        variables, more = {"owner": owner, "name": name, "after": None}, True
        while more:
            data = self._api.graphql(call, QUERY, variables)
            with reading(call.doing):
                page = data["repository"]["issues"]
                nodes = [node for node in page["nodes"] if node["viewerDidAuthor"]]
                yield from map(_from_graphql, nodes)
                more = page["pageInfo"]["hasNextPage"]
                variables["after"] = page["pageInfo"]["endCursor"]

    def _by_rest(self) -> Iterator[Issue]:
        login = self._login() or ACTIONS
        call = self._call("GET", self._path, "list the issues", None)
        asked = {"state": "all", "direction": "asc"}
        with reading(call.doing):
            for item in self._api.pages(call.asking(asked)):
                is_pull = "pull_request" in item
                if not is_pull and (item.get("user") or {}).get("login") == login:
                    yield _from_rest(item)

    def _call(self, verb: str, path: str, doing: str, body: object) -> Call:
        scope = "issues: read" if verb == "GET" else "issues: write"
        return Call(verb=verb, path=path, doing=doing, scope=scope, body=body)


def changes(issue: Issue, draft: IssueDraft) -> dict[str, str]:
    """What of an issue is to be changed, as GitHub takes it; empty where nothing is."""
    wanted_open = (
        issue.left_open if draft.wanted is Wanted.AS_IT_IS else draft.wanted is Wanted.OPEN
    )
    made = {}
    if draft.title != issue.title:
        made["title"] = draft.title
    if not is_same(text_of(draft, is_open=wanted_open), issue.body):
        made["body"] = text_of(draft, is_open=wanted_open)
    # A state that we did not leave it in is a human's, and stays while we want what we did.
    if wanted_open not in (issue.left_open, issue.is_open):
        made |= (
            {"state": "open"} if wanted_open else {"state": "closed", "state_reason": "completed"}
        )
    return made


def text_of(draft: IssueDraft, *, is_open: bool) -> str:
    """The whole issue. Raises `ForgeError` for what is longer than GitHub takes."""
    state = "open" if is_open else "closed"
    text = f"<!-- reprocheck:v1 issue={draft.key} state={state} -->\n{draft.body}"
    if len(text.encode()) > MOST_BYTES:
        raise ForgeError(
            f"could not write an issue: {len(text.encode())} bytes are over {MOST_BYTES}"
        )
    return text


def _issue(found: Json, *, url: str) -> Issue:
    body = found.get("body") or ""
    mark = _MARK.match(body)
    return Issue(
        number=int(found["number"]),
        title=str(found["title"]),
        body=body,
        url=url,
        is_open=str(found["state"]).lower() == "open",
        left_open=mark is not None and mark["state"] == "open",
        locked=bool(found["locked"]),
    )


def _from_graphql(found: Json) -> Issue:
    return _issue(found, url=str(found["url"]))


def _from_rest(found: Json) -> Issue:
    return _issue(found, url=str(found["html_url"]))
