"""MLflow as a tracker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reprocheck.model import RunRecord
from reprocheck.trackers.base import Redirection
from reprocheck.trackers.mlflow_find import find_run, uri_of_page
from reprocheck.trackers.mlflow_open import open_store
from reprocheck.trackers.mlflow_record import check_finished, read_record
from reprocheck.trackers.mlflow_redirect import redirect
from reprocheck.trackers.mlflow_settings import client_settings
from reprocheck.trackers.mlflow_store import MlflowStore

__all__ = ["MlflowTracker", "uri_of_page"]


class MlflowTracker:
    """An MLflow store: a server, a sqlite file, a folder of runs, or a database.

    `artifact_roots` maps beginnings of recorded artifact addresses to where they are now; copies
    and downloads are made in `scratch`. Nothing is opened before the first `read`.
    """

    def __init__(self, uri: str, artifact_roots: Mapping[str, str], scratch: Path) -> None:
        self._uri = uri
        self._artifact_roots = artifact_roots
        self._scratch = scratch
        self._store: MlflowStore | None = None

    def read(self, asked: str) -> RunRecord:
        """The record of the run that the user named; nothing is written to the tracker.

        Raises `UnknownRunError`, `UnfinishedRunError`, `MissingStoreError` or `ReadError`.
        """
        with client_settings():
            self._scratch.mkdir(parents=True, exist_ok=True)
            if self._store is None:
                self._store = open_store(self._uri, self._scratch)
        with client_settings(self._store.uri):
            run = find_run(self._store, asked)
            check_finished(run)
            return read_record(self._store, run, self._artifact_roots, self._scratch)

    def redirect(self, folder: Path) -> Redirection:
        """Prepares `folder` (made if absent) to receive what a trial logs."""
        return redirect(folder)

    def close(self) -> None:
        """Removes what `read` left on this machine."""
        if self._store is not None:
            with client_settings():
                self._store.close()
            self._store = None
