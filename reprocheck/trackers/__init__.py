"""Stage read: experiment trackers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reprocheck.trackers.base import Tracker, Writer
from reprocheck.trackers.bundle import BundleTracker
from reprocheck.trackers.mlflow import MlflowTracker, uri_of_page
from reprocheck.trackers.mlflow_about import about
from reprocheck.trackers.mlflow_write_back import MlflowWriter

__all__ = ["TRACKERS", "WRITERS", "about", "open_tracker", "open_writer", "uri_of_page"]

TRACKERS: Mapping[str, Callable[[str, Mapping[str, str], Path, bool], Tracker]] = {
    "mlflow": MlflowTracker,
    "bundle": BundleTracker,
}
WRITERS: Mapping[str, Callable[[str], Writer]] = {"mlflow": MlflowWriter}


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


def open_writer(uri: str, *, kind: str = "mlflow") -> Writer:
    """The tracker at `uri`, to write verdicts into; nothing is opened before that."""
    return WRITERS[kind](uri)
