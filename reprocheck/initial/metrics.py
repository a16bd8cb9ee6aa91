"""The metric that the newest finished run suggests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reprocheck.compare.gates import choose_gates
from reprocheck.errors import ReprocheckError
from reprocheck.model import Metric, Point, RunStatus, RunSummary
from reprocheck.temporary import temporary_folder
from reprocheck.trackers import open_tracker
from reprocheck.trackers.base import Search

_MOST = 500  # runs that are looked at


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """What a tracker suggests; "": nothing."""

    experiment: str = ""
    metric: str = ""


def suggest(uri: str, experiment: str | None, root: Path) -> Suggestion:
    """From the newest finished run with metrics; a tracker that does not answer suggests nothing.

    A relative address counts from `root`.
    """
    if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
        uri = f"sqlite:///{root / uri.removeprefix('sqlite:///')}"
    elif "://" not in uri and not uri.startswith("databricks"):
        uri = str(root / uri)
    newest: RunSummary | None = None
    try:
        with temporary_folder() as scratch:
            tracker = open_tracker(uri, {}, scratch / "tracker")
            try:
                wanted = Search(experiments=(experiment,) if experiment else (), limit=_MOST)
                for run in tracker.search(wanted).summaries():
                    if run.status is RunStatus.FINISHED and run.metrics:
                        newest = run
            finally:
                tracker.close()
    except ReprocheckError:
        return Suggestion()
    return Suggestion() if newest is None else _of(newest)


def _of(run: RunSummary) -> Suggestion:
    metrics = {
        name: Metric(name=name, history=(Point(step=0, timestamp_ms=0, value=value),))
        for name, value in run.metrics.items()
    }
    chosen = choose_gates(metrics, {}, ()).metrics
    return Suggestion(experiment=run.experiment, metric=chosen[0] if chosen else "")
