"""The step that makes the page of a report, or of several: what a person opens.

It is a process of its own, after the one that verifies or downloads: a page that cannot be made
takes neither verdict nor summary along. Another step uploads it as one file, which the browser
opens, and GitHub names such an artifact for its file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from reprocheck import publishing
from reprocheck.action import outputs, surroundings
from reprocheck.action.commands import Level, annotation
from reprocheck.action.verifying import Job
from reprocheck.check_reading import read_check
from reprocheck.errors import ReprocheckError
from reprocheck.reporters.comment_check import FORK

LARGEST = 10_000_000
"""Bytes: a browser shows more slowly, if at all. A page of one run has 1.5 MB at most."""
ARTIFACT = "reprocheck-report"
LONGEST_NAME = 100

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def run(job: Job, report: Path) -> str:
    """Leaves the page as a file, and its path as the output report-html; "" where there is none.

    Why there is none is a warning. Raises `MachineError` where no output can be set.
    """
    path = written(job, lambda: publishing.page_of(read_check(report), _note(job)), ARTIFACT)
    outputs.set_outputs(job.env, {"report-html": path})
    return path


def _note(job: Job) -> str:
    """Who computed it: the page is read without the comment, too."""
    here = surroundings.read(job.env)
    run, pull_request = here.workflow_run, here.pull_request
    of_fork = pull_request.fork if pull_request else False
    if run:
        of_fork = run.head_repository.lower() != here.repository.lower()
    return FORK.replace("**", "") if of_fork else ""


def written(job: Job, make: Callable[[], str], artifact: str) -> str:
    """The path of the page that is made, "" after a warning; named for `artifact` by default."""
    try:
        return _written(job, make(), job.inputs.text("artifact-name") or artifact)
    except ReprocheckError as error:
        told = f"the report has no page: {error.message}. {error.hint}"
        job.say(annotation(Level.WARNING, told, "reprocheck"))
        return ""


def _written(job: Job, text: str, artifact: str) -> str:
    size = len(text.encode(errors="replace"))
    if size > LARGEST:
        raise ReprocheckError(
            f"it would have {size:,} bytes, and {LARGEST:,} are the most", "verify fewer runs a job"
        )
    name = file_name(artifact, surroundings.read(job.env).attempt)
    return str(outputs.write_files(job.folder, {name: text})[name])


def url_of(env: Mapping[str, str]) -> str:
    """Where the step between uploaded the page, "" where it did not."""
    return env.get("REPROCHECK_HTML_URL", "").strip()


def file_name(artifact: str, attempt: int) -> str:
    """The page's file, named for the report's artifact, and as safe as that name is not.

    It begins otherwise than reports do, which a schedule finds by their beginning. It tells the
    attempt, since upload-artifact 7.0.0 cannot overwrite a file that is uploaded as it is (#769).
    """
    plain = _OTHER.sub("-", artifact)[:LONGEST_NAME]
    if plain != artifact:
        plain += "-" + hashlib.sha256(artifact.encode(errors="replace")).hexdigest()[:8]
    return f"page-of-{plain}{f'-{attempt}' if attempt > 1 else ''}.html"
