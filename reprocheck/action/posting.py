"""`reprocheck report --post`: from which job a check is posted, and to where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reprocheck import publishing
from reprocheck.action import (
    base_branch,
    downloading,
    hub,
    merge_request,
    outputs,
    rendering,
    surroundings,
)
from reprocheck.action.commands import Level, Say, annotation
from reprocheck.action.inputs import Inputs
from reprocheck.action.surroundings import Surroundings, WorkflowRun
from reprocheck.action.verifying import page as page_of
from reprocheck.errors import ForgeError, ReprocheckError, UsageError
from reprocheck.forges.base import Forge, Posted
from reprocheck.hostile import cut, printable, redact
from reprocheck.model import Check, CommentMode, Page
from reprocheck.publishing import Wish

if TYPE_CHECKING:
    from reprocheck.forges.github import GitHub

_TITLE = "reprocheck: not posted"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """Where a check is posted: a forge, what the reader sees there, and by which workflow."""

    forge: Forge | None  # None: it cannot be written to, and it was told why
    page: Page
    workflow: str  # path of the file by which it was verified


def post(check: Check, env: Mapping[str, str], say: Say) -> None:
    """Posts the check from a job: summary first, then the comment.

    What cannot be posted is a warning. Raises `UsageError` outside of a job, and for wrong inputs.
    """
    inputs = Inputs(env)
    mode = _mode(inputs)
    wanted = (inputs.flag("commit-status"), inputs.flag("check-run"))

    def warn(text: str) -> None:
        is_github = bool(env.get("GITHUB_REPOSITORY"))
        plain = f"Warning: {printable(redact(text))}"
        say(annotation(Level.WARNING, text, _TITLE) if is_github else plain)

    thread = _with_base(check, env, _with_page(env, _thread(env, inputs, say, warn)))
    outputs.add_summary(env, _summary(check, thread.page))
    if thread.forge is None:
        return
    named = inputs.text("comment-key")
    key = publishing.comment_key(thread.workflow, named)
    wish = Wish(key=key, mode=mode, marks=_marks(thread.forge, named, *wanted))
    _told(env, publishing.publish(check, thread.page, thread.forge, wish, warn))


def _with_base(check: Check, env: Mapping[str, str], thread: Thread) -> Thread:
    """The thread, with what the base branch has to be compared with."""
    from reprocheck.forges.github import GitHub

    if not isinstance(thread.forge, GitHub) or thread.page.number is None:
        return thread
    found = base_branch.reports(check, surroundings.read(env), thread.forge)
    return dataclasses.replace(thread, page=dataclasses.replace(thread.page, base=found))


def _with_page(env: Mapping[str, str], thread: Thread) -> Thread:
    page = dataclasses.replace(thread.page, html_url=rendering.url_of(env))
    return dataclasses.replace(thread, page=page)


def _mode(inputs: Inputs) -> CommentMode:
    named = inputs.chosen("comment-mode", tuple(CommentMode))
    if len(named) > 1:
        raise UsageError("input comment-mode names several", "name one")
    return CommentMode(named[0]) if named else CommentMode.ALWAYS


def _marks(forge: Forge, named: str, status: bool, run: bool) -> tuple[publishing.Marks, ...]:
    from reprocheck.action.marks import Checked, Status
    from reprocheck.forges.github import GitHub

    if not isinstance(forge, GitHub):
        return ()
    name = f"reprocheck/{cut(printable(named), 60)}" if named else "reprocheck/verify"
    found: tuple[publishing.Marks, ...] = (Status(forge=forge, name=name),) if status else ()
    return (*found, Checked(forge=forge, name=name)) if run else found


def _summary(check: Check, page: Page) -> str:
    from reprocheck.reporters import comment

    return comment.summary(check, page)


def _told(env: Mapping[str, str], posted: Posted | None) -> None:
    url, number = (posted.url, str(posted.id)) if posted else ("", "")
    outputs.set_outputs(env, {"comment-url": url, "comment-id": number})


def _thread(env: Mapping[str, str], inputs: Inputs, say: Say, warn: Say) -> Thread:
    """Raises `UsageError`."""
    here = surroundings.read(env)
    if not here.repository and merge_request.is_here(env):
        return Thread(
            forge=_gitlab(env, say, warn),
            page=merge_request.page(env),
            workflow=merge_request.job_of(env),
        )
    if not here.repository:
        raise UsageError(
            "--post: this is no job of a pull request or merge request",
            "run it in a workflow, or leave --post out",
        )
    forge = _github(env, here, say, warn)
    if here.workflow_run:
        run = downloading.trusted_run(inputs, here)
        page, workflow = _of_run(here, run), run.path
        if forge:
            name = inputs.text("artifact-name") or downloading.ARTIFACT
            page = dataclasses.replace(
                page,
                number=_number(forge, run, warn),
                artifact_url=_artifact_url(forge, run, name),
            )
    else:
        page, workflow = page_of(here), here.workflow
    hosts = _hosts(inputs.text("tracking-uri"))
    return Thread(
        forge=forge, page=dataclasses.replace(page, tracker_hosts=hosts), workflow=workflow
    )


def _gitlab(env: Mapping[str, str], say: Say, warn: Say) -> Forge | None:
    from reprocheck.forges import gitlab

    try:
        found = gitlab.of_job(env, say)
    except ForgeError as error:  # without the extra's package, or without a token
        warn(publishing.told("commenting", error))
        return None
    return found[0] if found else None


def _github(env: Mapping[str, str], here: Surroundings, say: Say, warn: Say) -> GitHub | None:
    """None without a token: the summary needs none."""
    if here.api and not hub.token_of(env):
        warn(
            "no token is there to comment with: hand over input github-token, or GITHUB_TOKEN, of "
            "a job with `pull-requests: write`"
        )
        return None
    return hub.github(env, here, say)


def _number(forge: GitHub, run: WorkflowRun, warn: Say) -> int | None:
    """The pull request that the run was of, found by GitHub's own facts."""
    try:
        pull = forge.find_pull(run.head_owner, run.head_branch, run.head_sha)
    except ForgeError as error:
        warn(publishing.told("finding the pull request", error))
        return None
    if pull is None or pull.head_repository.lower() != run.head_repository.lower():
        warn(
            f"no open pull request ends at commit {run.head_sha[:12]} of {run.head_owner}: it "
            "was closed, or has a newer commit"
        )
        return None
    return pull.number


def _of_run(here: Surroundings, run: WorkflowRun) -> Page:
    """Where a check of the run is shown, if there is no pull request."""
    return Page(
        server=here.server,
        repository=here.repository,
        head_sha=run.head_sha,
        head_repository=run.head_repository,
        workflow_url=run.url,
        run_id=run.id,
        attempt=run.attempt,
        untrusted=run.head_repository.lower() != here.repository.lower(),
    )


def _artifact_url(forge: GitHub, run: WorkflowRun, name: str) -> str:
    """The page of the report's artifact; no loss where it is not found."""
    try:
        found = [each for each in forge.artifacts(run.id) if not each.expired]
    except ReprocheckError:
        return ""
    ids = [each.id for each in found if each.name == name]
    return f"{run.url}/artifacts/{max(ids)}" if ids and run.url else ""


def _hosts(uri: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(uri)
        named = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ()
    return (named,) if named else ()
