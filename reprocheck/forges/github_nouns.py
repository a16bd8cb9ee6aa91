"""What GitHub tells, as plain data: nothing of PyGithub leaves this folder."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Wanted(enum.StrEnum):
    """What a rolling issue shall be."""

    OPEN = "open"
    CLOSED = "closed"
    AS_IT_IS = "as it is"


class AnnotationLevel(enum.StrEnum):
    """How a check run marks a line."""

    NOTICE = "notice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request; text in it is its author's. A head whose repository is gone has "" there."""

    number: int
    state: str  # open, closed
    title: str
    body: str
    url: str
    author: str
    head_owner: str
    head_repository: str  # owner/name
    head_branch: str
    head_sha: str
    base_branch: str
    base_sha: str
    is_fork: bool  # also where the head's repository is gone


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """What a workflow's run uploaded, as a zip file."""

    id: int
    name: str
    bytes: int
    digest: str  # sha256:…, of the zip file; "" where GitHub does not say
    expired: bool
    created_at: str  # ISO 8601


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowRun:
    """A run of a workflow. Names of branches are their authors'."""

    id: int
    attempt: int
    workflow_path: str  # .github/workflows/x.yml; "" where GitHub does not say
    event: str
    status: str
    conclusion: str  # "" before it ended
    head_owner: str
    head_repository: str
    head_branch: str
    head_sha: str
    url: str
    created_at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """A line of a file that a check run marks."""

    path: str
    line: int
    level: AnnotationLevel
    message: str
    title: str = ""


class StatusState(enum.StrEnum):
    """What a commit's status says."""

    ERROR = "error"
    FAILURE = "failure"
    PENDING = "pending"
    SUCCESS = "success"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitStatus:
    """A mark on a commit; the last one of a `context` counts."""

    sha: str
    context: str
    state: StatusState
    description: str  # cut at 140 characters
    target_url: str  # "" for none


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueDraft:
    """What a rolling issue shall say and be; `labels` are for when it is opened."""

    key: str  # hexadecimal
    title: str
    body: str  # Markdown, without the mark
    labels: tuple[str, ...]
    wanted: Wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRun:
    """A finished check: `conclusion` is one of GitHub's (success, failure, neutral, …)."""

    name: str
    sha: str
    conclusion: str
    title: str
    summary: str  # Markdown, 65,535 characters at most
    external_id: str  # tells a check that may have been made from one that was not
    details_url: str = ""
    annotations: tuple[Annotation, ...] = ()
