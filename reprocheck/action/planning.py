"""The step that plans a schedule: which runs are to be verified, as the matrix of a job."""

from __future__ import annotations

from datetime import UTC, datetime

from reprocheck.action import history, outputs, surroundings
from reprocheck.action.commands import unheeded
from reprocheck.action.verifying import Job
from reprocheck.model import Top
from reprocheck.schedule.wishes import TopRequest


def run(job: Job, request: TopRequest) -> Top:
    """Fills the request's store with earlier reports, chooses, and leaves summary and outputs.

    Raises `UsageError`, `MissingStoreError` or `ReadError`: without a plan nothing is verified, and
    a job that says so must not look like one that had nothing to do.
    """
    from reprocheck.reporters import top_json, top_markdown, top_terminal
    from reprocheck.schedule.top import top

    history.fill(job, surroundings.read(job.env), request.reports)
    found = top(request, datetime.now(UTC))
    outputs.add_summary(job.env, top_markdown.render(found))
    with unheeded(job.say):
        job.say(top_terminal.render(found).rstrip())
    matrix = top_json.render(found).rstrip()
    outputs.set_outputs(job.env, {"matrix": matrix, "count": str(len(found.chosen))})
    return found
