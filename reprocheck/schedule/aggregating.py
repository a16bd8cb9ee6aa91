"""`reprocheck aggregate`: reports of several runs, beside what the store remembers of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reprocheck.check_reading import read_check
from reprocheck.errors import ReportFileError, UsageError
from reprocheck.model import Aggregate, Check, Problem
from reprocheck.report_store import ReportStore
from reprocheck.schedule.joining import join, run_id_of
from reprocheck.schedule.remembering import Notice, reports

REPORT = "report.json"
MOST_FILES = 2_000
"""In a folder: more than any matrix leaves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AggregateRequest:
    """What to sum up."""

    files: tuple[Path, ...]  # reports and checks, or folders of them; (): the store alone
    reports: Path  # the store of earlier reports
    since_s: float | None  # also runs that the store has a report of this young


def aggregate(request: AggregateRequest, notice: Notice, now: datetime) -> Aggregate:
    """What the reports and the store say together.

    A file that is no report is a problem among the others. Raises `ReportFileError` where none is
    one, and `UsageError` where a name is neither a file nor a folder.
    """
    checks: list[Check] = []
    problems: list[Problem] = []
    failed: ReportFileError | None = None
    for path, named in _paths(request.files):
        try:
            checks.append(read_check(path))
        except ReportFileError as error:
            failed = error
            if not named and path.name != REPORT:
                notice(f"passed over {path}: {error.message}")
                continue
            problems.append(
                Problem(asked=path.name, message=error.message, hint=error.hint, exit_code=2)
            )
    if failed and not checks:
        raise failed
    store = ReportStore(request.reports)
    ids = [*_told(checks), *_kept(store, request, now)]
    earlier = {run_id: tuple(reports(store, run_id, notice)) for run_id in dict.fromkeys(ids)}
    return join(checks, earlier, problems, now)


def _told(checks: Sequence[Check]) -> Iterator[str]:
    for check in checks:
        yield from (run_id_of(report) for report in check.reports)
        yield from (problem.asked for problem in check.problems)


def _kept(store: ReportStore, request: AggregateRequest, now: datetime) -> Iterator[str]:
    if request.files and request.since_s is None:
        return
    for kept in store.kept():
        if request.since_s is None or kept.at >= now - timedelta(seconds=request.since_s):
            yield kept.run_id


def _paths(files: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was named itself. Links are not followed."""
    for path in files:
        if path.is_file():
            yield path, True
        elif path.is_dir():
            yield from ((each, False) for each in _in_folder(path))
        else:
            raise UsageError(f"there is no report at {path}", "name a report.json, or a folder")


def _in_folder(folder: Path) -> list[Path]:
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        paths = (Path(root, name) for name in sorted(names) if name.endswith(".json"))
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
        if len(found) > MOST_FILES:
            raise UsageError(
                f"{folder} has more than {MOST_FILES} files of JSON", "name a smaller folder"
            )
    return found
