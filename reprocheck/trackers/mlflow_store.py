"""An opened MLflow store: typed answers, and MLflow's errors told as ours."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reprocheck.errors import ReadError, UnknownRunError
from reprocheck.model import Point
from reprocheck.trackers.mlflow_run import FoundRun, parse_point, parse_run

_PAGE = 200  # runs a request; whole runs come back, with all their tags
_MOST_RUNS = 2_000
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "DATABRICKS_TOKEN")
_REFUSED = {"PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"}
SIGN_IN = (
    "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, "
    "to an account that may read the run."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundModel:
    """A logged model of MLflow 3."""

    model_id: str
    name: str
    artifact_uri: str
    source_run_id: str | None
    created_ms: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundExperiment:
    """An experiment of a store."""

    experiment_id: str
    name: str
    deleted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MlflowStore:
    """A store that MLflow's client reads; `client` must be used inside `client_settings`."""

    client: Any  # mlflow.MlflowClient
    uri: str  # as MLflow's client takes it, perhaps with a password
    shown: str  # the address that the user named, without a password
    pages: str | None = None  # where a server shows its pages
    folder: Path | None = None  # of a file store
    copy: Path | None = None  # a folder of ours on this machine, removed by `close`

    def run(self, run_id: str) -> FoundRun:
        """The run with this full id. Raises `UnknownRunError` or `ReadError`."""
        with self.asking(f"run {run_id}"):
            return parse_run(self.client.get_run(run_id))

    def history(self, run_id: str, metric: str) -> tuple[Point, ...]:
        """All values of a metric, by step, then by time."""
        with self.asking(f"the history of {metric} of run {run_id}"):
            found = self.client.get_metric_history(run_id, metric)
        return tuple(
            sorted(map(parse_point, found), key=lambda point: (point.step, point.timestamp_ms))
        )

    def experiment_name(self, experiment_id: str) -> str:
        """The experiment's name."""
        with self.asking(f"experiment {experiment_id}"):
            return str(self.client.get_experiment(experiment_id).name)

    def experiment_ids(self) -> tuple[str, ...]:
        """All experiments, also deleted ones."""
        return tuple(experiment.experiment_id for experiment in self.experiments())

    def experiments(self) -> tuple[FoundExperiment, ...]:
        """All experiments, also deleted ones."""
        with self.asking("the list of experiments"):
            found = self.paged(lambda token: self.client.search_experiments(3, page_token=token))
        return tuple(
            FoundExperiment(
                experiment_id=str(each.experiment_id),
                name=str(each.name),
                deleted=each.lifecycle_stage == "deleted",
            )
            for each in found
        )

    def search(
        self, experiment_ids: Sequence[str], where: str, *, deleted: bool = False
    ) -> tuple[FoundRun, ...]:
        """The runs that MLflow's filter `where` selects, by start time, at most 2,000."""
        view = 3 if deleted else 1  # mlflow.entities.ViewType: ALL, ACTIVE_ONLY
        with self.asking("the list of runs"):
            found = self.paged(
                lambda token: self.client.search_runs(
                    list(experiment_ids), where, view, _PAGE, ["attributes.start_time"], token
                )
            )
        return tuple(parse_run(run) for run in found)

    def run_pages(
        self, experiment_ids: Sequence[str], where: str, size: int
    ) -> Iterator[tuple[FoundRun, ...]]:
        """The runs as `search`, all of them, `size` at a time; only one page is held."""
        token: str | None = None
        while True:
            with self.asking("the list of runs"):
                found = self.client.search_runs(
                    list(experiment_ids), where, 1, size, ["attributes.start_time"], token
                )
                page, token = tuple(map(parse_run, found)), found.token
                del found
            yield page
            if not token:
                return

    def model(self, model_id: str) -> FoundModel:
        """A logged model by its id (MLflow 3)."""
        with self.asking(f"logged model {model_id}"):
            found = self.client.get_logged_model(model_id)
        return FoundModel(
            model_id=model_id,
            name=str(found.name or "model"),
            artifact_uri=str(found.artifact_location),
            source_run_id=found.source_run_id,
            created_ms=int(found.creation_timestamp or 0),
            tags={str(name): str(value) for name, value in (found.tags or {}).items()},
        )

    def registered_run(self, name: str, version: str) -> str | None:
        """The run id behind a registered model's version, or behind an alias given as @alias."""
        with self.asking(f"registered model {name}, {version}"):
            if version.startswith("@"):
                found = self.client.get_model_version_by_alias(name, version[1:])
            else:
                found = self.client.get_model_version(name, version)
        return str(found.run_id) if found.run_id else None

    def close(self) -> None:
        """Lets go of the store and removes our copy of it."""
        engine = getattr(self.client._tracking_client.store, "engine", None)
        if engine is not None:
            engine.dispose()
        if self.copy is not None:
            shutil.rmtree(self.copy, ignore_errors=True)

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Tells errors of what is asked in the block as ours: `UnknownRunError`, `ReadError`."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
        from yaml import YAMLError

        try:
            yield
        except MlflowException as error:
            raise self._translate(what, error) from error
        except (SQLAlchemyError, YAMLError, OSError, ValueError, KeyError) as error:
            # A damaged store: what MLflow's client lets through.
            message = f"Reading {what} from {self.shown} failed: {first_line(error)}"
            raise ReadError(
                message, "The store may be damaged; look at the run with MLflow."
            ) from (error)

    def _translate(self, what: str, error: Any) -> ReadError:  # noqa: ANN401  (MlflowException)
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}:
            return UnknownRunError(
                f"{self.shown} has no {what}.",
                "Copy the run id from the run's page, and check that the tracker is the right one.",
            )
        message = f"Reading {what} from {self.shown} failed: {first_line(error)}"
        if error.error_code in _REFUSED:
            return ReadError(message, SIGN_IN)
        return ReadError(message, "Check that MLflow's own client can read the run there.")

    @staticmethod
    def paged(ask: Callable[[str | None], Any]) -> list[Any]:
        """All pages of an answer, up to 2,000 entries."""
        page = ask(None)
        found = list(page)
        while page.token and len(found) < _MOST_RUNS:
            page = ask(page.token)
            found += page
        return found


def first_line(error: Exception) -> str:
    """What an error of MLflow's says, short and without passwords."""
    text = str(error).strip() or type(error).__name__
    return without_secrets(text.splitlines()[0])[:300]


def without_secrets(text: str) -> str:
    """The text without passwords in URLs and without the tokens of the environment."""
    text = re.sub(r"://[^/\s@]*@", "://", text)
    for name in _SECRETS:
        if os.environ.get(name):
            text = text.replace(os.environ[name], "***")
    return text
