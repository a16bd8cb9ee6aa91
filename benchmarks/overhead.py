"""What reprocheck costs: `--help` against `import click`, `verify` against the bare training."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reprocheck import config
from reprocheck.environments import pick
from reprocheck.environments.base import BuildRequest
from reprocheck.model import EnvironmentKind, EnvironmentSpec, Origin, OriginKind
from reprocheck.progress import Silent

REPROCHECK = (sys.executable, "-m", "reprocheck")


def median_s(repeats: int, *commands: tuple[tuple[str, ...], Path, dict[str, str]]) -> list[float]:
    """The median wall time of each command in seconds; the commands take turns."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(repeats):
        for taken, (argv, cwd, env) in zip(times, commands, strict=True):
            started = time.perf_counter()
            subprocess.run(argv, cwd=cwd, env=env, check=True, capture_output=True)
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in times]


def trained_project(folder: Path) -> tuple[Path, str, Path]:
    """The demo's project, its seeded run, and the python of its environment."""
    from reprocheck.demo import Demo

    demo = Demo(folder, dict(os.environ), Silent(), lambda _: None)
    demo.make()
    runs = demo.train(["seeded", "inflated"])
    file = demo.folder / "requirements.txt"
    spec = EnvironmentSpec(
        kind=EnvironmentKind.VENV,
        file=file.name,
        content=file.read_bytes(),
        directory=".",
        python=".".join(map(str, sys.version_info[:3])),
        origin=Origin(kind=OriginKind.FILE, where=file.name),
    )
    request = BuildRequest(
        spec=spec, tree=demo.folder, started_at=None, cache=demo.cache, env=dict(os.environ)
    )
    with pick(spec).build(request) as sandbox:
        return demo.folder, runs["seeded"], sandbox.folder / "bin/python"


def main() -> None:
    """Prints both ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    here, env = Path.cwd(), dict(os.environ)

    bare, click, helped = median_s(
        3 * repeats,
        ((sys.executable, "-c", "pass"), here, env),
        ((sys.executable, "-c", "import click"), here, env),
        ((*REPROCHECK, "--help"), here, env),
    )
    print(f"python -c pass            {bare * 1000:6.0f} ms")
    print(f"python -c 'import click'  {click * 1000:6.0f} ms")
    print(
        f"reprocheck --help         {helped * 1000:6.0f} ms   {helped / click:.2f} x import click"
    )

    with tempfile.TemporaryDirectory() as folder:
        project, run_id, python = trained_project(Path(folder) / "demo")
        args = ("train.py", "--lr", "0.005", "--epochs", "30", "--seed", "7")
        scratch = {**env, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/bare.db"}
        verify = (*REPROCHECK, "verify", run_id, "-q", "--config", config.FILE_NAME)
        median_s(1, ((str(python), *args), project, scratch), (verify, project, env))  # warm up
        training, verifying = median_s(
            repeats, ((str(python), *args), project, scratch), (verify, project, env)
        )
        print(f"bare training             {training:6.2f} s")
        print(
            f"reprocheck verify         {verifying:6.2f} s   {verifying / training:.2f} x, "
            f"{verifying - training:.2f} s on top (one trial, IDENTICAL)"
        )


if __name__ == "__main__":
    main()
