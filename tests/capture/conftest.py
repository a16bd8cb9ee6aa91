"""The package for training environments, imported from its folder; nothing of it is installed."""

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import warm
from tests.conftest import Repo, shared_folder

CAPTURE = Path(__file__).parents[2] / "capture"
sys.path.insert(0, str(CAPTURE))

# As the entry point does in a Python that has yet to import MLflow.
REGISTER = """\
import sys
sys.orig_argv = ["python", *sys.argv]
from mlflow.tracking.context import registry
from reprocheck_capture.provider import CaptureContext
registry._run_context_provider_registry.register(CaptureContext)
"""


@dataclass
class Team:
    """A repository whose train.py is captured, and its sqlite store."""

    repo: Repo
    database: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.database}"

    def train(self, script, *args, uri=None, commit=True, **env):
        """Runs a script, and answers the words that it prints."""
        self.repo.write({"train.py": REGISTER + script})
        if commit:
            self.repo.commit()
        given = {"MLFLOW_TRACKING_URI": uri or self.uri, "PYTHONPATH": str(CAPTURE), **env}
        done = warm.python("train.py", *args, cwd=self.repo.path, env={**os.environ, **given})
        self.stderr = done.stderr.decode()
        assert done.returncode == 0, self.stderr
        # A server's address of each run is told, too.
        return [word for word in done.stdout.decode().split() if word.isalnum()]

    def read(self, run_id, uri=None):
        from reprocheck.trackers import open_tracker

        tracker = open_tracker(uri or self.uri, {}, self.repo.path.parent / "scratch")
        try:
            return tracker.read(run_id)
        finally:
            tracker.close()

    def sql(self, query, *values):
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                return connection.execute(query, values).fetchall()
        finally:
            connection.close()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A sqlite store without runs, whose tables take a second to make."""
    with shared_folder(tmp_path_factory, "store") as folder:
        if not folder.exists():
            folder.mkdir()
            (folder / "make.py").write_text(
                "import mlflow; mlflow.MlflowClient().search_experiments()"
            )
            env = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/empty.db"}
            assert warm.python("make.py", cwd=folder, env=env).returncode == 0
    return folder / "empty.db"


@pytest.fixture
def team(repo, tmp_path, empty_store):
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    repo.commit({".gitignore": "mlruns\n", "lib.py": "a = 1\n"})
    made = Team(repo, tmp_path / "mlflow.db")
    made.sql("UPDATE experiments SET artifact_location = ?", str(tmp_path / "artifacts"))
    return made


@pytest.fixture(autouse=True)
def nothing_missing(monkeypatch):
    """Each test counts anew what is missing; capturing is on here."""
    from reprocheck_capture import failures, record

    monkeypatch.delenv("REPROCHECK_CAPTURE", raising=False)
    monkeypatch.setattr(failures, "_warned", [])
    monkeypatch.setattr(record, "_known", [])
    failures.MISSING.clear()
    return failures.MISSING


@pytest.fixture
def in_repo(repo, monkeypatch):
    """A repository with one commit, in which this process seems to run train.py."""
    repo.commit({"train.py": "print(1)\n", "lib.py": "a = 1\n"})
    monkeypatch.chdir(repo.path)
    script = str(repo.path / "train.py")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", script, raising=False)  # xdist's: none
    return repo


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A folder with the package as a wheel of this tree has it."""
    from uv import find_uv_bin

    with shared_folder(tmp_path_factory, "capture") as folder:
        if not folder.exists():
            argv = [find_uv_bin(), "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
            argv += ["--refresh-package", "reprocheck-capture", "--python", sys.executable]
            argv += ["--target", folder, CAPTURE]  # uv keeps wheels by the age of pyproject.toml
            subprocess.run(argv, check=True)
    return folder
