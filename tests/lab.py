"""A team's project for end-to-end tests: a git repository with DVC data, and runs in MLflow."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reprocheck import cli
from tests import warm
from tests.conftest import Repo

PROJECTS = Path(__file__).parent / "projects"
OURS = Path(sys.executable)
ROWS = "x,y\n" + "".join(f"{x},{2 * x}\n" for x in range(1, 9))


@dataclass
class Result:
    """How a command of ours ended."""

    exit_code: int
    stdout: str
    stderr: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"])


class Lab:
    """A project and its tracker; trains runs and verifies them."""

    seeded: str  # ids of two runs of the project as it was made
    unseeded: str

    def __init__(self, root: Path, project: str = "tiny", dvc: bool = True) -> None:
        self.root = root
        self.repo = Repo(root / "repo")
        self.uri = f"sqlite:///{root / 'mlflow.db'}"
        for path in sorted((PROJECTS / project).rglob("*")):
            if path.is_file():
                self.repo.write({str(path.relative_to(PROJECTS / project)): path.read_bytes()})
        if dvc:
            self.repo.dvc("init", "--quiet")
            self.repo.dvc("remote", "add", "--quiet", "--default", "storage", "../remote")
            self.set_data(ROWS)
        else:
            self.repo.commit()

    @classmethod
    def at(cls, root: Path) -> Lab:
        """One that exists."""
        lab = object.__new__(cls)
        lab.root, lab.repo = root, Repo.at(root / "repo")
        lab.uri = f"sqlite:///{root / 'mlflow.db'}"
        return lab

    def set_data(self, rows: str) -> None:
        self.repo.write({"data/train.csv": rows})
        self.repo.dvc("add", "--quiet", "data/train.csv")
        self.repo.dvc("push", "--quiet")
        self.repo.commit()

    def train(self, *args: str, script: str = "train.py", uri: str | None = None) -> str:
        """Trains as a member of the team would; returns the run's id."""
        before = set(self.runs()) if uri is None else set()
        self.python(script, *args, uri=uri or self.uri)
        return (set(self.runs()) - before).pop() if uri is None else ""

    def python(
        self,
        *argv: str,
        uri: str | None = None,
        program: Path | None = None,
        folder: str = ".",
    ) -> str:
        """Runs a Python as a member of the team would who has activated its environment."""
        env = {**os.environ, "MLFLOW_TRACKING_URI": uri or self.uri}
        env["PATH"] = f"{(program or OURS).parent}{os.pathsep}{env['PATH']}"
        cwd = self.repo.path / folder
        if program is None:
            done = warm.python(*argv, cwd=cwd, env=env)
        else:
            done = subprocess.run(
                [program, *argv], cwd=cwd, env=env, capture_output=True, check=False
            )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def logged(self, *argv: str, **options: Any) -> list[str]:
        """The ids of the runs that a Python command logs, by start, parents first."""
        before = self.runs()
        self.python(*argv, **options)
        return [run_id for run_id in self.runs() if run_id not in before]

    def runs(self) -> list[str]:
        if not (self.root / "mlflow.db").exists():
            return []
        # Autologging gives the runs of a search the start of their parent.
        query = """SELECT run_uuid FROM runs LEFT JOIN tags USING (run_uuid)
                   GROUP BY run_uuid ORDER BY start_time, max(key = 'mlflow.parentRunId')"""
        return [str(row[0]) for row in self.sql(query)]

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.root / "mlflow.db")
        try:
            with connection:
                return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def add_to_metric(self, run_id: str, key: str, amount: float) -> None:
        for table in ("metrics", "latest_metrics"):
            self.sql(
                f"UPDATE {table} SET value = value + ? WHERE run_uuid = ? AND key = ?",
                *(amount, run_id, key),
            )

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        self.sql("DELETE FROM tags WHERE run_uuid = ? AND key = ?", run_id, key)
        self.sql("INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)", run_id, key, value)

    def verify(
        self, run_id: str, *args: str, uri: str | None = None, cwd: Path | None = None
    ) -> Result:
        """Runs `reprocheck verify`; in this process, since importing MLflow takes seconds."""
        out = self.root / "report.json"
        out.unlink(missing_ok=True)
        json_args = () if "--json" in args else ("--json", str(out))
        result = self.reprocheck(
            *("verify", run_id, "--tracking-uri", uri or self.uri, *json_args, *args), cwd=cwd
        )
        if out.exists():
            result.report = json.loads(out.read_text())
        return result

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "reprocheck", *args]

    @property
    def env(self) -> dict[str, str]:
        """The caller's environment, with a folder for temporary files that can be looked into."""
        (self.root / "tmp").mkdir(exist_ok=True)
        package = str(Path(__file__).parents[1])
        return {**os.environ, "TMPDIR": str(self.root / "tmp"), "PYTHONPATH": package}

    @property
    def leftovers(self) -> list[Path]:
        return sorted((self.root / "tmp").iterdir())

    def reprocheck(self, *args: str, cwd: Path | None = None) -> Result:
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.chdir(cwd or self.repo.path)
            patch.setenv("TMPDIR", self.env["TMPDIR"])
            patch.setattr("tempfile.tempdir", None)  # what tempfile remembers of TMPDIR
            code = cli.run(list(args))
        return Result(code, out.getvalue(), err.getvalue())

    def spawn(self, *args: str) -> Result:
        """Runs `reprocheck` as its users do, in a process of its own."""
        done = subprocess.run(
            self.command(*args), cwd=self.repo.path, env=self.env, capture_output=True, check=False
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def copy_of(lab: Lab, folder: Path) -> Lab:
    """The same project and runs in a folder that the test may change."""
    shutil.copytree(lab.root, folder / "lab", symlinks=True)
    copy = Lab.at(folder / "lab")
    copy.__dict__ |= {key: lab.__dict__[key] for key in ("seeded", "unseeded") if key in vars(lab)}
    return copy
