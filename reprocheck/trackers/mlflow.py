"""MLflow as a tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reprocheck.errors import ReadError
from reprocheck.model import ModelVersion, RunRecord
from reprocheck.progress import Progress
from reprocheck.trackers.base import Fetched, Found, Redirection, Search
from reprocheck.trackers.mlflow_artifacts import RootFinder
from reprocheck.trackers.mlflow_find import find_run, uri_of_page
from reprocheck.trackers.mlflow_held import held_roots
from reprocheck.trackers.mlflow_models import model_folders
from reprocheck.trackers.mlflow_open import open_store
from reprocheck.trackers.mlflow_products import Reader, Root, unread
from reprocheck.trackers.mlflow_record import check_finished, models_of, read_record
from reprocheck.trackers.mlflow_redirect import redirect
from reprocheck.trackers.mlflow_search import find_runs
from reprocheck.trackers.mlflow_settings import client_settings
from reprocheck.trackers.mlflow_store import MlflowStore
from reprocheck.trackers.mlflow_versions import find_versions

__all__ = ["MlflowTracker", "uri_of_page"]


class MlflowTracker:
    """An MLflow store: a server, a sqlite file, a folder of runs, or a database.

    `artifact_roots` maps beginnings of recorded artifact addresses to where they are now; copies
    and downloads are made in `scratch`. Nothing is opened before the first `read`.
    """

    def __init__(
        self,
        uri: str,
        artifact_roots: Mapping[str, str],
        scratch: Path,
        trusted: bool = False,  # ask no address that only a run names
    ) -> None:
        self._uri = uri
        self._trusted = trusted
        self._artifact_roots = artifact_roots
        self._scratch = scratch
        self._store: MlflowStore | None = None

    def read(self, asked: str, *, finished: bool = True) -> RunRecord:
        """The record of the run that the user named, also of an unfinished one unless `finished`.

        Raises `UnknownRunError`, `UnfinishedRunError`, `MissingStoreError` or `ReadError`.
        """
        store = self._opened()
        with client_settings(store.uri):
            run = find_run(store, asked)
            if finished:
                check_finished(run)
            return read_record(store, run, self._finder(store))

    def search(self, wanted: Search) -> Found:
        """The runs that are wanted, without those that were deleted; nothing is written.

        Raises `UnknownExperimentError`, `MissingStoreError` or `ReadError`.
        """
        store = self._opened()
        with client_settings(store.uri):
            return find_runs(store, wanted, self._finder(store))

    def versions(
        self, names: Sequence[str], *, alias: str = "", stage: str = ""
    ) -> tuple[ModelVersion, ...]:
        """Of each registered model the version of that alias, or all of that stage, else the
        newest one; nothing is written.

        Raises `UnknownModelError`, `MissingStoreError` or `ReadError`.
        """
        store = self._opened()
        with client_settings(store.uri):
            return find_versions(store, names, alias=alias, stage=stage)

    def products(self, record: RunRecord, folder: Path, progress: Progress) -> Fetched:
        """What the run of a record that was read here left, its logged models' files included."""
        store = self._opened()
        with client_settings(store.uri):
            try:
                reader = self._reader(store, record, folder)
            except ReadError as error:  # the tracker answered before: not worth the verification
                return unread(record, error)
            return reader.products(record, progress)

    def file(self, record: RunRecord, path: str, folder: Path) -> Path:
        """One artifact of the record as a file on this machine. Raises `ReadError`."""
        store = self._opened()
        with client_settings(store.uri):
            return self._reader(store, record, folder).file(path)

    def files(self, record: RunRecord, paths: Sequence[str], folder: Path) -> Mapping[str, Path]:
        """Artifacts of the record as files on this machine, by path. Raises `ReadError`."""
        store = self._opened()
        with client_settings(store.uri):
            reader = self._reader(store, record, folder)
            return {path: reader.file(path) for path in paths}

    def _reader(self, store: MlflowStore, record: RunRecord, folder: Path) -> Reader:
        folder.mkdir(parents=True, exist_ok=True)
        run = store.run(record.ref.run_id)
        models = models_of(store, run)
        named = zip(model_folders([model.name for model in models]), models, strict=True)
        return Reader(
            finder=self._finder(store),
            roots=(
                Root(folder="", uri=run.artifact_uri),
                *(Root(folder=place, uri=model.artifact_uri) for place, model in named),
                *held_roots(store, record),
            ),
            folder=folder.absolute(),
        )

    def _finder(self, store: MlflowStore) -> RootFinder:
        return RootFinder(
            tracking_uri=store.uri,
            moved=self._artifact_roots,
            scratch=self._scratch,
            folder=store.folder,
            trusted=self._trusted,
        )

    def _opened(self) -> MlflowStore:
        with client_settings():
            self._scratch.mkdir(parents=True, exist_ok=True)
            if self._store is None:
                self._store = open_store(self._uri, self._scratch)
        return self._store

    def redirect(self, folder: Path) -> Redirection:
        """Prepares `folder` (made if absent) to receive what a trial logs."""
        return redirect(folder)

    def close(self) -> None:
        """Removes what `read` left on this machine."""
        if self._store is not None:
            with client_settings():
                self._store.close()
            self._store = None
