"""The fake GitHub's replies: GitHub's published examples, patched with what is held."""

from __future__ import annotations

from typing import Any

from tests.forges.github_contract import contract
from tests.forges.github_state import Artifact, Comment, Issue, Pull, Repository, Run

EXAMPLE = "octocat/Hello-World"


def user(login: str) -> dict[str, Any]:
    made = contract().example("issue-comment")["user"]
    kind = "Bot" if login.endswith("[bot]") else "User"
    return made | {"login": login, "type": kind, "id": sum(login.encode()) + 1000}


def whole_user(login: str) -> dict[str, Any]:
    made = contract().example("private-user-response-with-public-profile-information")
    return made | user(login) | {"user_view_type": "public"}


def repository(held: Repository, site: str) -> dict[str, Any]:
    visibility = "private" if held.private else "public"
    visibility = visibility if held.visibility is None else held.visibility
    made = contract().example("full-repository-default-response")
    for part in ("source", "parent", "template_repository", "visibility"):
        made.pop(part, None)
    return made | {
        "id": held.id,
        "name": held.name,
        "full_name": held.full_name,
        "owner": user(held.owner),
        "private": held.private,
        **({"visibility": visibility} if visibility else {}),
        "default_branch": held.default_branch,
        "html_url": f"{site}/{held.full_name}",
        "language": "Python",  # the schema asks for it, the published example lacks it
    }


def comment(held: Comment, home: str) -> dict[str, Any]:
    minimized = {"reason": "outdated"} if held.minimized else None
    return contract().example("issue-comment") | {
        "id": held.id,
        "body": held.body,
        "user": user(held.author),
        "html_url": f"{home}/pull/{held.number}#issuecomment-{held.id}",
        "issue_url": f"{home}/issues/{held.number}",
        "minimized": minimized,
    }


def pull(held: Pull, of: Repository, home: str, *, alone: bool) -> dict[str, Any]:
    made = (
        contract().example("pull-request")
        if alone
        else contract().example("pull-request-simple-items")[0]
    )
    head = {"label": f"{held.head_owner}:{held.head_branch}", "ref": held.head_branch}
    made["head"] |= head | {"sha": held.head_sha, "user": user(held.head_owner)}
    made["base"] |= {"ref": held.base_branch, "sha": held.base_sha, "user": user(of.owner)}
    made["base"]["repo"] |= described(of.owner, of.name, of.id)
    gone = held.head_gone
    made["head"]["repo"] = (
        None
        if gone
        else made["head"]["repo"] | described(held.head_owner, held.head_name, held.head_id)
    )
    if alone:
        made |= {"changed_files": 1, "commits": len(held.commits)}
    return made | {
        "number": held.number,
        "state": held.state,
        "title": held.title,
        "body": held.body,
        "user": user(held.author),
        "html_url": f"{home}/pull/{held.number}",
        "locked": held.number in of.locked,
        "requested_teams": [],  # the published example's is not of the schema
    }


def described(owner: str, name: str, repository_id: int) -> dict[str, Any]:
    whole = {"name": name, "full_name": f"{owner}/{name}", "owner": user(owner)}
    return whole | {"id": repository_id}


def issue(held: Issue, of: Repository, home: str) -> dict[str, Any]:
    made = contract().example("issue")
    label = made["labels"][0]
    for part in ("pull_request", "closed_by", "repository", "milestone", "assignee"):
        made.pop(part, None)
    return made | {
        "number": held.number,
        "title": held.title,
        "body": held.body,
        "state": held.state,
        # The schema allows null, but its list of reasons lacks it.
        **({"state_reason": held.state_reason} if held.state_reason else {}),
        "user": user(held.author),
        "assignees": [],
        "assignee": None,
        "milestone": None,
        "labels": [label | {"name": name} for name in held.labels],
        "locked": held.number in of.locked,
        "html_url": f"{home}/issues/{held.number}",
    }


def run(held: Run, of: Repository, home: str) -> dict[str, Any]:
    made = contract().example("workflow-run")
    head = described(held.head_owner, held.head_name, 99)
    made |= {
        "id": held.id,
        "run_attempt": held.attempt,
        "path": f".github/workflows/{held.file}",
        "event": held.event,
        "status": held.status,
        "conclusion": held.conclusion,
        "head_sha": held.head_sha,
        "head_branch": held.head_branch,
        "head_repository": made["head_repository"] | head,
        "repository": made["repository"] | described(of.owner, of.name, of.id),
        "html_url": f"{home}/actions/runs/{held.id}",
        "created_at": held.created_at,
        "pull_requests": [],
    }
    return made


def artifact(held: Artifact, api: str, of: Repository) -> dict[str, Any]:
    made = contract().example("artifact-paginated")["artifacts"][0]
    return made | {
        "id": held.id,
        "name": held.name,
        "size_in_bytes": len(held.content),
        "archive_download_url": f"{api}/repos/{of.full_name}/actions/artifacts/{held.id}/zip",
        "expired": held.expired,
        "created_at": held.created_at,
        "digest": held.digest,
        "workflow_run": made["workflow_run"] | {"id": held.run_id},
    }


def commit(sha: str) -> dict[str, Any]:
    return contract().example("commit-items")[0] | {"sha": sha}


def status(posted: dict[str, Any], login: str) -> dict[str, Any]:
    return contract().example("status") | posted | {"creator": user(login)}


def check_run(held: dict[str, Any], home: str) -> dict[str, Any]:
    made = contract().example("check-run-example-of-completed-conclusion")
    output = held.get("output") or {}
    made["output"] |= {
        "title": output.get("title"),
        "summary": output.get("summary"),
        "text": output.get("text"),
        "annotations_count": len(held["annotations"]),
    }
    said = ("id", "name", "head_sha", "conclusion", "status", "external_id", "details_url")
    return made | {key: held[key] for key in said if key in held} | {"pull_requests": []}
