"""The second stage's first step: the one report of the run that verified, checked and made anew.

The job that left it ran code of the pull request, so that all in it may be forged. It is read by
its schema, and what goes on is written by us. Whose it is is said by GitHub alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck import __version__, check_documents, checks
from reprocheck.action import hub, outputs, surroundings
from reprocheck.action.commands import Level, Say, annotation
from reprocheck.action.inputs import Inputs
from reprocheck.action.surroundings import Surroundings, WorkflowRun
from reprocheck.check_reading import read_check
from reprocheck.detail import dump
from reprocheck.errors import ForgeError, ReprocheckError, UsageError
from reprocheck.model import Check

if TYPE_CHECKING:
    from reprocheck.forges.github import GitHub
    from reprocheck.forges.github_nouns import Artifact

ARTIFACT = "reprocheck-report"
WORKFLOW = ".github/workflows/reprocheck-pr.yml"
FILE = "report.json"
LARGEST = 8_000_000
"""Bytes of the artifact; a check has 6 MB at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """What the step works with."""

    env: Mapping[str, str]
    folder: Path
    say: Say

    @property
    def inputs(self) -> Inputs:
        """The step's inputs."""
        return Inputs(self.env)


def run(step: Download) -> Check:
    """Leaves the report of the workflow's run that verified as a file and in outputs.

    A report that cannot be used is a problem of a check without reports. Raises `UsageError` where
    the step was started by something else than a run of the expected workflow for a pull request,
    and `MachineError` where nothing can be written.
    """
    here = surroundings.read(step.env)
    verified = trusted_run(step.inputs, here)
    code = 0  # of this step's job: whether there is a report, whatever it says
    try:
        check = _checked(step, here, verified)
    except ReprocheckError as error:
        code = 2 if error.usage else 3
        step.say(annotation(Level.ERROR, f"{error.message}. {error.hint}", "reprocheck: no report"))
        check = _without(verified, error)
    document = dump(check_documents.check_document(check))
    path = outputs.write_files(step.folder, {FILE: document})[FILE]
    told = outputs.of_check(check)
    outputs.set_outputs(step.env, told | {"report": str(path), "job-exit-code": str(code)})
    return check


def _without(run: WorkflowRun, error: ReprocheckError) -> Check:
    return Check(
        schema_version=check_documents.CHECK_VERSION,
        tool_version=__version__,
        created_at=datetime.now(UTC).replace(microsecond=0),
        head_sha=run.head_sha,
        reports=(),
        problems=(checks.problem(f"the report of workflow run {run.id}", error),),
    )


def trusted_run(inputs: Inputs, here: Surroundings) -> WorkflowRun:
    """The run that verified, by the event: of a pull request, and of the expected workflow's file.

    A workflow is started by another one's name, which any workflow can have. Raises `UsageError`.
    """
    run, expected = here.workflow_run, inputs.text("workflow") or WORKFLOW
    if run is None:
        raise UsageError(
            "no run of a workflow that verified is known: the event is no workflow_run",
            "start this workflow on workflow_run",
        )
    asked = inputs.number("workflow-run-id")
    if asked not in (0, run.id):
        raise UsageError(
            f"input workflow-run-id is {asked}, and the event is of run {run.id}", "leave it out"
        )
    if run.event != "pull_request":
        raise UsageError(
            f"run {run.id} was started by {run.event or 'an unknown event'}, not by pull_request",
            "report pull requests alone",
        )
    if run.path != expected:
        raise UsageError(
            f"run {run.id} is of {run.path or 'an unknown file'}, not of {expected}",
            "name the workflow that verifies as input workflow",
        )
    return run


def _checked(step: Download, here: Surroundings, run: WorkflowRun) -> Check:
    """The check that the run left. Raises `ReprocheckError`."""
    forge = hub.github(step.env, here, step.say)
    artifact = _artifact(forge, run, step.inputs.text("artifact-name") or ARTIFACT)
    check = read_check(_file(forge, artifact, step.folder))
    if check.head_sha and check.head_sha != run.head_sha:
        raise UsageError(
            f"its report is of commit {check.head_sha[:12]}, and the run is of {run.head_sha[:12]}",
            "run the job that verifies again",
        )
    return dataclasses.replace(check, head_sha=run.head_sha)


def _artifact(forge: GitHub, run: WorkflowRun, name: str) -> Artifact:
    """The newest artifact of that name: each attempt may have left one."""
    named = [each for each in forge.artifacts(run.id) if each.name == name]
    kept = [each for each in named if not each.expired]
    if not kept:
        why = "has expired" if named else "is not there"
        raise ForgeError(f"its artifact {name} {why}", "run the job that verifies again")
    newest = max(kept, key=lambda each: (each.created_at, each.id))
    if newest.bytes > LARGEST:
        raise ForgeError(
            f"its artifact {name} has {newest.bytes:,} bytes, and {LARGEST:,} are read",
            "verify fewer runs in one job",
        )
    return newest


def _file(forge: GitHub, artifact: Artifact, folder: Path) -> Path:
    downloaded = folder / "artifact"
    forge.download(artifact, downloaded, LARGEST)
    found = sorted(downloaded.rglob("*"))
    if [path.name for path in found] != [FILE] or found[0].is_symlink():
        raise UsageError(
            f"its artifact {artifact.name} holds other files than {FILE}",
            "let the action alone upload it",
        )
    return found[0]
