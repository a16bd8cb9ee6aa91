"""What the store of reports remembers of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from reprocheck.errors import ReportFileError
from reprocheck.model import Report, Verification
from reprocheck.report_store import ReportStore
from reprocheck.schedule.joining import verification_of
from reprocheck.schedule.standing import in_order

NEWEST = 20
"""Reports of a run that are read: older ones change nothing that is told."""

Notice = Callable[[str], None]


def reports(store: ReportStore, run_id: str, notice: Notice) -> Iterator[Report]:
    """The newest reports of a run; one that cannot be read is passed over with a notice."""
    for kept in store.kept(run_id)[-NEWEST:]:
        try:
            yield store.read(kept)
        except ReportFileError as error:
            notice(f"passed over a kept report: {error.message}")


def verifications(folder: Path, run_id: str, notice: Notice) -> tuple[Verification, ...]:
    """The newest verifications of a run, the oldest first."""
    found = reports(ReportStore(folder), run_id, notice)
    return in_order(verification_of(each) for each in found if not each.dry_run)
