"""The seam to environments: build what the run asked for, and run commands in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from reprocheck.model import BuiltEnvironment, Command, EnvironmentSpec, Finding, Limits
from reprocheck.process import Completed
from reprocheck.progress import Progress, Silent


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildRequest:
    """What an environment is built from."""

    spec: EnvironmentSpec
    tree: Path  # a checkout of the run's code; not changed by the build
    started_at: datetime | None  # the run's start: what is not pinned is resolved as of then
    cache: Path  # finished environments are kept here, by digest
    progress: Progress = field(default_factory=Silent)
    env: Mapping[str, str] = field(default_factory=dict)  # the caller's; an allow-list is used
    download_python: bool = False  # whether uv may fetch an interpreter that is not installed
    channels: Mapping[str, str] = field(default_factory=dict)  # conda's, at other addresses
    args: Mapping[str, str] = field(default_factory=dict)  # of a Dockerfile
    network: bool = True  # whether the build may use it
    timeout_s: float = 3600.0  # of the build of an image
    limits: Limits = field(default_factory=Limits)  # of each trial


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A file or folder that a trial finds at an absolute path, and cannot write."""

    source: Path
    target: str  # absolute


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRun:
    """One execution of a command in a built environment."""

    command: Command
    tree: Path  # the trial's own tree
    home: Path  # an empty folder that serves as HOME and holds the trial's tmp
    env: Mapping[str, str]  # besides the allow-list; "" unsets; PYTHONPATH goes in front
    timeout_s: float
    log: Path
    tracking: Path | None = None  # the folder that receives what the trial logs
    on_tick: Callable[[], None] | None = None  # called about twice a second, in the caller's thread
    shown: tuple[Shown, ...] = ()  # only where the sandbox `shows`
    trace: Path | None = None  # an empty folder for what the trial opens; None: not observed


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What a trial read besides its own folders, its inputs and its environment."""

    files: tuple[str, ...] = ()  # sorted absolute paths, as the trial saw them
    by: str = ""  # what observed it, "strace 6.1"
    missing: str = ""  # why nothing was observed; "" where it was
    hint: str = ""  # what would mend that
    image: bool = False  # the paths are an image's, not this machine's


class Sandbox(Protocol):
    """A built environment, ready to run trials."""

    @property
    def built(self) -> BuiltEnvironment:
        """What the trials run in."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """How it differs from what was asked for, for example in Python's patch version."""

    @property
    def shows(self) -> bool:
        """Whether trials find what `TrialRun.shown` names."""

    def changed(self) -> bool:
        """Whether a trial wrote into the environment; what ran later was not what was built."""

    def run(self, trial: TrialRun) -> Completed:
        """Runs the steps in order and stops at the first that fails; every process that the
        trial started has ended when this returns.

        Raises `RerunError` when a step cannot be started.
        """

    def observed(self, trial: TrialRun) -> Observed:
        """What a trial that has ended read, if its run was told to `trace`."""


class Environment(Protocol):
    """A way to build environments."""

    def accepts(self, spec: EnvironmentSpec) -> bool:
        """Whether this implementation can build the spec."""

    def build(self, request: BuildRequest) -> AbstractContextManager[Sandbox]:
        """Builds, or takes from the cache.

        Raises `RebuildError` with the likely cause and the last lines of the build's output.
        """
