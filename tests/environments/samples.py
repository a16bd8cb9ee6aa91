"""Specs, records and commands to test environments with."""

from __future__ import annotations

import dataclasses
import os
import threading
from datetime import UTC, datetime

import pytest

from reprocheck.bare_record import bare_record
from reprocheck.environments import interpreters
from reprocheck.errors import RebuildError
from reprocheck.model import (
    Argv,
    Command,
    EnvironmentKind,
    EnvironmentSpec,
    Origin,
    OriginKind,
    RecordedFile,
    RunRecord,
    RunRef,
    ShellLine,
    Step,
    TreeState,
)

# A training that wants a host of the network.
FETCH = 'import urllib.request\nurllib.request.urlopen("https://data.example.com/x")\n'
STARTED = datetime(2020, 6, 1, 12, tzinfo=UTC)  # six was at 1.15.0


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waiting = threading.Event()

    def update(self, doing: str) -> None:
        self.lines.append(doing)
        if doing.startswith("waiting for another"):
            self.waiting.set()

    def start(self, stage, doing) -> None: ...

    def say(self, text) -> None: ...

    def finish(self, result) -> None: ...


def spec(content: str, file: str = "requirements.txt", **fields) -> EnvironmentSpec:
    given = {
        "kind": EnvironmentKind.VENV,
        "directory": None,
        "python": "3.11",
        "origin": Origin(kind=OriginKind.ARTIFACT, where=file),
    }
    return EnvironmentSpec(file=file, content=content.encode(), **(given | fields))


def docker_spec(*lines: str, base: str = "BASE", **fields) -> EnvironmentSpec:
    content = "\n".join((f"FROM {base}", *lines))
    given = {"file": "Dockerfile", "kind": EnvironmentKind.DOCKER, "python": None}
    return spec(content, **(given | fields))


def recorded(path: str, content: str, kind: OriginKind = OriginKind.ARTIFACT) -> RecordedFile:
    return RecordedFile(path=path, content=content.encode(), origin=Origin(kind=kind, where=path))


def record(*files: RecordedFile, **changes) -> RunRecord:
    bare = bare_record(RunRef(tracker="mlflow", run_id="abc123"))
    code = dataclasses.replace(bare.code, commit="0" * 40, script="train.py", tree=TreeState.CLEAN)
    given = {"name": "run", "experiment": "digits", "started_at": STARTED, "code": code}
    return dataclasses.replace(bare, **(given | {"files": files} | changes))


def command(*runs: tuple[str, ...] | str, cwd: str = ".", env: dict | None = None) -> Command:
    steps = [ShellLine(line=run) if isinstance(run, str) else Argv(args=run) for run in runs]
    return Command(steps=tuple(Step(run=run, cwd=cwd) for run in steps), env=env or {})


def need_python(version: str) -> None:
    """Skips a test where a Python is not installed: nothing here can install one."""
    try:
        interpreters.find(version, dict(os.environ), None)
    except RebuildError:
        pytest.skip(f"Python {version} is not installed")


def installed(sandbox) -> dict[str, str]:
    """Name and version of what a sandbox holds, besides what every environment has."""
    packages = {item.name: item.version for item in sandbox.built.packages}
    return {key: packages[key] for key in packages if key not in ("pip", "setuptools")}
