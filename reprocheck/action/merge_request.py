"""A merge request's job on GitLab, by its variables."""

from __future__ import annotations

from collections.abc import Mapping

from reprocheck.action.surroundings import is_sha
from reprocheck.model import Page


def is_here(env: Mapping[str, str]) -> bool:
    """Whether this is a job of a merge request."""
    return env.get("CI_MERGE_REQUEST_IID", "").isdecimal() and bool(env.get("CI_PROJECT_ID"))


def page(env: Mapping[str, str]) -> Page:
    """Where a check of the job is shown."""
    # Of a pipeline for merged results CI_COMMIT_SHA is a commit that nobody made.
    shas = (env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", ""), env.get("CI_COMMIT_SHA", ""))
    project = env.get("CI_PROJECT_PATH", "")
    source = env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", project)
    pipeline = env.get("CI_PIPELINE_ID", "")
    return Page(
        server=env.get("CI_SERVER_URL", "").rstrip("/"),
        repository=project,
        number=int(env["CI_MERGE_REQUEST_IID"]),
        head_sha=next(filter(is_sha, shas), ""),
        head_repository=source,
        workflow_url=env.get("CI_PIPELINE_URL", ""),
        run_id=int(pipeline) if pipeline.isdecimal() else 0,
        untrusted=source.lower() != project.lower(),
    )


def job_of(env: Mapping[str, str]) -> str:
    """What tells the comments of several jobs apart."""
    return f".gitlab-ci.yml {env.get('CI_JOB_NAME', '')}"
