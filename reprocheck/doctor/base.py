"""The nouns of an examination: what is looked at, and what is found."""

from __future__ import annotations

import enum
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck import process
from reprocheck.config import Config
from reprocheck.errors import ReprocheckError

PROGRAM_S = 8.0
"""Seconds that a program has to tell about itself."""

MANAGERS = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "yum": "yum install",
    "zypper": "zypper install",
    "pacman": "pacman -S",
    "apk": "apk add",
    "brew": "brew install",
}


class Status(enum.StrEnum):
    """How a thing stands."""

    OK = "OK"
    WARNING = "WARNING"  # it works, or nothing here needs it; still worth mending
    MISSING = "MISSING"  # absent, and nothing here needs it
    ERROR = "ERROR"  # absent or broken, and every verification or this project needs it


class Kind(enum.StrEnum):
    """What is looked at: published names, in the order in which they are shown."""

    CONFIG = "config"
    ENVIRONMENT = "environment"
    REPOSITORY = "repository"
    TRACKER = "tracker"
    MLFLOW = "mlflow"
    DVC = "dvc"
    DVC_REMOTE = "dvc-remote"
    GIT = "git"
    GIT_LFS = "git-lfs"
    UV = "uv"
    PACKAGE_INDEX = "package-index"
    PYTHON = "python"
    ENGINE = "engine"
    BUILDKIT = "buildkit"
    LEFTOVERS = "leftovers"
    CONDA = "conda"
    SANDBOX = "sandbox"
    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"
    DISK = "disk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at. What is not OK names what mends it."""

    kind: Kind
    name: str
    status: Status
    told: str
    mend: str = ""  # a command, or the next thing to try


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What this project's rebuilds need, as far as its config and files say before any run."""

    environment: str = ""  # what a rebuild starts from; "" where nothing says it
    engine: str = ""  # the reason; "" where nothing needs it
    conda: str = ""
    python: str | None = None  # a version, or a range of them
    python_by: str = ""
    error: ReprocheckError | None = None  # the config names what is not there


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to look at."""

    root: Path  # of the repository, else the current directory
    repo: str | None  # as the user named it: a path or URL
    env: Mapping[str, str]  # the caller's environment
    config: Config = field(default_factory=Config)
    config_error: ReprocheckError | None = None
    tracking_uri: str | None = None
    needs: Needs = field(default_factory=Needs)
    scratch: Path = Path("/nonexistent")  # a folder for copies, removed afterwards


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """All that was found."""

    checks: tuple[Check, ...]

    @property
    def broken(self) -> tuple[Check, ...]:
        """What is needed here and does not work."""
        return tuple(check for check in self.checks if check.status is Status.ERROR)


Work = Callable[[Request], tuple[Check, ...]]


def absent(needed: str | bool) -> Status:
    """How bad it is that a thing is not there."""
    return Status.ERROR if needed else Status.MISSING


def which(program: str, env: Mapping[str, str]) -> str | None:
    """Where a program is on the caller's PATH."""
    return shutil.which(program, path=env.get("PATH", ""))


def said(argv: tuple[str, ...], env: Mapping[str, str]) -> process.Completed | None:
    """What a program says that writes nothing; None where it does not start."""
    call = process.Call(argv=argv, cwd=Path("/"), env=env, timeout_s=PROGRAM_S)
    try:
        return process.run(call)
    except OSError:
        return None


def version_of(program: str, env: Mapping[str, str]) -> str:
    """The first line of what a program answers to --version; "" where it fails."""
    done = said((program, "--version"), env)
    if done is None or done.exit_code != 0:
        return ""
    lines = done.stdout.decode(errors="replace").splitlines()
    return lines[0].strip() if lines else ""


def install(package: str, env: Mapping[str, str]) -> str:
    """The command that installs a package of the system."""
    manager = next((name for name in MANAGERS if which(name, env)), None)
    if manager is None:
        return f"install {package} with the system's package manager"
    command = f"{MANAGERS[manager]} {package}"
    return command if manager == "brew" else by_root(command)


def by_root(command: str) -> str:
    """The command as this user has to write it where only root may."""
    return command if os.geteuid() == 0 else f"sudo {command}"


def reason(error: BaseException) -> str:
    """An error in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
