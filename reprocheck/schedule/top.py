"""`reprocheck top`: which runs are worth verifying again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime

from reprocheck.config import Config
from reprocheck.discretion import is_sensitive
from reprocheck.model import ReportDetail, Top
from reprocheck.schedule.choosing import Choosing
from reprocheck.schedule.ranking import Looked, Ranking
from reprocheck.schedule.remembering import verifications
from reprocheck.schedule.wishes import TopRequest, settled
from reprocheck.subjects import subject
from reprocheck.temporary import temporary_folder
from reprocheck.trackers import open_tracker
from reprocheck.trackers.base import Search, Tracker


def top(request: TopRequest, now: datetime) -> Top:
    """The runs that are wished for, in the order in which they are to be verified.

    Nothing is written to the tracker. Raises `UsageError`, `MissingStoreError` or `ReadError`.
    """
    wishes = settled(request.wishes, request.config)
    notes: list[str] = []
    with temporary_folder(keep=False) as workspace:
        roots = request.config.artifact_roots
        tracker = open_tracker(request.tracking_uri, roots, workspace / "tracker")
        with closing(tracker):
            choosing = Choosing(tracker=tracker, config=request.config, wishes=wishes, notes=notes)
            ranking = Ranking(
                wishes=wishes,
                now=now,
                history=lambda run_id: verifications(request.reports, run_id, notes.append),
                look=lambda ids: _look(tracker, request.config, ids),
            )
            return ranking.rank(choosing.choose(), notes)


def _look(tracker: Tracker, config: Config, run_ids: Sequence[str]) -> Mapping[str, Looked]:
    minimal = config.detail is ReportDetail.MINIMAL
    return {
        run.summary.ref.run_id: Looked(
            subject=subject(run.record), sensitive=minimal or is_sensitive(run.record)
        )
        for run in tracker.search(Search(run_ids=tuple(run_ids)))
    }
