"""Writes the verdicts of a check into the tracker of its runs, where that may be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a check."""

    written: tuple[str, ...]  # as sentences
    refused: int  # reports that could not be written back


def write_back(
    check: Check, uri: str, surroundings: Surroundings, warn: Callable[[str], None]
) -> Outcome:
    """Writes each report back. Of a fork's results nothing is written, which is no failure.

    What a tracker refuses is told to `warn`, and keeps no other report from being written.
    """
    if is_of_fork(surroundings):
        warn(FORK)
        return Outcome(written=(), refused=0)
    link = _link(surroundings)
    done = [_one(report, uri, link, warn) for report in check.reports]
    return Outcome(written=tuple(filter(None, done)), refused=done.count(None))


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


def _one(report: Report, uri: str, link: str, warn: Callable[[str], None]) -> str | None:
    """What was written, "" where nothing had to be, None where it was refused."""
    try:
        written = open_writer(uri).write_back(report, WriteBack(link=link))
    except ReprocheckError as error:
        warn(f"{error.message}{f' ({error.hint})' if error.hint else ''}")
        return None
    for notice in written.notices:
        warn(notice)
    return _told(report, written) if written.tags else ""


def _told(report: Report, written: WrittenBack) -> str:
    run = report.record.ref.run_id if report.record else report.asked
    parts = [f"run {run} is tagged {report.verdict.value}"]
    if written.versions:
        parts.append(f"{', '.join(written.versions)} too")
    if written.runs:
        parts.append(f"{counted(len(written.runs), 'rerun')} in experiment {written.experiment}")
    return "; ".join(parts)
