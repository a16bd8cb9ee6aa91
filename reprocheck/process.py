"""The only door to other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A command to run: no shell, no inherited environment or working directory."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout_s: float | None = None
    stdin: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """How a command ended. A negative exit code is the number of the signal that ended it."""

    argv: tuple[str, ...]
    exit_code: int
    duration_s: float
    stdout: bytes  # of `supervise`: the last 64 KB of stdout and stderr together
    stderr: bytes
    timed_out: bool


def run(call: Call) -> Completed:
    """Runs a short command and captures what it prints. A failure is in the exit code.

    Raises `FileNotFoundError` when the program does not exist.
    """
    raise NotImplementedError


def supervise(
    call: Call,
    *,
    log: Path,
    log_limit: int = 50_000_000,
    on_tick: Callable[[], None] | None = None,
) -> Completed:
    """Runs a long command under a supervisor process and streams its output to `log`.

    However it ends (exit, timeout, an exception in `on_tick`, a signal to reprocheck, kill -9 of
    reprocheck), every process that it started ends too, also one that called setsid. Output beyond
    `log_limit` bytes is dropped, and the log says so.
    """
    raise NotImplementedError
