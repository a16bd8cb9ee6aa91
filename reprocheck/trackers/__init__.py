"""Stage read: experiment trackers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reprocheck.trackers.base import Tracker
from reprocheck.trackers.bundle import BundleTracker
from reprocheck.trackers.mlflow import MlflowTracker, uri_of_page
from reprocheck.trackers.mlflow_about import about

__all__ = ["TRACKERS", "about", "open_tracker", "uri_of_page"]

TRACKERS: Mapping[str, Callable[[str, Mapping[str, str], Path, bool], Tracker]] = {
    "mlflow": MlflowTracker,
    "bundle": BundleTracker,
}


def open_tracker(
    uri: str,
    artifact_roots: Mapping[str, str],
    scratch: Path,
    *,
    kind: str = "mlflow",
    trusted: bool = False,
) -> Tracker:
    """The tracker at `uri`; nothing is opened before it is read.

    `artifact_roots` maps beginnings of recorded artifact addresses to where they are now; copies
    and downloads are made in `scratch`, until `close`. With `trusted`, only addresses are asked
    that `uri` and `artifact_roots` name, whatever a run says of where its artifacts are.
    """
    return TRACKERS[kind](uri, artifact_roots, scratch, trusted)
