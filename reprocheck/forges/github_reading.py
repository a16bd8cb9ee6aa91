"""GitHub's JSON, read into nouns."""

from __future__ import annotations

from reprocheck.forges.github_errors import Json
from reprocheck.forges.github_nouns import Artifact, PullRequest, WorkflowRun


def pull_request(found: Json) -> PullRequest:
    """From the list of pull requests, or one alone."""
    head, base = found["head"], found["base"]
    repository = head.get("repo") or {}  # null where a fork was deleted
    return PullRequest(
        number=int(found["number"]),
        state=str(found["state"]),
        title=found.get("title") or "",
        body=found.get("body") or "",
        url=str(found["html_url"]),
        author=(found.get("user") or {}).get("login", ""),
        head_owner=(repository.get("owner") or head.get("user") or {}).get("login", ""),
        head_repository=repository.get("full_name", ""),
        head_branch=str(head["ref"]),
        head_sha=str(head["sha"]),
        base_branch=str(base["ref"]),
        base_sha=str(base["sha"]),
        is_fork=repository.get("id") != base["repo"]["id"],
    )


def artifact(found: Json) -> Artifact:
    """Of the list of a run's."""
    return Artifact(
        id=int(found["id"]),
        name=str(found["name"]),
        bytes=int(found["size_in_bytes"]),
        digest=found.get("digest") or "",
        expired=bool(found["expired"]),
        created_at=found.get("created_at") or "",
    )


def workflow_run(found: Json) -> WorkflowRun:
    """From the list of a workflow's, or one alone."""
    repository = found.get("head_repository") or {}
    return WorkflowRun(
        id=int(found["id"]),
        attempt=int(found.get("run_attempt") or 1),
        workflow_path=(found.get("path") or "").partition("@")[0],
        event=str(found["event"]),
        status=found.get("status") or "",
        conclusion=found.get("conclusion") or "",
        head_owner=(repository.get("owner") or {}).get("login", ""),
        head_repository=repository.get("full_name", ""),
        head_branch=found.get("head_branch") or "",
        head_sha=str(found["head_sha"]),
        url=str(found["html_url"]),
        created_at=str(found["created_at"]),
    )
