"""Fills a store of reports with what earlier runs of the schedule's workflow uploaded.

Only runs on the default branch of the repository itself count. A job that verified also ran the
training's code, which may have written anything: a report is taken from the artifact that is named
for its run alone, and what is broken, too large or of the future is passed over.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from reprocheck.check_reading import read_check
from reprocheck.errors import ForgeError, ReportFileError
from reprocheck.forges.github_nouns import Artifact, WorkflowRun
from reprocheck.model import Report
from reprocheck.report_store import ReportStore
from reprocheck.schedule.slugs import is_of

PREFIX = "reprocheck-report-"
REPORT = "report.json"
MOST_RUNS = 60  # of the workflow
MOST_OF_A_NAME = 10  # artifacts: the newest ones of each run that was verified
MOST_ARTIFACTS = 350
"""A job's token may ask 1,000 times an hour, and two jobs of a schedule collect."""
MOST_BYTES = 20_000_000  # of an artifact
MOST_BYTES_IN_ALL = 500_000_000
_PATIENCE = 5  # downloads that fail one after the other
_SKEW = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """How a forge is asked for what its jobs uploaded; all may raise `ForgeError`."""

    runs: Callable[[str, str, int], Sequence[WorkflowRun]]  # of a file on a branch, newest first
    artifacts: Callable[[int], Sequence[Artifact]]  # of a run
    download: Callable[[Artifact, Path, int], object]  # into a folder, at most so many bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Whose artifacts count."""

    repository: str  # owner/name
    branch: str  # the default one
    workflow: str  # path of its file


@dataclass(kw_only=True, slots=True)
class Collecting:
    """Collects the reports of one schedule into a store."""

    archive: Archive
    schedule: Schedule
    store: ReportStore
    now: datetime
    notice: Callable[[str], None]
    bytes_left: int = MOST_BYTES_IN_ALL
    names: Counter[str] = field(default_factory=Counter)
    failures: int = 0  # of the last downloads

    def collect(self) -> int:
        """How many reports there are now more, the newest ones of each run.

        A forge that does not answer is told, and leaves the store as it is by then.
        """
        kept = 0
        try:
            for artifact in self._artifacts():
                kept += self._take(artifact)
        except ForgeError as error:
            self.notice(f"earlier reports are not all known: {error.message}{error.lacking}")
        return kept

    def _artifacts(self) -> Iterator[Artifact]:
        asked = self.schedule
        for run in self.archive.runs(asked.workflow, asked.branch, MOST_RUNS):
            if not self._is_ours(run):
                continue
            for artifact in self.archive.artifacts(run.id):
                if artifact.name.startswith(PREFIX) and not artifact.expired:
                    self.names[artifact.name] += 1
                    if self.names[artifact.name] <= MOST_OF_A_NAME:
                        yield artifact
            if self.names.total() >= MOST_ARTIFACTS:
                return

    def _is_ours(self, run: WorkflowRun) -> bool:
        """A fork's branch may have the name of ours."""
        return (
            run.head_repository.casefold() == self.schedule.repository.casefold()
            and run.head_branch == self.schedule.branch
            and not run.event.startswith("pull_request")
        )

    def _take(self, artifact: Artifact) -> int:
        if artifact.bytes > MOST_BYTES or artifact.bytes > self.bytes_left:
            self.notice(f"passed over the artifact {artifact.name}: it is too large")
            return 0
        self.bytes_left -= artifact.bytes
        folder = Path(tempfile.mkdtemp(prefix="reprocheck-artifact-"))
        try:
            self.archive.download(artifact, folder, MOST_BYTES)
            self.failures = 0
            return self._keep(artifact.name, folder / REPORT)
        except ReportFileError as error:
            self.notice(f"passed over the artifact {artifact.name}: {error.message}")
        except ForgeError as error:
            self.failures += 1
            if error.missing or self.failures > _PATIENCE:
                raise
            self.notice(f"passed over the artifact {artifact.name}: {error.message}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return 0

    def _keep(self, name: str, file: Path) -> int:
        if file.is_symlink() or not file.is_file():
            raise ReportFileError(f"it has no {REPORT}")
        reports = [each for each in read_check(file).reports if self._belongs(each, name)]
        for report in reports:
            self.store.keep(report)
        return len(reports)

    def _belongs(self, report: Report, name: str) -> bool:
        if report.record is None or report.dry_run:
            return False
        if report.created_at > self.now + _SKEW:
            self.notice(f"passed over a report in {name}: it is of the future")
            return False
        if not is_of(name, report.record.ref.run_id):
            self.notice(f"passed over a report in {name}: it is of a run that has another name")
            return False
        return True
