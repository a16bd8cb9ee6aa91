"""What GitHub answers when it does not do what was asked: a limit, a refusal, a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from reprocheck.errors import ForgeError
from reprocheck.forges.upsert import GoneError

Json: TypeAlias = Any  # GitHub's answers, until `github_reading` has read them
_LONGEST_WORDS = 300
_SECONDARY_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request, with what errors say of it."""

    verb: str
    path: str
    doing: str  # "comment on pull request 3"
    scope: str = ""  # what a token needs for it: "pull-requests: write"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None

    def asking(self, parameters: Mapping[str, Any]) -> Call:
        """The same, with parameters besides its own."""
        return replace(self, parameters={**self.parameters, **parameters})


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back; the names of `headers` are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: Json
    broken: bool = False  # no JSON, or cut off
    failure: str = ""  # of the connection, in words

    @property
    def words(self) -> str:
        """GitHub's own, made harmless for a log."""
        message = self.content.get("message") if isinstance(self.content, dict) else ""
        errors = self.content.get("errors") if isinstance(self.content, dict) else []
        said = [message, *(_words_of(error) for error in errors or [] if error)]
        text = "; ".join(str(part) for part in said if part)
        return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_WORDS]

    @property
    def graphql_error(self) -> str:
        """The kind of a GraphQL answer's first error, "" for none."""
        if self.status != 200 or not isinstance(self.content, dict):
            return ""
        errors = self.content.get("errors")
        if not errors:
            return ""
        first = errors[0] if isinstance(errors, list) else None
        return str(first.get("type") or "ERROR") if isinstance(first, dict) else "ERROR"

    @property
    def data(self) -> Json:
        """A GraphQL answer's."""
        return self.content.get("data") if isinstance(self.content, dict) else None


def _words_of(error: object) -> object:
    if not isinstance(error, dict):
        return error
    return error.get("message") or f"{error.get('field')}: {error.get('code')}"


def asked_to_wait(reply: Reply, attempt: int, now_s: float) -> float | None:
    """Seconds to wait before the same request again, None where no limit was met.

    Retry-After is obeyed; else the hour's limit ends when GitHub says; else, as GitHub asks for, a
    minute, and twice as long each time.
    """
    if not _is_limit(reply):
        return None
    after = str(reply.headers.get("retry-after", ""))
    if after.isdecimal():
        return float(after)
    reset = str(reply.headers.get("x-ratelimit-reset", ""))
    if reply.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        # One second more, as it is not said when in that second; a reset that is past is no
        # reason to hurry.
        return max(float(reset) - now_s, 2.0**attempt - 1) + 1
    return _SECONDARY_S * 2.0**attempt


def _is_limit(reply: Reply) -> bool:
    if reply.status == 429 or reply.graphql_error == "RATE_LIMITED":
        return True
    if reply.status != 403 or _is_scope(reply) or _is_locked(reply):
        return False
    words = reply.words.lower()
    said = "rate limit" in words or "abuse detection" in words
    spent = reply.headers.get("x-ratelimit-remaining") == "0"
    return said or spent or "retry-after" in reply.headers


def _is_scope(reply: Reply) -> bool:
    return "resource not accessible" in reply.words.lower()


def _is_locked(reply: Reply) -> bool:
    """Not what a limit says: "temporarily blocked from content creation"."""
    return reply.words.endswith("issue is locked.")


def refusal(call: Call, reply: Reply) -> ForgeError:
    """What a refusal means, in words, with the scope that is missing where one is."""
    told = f"could not {call.doing}: GitHub answered {reply.status}"
    told += f": {reply.words}" if reply.words else ""
    if _is_scope(reply) or reply.graphql_error in ("FORBIDDEN", "INSUFFICIENT_SCOPES"):
        return ForgeError(told, _scope_hint(call.scope), missing=call.scope)
    if reply.status == 403 and _is_locked(reply):
        return ForgeError(told, "unlock the conversation, or turn comments off: comment-mode: off")
    if reply.status == 401:
        return ForgeError(told, "the token is not valid, or has expired: renew it", call.scope)
    if reply.status in (404, 410) or reply.graphql_error == "NOT_FOUND":
        return GoneError(told, _absent_hint(call.scope))
    if reply.status == 403:
        return ForgeError(told, _scope_hint(call.scope), missing=call.scope)
    return ForgeError(told, "this may be a defect of reprocheck: report it with this message")


def _scope_hint(scope: str) -> str:
    return (
        f"the token lacks `{scope}`: add it to the job's `permissions:`; a pull request from a "
        "fork gets a token that only reads, so comment from a second workflow (workflow_run)"
    )


def _absent_hint(scope: str) -> str:
    return f"it does not exist, or the token may not see it: it needs `{scope}`"


def after_failure(call: Call, reply: Reply) -> tuple[str, str]:
    """Message and hint for what GitHub, or the way there, failed to do."""
    if reply.failure:
        return f"could not {call.doing}: {reply.failure}", "try again later"
    if reply.broken and reply.status < 500:
        return unreadable(call).message, unreadable(call).hint
    return f"could not {call.doing}: GitHub answered {reply.status}", "try again later"


def unreadable(call: Call) -> ForgeError:
    """An answer that is none of GitHub's."""
    return ForgeError(
        f"could not {call.doing}: what answered is no JSON of GitHub's, or was cut off",
        "check GITHUB_API_URL, and proxies on the way there",
    )


def unanswered(failure: Exception) -> str:
    """A connection's failure in one line; addresses and tokens are not in it."""
    import requests

    if isinstance(failure, requests.Timeout):
        return "GitHub did not answer in time"
    return f"the connection to GitHub failed ({type(failure).__name__})"
