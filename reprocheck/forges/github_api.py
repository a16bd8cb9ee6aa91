"""Requests to GitHub, one at a time: who waits, who repeats, and who must not.

PyGithub sends; its own retries are off, because they would send a POST twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from reprocheck.errors import ForgeError
from reprocheck.forges.github_errors import (
    Call,
    Json,
    Reply,
    after_failure,
    asked_to_wait,
    refusal,
    unanswered,
    unreadable,
)
from reprocheck.forges.upsert import UnsureError
from reprocheck.forges.waiting import Patience, Waiting

if TYPE_CHECKING:
    from github.Requester import Requester

PER_PAGE = 100
_READS = 4  # how often a read is sent, where GitHub fails
_LIMITED = 8  # how often any request is sent, where GitHub limits
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass(kw_only=True, slots=True)
class Address:
    """Where GitHub is, and as whom we ask; `token` may be empty."""

    api_url: str
    graphql_url: str
    token: str = field(repr=False)


class Api:
    """GitHub's REST and GraphQL interfaces, as JSON. Every method raises `ForgeError`."""

    def __init__(self, address: Address, waiting: Waiting, say: Callable[[str], None]) -> None:
        self._address = address
        self._waiting = waiting
        self._patience = Patience(waiting, "GitHub", say)

    def get(self, call: Call) -> Json:
        """The JSON that a GET answers; repeated where GitHub fails, as reading changes nothing."""
        return self._read(call).content

    def pages(self, call: Call, inside: str = "") -> Iterator[Json]:
        """The items of all pages of a list, which is what is `inside` where that is named."""
        page: Call | None = call.asking({"per_page": PER_PAGE})
        while page is not None:
            reply = self._read(page)
            items = reply.content.get(inside) if inside else reply.content
            if not isinstance(items, list):
                raise unreadable(call)
            yield from items
            page = _next(page, reply)

    def write(self, call: Call) -> Json:
        """Sends once; again only where GitHub refused for a limit, so where nothing was done.

        Raises `UnsureError` where it may have been done.
        """
        reply = self._limited(call)
        if reply.status >= 500 or reply.broken:
            raise UnsureError(*after_failure(call, reply))
        if not 200 <= reply.status < 300:
            raise refusal(call, reply)
        return reply.content

    def graphql(self, call: Call, query: str, variables: Mapping[str, object]) -> Json:
        """The data that a query answers; one that writes would be repeated, too."""
        if urlsplit(self._address.graphql_url)[:2] != urlsplit(self._address.api_url)[:2]:
            raise ForgeError("GraphQL is at another host than the interface that the token is for")
        body = {"query": query, "variables": dict(variables)}
        path = self._address.graphql_url
        return self._read(replace(call, verb="POST", path=path, body=body)).data

    def location(self, call: Call) -> str:
        """Where a GET redirects to, for one request without the token."""
        reply = self._read(call)
        if reply.status != 302 or not reply.headers.get("location"):
            raise unreadable(call)
        return reply.headers["location"]

    def pause(self) -> None:
        """A moment, for others to finish writing."""
        self._patience.pause()

    def _read(self, call: Call) -> Reply:
        for attempt in range(_READS):
            last = attempt == _READS - 1
            reply = self._limited(call)
            if reply.status < 500 and not reply.broken:
                break
            if last:
                raise ForgeError(*after_failure(call, reply))
            self._patience.wait(2.0**attempt, call.doing)
        if (reply.status >= 300 and reply.status != 302) or reply.graphql_error:
            raise refusal(call, reply)
        return reply

    def _limited(self, call: Call) -> Reply:
        for attempt in range(_LIMITED):
            reply = self._send(call)
            wait_s = asked_to_wait(reply, attempt, self._waiting.clock())
            if wait_s is None:
                return reply
            self._patience.wait(wait_s, call.doing)
        raise self._patience.ended(self._patience.waited_s, call.doing)

    def _send(self, call: Call) -> Reply:
        """What came back; a connection that failed is a reply without a status."""
        import requests
        import urllib3

        try:
            status, headers, text = self._requester.requestJson(
                call.verb, call.path, dict(call.parameters), {**_HEADERS, **call.headers}, call.body
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as failure:
            return Reply(status=599, headers={}, content=None, failure=unanswered(failure))
        except (RuntimeError, AssertionError) as failure:  # PyGithub's, about redirections
            raise ForgeError(
                f"could not {call.doing}: {failure}", "check GITHUB_API_URL and the repository"
            ) from failure
        return _reply(status, headers, text)

    @cached_property
    def _requester(self) -> Requester:
        from github import Auth, Github

        token = self._address.token
        return Github(
            auth=Auth.Token(token) if token else None,
            base_url=self._address.api_url.rstrip("/"),
            timeout=self._waiting.timeout_s,
            user_agent="reprocheck",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester


def _reply(status: int, headers: Mapping[str, str], text: str) -> Reply:
    try:
        content = json.loads(text) if text else None
    except ValueError:
        return Reply(status=status, headers=headers, content=None, broken=True)
    return Reply(status=status, headers=headers, content=content)


def _next(call: Call, reply: Reply) -> Call | None:
    """The page after this one: only its parameters are taken from the link, never its address."""
    for part in str(reply.headers.get("link", "")).split(","):
        address, _, rest = part.partition(";")
        if 'rel="next"' in rest:
            return call.asking(dict(parse_qsl(urlsplit(address.strip().strip("<>")).query)))
    return None
