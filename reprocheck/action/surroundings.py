"""Where a job runs: what GitHub's variables and the event's payload tell, parsed once.

A payload is GitHub's, but branch names, bodies and repositories in it are anybody's. What is not of
the shape that is expected counts as absent: an event of tomorrow must not end a job in a traceback.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import text_files
from reprocheck.text_files import BrokenTextError

LARGEST_EVENT = 25_000_000
"""Bytes of a payload; GitHub delivers no larger one."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)


class EventKind(enum.StrEnum):
    """The events that our workflows start on."""

    PULL_REQUEST = "pull_request"
    PULL_REQUEST_TARGET = "pull_request_target"  # never used by us: it has the base's secrets
    WORKFLOW_RUN = "workflow_run"
    WORKFLOW_DISPATCH = "workflow_dispatch"
    SCHEDULE = "schedule"
    PUSH = "push"
    OTHER = "other"  # or no event at all


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request, as the event tells of it."""

    number: int
    body: str
    head_sha: str
    head_branch: str
    head_repository: str  # "" where the fork was deleted
    base_sha: str
    base_branch: str
    fork: bool  # it comes from another repository, or nobody knows from which

    @property
    def head_owner(self) -> str:
        """Who owns the repository that it comes from."""
        return self.head_repository.partition("/")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowRun:
    """The run of another workflow that this one was started by."""

    id: int
    attempt: int
    event: str
    path: str  # of the workflow's file; "": the payload does not tell
    head_sha: str
    head_branch: str
    head_repository: str
    url: str

    @property
    def head_owner(self) -> str:
        """Who owns the repository that it ran for."""
        return self.head_repository.partition("/")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """A job on GitHub, or none: then texts are empty and numbers 0."""

    kind: EventKind
    server: str
    api: str
    graphql: str
    repository: str  # "owner/name"
    sha: str  # of what is checked out by default: of a pull request its merge commit
    run_id: int
    attempt: int
    workflow: str  # path of its file
    workspace: Path | None
    temporary: Path | None
    public: bool | None  # None: not told
    default_branch: str
    pull_request: PullRequest | None
    workflow_run: WorkflowRun | None

    @property
    def head_sha(self) -> str:
        """The commit that the job is about."""
        if self.pull_request:
            return self.pull_request.head_sha
        return self.workflow_run.head_sha if self.workflow_run else self.sha

    @property
    def run_url(self) -> str:
        """The page of this run of the workflow; "": not on GitHub."""
        if not (self.server and self.repository and self.run_id):
            return ""
        return f"{self.server}/{self.repository}/actions/runs/{self.run_id}"


def read(env: Mapping[str, str]) -> Surroundings:
    """The surroundings by the environment's GITHUB_* variables and the event's payload."""
    event = _event(env.get("GITHUB_EVENT_PATH", ""))
    kind = _kind(env.get("GITHUB_EVENT_NAME", ""))
    repository = _repository(env.get("GITHUB_REPOSITORY"))
    told = _mapping(event.get("repository"))
    api = _https(env.get("GITHUB_API_URL"))
    return Surroundings(
        kind=kind,
        server=_https(env.get("GITHUB_SERVER_URL")),
        api=api,
        graphql=_https(env.get("GITHUB_GRAPHQL_URL")) or (f"{api}/graphql" if api else ""),
        repository=repository,
        sha=_sha(env.get("GITHUB_SHA")),
        run_id=_number(env.get("GITHUB_RUN_ID")),
        attempt=_number(env.get("GITHUB_RUN_ATTEMPT")) or 1,
        workflow=_workflow(env.get("GITHUB_WORKFLOW_REF", ""), repository),
        workspace=_folder(env.get("GITHUB_WORKSPACE")),
        temporary=_folder(env.get("RUNNER_TEMP")),
        public=_is_public(told),
        default_branch=_text(told.get("default_branch")),
        pull_request=_pull_request(event, repository) if kind in _OF_PULL_REQUESTS else None,
        workflow_run=_workflow_run(event) if kind is EventKind.WORKFLOW_RUN else None,
    )


_OF_PULL_REQUESTS = (EventKind.PULL_REQUEST, EventKind.PULL_REQUEST_TARGET)


def is_sha(text: str) -> bool:
    """Whether a text is the full id of a commit."""
    return _SHA.fullmatch(text) is not None


def _event(name: str) -> Mapping[str, Any]:
    if not name:
        return {}
    try:
        return _mapping(text_files.parse_json(text_files.read_text(Path(name), LARGEST_EVENT)))
    except BrokenTextError:
        return {}


def _kind(name: str) -> EventKind:
    try:
        return EventKind(name)
    except ValueError:
        return EventKind.OTHER


def _pull_request(event: Mapping[str, Any], repository: str) -> PullRequest | None:
    told = _mapping(event.get("pull_request"))
    head, base = _mapping(told.get("head")), _mapping(told.get("base"))
    number, sha = _number(told.get("number")), _sha(head.get("sha"))
    if not (number and sha):
        return None
    origin = _repository(_mapping(head.get("repo")).get("full_name"))
    return PullRequest(
        number=number,
        body=_text(told.get("body")),
        head_sha=sha,
        head_branch=_text(head.get("ref")),
        head_repository=origin,
        base_sha=_sha(base.get("sha")),
        base_branch=_text(base.get("ref")),
        fork=not origin or origin.lower() != repository.lower(),
    )


def _workflow_run(event: Mapping[str, Any]) -> WorkflowRun | None:
    told = _mapping(event.get("workflow_run"))
    number = _number(told.get("id"))
    if not number:
        return None
    return WorkflowRun(
        id=number,
        attempt=_number(told.get("run_attempt")) or 1,
        event=_text(told.get("event")),
        path=_text(told.get("path")).partition("@")[0],
        head_sha=_sha(told.get("head_sha")),
        head_branch=_text(told.get("head_branch")),
        head_repository=_repository(_mapping(told.get("head_repository")).get("full_name")),
        url=_https(told.get("html_url")),
    )


def _workflow(ref: str, repository: str) -> str:
    """The path in OWNER/NAME/PATH@REF, which may be of a workflow in another repository."""
    return ref.partition("@")[0].removeprefix(f"{repository}/")


def _is_public(repository: Mapping[str, Any]) -> bool | None:
    visibility, private = repository.get("visibility"), repository.get("private")
    if isinstance(visibility, str):
        return visibility == "public"
    return not private if isinstance(private, bool) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sha(value: object) -> str:
    return value if isinstance(value, str) and is_sha(value) else ""


def _repository(value: object) -> str:
    return value if isinstance(value, str) and _REPOSITORY.fullmatch(value) else ""


def _number(value: object) -> int:
    """A whole number above 0, or 0."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[0-9]{1,18}", value, re.ASCII) else 0
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _https(value: object) -> str:
    """An address; GitHub Enterprise may have http, and so do tests."""
    text = _text(value).rstrip("/")
    return text if text.startswith(("https://", "http://")) else ""


def _folder(value: str | None) -> Path | None:
    return Path(value) if value and Path(value).is_dir() else None
