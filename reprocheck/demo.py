"""The demo's project: made from examples/digits, trained, changed, and verified."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from reprocheck import config, environments, pipeline, process
from reprocheck.account import cache_folder
from reprocheck.environments.base import BuildRequest, Sandbox, TrialRun
from reprocheck.errors import ReprocheckError, UsageError
from reprocheck.git import last_lines
from reprocheck.model import (
    Argv,
    Command,
    EnvironmentKind,
    EnvironmentSpec,
    Origin,
    OriginKind,
    Report,
    Step,
)
from reprocheck.progress import Progress
from reprocheck.reporters import REPORTERS

TRACED = "traced"
"""The run that reads a file from outside of its repository."""
FILES = ("train.py", "prepare.py", "requirements.txt", "reprocheck.yaml", "README.md")
SEEDS = {"seeded": "7", "unseeded": "none", "old-data": "11", "inflated": "13", TRACED: "17"}
SHARED = "DIGITS_SHARED"
"""The variable that leads the traced run to the file that nobody versioned."""
INFLATION = 0.035
PYTHON = ".".join(str(part) for part in sys.version_info[:3])


class Demo:
    """The demo's project in a folder of its own."""

    def __init__(
        self, folder: Path, env: Mapping[str, str], progress: Progress, say: Callable[[str], None]
    ) -> None:
        """Raises `UsageError` when the folder exists and is not empty."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} exists and is not empty", "name another directory, or remove this one"
            )
        self.folder = folder / "digits"
        self.reports = folder / "reports"
        self._remote = folder / "dvc-remote"
        self._shared = folder / "shared"
        self._env = {**env, "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self._progress = progress
        self._say = say
        self.cache = cache_folder()

    def make(self) -> None:
        """Copies the example, writes its data, and puts both under git and DVC."""
        self._say(f"1. Making a project with data in {self.folder}")
        (self.folder / "data").mkdir(parents=True)
        self.reports.mkdir()
        example = _example()
        for name in FILES:
            (self.folder / name).write_bytes((example / name).read_bytes())
        (self.folder / ".gitignore").write_bytes((example / "gitignore").read_bytes())
        (self.folder / ".python-version").write_text(f"{PYTHON}\n")  # the runs do not record it
        self._say("2. Building its environment from requirements.txt (cached for later)")
        with self._sandbox() as sandbox:
            self._say(f"   What is trained runs in: {sandbox.built.isolation}")
            self._python(sandbox, "prepare.py")
        self._say("3. Tracking data/*.csv with DVC, pushing them to a local remote, committing")
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", "reprocheck demo")
        self._git("config", "user.email", "demo@example.com")
        self._dvc("init", "--quiet")
        self._dvc("remote", "add", "--quiet", "--default", "storage", str(self._remote))
        self._push_data("Digits, and how to classify them")

    def train(self, names: list[str]) -> dict[str, str]:
        """Trains a run for each name, then changes data and one metric; returns the run ids."""
        runs = {}
        after = 4 + len(names)
        with self._sandbox() as sandbox:
            for number, name in enumerate(names, 4):
                self._say(f"{number}. Training run '{name}' (--seed {SEEDS[name]})")
                env = self._unversioned() if name == TRACED else {}
                self._python(sandbox, "train.py", "--seed", SEEDS[name], env=env)
                runs[name] = self._last_run()
        self._say(f"{after}. Changing data/train.csv after the commit: half of its rows are gone")
        train = self.folder / "data" / "train.csv"
        lines = train.read_text().splitlines(keepends=True)
        train.write_text("".join(lines[: len(lines) // 2]))
        self._push_data("Less data")
        self._say(f"{after + 1}. Raising the logged accuracy of run 'inflated' by {INFLATION}")
        self._inflate(runs["inflated"])
        return runs

    def _unversioned(self) -> dict[str, str]:
        """A file outside of the repository, as a team's shared disk has them, and who names it."""
        self._shared.mkdir(exist_ok=True)
        (self._shared / "largest.txt").write_text("16.0\n")
        return {SHARED: str(self._shared)}

    def verify(self, name: str, run_id: str, progress: Progress) -> Report:
        """Verifies a run as `reprocheck verify` does, and leaves its reports."""
        traced = name == TRACED
        report = pipeline.verify(
            pipeline.Request(
                asked=run_id,
                tracking_uri=f"sqlite:///{self.folder / 'mlflow.db'}",
                config=config.load(self.folder / config.FILE_NAME),
                cwd=self.folder,
                env=self._env | (self._unversioned() if traced else {}),
                trace=traced,
                logs=self.reports / f"{name}-logs",
                cache=self.cache,
            ),
            progress,
        )
        for ending, reporter in (("json", "json"), ("md", "markdown")):
            text = REPORTERS[reporter](report)
            (self.reports / f"{name}.{ending}").write_text(text, encoding="utf-8")
        return report

    def _sandbox(self) -> contextlib.AbstractContextManager[Sandbox]:
        file = self.folder / "requirements.txt"
        spec = EnvironmentSpec(
            kind=EnvironmentKind.VENV,
            file=file.name,
            content=file.read_bytes(),
            directory=".",
            python=PYTHON,
            origin=Origin(kind=OriginKind.FILE, where="requirements.txt"),
        )
        request = BuildRequest(
            spec=spec,
            tree=self.folder,
            started_at=None,
            cache=self.cache,
            progress=self._progress,
            env=self._env,
        )
        return environments.pick(spec).build(request)

    def _python(self, sandbox: Sandbox, *args: str, env: Mapping[str, str] | None = None) -> None:
        home = self.folder.parent / "home"
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        log = self.folder.parent / "training.log"
        done = sandbox.run(
            TrialRun(
                command=Command(steps=(Step(run=Argv(args=("python", *args))),)),
                tree=self.folder,
                home=home,
                env={
                    "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",
                    **(env or {}),
                },
                timeout_s=600,
                log=log,
            )
        )
        if done.exit_code != 0:
            raise ReprocheckError(
                f"running {args[0]} for the demo failed:\n{last_lines(done.stdout)}",
                f"see {log}",
            )

    def _push_data(self, message: str) -> None:
        self._dvc("add", "--quiet", "data/train.csv", "data/test.csv")
        self._dvc("push", "--quiet")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def _git(self, *args: str) -> None:
        self._run("git", *args)

    def _dvc(self, *args: str) -> None:
        self._run(sys.executable, "-m", "dvc", *args)

    def _run(self, *argv: str) -> None:
        done = process.run(process.Call(argv=argv, cwd=self.folder, env=self._env, timeout_s=300))
        if done.exit_code != 0:
            raise ReprocheckError(
                f"{' '.join(argv)} in {self.folder} failed: {last_lines(done.stderr)}",
                "run the command by hand to see more",
            )

    def _last_run(self) -> str:
        with contextlib.closing(self._store()) as store:
            query = "SELECT run_uuid FROM runs ORDER BY start_time DESC LIMIT 1"
            return str(store.execute(query).fetchone()[0])

    def _inflate(self, run_id: str) -> None:
        with contextlib.closing(self._store()) as store, store:
            for table in ("metrics", "latest_metrics"):
                store.execute(
                    f"UPDATE {table} SET value = value + ? "  # noqa: S608 - names of our own
                    "WHERE run_uuid = ? AND key = 'accuracy'",
                    (INFLATION, run_id),
                )

    def _store(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "mlflow.db")


def _example() -> Path:
    packaged = Path(str(resources.files("reprocheck"))) / "examples" / "digits"
    # An editable install has no copy inside the package: the repository's own folder counts.
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "examples" / "digits"
