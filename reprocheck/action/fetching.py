"""The step that fetches: with credentials, and with nothing of the pull request executed.

Which runs are fetched a pull request may say. From where is said by the base branch's config.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck import checks
from reprocheck import config as configuration
from reprocheck.action import finding, hub, outputs, rules, surroundings
from reprocheck.action.commands import Level, annotation, unheeded
from reprocheck.action.finding import Findings, Place, Source
from reprocheck.action.inputs import Inputs
from reprocheck.action.surroundings import EventKind, PullRequest, Surroundings
from reprocheck.action.verifying import Job, config_name
from reprocheck.config import Config
from reprocheck.errors import ForgeError, ReprocheckError, UsageError
from reprocheck.git import Git
from reprocheck.model import BundlePolicy, Problem
from reprocheck.progress import Terminal
from reprocheck.source import repository_root

if TYPE_CHECKING:
    from reprocheck.fetching import FetchRequest

MOST = "20GB"
_TITLE = "reprocheck: not fetched"


def run(job: Job) -> None:
    """Fetches the runs of a pull request into a bundle, and leaves outputs.

    What cannot be fetched is annotated, and in the output job-exit-code. Raises `MachineError`.
    """
    here = surroundings.read(job.env)
    try:
        folder, ids, problems = _fetched(job, here)
    except ReprocheckError as error:
        folder, ids, problems = None, (), (checks.problem("the job", error),)
    for each in problems:
        job.say(annotation(Level.ERROR, checks.in_words(each), _TITLE))
    told_ids = {"bundle": str(folder or ""), "run-ids": json.dumps(ids)}
    code = max((each.exit_code for each in problems), default=0)
    outputs.set_outputs(job.env, told_ids | {"job-exit-code": str(code)})


def _fetched(
    job: Job, here: Surroundings
) -> tuple[Path | None, tuple[str, ...], tuple[Problem, ...]]:
    """The bundle, its runs, and what is not in it. Raises `ReprocheckError`."""
    _refuse_fork(here)
    here = _with_pull_request(job, here)
    root = repository_root(job.cwd, job.env)
    git, folder = Git(root, job.env) if root else None, root or job.cwd
    base = here.pull_request.base_sha if here.pull_request and _is_event(here) else ""
    with rules.of_base(git, folder, config_name(job, folder), base) as config:
        _refuse_public(job, here, config)
        uri = _tracking_uri(job, config)
        found = finding.find(_place(job, here, git, uri))
        if not found.runs:
            job.say("no run was found, and nothing is fetched")
            return None, (), found.problems
        return _bundled(job, _request(job, here, config, uri), found)


def _is_event(here: Surroundings) -> bool:
    """Whether the checkout may be the pull request's; one of a dispatch is the default branch's."""
    return here.kind is EventKind.PULL_REQUEST


def _refuse_fork(here: Surroundings) -> None:
    if here.kind is EventKind.PULL_REQUEST_TARGET:
        raise UsageError("fetching starts on pull_request_target", "start it on pull_request")
    if _is_event(here) and here.pull_request and here.pull_request.fork:
        raise UsageError(
            "a fork's pull request gets no credential, and nothing is fetched for it here",
            "let a maintainer start the workflow that fetches",
        )


def _with_pull_request(job: Job, here: Surroundings) -> Surroundings:
    """The pull request of the event, else that of the inputs, if it ends where they say.

    Raises `UsageError` for one that has moved, and `ForgeError`.
    """
    number, sha = job.inputs.number("pull-request"), job.inputs.text("head-sha")
    if here.pull_request or not number:
        return here
    if not surroundings.is_sha(sha):
        raise UsageError(
            f"input head-sha: '{sha[:80]}' is no commit in full",
            "give all digits of the commit that you looked at",
        )
    found = hub.github(job.env, here, job.say).pull_request(number)
    if found.head_sha != sha or found.state != "open":
        raise UsageError(
            f"pull request {number} is {found.state}, and ends at commit {found.head_sha[:12]}",
            "look at that commit, and start again with it",
        )
    asked = PullRequest(
        number=number,
        body=found.body,
        head_sha=sha,
        head_branch=found.head_branch,
        head_repository=found.head_repository,
        base_sha=found.base_sha,
        base_branch=found.base_branch,
        fork=found.is_fork,
    )
    return dataclasses.replace(here, pull_request=asked)


def _refuse_public(job: Job, here: Surroundings, config: Config) -> None:
    """In a public repository anybody can download what a job uploads; unknown counts as that."""
    if config.bundle is BundlePolicy.PUBLIC:
        return
    public = here.public
    if public is None:
        try:
            public = hub.github(job.env, here, job.say).is_public()
        except (ForgeError, UsageError):
            public = True
    if public:
        raise UsageError(
            "the repository is public, or not known to be private: anybody could download what is "
            "fetched, and nothing was",
            "where that is meant, write `bundle: public` into the base branch's reprocheck.yaml",
        )


def _tracking_uri(job: Job, config: Config) -> str:
    named = job.inputs.text("tracking-uri") or job.env.get("MLFLOW_TRACKING_URI", "")
    found = config.tracking_uri or named
    if not found:
        raise UsageError(
            "no tracker is named", "write tracker.uri into the base branch's reprocheck.yaml"
        )
    return found


def _place(job: Job, here: Surroundings, git: Git | None, uri: str) -> Place:
    sources = job.inputs.chosen("find", tuple(Source)) or tuple(Source)
    return Place(
        given=job.inputs.words("run-id"),
        sources=tuple(map(Source, sources)),
        pull_request=here.pull_request,
        git=git,
        tracking_uri=uri,
    )


def _request(job: Job, here: Surroundings, config: Config, uri: str) -> FetchRequest:
    from reprocheck.fetching import FetchRequest

    number = here.pull_request.number if here.pull_request else 0
    inputs: Inputs = job.inputs
    return FetchRequest(
        runs=(),
        bundle=job.folder / "bundle",
        tracking_uri=uri,
        config=config,
        repo=inputs.text("repo") or None,
        remote=inputs.text("remote") or None,
        ref=inputs.text("ref") or (f"refs/pull/{number}/head" if number else ""),
        most=configuration.parse_size(inputs.text("max-size") or MOST, "input max-size"),
        cwd=job.cwd,
        env=dict(job.env),
    )


def _bundled(
    job: Job, request: FetchRequest, found: Findings
) -> tuple[Path | None, tuple[str, ...], tuple[Problem, ...]]:
    """All runs in one bundle; where one cannot be had, the others all the same."""
    names, problems = [each.run_id for each in found.runs], list(found.problems)
    with unheeded(job.say), Terminal(groups=False) as progress:
        try:
            return (*_one_bundle(request, names, progress), found.problems)
        except ReprocheckError as error:
            if len(names) == 1:
                return None, (), (*problems, checks.problem(names[0], error))
        good = []
        for name in names:
            try:
                _one_bundle(request, (name,), progress)
                good.append(name)
            except ReprocheckError as error:
                problems.append(checks.problem(name, error))
        if not good:
            return None, (), tuple(problems)
        return (*_one_bundle(request, good, progress), tuple(problems))


def _one_bundle(
    request: FetchRequest, names: Iterable[str], progress: Terminal
) -> tuple[Path, tuple[str, ...]]:
    from reprocheck.fetching import fetch

    fetched = fetch(dataclasses.replace(request, runs=tuple(names)), progress)
    return fetched.folder, fetched.run_ids
