"""Writes the verdicts of a check into the tracker of its runs, where that may be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from reprocheck.action.surroundings import Surroundings
from reprocheck.errors import ReprocheckError
from reprocheck.model import Check, Report
from reprocheck.numbers import counted
from reprocheck.trackers import open_writer
from reprocheck.trackers.base import WriteBack, WrittenBack

FORK = (
    "nothing was written back: the results were computed by the code of a fork, which can make "
    "them up"
)


def write_back(
    check: Check, uri: str, surroundings: Surroundings, warn: Callable[[str], None]
) -> tuple[str, ...]:
    """Writes each report back, and returns what was written as sentences.

    What a tracker refuses is told to `warn`. Of a fork's results nothing is written.
    """
    if is_of_fork(surroundings):
        warn(FORK)
        return ()
    return tuple(_each(check, uri, _link(surroundings), warn))


def is_of_fork(surroundings: Surroundings) -> bool:
    """Whether the code that computed the results came from another repository."""
    event = surroundings.workflow_run
    if event is not None:
        return event.head_repository.lower() != surroundings.repository.lower()
    pull = surroundings.pull_request
    return pull is not None and pull.fork


def _link(surroundings: Surroundings) -> str:
    """The page of the job that verified."""
    event = surroundings.workflow_run
    url = event.url if event is not None else surroundings.run_url
    return url if urlsplit(url).scheme == "https" else ""


def _each(check: Check, uri: str, link: str, warn: Callable[[str], None]) -> Iterator[str]:
    for report in check.reports:
        try:
            written = open_writer(uri).write_back(report, WriteBack(link=link))
        except ReprocheckError as error:
            warn(f"{error.message}{f' ({error.hint})' if error.hint else ''}")
            continue
        for notice in written.notices:
            warn(notice)
        if written.tags:
            yield _told(report, written)


def _told(report: Report, written: WrittenBack) -> str:
    run = report.record.ref.run_id if report.record else report.asked
    parts = [f"run {run} is tagged {report.verdict.value}"]
    if written.versions:
        parts.append(f"{', '.join(written.versions)} too")
    if written.runs:
        parts.append(f"{counted(len(written.runs), 'rerun')} in experiment {written.experiment}")
    return "; ".join(parts)
