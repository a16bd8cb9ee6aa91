"""What was fetched before: the bundle for a fork's pull request, and which runs a bundle has."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck.action import hub
from reprocheck.action.finding import Findings, named
from reprocheck.action.surroundings import Surroundings
from reprocheck.errors import ForgeError

if TYPE_CHECKING:
    from reprocheck.action.verifying import Job
    from reprocheck.forges.github import GitHub
    from reprocheck.forges.github_nouns import Artifact

WAITING = "waiting for a maintainer's fetch"
UNSEEN = "the tracker: only a maintainer's fetch can look there"
LARGEST = 50_000_000_000
"""Bytes of a bundle; the job's disk is the limit that counts."""
RUNS = 100
"""Of the workflow that fetches, the newest: a bundle is kept for a day."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A bundle for the job, or why there is none yet; both "": none is asked for."""

    folder: str = ""
    waiting: str = ""


def take(job: Job, here: Surroundings) -> Taken:
    """The bundle that the job was handed, or that a maintainer fetched for its pull request.

    A forge that does not answer leaves it waiting, and says why. Raises `UsageError`.
    """
    given, workflow = job.inputs.text("bundle"), job.inputs.text("fetched-by")
    pull_request = here.pull_request
    if given or not (workflow and pull_request and pull_request.fork):
        return Taken(folder=given)
    try:
        forge = hub.github(job.env, here, job.say)
        artifact = next(_artifacts(forge, here, workflow, pull_request.head_sha), None)
        if artifact is None:
            return Taken(waiting=WAITING)
        folder = job.folder / "bundle"
        forge.download(artifact, folder, LARGEST)
    except ForgeError as error:
        return Taken(waiting=f"{WAITING}; looking for it failed: {error.message}{error.lacking}")
    return Taken(folder=str(folder))


def _artifacts(
    forge: GitHub, here: Surroundings, workflow: str, head_sha: str
) -> Iterator[Artifact]:
    """Bundles of that commit, the newest first, by runs of the default branch's own workflow."""
    branch = here.default_branch
    if not branch:
        raise ForgeError("the event does not name the default branch")
    name = f"reprocheck-bundle-{head_sha}"
    for run in forge.workflow_runs(workflow, branch=branch, event="workflow_dispatch", limit=RUNS):
        ours = run.head_repository.lower() == here.repository.lower()
        if run.event == "workflow_dispatch" and run.head_branch == branch and ours:
            kept = [each for each in forge.artifacts(run.id) if not each.expired]
            yield from (each for each in kept if each.name == name)


def runs(folder: Path, known: Findings) -> Findings:
    """The runs of a bundle that are not known yet, by the names that they were asked for with.

    Raises `BundleError`.
    """
    from reprocheck.bundles import open_bundle

    have = {run.run_id for run in known.runs}
    asked = (run.asked or (run.run_id,) for run in open_bundle(folder).runs if not run.baseline)
    return named([names[0] for names in asked if not have.intersection(names)], "what was fetched")
