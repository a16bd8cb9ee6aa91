"""What an audit costs: 5,000 runs of a local sqlite store with the repository of their commits.

The aims: under a minute, and memory that does not grow with the runs. Beside it, in the same
store and pages, what MLflow's own search takes. Run it from the repository's root, as
`python -m benchmarks.audit`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck.trackers.mlflow_search import PAGE
from reprocheck.trackers.mlflow_settings import client_settings

SECONDS_AIM, GROWTH_AIM = 60.0, 1.5
COMMITS, PARAMETERS, METRICS, POINTS, TAGS = 200, 10, 10, 5, 15
START_MS = 1_700_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Of one process."""

    seconds: float
    peak_mib: float  # resident


@dataclass(frozen=True, kw_only=True, slots=True)
class Lab:
    """A store and a repository."""

    folder: Path
    runs: int

    @property
    def store(self) -> Path:
        return self.folder / "mlflow.db"

    @property
    def repo(self) -> Path:
        return self.folder / "repo"

    def make(self) -> Lab:
        """Writes the repository and the store; MLflow's client would take minutes for the runs."""
        commits = self._commits()
        artifacts = self.folder / "artifacts"
        with self._client() as client:
            client.create_experiment("churn", artifact_location=artifacts.as_uri())
        with closing(sqlite3.connect(self.store)) as connection, connection:
            for table, count, rows in (
                ("runs", 14, self._runs(artifacts)),
                ("params", 3, self._parameters()),
                ("metrics", 6, self._metrics(range(POINTS))),
                ("latest_metrics", 6, self._metrics([POINTS - 1])),
                ("tags", 3, self._tags(commits)),
            ):
                places = ",".join("?" * count)
                columns = _COLUMNS.get(table, "")
                connection.executemany(f"INSERT INTO {table} {columns} VALUES ({places})", rows)
        for run in range(self.runs):
            files = artifacts / _id(run) / "artifacts" / "reprocheck" / "environment"
            files.mkdir(parents=True)
            (files / "requirements.txt").write_text("numpy==2.1.0\nscikit-learn==1.5.2\n")
        return self

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with client_settings():
            from mlflow import MlflowClient

            client = MlflowClient(f"sqlite:///{self.store}")
            try:
                yield client
            finally:
                client._tracking_client.store.engine.dispose()

    def _commits(self) -> list[str]:
        self.git("init", "--quiet", "--initial-branch=main", str(self.repo))
        self.git("-C", str(self.repo), "fast-import", "--quiet", stdin=_history())
        remote = str(self.folder / "remote.git")
        self.git("clone", "--quiet", "--bare", str(self.repo), remote)
        self.git("-C", str(self.repo), "remote", "add", "origin", f"file://{remote}")
        return self.git("-C", str(self.repo), "log", "--format=%H").split()

    def _runs(self, artifacts: Path) -> Iterator[tuple[object, ...]]:
        for run in range(self.runs):
            start = START_MS + run * 60_000
            place = (artifacts / _id(run) / "artifacts").as_uri()
            yield (
                *(_id(run), f"run {run}", "LOCAL", "train.py", "", "ann", "FINISHED"),
                *(start, start + 50_000, "", "active", place, 1, None),
            )

    def _parameters(self) -> Iterator[tuple[object, ...]]:
        for run in range(self.runs):
            yield from ((f"parameter_{n}", f"{n * 0.1:.3f}", _id(run)) for n in range(PARAMETERS))

    def _metrics(self, steps: range | list[int]) -> Iterator[tuple[object, ...]]:
        for run in range(self.runs):
            start = START_MS + run * 60_000
            for number in range(METRICS):
                for step in steps:
                    value = round(0.9 + number / 100 + step / 1000, 6)
                    yield f"metric_{number}", value, start + step * 1000, step, 0, _id(run)

    def _tags(self, commits: list[str]) -> Iterator[tuple[object, ...]]:
        for run in range(self.runs):
            tags = {
                "mlflow.runName": f"run {run}",
                "mlflow.user": "ann",
                "mlflow.source.name": "train.py",
                "mlflow.source.type": "LOCAL",
                "mlflow.source.git.commit": commits[run % len(commits)],
                "reprocheck.tree": ("clean", "dirty")[run % 10 == 0],
                "reprocheck.argv": json.dumps(["python", "train.py", "--lr", "0.1"]),
                "reprocheck.seeds": json.dumps({"seed": run}),
            }
            tags |= {f"team.{n}": "x" * 40 for n in range(TAGS - len(tags))}
            yield from ((name, text, _id(run)) for name, text in tags.items())

    def audit(self) -> Cost:
        """`reprocheck audit` in a process of its own."""
        return self.python(
            *("-m", "reprocheck", "audit", "--quiet", "--json", str(self.folder / "audit.json")),
            *("--tracking-uri", f"sqlite:///{self.store}"),
        )

    def search(self) -> float:
        """Seconds that MLflow's own search takes for the same pages."""
        with self._client() as client:
            ids = [each.experiment_id for each in client.search_experiments()]
            started, token = time.perf_counter(), ""
            while token is not None:
                order = ["attributes.start_time"]
                token = client.search_runs(ids, "", 1, PAGE, order, token or None).token or None
            return time.perf_counter() - started

    def python(self, *argv: str) -> Cost:
        """A Python in the repository, and what it took."""
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        started = time.perf_counter()
        child = subprocess.Popen(
            (sys.executable, *argv), cwd=self.repo, env=env, stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{argv[:3]} ended with {child.returncode}")
        seconds = time.perf_counter() - started
        return Cost(seconds=seconds, peak_mib=used.ru_maxrss / 1024)

    @staticmethod
    def git(*argv: str, stdin: str = "") -> str:
        done = subprocess.run(("git", *argv), check=True, capture_output=True, input=stdin.encode())
        return done.stdout.decode()


def _history() -> str:
    """Commits as `git fast-import` takes them."""
    commits = []
    for number in range(COMMITS):
        code = f"print({number})\n"
        who = f"Benchmark <benchmark@example.com> {START_MS // 1000 + number} +0000"
        commits.append(
            f"commit refs/heads/main\ncommitter {who}\ndata 6\nChange\n"
            f"M 100644 inline train.py\ndata {len(code)}\n{code}\n"
        )
    return "".join(commits)


_COLUMNS = {
    "runs": "(run_uuid, name, source_type, source_name, entry_point_name, user_id, status, "
    "start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, "
    "deleted_time)",
    "params": "(key, value, run_uuid)",
    "metrics": "(key, value, timestamp, step, is_nan, run_uuid)",
    "latest_metrics": "(key, value, timestamp, step, is_nan, run_uuid)",
    "tags": "(key, value, run_uuid)",
}


def _id(run: int) -> str:
    return f"{run:032x}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The audit of one store."""

    runs: int
    cost: Cost
    search_s: float


def table(rows: list[Row]) -> Iterator[str]:
    """What was measured, the smallest store first."""
    yield "  runs      audit   peak memory   MLflow's search alone   its share of the audit"
    for row in rows:
        share = row.search_s / row.cost.seconds
        yield (
            f"{row.runs:6,}   {row.cost.seconds:6.1f} s   {row.cost.peak_mib:7.0f} MiB"
            f"   {row.search_s:18.1f} s   {share:22.0%}"
        )
    growth = rows[-1].cost.peak_mib / rows[0].cost.peak_mib
    yield f"under {SECONDS_AIM:.0f} s: {_yes(rows[-1].cost.seconds < SECONDS_AIM)}"
    yield f"memory flat (at most {GROWTH_AIM} times): {growth:.2f}, {_yes(growth <= GROWTH_AIM)}"


def _yes(reached: bool) -> str:
    return "yes" if reached else "NO"


def main(argv: list[str] | None = None) -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[1_000, 5_000])
    rows = []
    for runs in sorted(parser.parse_args(argv).runs):
        folder = Path(tempfile.mkdtemp(prefix="audit-"))
        try:
            lab = Lab(folder=folder, runs=runs).make()
            rows.append(Row(runs=runs, cost=lab.audit(), search_s=lab.search()))
        finally:
            shutil.rmtree(folder)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
