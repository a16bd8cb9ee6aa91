"""Other MLflow versions in venvs of their own, and a real MLflow server that all tests share."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import absent

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reprocheck-tests"
STORE = ("sqlalchemy<2.1", "alembic", "sqlparse")
SERVER = ("flask", "flask-cors", "uvicorn", "aiohttp", "numpy", "pandas")
HERE = sys.executable  # our own Python's version will do
VENVS = {
    "1.30.1": ("3.8", ("mlflow-skinny==1.30.1", *STORE, "setuptools<81")),
    "2.22.0": (HERE, ("mlflow-skinny==2.22.0", *STORE)),
    # The lightest set that `mlflow server` starts with.
    "server": (HERE, ("mlflow-skinny==3.17.2", *STORE, *SERVER)),
    "sklearn": (HERE, ("mlflow-skinny==3.17.2", "scikit-learn", "pandas", "tabulate", *STORE)),
}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def python_with() -> Callable[[str], Path]:
    """The interpreter of a cached venv with another MLflow; `absent` where it cannot be made."""

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
    if _failure([uv, "venv", "-q", "--clear", "--python", python, folder]):
        pytest.skip(f"no Python {version} here")  # nothing here can install one
    install = [uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *packages]
    if failure := _failure(install):
        absent(f"{packages[0]} cannot be installed: {failure}")


def _failure(argv: list[str | Path]) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return " ".join(done.stderr.split())[:200] if done.returncode else ""


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
    # The runner of jobs starts again and again what fails without the rest of MLflow.
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    env["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
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
