"""Real MLflow stores: sqlite files and folders made here, a server, and older MLflow versions."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reprocheck.model import RunRecord
from reprocheck.trackers import open_tracker
from reprocheck.trackers.mlflow_settings import client_settings

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reprocheck-tests"
STORE = ("sqlalchemy<2.1", "alembic", "sqlparse")
SERVER = ("flask", "flask-cors", "uvicorn", "aiohttp", "numpy", "pandas")
VENVS = {
    "1.30.1": ("3.8", ("mlflow-skinny==1.30.1", *STORE, "setuptools<81")),
    "2.22.0": ("3.11", ("mlflow-skinny==2.22.0", *STORE)),
    # The lightest set that `mlflow server` starts with.
    "server": (
        "3.11",
        ("mlflow-skinny==3.17.2", *STORE, *SERVER),
    ),
    "sklearn": ("3.11", ("mlflow-skinny==3.17.2", "scikit-learn", "pandas")),
}
START = 1_700_000_000_000


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def python_with() -> Callable[[str], Path]:
    """The interpreter of a cached venv with another MLflow; skips where it cannot be made."""

    def make(name: str) -> Path:
        folder, done = CACHE / f"mlflow-{name}", CACHE / f"mlflow-{name}" / "done"
        version, packages = VENVS[name]
        with locked(CACHE / f"mlflow-{name}.lock"):
            if not done.exists() or done.read_text() != " ".join(packages):
                _make_venv(folder, version, packages)
                done.write_text(" ".join(packages))
        return folder / "bin" / "python"

    return make


def _make_venv(folder: Path, version: str, packages: tuple[str, ...]) -> None:
    from uv import find_uv_bin

    uv = find_uv_bin()
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    python = str(pyenv[-1]) if pyenv else version
    made = subprocess.run(
        [uv, "venv", "-q", "--clear", "--python", python, folder],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"no Python {version} here: {made.stderr.strip()[-200:]}")
    install = [uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *packages]
    subprocess.run(install, check=True, capture_output=True)


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

    def read(self, asked: str) -> RunRecord:
        tracker = open_tracker(self.uri, self.artifact_roots, self.folder / "scratch")
        try:
            return tracker.read(asked)
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


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, python_with: Callable[[str], Path]
) -> Iterator[str]:
    """The address of an MLflow server; the workers of xdist share one, the last one ends it."""
    python = python_with("server")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "server"
    state = folder / "state.json"
    with locked(folder / "lock"):
        if not state.exists():
            state.write_text(json.dumps({**_start_server(python, folder), "users": 0}))
        found = json.loads(state.read_text())
        state.write_text(json.dumps({**found, "users": found["users"] + 1}))
    yield found["uri"]
    with locked(folder / "lock"):
        found = json.loads(state.read_text())
        state.write_text(json.dumps({**found, "users": found["users"] - 1}))
        if found["users"] == 1:
            os.killpg(found["pid"], signal.SIGTERM)
            state.unlink()


def _start_server(python: Path, folder: Path) -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [python.with_name("mlflow"), "server", "--port", str(port), "--workers", "1"]
    argv += ["--backend-store-uri", f"sqlite:///{folder}/{port}.db"]
    argv += ["--artifacts-destination", str(folder / "artifacts")]
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            argv, stdout=log, stderr=log, env=env, cwd=folder, start_new_session=True
        )
    uri, end = f"http://127.0.0.1:{port}", time.monotonic() + 90
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{uri}/version", timeout=2).close()
            # Whose end is the fixture's business, not the garbage collector's.
            process.returncode = 0
            return {"uri": uri, "pid": process.pid}
        except OSError:
            time.sleep(0.2)
    raise AssertionError((folder / "log").read_text())


@pytest.fixture
def this_python() -> Path:
    """An interpreter with the MLflow version that reprocheck itself uses."""
    return Path(sys.executable)
