"""What rebuilding an environment costs: reprocheck's uv, conda and containers, cold and warm,
against pip in a new virtual environment, `mlflow run --env-manager uv` and `docker build`; and
what a sandbox adds to a command.

The aim: a warm rebuild of any kind under 1 s. Run it from the repository's root, as
`python -m benchmarks.environments`; what the machine lacks is left out, and told.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reprocheck.environments import conda_rattler, pick
from reprocheck.environments.base import BuildRequest, TrialRun
from reprocheck.environments.uv_program import find_uv
from reprocheck.model import (
    Argv,
    Command,
    EnvironmentKind,
    EnvironmentSpec,
    Origin,
    OriginKind,
    Step,
)
from tests.environments import channels, images

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
PYTHON = platform.python_version()
FULL = "numpy==1.26.4\nscipy==1.12.0\nscikit-learn==1.4.1.post1\npandas==2.2.1\nmatplotlib==3.8.3\n"
QUICK = "six==1.16.0\n"
AIM_S = 1.0
CONDA = "channels: [here, nodefaults]\ndependencies: [python, hello]\n"
PASS = ("python", "-c", "pass")
LABEL = "io.reprocheck.benchmark"


class AbsentError(Exception):
    """The machine lacks what a row needs."""


@dataclass(kw_only=True, slots=True)
class Row:
    """One way, cold and warm; each action is timed as a whole."""

    name: str
    cold: Callable[[], object]
    warm: Callable[[], object] | None
    against: str = ""  # the row of ours that it is compared with
    cold_s: list[float] = field(default_factory=list)
    warm_s: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A folder to work in, and what is installed in it."""

    folder: Path
    requirements: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def fresh(self, name: str) -> Path:
        return self.folder / f"{name}-{next(self.numbers)}"

    def run(self, *argv: str, cwd: Path | None = None, **more: str) -> None:
        env = {**os.environ, **more}
        done = subprocess.run(
            argv, cwd=cwd or self.folder, env=env, capture_output=True, check=False
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
            raise AbsentError(
                f"{Path(argv[0]).name} failed: {said[-1] if said else done.returncode}"
            )

    def request(self, spec: EnvironmentSpec, cache: Path, **more: Any) -> BuildRequest:
        tree = self.folder / "tree"
        tree.mkdir(exist_ok=True)
        return BuildRequest(
            spec=spec, tree=tree, started_at=STARTED, cache=cache, env=dict(os.environ), **more
        )

    def rebuild(self, spec: EnvironmentSpec, cache: Path, **more: Any) -> None:
        with pick(spec).build(self.request(spec, cache, **more)):
            pass


def spec_of(content: str, file: str, kind: EnvironmentKind) -> EnvironmentSpec:
    return EnvironmentSpec(
        kind=kind,
        file=file,
        content=content.encode(),
        directory=None,
        python=None if kind is EnvironmentKind.DOCKER else PYTHON,
        origin=Origin(kind=OriginKind.ARTIFACT, where=file),
    )


# --- the ways -----------------------------------------------------------------------------


def of_uv(bench: Bench) -> Iterator[Row]:
    asked = spec_of(bench.requirements, "requirements.txt", EnvironmentKind.VENV)
    kept = bench.folder / "cache-uv"
    yield Row(
        name="reprocheck, uv",
        cold=lambda: bench.rebuild(asked, bench.fresh("cache")),
        warm=lambda: bench.rebuild(asked, kept),
    )


def of_pip(bench: Bench) -> Iterator[Row]:
    (bench.folder / "requirements.txt").write_text(bench.requirements)

    def install() -> None:
        venv = bench.fresh("pip")
        bench.run(sys.executable, "-m", "venv", str(venv))
        bench.run(str(venv / "bin/pip"), "install", "-q", "-r", "requirements.txt")
        shutil.rmtree(venv)

    yield Row(name="python -m venv, pip install", cold=install, warm=None, against="reprocheck, uv")


def of_mlflow(bench: Bench) -> Iterator[Row]:
    """MLflow in an environment of its own: `mlflow run` needs all of it, and virtualenv."""
    own, project, uv = bench.folder / "mlflow", bench.folder / "project", find_uv()
    bench.run(uv, "venv", "-q", "--python", sys.executable, str(own))
    python = str(own / "bin/python")
    packages = ("--compile-bytecode", "mlflow", "virtualenv")
    bench.run(uv, "pip", "install", "-q", "--python", python, *packages)
    project.mkdir()
    (project / "requirements.txt").write_text(bench.requirements)
    (project / "python_env.yaml").write_text(
        f'python: "{PYTHON}"\ndependencies:\n  - -r requirements.txt\n'
    )
    (project / "MLproject").write_text(
        "name: benchmark\npython_env: python_env.yaml\n"
        f'entry_points:\n  main:\n    command: "{" ".join(PASS)}"\n'
    )
    env = {
        "PATH": f"{own / 'bin'}:{Path(uv).parent}:{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{bench.folder / 'mlflow.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    program = str(own / "bin/mlflow")

    def run(kept: Path) -> None:
        words = ("run", "--env-manager", "uv", str(project))
        bench.run(program, *words, MLFLOW_ENV_ROOT=str(kept), **env)

    yield Row(
        name="mlflow run --env-manager uv",
        cold=lambda: run(bench.fresh("envs")),
        warm=lambda: run(bench.folder / "envs"),
        against="reprocheck, uv",
    )
    start = lambda: bench.run(program, "--version", **env)  # noqa: E731
    yield Row(name="  of it, `mlflow --version`", cold=start, warm=start)


def of_conda(bench: Bench) -> Iterator[Row]:
    if not conda_rattler.is_installed():
        raise AbsentError("py-rattler is not installed: pip install 'reprocheck[conda]'")
    channel = channels.Channel(bench.folder / "channel")
    channel.add_python()
    channel.add_module("hello", "1.0")
    asked = spec_of(CONDA, "environment.yml", EnvironmentKind.CONDA)
    kept, here = bench.folder / "cache-conda", {"here": channel.url}
    yield Row(
        name="reprocheck, conda",
        cold=lambda: bench.rebuild(asked, bench.fresh("cache"), channels=here),
        warm=lambda: bench.rebuild(asked, kept, channels=here),
    )


def wheels(bench: Bench) -> Path:
    """The packages as files: a build of an image then needs no network, and no certificate."""
    context = bench.folder / "tree"
    context.mkdir(exist_ok=True)
    (context / "requirements.txt").write_text(bench.requirements)
    words = ("-m", "pip", "download", "-q", "-r", "requirements.txt", "-d", "wheels")
    bench.run(str(own_python(bench)), *words, cwd=context)
    return context


def own_python(bench: Bench) -> Path:
    venv = bench.folder / "plain"
    if not venv.exists():
        bench.run(sys.executable, "-m", "venv", str(venv))
    return venv / "bin/python"


def of_docker(bench: Bench) -> Iterator[Row]:
    base = images.base_image()  # skips where there is no engine
    program = shutil.which("docker")
    if program is None:
        raise AbsentError("the docker program is not on PATH")
    context = wheels(bench)
    install = "RUN pip install -q --no-index --find-links /wheels -r /requirements.txt"
    start = f"FROM {base}\nARG MARK="  # another value makes every step after it new
    copies = "COPY wheels /wheels\nCOPY requirements.txt /"
    rest = f"\nENV MARK=$MARK\nLABEL {LABEL}=$MARK\n{copies}\n{install}\n"
    mark = f"{os.getpid()}-{time.time_ns()}"
    (bench.folder / "Dockerfile").write_text(f"{start}{mark}{rest}")

    def rebuild(mark: str, kept: Path) -> None:
        text = f"{start}{mark}{rest}"
        bench.rebuild(spec_of(text, "Dockerfile", EnvironmentKind.DOCKER), kept)

    def build(*options: str) -> None:
        file, tag = str(bench.folder / "Dockerfile"), f"reprocheck-benchmark:{mark}"
        bench.run(program, "build", "-q", *options, "-f", file, "-t", tag, str(context))

    yield Row(
        name="reprocheck, Docker",
        cold=lambda: rebuild(f"{mark}-{next(bench.numbers)}", bench.fresh("cache")),
        warm=lambda: rebuild(mark, bench.folder / "cache-docker"),
    )
    yield Row(
        name="docker build (cold: --no-cache)",
        cold=lambda: build("--no-cache"),
        warm=build,
        against="reprocheck, Docker",
    )


def overhead(bench: Bench, stack: contextlib.ExitStack) -> Iterator[Row]:
    """A command, bare and in each kind of sandbox; everything is warm."""
    python = str(bench.folder / "bare/bin/python")
    bench.run(find_uv(), "venv", "-q", "--python", sys.executable, "bare")
    yield Row(name="python -c pass, bare", cold=lambda: bench.run(python, *PASS[1:]), warm=None)
    plain = spec_of("", "requirements.txt", EnvironmentKind.VENV)
    yield trial_row(bench, stack, "  as a trial in an environment of uv", plain)
    try:
        image = images.base_image()
    except pytest.skip.Exception as absent:
        print(f"left out: a trial in a container: {absent}")
        return
    asked = spec_of(f"FROM {image}\n", "Dockerfile", EnvironmentKind.DOCKER)
    yield trial_row(bench, stack, "  as a trial in a container", asked)
    if shutil.which("docker"):
        words = ("docker", "run", "--rm", "--network=none", image, "python3", *PASS[1:])
        yield Row(
            name="  by docker run --rm", cold=lambda: bench.run(*words), warm=None, against=""
        )


def trial_row(bench: Bench, stack: contextlib.ExitStack, name: str, asked: EnvironmentSpec) -> Row:
    command = Command(steps=(Step(run=Argv(args=PASS), cwd="."),), env={})
    sandbox = stack.enter_context(pick(asked).build(bench.request(asked, bench.folder / "cache")))

    def run() -> None:
        tree, home = bench.fresh("trial"), bench.fresh("home")
        tree.mkdir()
        home.mkdir()
        trial = TrialRun(
            command=command, tree=tree, home=home, env={}, timeout_s=60, log=home / "log"
        )
        done = sandbox.run(trial)
        if done.exit_code != 0:
            raise AbsentError(
                f"{name.strip()} failed: {done.stdout.decode(errors='replace')[-200:]}"
            )

    return Row(name=name, cold=run, warm=None, against="python -c pass, bare")


# --- measuring and telling ----------------------------------------------------------------


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure(rows: list[Row], repeats: int) -> None:
    """The ways take turns; the first turn fills the package caches and is not counted."""
    for row in rows:
        row.cold()
        if row.warm:
            row.warm()
    for _ in range(repeats):
        for row in rows:
            row.cold_s.append(timed(row.cold))
            for _ in range(2 if row.warm else 0):
                row.warm_s.append(timed(row.warm or row.cold))


def ways(bench: Bench, wanted: set[str]) -> Iterator[Row]:
    for name, way in WAYS.items():
        if name in wanted:
            try:
                yield from way(bench)
            except (AbsentError, pytest.skip.Exception) as absent:
                print(f"left out: {name}: {absent}")


WAYS = {"uv": of_uv, "pip": of_pip, "mlflow": of_mlflow, "conda": of_conda, "docker": of_docker}
OVERHEAD = "overhead"


def table(rows: list[Row]) -> Iterator[str]:
    yield f"{'median seconds':34}{'cold':>8}{'warm':>8}   times reprocheck's, cold and warm"
    ours = {row.name: row for row in rows}
    for row in rows:
        cold, warm = seconds(row.cold_s), seconds(row.warm_s)
        yield f"{row.name:34}{cold:>8}{warm:>8}   {ratios(row, ours.get(row.against))}".rstrip()


def seconds(times: list[float]) -> str:
    return f"{statistics.median(times):.2f}" if times else ""


def ratios(row: Row, other: Row | None) -> str:
    if other is None:
        return ""
    cold = statistics.median(row.cold_s) / statistics.median(other.cold_s)
    if not other.warm_s:
        return f"{cold:.1f}"
    warm = statistics.median(row.warm_s or row.cold_s) / statistics.median(other.warm_s)
    return f"{cold:.1f} and {warm:.0f}"


def verdict(rows: list[Row]) -> str:
    """Whether every warm rebuild of ours met the aim."""
    ours = [row for row in rows if row.name.startswith("reprocheck")]
    slow = [row.name for row in ours if statistics.median(row.warm_s) >= AIM_S]
    return f"aim missed by {', '.join(slow)}" if slow else f"every warm rebuild under {AIM_S:g} s"


def remove_images() -> None:
    """Those of this process, and no other's."""
    with contextlib.suppress(pytest.skip.Exception), contextlib.closing(images.engine()) as client:
        for image in client.images.list(filters={"label": LABEL}):
            if str(image.labels[LABEL]).startswith(f"{os.getpid()}-"):
                client.images.remove(image.id, force=True)


def main(arguments: list[str] | None = None) -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="cold rebuilds of each way")
    parser.add_argument("--quick", action="store_true", help="one small package, one repeat")
    parser.add_argument("--only", default=",".join((*WAYS, OVERHEAD)), help="names of these")
    asked = parser.parse_args(arguments)
    wanted = set(asked.only.split(","))
    repeats = 1 if asked.quick else asked.repeats
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        bench = Bench(folder=Path(name), requirements=QUICK if asked.quick else FULL)
        try:
            rows = list(ways(bench, wanted))
            measure(rows, repeats)
            print("\n".join((*table(rows), verdict(rows))) if rows else "")
            if OVERHEAD in wanted:
                with contextlib.ExitStack() as stack:
                    added = list(overhead(bench, stack))
                    measure(added, 1 if asked.quick else 5 * repeats)
                    print("\n" + "\n".join(overhead_table(added)))
        finally:
            remove_images()
    print(
        "\nCold: reprocheck's cache is empty (conda's packages with it), MLflow's folder of "
        "environments too. The caches of uv and pip are warm, and serve all ways alike; images "
        "install from files in the context. Unlike MLflow, reprocheck pins all as of a date, "
        "copies files instead of linking them into a shared cache, and compiles byte code, as pip "
        "does."
    )


def overhead_table(rows: list[Row]) -> Iterator[str]:
    bare = statistics.median(rows[0].cold_s)
    yield f"{'a command that does nothing':38}{'median':>9}{'on top':>10}"
    for row in rows:
        took = statistics.median(row.cold_s)
        yield f"{row.name:38}{took * 1000:6.0f} ms{(took - bare) * 1000:7.0f} ms"


if __name__ == "__main__":
    main()
