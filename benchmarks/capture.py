"""What recording costs a training: an MLflow run with reprocheck-capture on, and off, by turns.

The aim: under 150 ms a process, plus git's own time, which is measured beside.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

AIM_MS = 150.0
TRAIN = """\
import json, subprocess, time
git_s, run = 0.0, subprocess.run

def timed(argv, *args, **named):
    global git_s
    started = time.perf_counter()
    try:
        return run(argv, *args, **named)
    finally:
        git_s += time.perf_counter() - started if argv[0] == "git" else 0.0

subprocess.run = timed
started = time.perf_counter()
import mlflow
imported_s = time.perf_counter() - started
mlflow.set_tracking_uri(mlflow.get_tracking_uri())
mlflow.MlflowClient().search_experiments()  # opens the store, and imports what that needs
git_s, started = 0.0, time.perf_counter()
with mlflow.start_run() as active:
    mlflow.log_metric("accuracy", 0.5)
run_s = time.perf_counter() - started
tags = mlflow.MlflowClient().get_run(active.info.run_id).data.tags
print(json.dumps({"imported": imported_s * 1000, "run": run_s * 1000, "git": git_s * 1000,
                  "recorded": "reprocheck.schema" in tags}))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Medians of one way, in milliseconds."""

    imported: float
    run: float
    git: float


def repository(folder: Path, files: int) -> Path:
    """A git repository with so many files, one of them changed."""
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    for number in range(files - 1):
        path = folder / f"src/part{number % 100}/module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"value = {number}\n")
    identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com")
    for args in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "All")):
        subprocess.run(("git", *identity, *args), cwd=folder, check=True)
    (folder / "train.py").write_text(f"{TRAIN}# changed\n")
    return folder


def trained(project: Path, store: str, recorded: bool) -> dict[str, float]:
    """What a process that logs one run says of its times.

    Raises `RuntimeError` where it was not recorded as asked for.
    """
    env = {name: text for name, text in os.environ.items() if not name.startswith("MLFLOW_")}
    env |= {"MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true"}
    env |= {"MLFLOW_ALLOW_FILE_STORE": "true", "REPROCHECK_CAPTURE": "on" if recorded else "off"}
    argv = (sys.executable, "train.py")
    done = subprocess.run(argv, cwd=project, env=env, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if bool(told["recorded"]) is not recorded:
        raise RuntimeError(f"asked for recording: {recorded}, got {told}; {done.stderr}")
    return told


def measured(files: int, repeats: int) -> tuple[Cost, Cost]:
    """Without and with recording, by turns, in both orders; the first of each is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        project = repository(Path(folder) / "project", files)
        store = f"sqlite:///{folder}/mlflow.db"
        rounds = []
        for number in range(repeats + 1):
            order = (False, True) if number % 2 else (True, False)
            told = {recorded: trained(project, store, recorded) for recorded in order}
            rounds.append((told[False], told[True]))
    off, on = (
        Cost(**{key: statistics.median(told[key] for told in way) for key in Cost.__slots__})
        for way in zip(*rounds[1:], strict=True)
    )
    return off, on


def table(files: int, off: Cost, on: Cost) -> Iterator[str]:
    """The lines for a repository of one size."""
    own = on.run - off.run - on.git
    ratio = on.imported / off.imported
    yield f"{files} files            off        on"
    yield f"  import mlflow  {off.imported:6.0f} ms {on.imported:6.0f} ms   {ratio:.2f} x"
    yield f"  one run        {off.run:6.0f} ms {on.run:6.0f} ms   {on.run - off.run:+.0f} ms"
    yield f"    of it git               {on.git:4.0f} ms"
    yield f"    of it ours              {own:4.0f} ms   under {AIM_MS:.0f} ms: " + (
        "yes" if own < AIM_MS else "NO"
    )


def main(given: Sequence[str] | None = None) -> None:
    """Prints a table for each size of a repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[100, 10_000])
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args(given)
    for files in args.files:
        print("\n".join(table(files, *measured(files, args.repeats))))


if __name__ == "__main__":
    main()
