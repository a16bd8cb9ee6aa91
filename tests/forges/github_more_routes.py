"""The fake GitHub's issues, workflow runs, artifacts, statuses and checks."""

from __future__ import annotations

from typing import Any

from tests.forges import github_replies as replies
from tests.forges.github_routes import (
    HOME,
    STATUS_TOO_LONG,
    Answer,
    Asked,
    RefusedError,
    Routes,
    limit,
    route,
)


@route("GET", f"{HOME}/issues")
def list_issues(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "issues")
    state = asked.query.get("state", "open")
    found = [issue for issue in routes.held.issues.values() if state in ("all", issue.state)]
    found = found if asked.query.get("direction") == "asc" else found[::-1]
    items = [replies.issue(issue, routes.held, routes.home) for issue in found]
    return Answer(status=200, items=items)


@route("POST", f"{HOME}/issues")
def create_issue(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "write", "issues")
    have_issues(routes)
    limit(asked.body.get("body") or "")
    made = routes.held.add_issue(
        asked.body["title"],
        asked.body.get("body") or "",
        asked.token.login,  # type: ignore[union-attr]
        labels=tuple(asked.body.get("labels", ())),
    )
    return Answer(status=201, body=replies.issue(made, routes.held, routes.home))


@route("GET", f"{HOME}/issues/{{issue_number}}")
def get_issue(routes: Routes, asked: Asked) -> Answer:
    number = routes.number(asked, "read")
    found = routes.item(routes.held.issues, str(number))
    return Answer(status=200, body=replies.issue(found, routes.held, routes.home))


@route("PATCH", f"{HOME}/issues/{{issue_number}}")
def change_issue(routes: Routes, asked: Asked) -> Answer:
    number = routes.number(asked, "write")
    have_issues(routes)
    found = routes.item(routes.held.issues, str(number))
    limit(asked.body.get("body") or "")
    for name in ("title", "body", "state", "state_reason"):
        if name in asked.body:
            setattr(found, name, asked.body[name])
    return Answer(status=200, body=replies.issue(found, routes.held, routes.home))


def have_issues(routes: Routes) -> None:
    if not routes.held.has_issues:
        raise RefusedError(410, "Issues has been disabled in this repository.")


@route("GET", f"{HOME}/actions/runs/{{run_id}}")
def get_run(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "actions")
    found = routes.item(routes.held.runs, asked.variables["run_id"])
    return Answer(status=200, body=replies.run(found, routes.held, routes.home))


@route("GET", f"{HOME}/actions/workflows/{{workflow_id}}/runs")
def list_runs(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "actions")
    runs = [run for run in routes.held.runs.values() if run.file == asked.variables["workflow_id"]]
    if not runs:
        raise RefusedError(404, "Not Found")
    for name, of in (("branch", "head_branch"), ("event", "event"), ("status", "status")):
        runs = [run for run in runs if asked.query.get(name) in (None, getattr(run, of))]
    made = [replies.run(run, routes.held, routes.home) for run in reversed(runs)]
    return Answer(status=200, items=made, inside="workflow_runs")


@route("GET", f"{HOME}/actions/runs/{{run_id}}/artifacts")
def list_artifacts(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "actions")
    run = routes.item(routes.held.runs, asked.variables["run_id"])
    made = [
        replies.artifact(artifact, routes.api, routes.held)
        for artifact in routes.held.artifacts.values()
        if artifact.run_id == run.id and asked.query.get("name") in (None, artifact.name)
    ]
    return Answer(status=200, items=made, inside="artifacts")


@route("GET", f"{HOME}/actions/artifacts")
def list_all_artifacts(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "actions")
    made = [
        replies.artifact(artifact, routes.api, routes.held)
        for artifact in reversed(routes.held.artifacts.values())
        if asked.query.get("name") in (None, artifact.name)
    ]
    return Answer(status=200, items=made, inside="artifacts")


@route("GET", f"{HOME}/actions/artifacts/{{artifact_id}}")
def get_artifact(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "actions")
    found = routes.item(routes.held.artifacts, asked.variables["artifact_id"])
    return Answer(status=200, body=replies.artifact(found, routes.api, routes.held))


@route("GET", f"{HOME}/actions/artifacts/{{artifact_id}}/{{archive_format}}")
def download_artifact(routes: Routes, asked: Asked) -> Answer:
    """Wants a token, even where the repository is public; then sends to another origin."""
    routes.see(asked)
    if asked.token is None:
        raise RefusedError(401, "Requires authentication")
    if not asked.token.may("actions", "read"):
        raise RefusedError(403, "Resource not accessible by integration")
    found = routes.item(routes.held.artifacts, asked.variables["artifact_id"])
    if found.expired:
        raise RefusedError(410, "Artifact has expired")
    return Answer(status=302, headers={"location": f"{routes.blobs}/{found.id}?sig=secret"})


@route("POST", f"{HOME}/statuses/{{sha}}")
def create_status(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "write", "statuses")
    if len(asked.body.get("description") or "") > 140:
        raise RefusedError(422, "Validation Failed", STATUS_TOO_LONG)
    held = {"sha": asked.variables["sha"], **asked.body}
    routes.held.statuses.append(held)
    return Answer(status=201, body=status_reply(held, asked))


def status_reply(held: dict[str, Any], asked: Asked) -> dict[str, Any]:
    said = {key: value for key, value in held.items() if key != "sha"}
    return replies.status(said, asked.token.login if asked.token else "nobody")


@route("GET", f"{HOME}/commits/{{ref}}/statuses")
def list_statuses(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "statuses")
    found = [held for held in routes.held.statuses[::-1] if held["sha"] == asked.variables["ref"]]
    return Answer(status=200, items=[status_reply(held, asked) for held in found])


@route("POST", f"{HOME}/check-runs")
def create_check(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "write", "checks")
    made = {"id": next(routes.held.ids), "annotations": [], **asked.body}
    made["annotations"] += (asked.body.get("output") or {}).get("annotations", [])
    routes.held.checks[made["id"]] = made
    return Answer(status=201, body=replies.check_run(made, routes.home))


@route("GET", f"{HOME}/check-runs/{{check_run_id}}")
def get_check(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "checks")
    found = routes.item(routes.held.checks, asked.variables["check_run_id"])
    return Answer(status=200, body=replies.check_run(found, routes.home))


@route("PATCH", f"{HOME}/check-runs/{{check_run_id}}")
def change_check(routes: Routes, asked: Asked) -> Answer:
    """Annotations are added to those that are there."""
    routes.need(asked, "write", "checks")
    found = routes.item(routes.held.checks, asked.variables["check_run_id"])
    found["annotations"] += (asked.body.get("output") or {}).get("annotations", [])
    found.update({key: value for key, value in asked.body.items() if key != "annotations"})
    return Answer(status=200, body=replies.check_run(found, routes.home))


@route("GET", f"{HOME}/commits/{{ref}}/check-runs")
def list_checks(routes: Routes, asked: Asked) -> Answer:
    routes.need(asked, "read", "checks")
    named = asked.query.get("check_name")
    made = [
        replies.check_run(held, routes.home)
        for held in routes.held.checks.values()
        if held["head_sha"] == asked.variables["ref"] and named in (None, held["name"])
    ]
    return Answer(status=200, items=made, inside="check_runs")
