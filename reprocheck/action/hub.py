"""The forge of a job, by its variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reprocheck.action.commands import Level, Say, annotation
from reprocheck.action.inputs import Inputs
from reprocheck.action.surroundings import Surroundings
from reprocheck.errors import UsageError

if TYPE_CHECKING:
    from reprocheck.forges.github import GitHub
    from reprocheck.forges.waiting import Waiting

WAITING: Waiting | None = None
"""How patient jobs are with GitHub, for tests; None: as `GitHub` is."""


def token_of(env: Mapping[str, str]) -> str:
    """The job's token, "" where it was given none."""
    return Inputs(env).text("github-token") or env.get("GITHUB_TOKEN", "").strip()


def github(env: Mapping[str, str], here: Surroundings, say: Say) -> GitHub:
    """The job's repository on GitHub. Raises `UsageError` outside of a job, or without a token."""
    from reprocheck.forges.github import GitHub

    if not (here.api and here.repository):
        raise UsageError(
            "this is no job of GitHub Actions: GITHUB_API_URL and GITHUB_REPOSITORY are not set",
            "run it in a workflow",
        )
    token = token_of(env)
    if not token:
        raise UsageError(
            "no token is there to ask GitHub with", "hand over input github-token, or GITHUB_TOKEN"
        )
    return GitHub(
        api_url=here.api,
        graphql_url=here.graphql,
        repository=here.repository,
        token=token,
        waiting=WAITING,
        say=lambda text: say(annotation(Level.NOTICE, text, "reprocheck")),
    )
