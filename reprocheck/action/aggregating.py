"""The step that sums a schedule up: summary, badge, and one issue for what stopped reproducing."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

from reprocheck.action import history, hub, outputs, rendering, surroundings
from reprocheck.action.commands import unheeded
from reprocheck.action.surroundings import Surroundings
from reprocheck.action.verifying import Job
from reprocheck.durations import parse_duration
from reprocheck.errors import ForgeError, ReportFileError, ReprocheckError
from reprocheck.forges.github_nouns import Wanted
from reprocheck.model import Aggregate
from reprocheck.schedule import issue
from reprocheck.schedule.aggregating import AggregateRequest, aggregate, gather, newest

SINCE = "35d"
"""A run that the schedule has not verified for so long is not one of its runs any more."""

SUMMARY, JSON, BADGE = "aggregate.md", "aggregate.json", "badge.json"
ARTIFACT = "reprocheck-aggregate"

_STORE = "REPORTS"  # that the step which made the page found


def run(job: Job) -> Aggregate:
    """Joins the reports of this run with those of earlier ones, and leaves what they say together.

    Raises `UsageError` for inputs that are none, and `MachineError` where nothing can be written.
    What the forge refuses is told, and changes nothing else.
    """
    here = surroundings.read(job.env)
    store = Path(job.env.get(_STORE) or _filled(job, here))
    found, fresh = _aggregated(job, store)
    written = _written(job, found, with_badge=fresh)
    url = _issue(job, here, found, fresh=fresh) if job.inputs.flag("issue") else ""
    outputs.set_outputs(job.env, written | {"issue-url": url})
    return found


def page(job: Job) -> str:
    """Leaves the page of all runs, and for the step after it the earlier reports that it found.

    The path of the page, "" where there is none: why is a warning.
    """
    store = _filled(job, surroundings.read(job.env))
    path = rendering.written(job, lambda: _page(job, store), ARTIFACT)
    outputs.set_outputs(job.env, {"report-html": path, "reports": str(store)})
    return path


def _filled(job: Job, here: Surroundings) -> Path:
    """A store with the reports of earlier runs of the schedule."""
    store = job.folder / "reports"
    history.fill(job, here, store)
    return store


def _page(job: Job, store: Path) -> str:
    from reprocheck.reporters import batch_html

    now = datetime.now(UTC)
    found = gather(_request(job, store), lambda _: None, now)  # the next step tells it
    return batch_html.render(*newest(found, now))


def _aggregated(job: Job, store: Path) -> tuple[Aggregate, bool]:
    """What the reports say, and whether there is a new one among them."""
    asked, now = _request(job, store), datetime.now(UTC)

    def of(request: AggregateRequest) -> Aggregate:
        return aggregate(request, lambda text: history.warn(job, text), now)

    try:
        if asked.files:
            return of(asked), True
        folder = _folder(job).name
        history.warn(job, f"this run left no report in {folder}: nothing new was measured")
    except ReportFileError as error:
        history.warn(job, f"no report of this run can be read: {error.message}")
    return of(dataclasses.replace(asked, files=())), False


def _request(job: Job, store: Path) -> AggregateRequest:
    folder = _folder(job)
    return AggregateRequest(
        files=(folder,) if folder.is_dir() and any(folder.rglob("*.json")) else (),
        reports=store,
        since_s=parse_duration(job.inputs.text("since") or SINCE, "input since"),
        by_job=True,
    )


def _folder(job: Job) -> Path:
    return job.cwd / (job.inputs.text("files") or "reprocheck-reports")


def _written(job: Job, found: Aggregate, *, with_badge: bool) -> dict[str, str]:
    from reprocheck.reporters import aggregate_json, aggregate_markdown, aggregate_terminal, badge

    markdown = aggregate_markdown.render(found, html_url=rendering.url_of(job.env))
    outputs.add_summary(job.env, markdown)
    with unheeded(job.say):
        job.say(aggregate_terminal.render(found).rstrip())
    drawn = badge.render(found) if with_badge else None
    if drawn is None:
        job.say("No badge is written: nothing was measured")
    texts = {SUMMARY: markdown, JSON: aggregate_json.render(found)} | (
        {BADGE: drawn} if drawn else {}
    )
    written = outputs.write_files(job.folder, texts)
    return {
        "markdown": str(written[SUMMARY]),
        "json": str(written[JSON]),
        "badge": str(written.get(BADGE, "")),
    }


def _issue(job: Job, here: Surroundings, found: Aggregate, *, fresh: bool) -> str:
    """The issue's address, "" where there is none or it cannot be told."""
    from reprocheck.reporters import aggregate_markdown

    try:
        posted = hub.github(job.env, here, job.say).rolling_issue(
            key=_key(job),
            title=issue.TITLE,
            body=aggregate_markdown.issue(
                found, page_url=here.run_url, html_url=rendering.url_of(job.env)
            ),
            labels=_labels(job),
            wanted=issue.wanted(found) if fresh else Wanted.AS_IT_IS,
        )
    except ReprocheckError as error:
        lacking = error.lacking if isinstance(error, ForgeError) else ""
        history.warn(job, f"the issue is not up to date: {error.message}{lacking}. {error.hint}")
        return ""
    return posted.url if posted else ""


def _key(job: Job) -> str:
    workflow = job.inputs.text("workflow") or history.WORKFLOW
    return hashlib.sha256(f"schedule\0{workflow}".encode()).hexdigest()[:16]


def _labels(job: Job) -> tuple[str, ...]:
    """Between commas or on lines of their own: a label may have spaces."""
    named = (each.strip() for each in re.split(r"[,\n]", job.inputs.text("issue-labels")))
    return tuple(dict.fromkeys(each for each in named if each))
