"""What earlier jobs of a schedule left, as a store of reports in this job."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck.action import hub
from reprocheck.action.commands import Level, annotation, group
from reprocheck.action.surroundings import EventKind, Surroundings
from reprocheck.action.verifying import Job
from reprocheck.errors import ReprocheckError
from reprocheck.numbers import counted
from reprocheck.report_store import ReportStore
from reprocheck.schedule.collecting import Archive, Collecting, Schedule

if TYPE_CHECKING:
    from reprocheck.forges.github import GitHub

WORKFLOW = ".github/workflows/reprocheck-scheduled.yml"


def fill(job: Job, here: Surroundings, store: Path) -> None:
    """Fills the store. What cannot be had is told, and changes nothing else."""
    with group(job.say, "Earlier reports"):
        try:
            asked = _schedule(job, here)
            if not asked.branch:
                warn(job, "earlier reports are not known: the default branch is not told")
                return
            kept = _collecting(job, hub.github(job.env, here, job.say), asked, store).collect()
            job.say(f"{counted(kept, 'earlier report')} found")
        except ReprocheckError as error:
            warn(job, f"earlier reports are not known: {error.message}. {error.hint}")


def warn(job: Job, text: str) -> None:
    """Annotates the job with a warning."""
    job.say(annotation(Level.WARNING, text, "reprocheck"))


def branch_of(job: Job, here: Surroundings) -> str:
    """The default branch; the event of a schedule does not tell it, but starts on no other."""
    if here.default_branch or here.kind is not EventKind.SCHEDULE:
        return here.default_branch
    return job.env.get("GITHUB_REF_NAME", "")


def _schedule(job: Job, here: Surroundings) -> Schedule:
    return Schedule(
        repository=here.repository,
        branch=branch_of(job, here),
        workflow=job.inputs.text("workflow") or WORKFLOW,
    )


def _collecting(job: Job, forge: GitHub, asked: Schedule, store: Path) -> Collecting:
    return Collecting(
        archive=Archive(
            runs=lambda file, branch, most: forge.workflow_runs(file, branch=branch, limit=most),
            artifacts=forge.artifacts,
            download=forge.download,
        ),
        schedule=asked,
        store=ReportStore(store),
        now=datetime.now(UTC),
        notice=lambda text: warn(job, text),
    )
