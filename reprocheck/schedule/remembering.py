"""What the store of reports remembers of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from reprocheck.checks import in_order, verification_of
from reprocheck.errors import ReportFileError
from reprocheck.model import Report, Verification
from reprocheck.report_store import ReportStore
from reprocheck.schedule.standing import reproduced

NEWEST = 12
"""Reports of a run that are read: more than a trend shows."""

Notice = Callable[[str], None]


def reports(store: ReportStore, run_id: str, notice: Notice) -> Iterator[Report]:
    """The newest reports of a run, the newest first; one that cannot be read is passed over with a
    notice."""
    for kept in reversed(store.kept(run_id)[-NEWEST:]):
        try:
            yield store.read(kept)
        except ReportFileError as error:
            notice(f"passed over a kept report: {error.message}")


def verifications(folder: Path, run_id: str, notice: Notice) -> tuple[Verification, ...]:
    """The verifications of a run since it last reproduced, the oldest first.

    Older ones say nothing of its standing, and reading one takes its time.
    """
    found: list[Verification] = []
    for report in reports(ReportStore(folder), run_id, notice):
        if not report.dry_run:
            found.append(verification_of(report))
            if reproduced(found[-1]):
                break
    return in_order(found)
