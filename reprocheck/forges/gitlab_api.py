"""Requests to GitLab, one at a time: who waits, who repeats, and who must not.

python-gitlab sends; its own retries are off, because none of them knows what may be sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from reprocheck.errors import ForgeError
from reprocheck.forges.answers import reading
from reprocheck.forges.upsert import GoneError, UnsureError
from reprocheck.forges.waiting import Patience, Waiting

if TYPE_CHECKING:
    from gitlab import Gitlab

EXTRA = 'install GitLab\'s client: pip install "reprocheck[gitlab]"'
SCOPE = "api"
_PER_PAGE = 100
_READS = 4  # how often a read is sent, where GitLab fails
_LIMITED = 8  # how often any request is sent, where GitLab limits
_MINUTE_S = 60.0
Json: TypeAlias = Any  # GitLab's answers, until they are read


class Api:
    """GitLab's REST interface at `api_url`. Every method raises `ForgeError`."""

    def __init__(
        self, api_url: str, token: str, waiting: Waiting, say: Callable[[str], None]
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._waiting = waiting
        self._headers: Mapping[str, str] = {}  # of the last answer
        self.patience = Patience(waiting, "GitLab", say)

    def read(self, path: str, doing: str, query: Mapping[str, object] | None = None) -> Json:
        """The JSON of a GET; repeated where GitLab fails, as reading changes nothing."""
        for attempt in range(_READS):
            try:
                return self._send("get", path, doing, query=query)
            except UnsureError as failure:
                if attempt == _READS - 1:
                    raise ForgeError(failure.message, failure.hint) from failure
                self.patience.wait(2.0**attempt, doing)
        raise AssertionError  # the last attempt returned or raised

    def pages(self, path: str, doing: str) -> Iterator[Json]:
        """The items of all pages, the oldest first."""
        page = "1"
        while page.isdecimal():
            query: dict[str, object] = {"per_page": _PER_PAGE, "page": int(page), "sort": "asc"}
            yield from self.read(path, doing, query)
            page = self._headers.get("X-Next-Page", "")

    def write(self, verb: str, path: str, doing: str, text: str | None) -> Json:
        """Sends once; raises `UnsureError` where it may have been done."""
        return self._send(verb, path, doing, body={"body": text} if text is not None else None)

    @cached_property
    def user_id(self) -> int:
        """Whose token it is; that of a project's token is a bot of its own."""
        doing = "ask whose the token is"
        with reading(doing, "GitLab"):
            return int(self.read("/user", doing)["id"])

    def _send(
        self,
        verb: str,
        path: str,
        doing: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> Json:
        for attempt in range(_LIMITED):
            status, content, words = self._once(verb, path, query, body)
            if status == 429:
                self.patience.wait(self._asked_to_wait(attempt), doing)
            elif status >= 500 or (content is None and status != 204):
                raise UnsureError(f"could not {doing}: {words}", "try again later")
            elif status >= 400:
                raise _refusal(status, doing, words)
            else:
                return content
        raise self.patience.ended(self.patience.waited_s, doing)

    def _once(
        self,
        verb: str,
        path: str,
        query: Mapping[str, object] | None,
        body: Mapping[str, str] | None,
    ) -> tuple[int, Json, str]:
        """Status, JSON and words; a connection that failed is a status of its own."""
        import requests
        from gitlab.exceptions import GitlabError

        try:
            reply = self._client.http_request(
                verb,
                path,
                query_data=dict(query or {}),
                post_data=dict(body) if body is not None else None,
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
        except GitlabError as refused:
            words = "".join(c if c.isprintable() else " " for c in str(refused.error_message))
            return refused.response_code or 500, {}, f"GitLab answered {words[:300]}"
        except requests.Timeout:
            return 599, None, "GitLab did not answer in time"
        except requests.RequestException as failure:
            return 599, None, f"the connection to GitLab failed ({type(failure).__name__})"
        try:
            return reply.status_code, reply.json() if reply.content else None, "an empty answer"
        except ValueError:
            return reply.status_code, None, "what answered is no JSON of GitLab's, or was cut off"

    def _asked_to_wait(self, attempt: int) -> float:
        after = self._headers.get("Retry-After", "")
        return float(after) if after.isdecimal() else _MINUTE_S * 2.0**attempt

    @cached_property
    def _client(self) -> Gitlab:
        try:
            import requests
            from gitlab import Gitlab
        except ImportError as absent:
            raise ForgeError(
                "could not reach GitLab: its client is not installed", EXTRA
            ) from absent
        session = requests.Session()
        session.hooks["response"].append(self._remember)
        url, _, version = self._api_url.rpartition("/api/v")
        return Gitlab(
            url=url,
            private_token=self._token,
            api_version=version,
            timeout=self._waiting.timeout_s,
            user_agent="reprocheck",
            keep_base_url=True,
            session=session,
        )

    def _remember(self, reply: Any, *_: object, **__: object) -> None:  # noqa: ANN401
        """Errors of python-gitlab do not have the headers that say how long to wait."""
        self._headers = reply.headers


def _refusal(status: int, doing: str, words: str) -> ForgeError:
    told = f"could not {doing}: {words}"
    if status == 404:
        return GoneError(told, "it does not exist, or the token may not see it")
    if status in (401, 403):
        hint = "the token must be a project's access token with the scope `api`, and not expired"
        return ForgeError(told, hint, missing=SCOPE)
    return ForgeError(told, "this may be a defect of reprocheck: report it with this message")
