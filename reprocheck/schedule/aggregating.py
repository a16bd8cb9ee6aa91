"""`reprocheck aggregate`: reports of several runs, beside what the store remembers of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from reprocheck import __version__
from reprocheck.check_documents import CHECK_VERSION
from reprocheck.check_reading import read_check
from reprocheck.errors import ReportFileError, UsageError
from reprocheck.model import Aggregate, Check, Problem, Report
from reprocheck.report_store import ReportStore
from reprocheck.schedule.joining import join, run_id_of
from reprocheck.schedule.remembering import Notice, reports
from reprocheck.schedule.slugs import is_of

REPORT = "report.json"
MOST_FILES = 2_000
"""In a folder: more than any matrix leaves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AggregateRequest:
    """What to sum up."""

    files: tuple[Path, ...]  # reports and checks, or folders of them; (): the store alone
    reports: Path  # the store of earlier reports
    since_s: float | None  # also runs that the store has a report of this young
    by_job: bool = False  # folders are artifacts of a schedule's jobs, each named for its run


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What is summed up."""

    checks: tuple[Check, ...]
    earlier: Mapping[str, tuple[Report, ...]]  # by run id, of the store
    problems: tuple[Problem, ...]  # with files


def aggregate(request: AggregateRequest, notice: Notice, now: datetime) -> Aggregate:
    """What the reports and the store say together; raises as `gather` does."""
    found = gather(request, notice, now)
    return join(found.checks, found.earlier, found.problems, now)


def gather(request: AggregateRequest, notice: Notice, now: datetime) -> Gathered:
    """The reports, and what the store has of their runs.

    A file that is no report is a problem among the others. Raises `ReportFileError` where none is
    one, and `UsageError` where a name is neither a file nor a folder.
    """
    checks: list[Check] = []
    problems: list[Problem] = []
    failed: ReportFileError | None = None
    for path, named in _paths(request.files):
        try:
            check = read_check(path)
        except ReportFileError as error:
            failed = error
            if not named and path.name != REPORT:
                notice(f"passed over {path}: {error.message}")
                continue
            problems.append(
                Problem(asked=path.name, message=error.message, hint=error.hint, exit_code=2)
            )
            continue
        foreign = _foreign(check, path) if request.by_job else ()
        checks.append(_without(check, foreign))
        problems += [_misplaced(each, path) for each in foreign]
    if failed and not checks:
        raise failed
    store = ReportStore(request.reports)
    ids = [*_told(checks), *_kept(store, request, now)]
    earlier = {run_id: tuple(reports(store, run_id, notice)) for run_id in dict.fromkeys(ids)}
    return Gathered(checks=tuple(checks), earlier=earlier, problems=tuple(problems))


def newest(found: Gathered, now: datetime) -> tuple[Check, tuple[Report, ...]]:
    """A check of the newest report of each run, and the reports before those, for trends."""
    by_run: dict[str, dict[tuple[datetime, str], Report]] = {}
    told = (each for check in found.checks for each in check.reports)
    for report in (*told, *(each for kept in found.earlier.values() for each in kept)):
        if not report.dry_run:
            known = by_run.setdefault(run_id_of(report), {})
            known.setdefault((report.created_at, report.subject), report)
    ordered = [[known[key] for key in sorted(known)] for known in by_run.values()]
    problems = (*found.problems, *(each for check in found.checks for each in check.problems))
    check = Check(
        schema_version=CHECK_VERSION,
        tool_version=__version__,
        created_at=now.replace(microsecond=0),
        head_sha="",
        reports=tuple(reports[-1] for reports in ordered),
        problems=tuple(dict.fromkeys(problems)),
    )
    return check, tuple(each for reports in ordered for each in reports[:-1])


def _foreign(check: Check, path: Path) -> tuple[Report, ...]:
    """Reports of runs that another job verifies: a training may have written any into its own."""
    name = path.parent.name
    return tuple(each for each in check.reports if not is_of(name, run_id_of(each)))


def _without(check: Check, foreign: tuple[Report, ...]) -> Check:
    return replace(check, reports=tuple(each for each in check.reports if each not in foreign))


def _misplaced(report: Report, path: Path) -> Problem:
    return Problem(
        asked=path.parent.name,
        message=f"its report is of run {run_id_of(report)[:80]}, which is not the run of its job",
        hint="look at what that job ran; nothing of its report counts",
        exit_code=3,
    )


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
