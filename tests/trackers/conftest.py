"""Real MLflow stores: sqlite files and folders made here, a server, and older MLflow versions."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reprocheck.model import RunRecord
from reprocheck.trackers import open_tracker
from reprocheck.trackers.mlflow_settings import client_settings

START = 1_700_000_000_000


@dataclass
class Store:
    """A store that tests log into, with MLflow's own client."""

    uri: str
    folder: Path  # for artifacts and our scratch
    experiment: str = ""
    artifact_roots: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def log(
        self,
        *,
        parameters: dict[str, str] | None = None,
        metrics: dict[str, list[float]] | None = None,
        tags: dict[str, str] | None = None,
        artifacts: dict[str, str] | None = None,
        status: str | None = "FINISHED",
        start: int = START,
    ) -> str:
        """The id of a new run."""
        with client_settings():
            client = self.client
            run = client.create_run(self.experiment, start, tags or {}, run_name="a run")
            run_id = run.info.run_id
            for name, value in (parameters or {}).items():
                client.log_param(run_id, name, value)
            for name, values in (metrics or {}).items():
                for step, value in enumerate(values):
                    client.log_metric(run_id, name, value, start + step, step)
            for name, text in (artifacts or {}).items():
                client.log_text(run_id, text, name)
            if status:
                client.set_terminated(run_id, status, start + 60_000)
        return run_id

    def client_default_experiment(self) -> Store:
        """The same store, logging where MLflow keeps artifacts by default."""
        return Store(uri=self.uri, folder=self.folder, experiment="0")

    def read(self, asked: str, *, finished: bool = True) -> RunRecord:
        tracker = open_tracker(self.uri, self.artifact_roots, self.folder / "scratch")
        try:
            return tracker.read(asked, finished=finished)
        finally:
            tracker.close()


def new_experiment(store: Store, name: str = "digits") -> Store:
    with client_settings():
        location = None if store.uri.startswith("http") else (store.folder / "artifacts").as_uri()
        store.experiment = store.client.create_experiment(name, artifact_location=location)
    return store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    with client_settings():
        Store(uri=f"sqlite:///{path}", folder=path.parent).client.search_experiments()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Store:
    """A sqlite store; its file is `mlflow.db`."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return new_experiment(Store(uri=f"sqlite:///{tmp_path}/mlflow.db", folder=tmp_path))


@pytest.fixture
def files(tmp_path: Path) -> Store:
    """A file store, in `mlruns`."""
    return new_experiment(Store(uri=(tmp_path / "mlruns").as_uri(), folder=tmp_path))


@pytest.fixture
def served(server: str, tmp_path: Path) -> Store:
    """A new experiment on the server that all tests share."""
    return new_experiment(Store(uri=server, folder=tmp_path), f"digits {tmp_path}")


@pytest.fixture(params=["database", "files", "served"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each kind of store in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def this_python() -> Path:
    """An interpreter with the MLflow version that reprocheck itself uses."""
    return Path(sys.executable)
