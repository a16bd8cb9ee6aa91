"""The only door to other processes."""

from __future__ import annotations

import contextlib
import json
import math
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from reprocheck.errors import ReprocheckError

TAIL = 64 * 1024  # bytes of output that `supervise` returns
TICK_S = 0.5
LOG_LIMIT = 50_000_000  # bytes
CHUNK = 64 * 1024
LEFTOVER_S = 1.0  # how long `run` waits for output of what an ended command left behind
TYPED = (signal.SIGINT, signal.SIGQUIT)  # by keys, to all processes in the foreground
PASSED_ON = (*TYPED, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
SUPERVISOR = Path(__file__).with_name("supervisor.py")


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
    """How a command ended. A negative exit code is the number of the signal that ended it.

    One that was stopped at its timeout may still have exited 0: look at `timed_out` first.
    """

    argv: tuple[str, ...]
    exit_code: int
    duration_s: float
    stdout: bytes  # of `supervise`: the last 64 KB of stdout and stderr together
    stderr: bytes
    timed_out: bool


def run(call: Call) -> Completed:
    """Runs a short command and captures what it prints. A failure is in the exit code.

    At the timeout, or when an exception passes through, its process group is killed. Raises
    `FileNotFoundError` or `PermissionError`, naming the program or directory, when it cannot start.
    """
    started = time.monotonic()
    with _stdin(call) as stdin:
        child = subprocess.Popen(
            call.argv,
            cwd=call.cwd,
            env=dict(call.env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a group that can be killed, and no terminal to ask on
        )
    with _killed_on_exception(child):
        stdout, stderr, timed_out = _communicate(child, call)
    return Completed(
        argv=call.argv,
        exit_code=child.returncode,
        duration_s=time.monotonic() - started,
        stdout=stdout,
        stderr=stderr,
        timed_out=timed_out,
    )


def _communicate(child: subprocess.Popen[bytes], call: Call) -> tuple[bytes, bytes, bool]:
    deadline = math.inf if call.timeout_s is None else time.monotonic() + call.timeout_s
    timed_out = False
    ended_at: float | None = None
    while True:
        try:
            return *child.communicate(timeout=0.2), timed_out
        except subprocess.TimeoutExpired as waiting:
            now = time.monotonic()
            if child.poll() is None:
                if now > deadline:
                    timed_out = True
                    _kill_group(child)
                continue
            # Not waited for: a background process that holds the pipes (ssh's ControlPersist).
            # If it also left the group it cannot be reached: what came so far is the output.
            ended_at = ended_at or now
            if now > ended_at + LEFTOVER_S:
                _kill_group(child)
            if now > ended_at + 2 * LEFTOVER_S:
                _close_pipes(child)
                return waiting.output or b"", waiting.stderr or b"", timed_out


@contextlib.contextmanager
def _stdin(call: Call) -> Iterator[IO[bytes]]:
    # A file, not a pipe: it needs nobody to feed it.
    with tempfile.TemporaryFile() as file:
        file.write(call.stdin)
        file.seek(0)
        yield file


@contextlib.contextmanager
def _killed_on_exception(child: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _kill_group(child)
        child.wait()
        _close_pipes(child)
        raise


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _close_pipes(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def supervise(
    call: Call,
    *,
    log: Path,
    log_limit: int = LOG_LIMIT,
    on_tick: Callable[[], None] | None = None,
) -> Completed:
    """Runs a long command under a supervisor process and appends its output to `log` as it comes.

    However it ends (exit, timeout, an exception in `on_tick`, a signal to reprocheck, kill -9 of
    reprocheck), every process that it started ends too, also one that called setsid. Output that
    would make the log longer than `log_limit` bytes is dropped, and the log says so. `on_tick` is
    called about twice a second, in the caller's thread. Raises as `run` does.
    """
    with Log(log, log_limit) as sink, _Supervised(call, sink) as command:
        try:
            command.follow(on_tick)
        except BaseException:
            command.stop()
            command.follow(None)
            raise
        return command.completed()


def attend(call: Call) -> Completed:
    """Runs a command on the caller's own terminal, as a shell would: its output is not captured.

    Signals are passed on, but for those that a terminal sends to both; so the command decides how
    it ends. `call.timeout_s` and `call.stdin` do not count. Raises as `run` does. To be called in
    the main thread.
    """
    started = time.monotonic()
    early: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def pass_on(signum: int, _: FrameType | None) -> None:
        if not children:
            early.append(signum)
        elif signum not in TYPED or not _has_terminal():
            children[0].send_signal(signum)

    with _handled(pass_on):
        child = subprocess.Popen(call.argv, cwd=call.cwd, env=dict(call.env))
        children.append(child)
        for signum in early:
            pass_on(signum, None)
        exit_code = child.wait()
    return Completed(
        argv=call.argv,
        exit_code=exit_code,
        duration_s=time.monotonic() - started,
        stdout=b"",
        stderr=b"",
        timed_out=False,
    )


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """A handler for the signals that are passed on; what is ignored, as under nohup, stays so."""
    before = {each: signal.getsignal(each) for each in PASSED_ON}
    known = {each: old for each, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for signum in known:
            signal.signal(signum, handler)
        yield
    finally:
        for signum, old in known.items():
            signal.signal(signum, old)


def _has_terminal() -> bool:
    """Whether this process and its children are what the terminal sends its signals to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


class Log:
    """A log file with a limit, and the tail of what went its way."""

    def __init__(self, path: Path, limit: int = LOG_LIMIT) -> None:
        self.tail = b""
        self._path = path
        self._limit = limit

    def __enter__(self) -> Log:
        self._file: IO[bytes] = self._path.open("ab", buffering=0)
        self._size = self._file.seek(0, os.SEEK_END)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, chunk: bytes) -> None:
        """Appends output; beyond the limit, only the tail is kept."""
        self.tail = (self.tail + chunk)[-TAIL:]
        if self._size > self._limit:  # it was cut before, and says so
            return
        self._file.write(chunk[: self._limit - self._size])
        self._size += len(chunk)
        if self._size > self._limit:
            self._file.write(
                f"\n[reprocheck: output beyond {self._limit} bytes dropped]\n".encode()
            )


class _Supervised:
    """A command under its supervisor, as seen from here."""

    def __init__(self, call: Call, sink: Log) -> None:
        self._call = call
        self._sink = sink
        self._started = time.monotonic()
        self._timed_out = False
        self._said = b""
        self._control, theirs = socket.socketpair()
        self._output, writer = os.pipe()
        os.set_blocking(self._output, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._control, selectors.EVENT_READ, self._hear)
        self._selector.register(self._output, selectors.EVENT_READ, self._copy)
        with theirs, os.fdopen(writer, "wb") as pipe, _stdin(call) as stdin:
            self._supervisor = subprocess.Popen(
                (sys.executable, "-I", "-S", str(SUPERVISOR), str(theirs.fileno())),
                env=None,  # it is a part of us; the command's own env goes through the socket
                stdin=stdin,
                stdout=pipe,
                stderr=pipe,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def __enter__(self) -> _Supervised:
        request = {
            "argv": self._call.argv,
            "cwd": str(self._call.cwd),
            "env": dict(self._call.env),
        }
        with contextlib.suppress(BrokenPipeError):  # it died; `completed` says so
            self._control.sendall(json.dumps(request).encode() + b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()  # its end makes the supervisor stop, if it has not
        self._selector.close()
        os.close(self._output)
        self._supervisor.wait()

    def stop(self) -> None:
        """Asks the supervisor to end all processes; `follow` returns when it has."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def follow(self, on_tick: Callable[[], None] | None) -> None:
        """Copies output and keeps the timeout, until the supervisor has ended."""
        timeout_s = self._call.timeout_s
        deadline = math.inf if timeout_s is None else self._started + timeout_s
        next_tick = time.monotonic() + TICK_S
        while self._control in self._selector.get_map():
            wait = min(next_tick, deadline) - time.monotonic()
            for key, _ in self._selector.select(max(0.0, wait)):
                key.data()
            now = time.monotonic()
            if now >= deadline:
                self._timed_out = True
                deadline = math.inf
                self.stop()
            if now >= next_tick:
                if on_tick is not None:
                    on_tick()
                next_tick = time.monotonic() + TICK_S
        self._drain()

    def _hear(self) -> None:
        try:
            heard = self._control.recv(CHUNK)
        except ConnectionResetError:  # it was killed before it read the request
            heard = b""
        self._said += heard
        if not heard:
            self._selector.unregister(self._control)

    def _copy(self) -> int:
        try:
            chunk = os.read(self._output, CHUNK)
        except BlockingIOError:
            return 0
        if not chunk and self._output in self._selector.get_map():
            self._selector.unregister(self._output)
        self._sink.write(chunk)
        return len(chunk)

    def _drain(self) -> None:
        # What is still in the pipe; bounded, in case a process that nobody could end goes on.
        deadline = time.monotonic() + 1.0
        while self._copy() and time.monotonic() < deadline:
            pass

    def completed(self) -> Completed:
        """How the command ended. Raises what kept it from starting."""
        said: dict[str, object] = {}
        for line in self._said.splitlines():
            said |= json.loads(line)
        match said.get("error"):
            case [int(number), str(text), str(name)]:
                raise OSError(number, text, name)  # becomes FileNotFoundError and its like
        return Completed(
            argv=self._call.argv,
            exit_code=self._exit_code(said),
            duration_s=float(str(said["seconds"])),
            stdout=self._sink.tail,
            stderr=b"",
            timed_out=self._timed_out,
        )

    def _exit_code(self, said: Mapping[str, object]) -> int:
        match said:
            case {"exit": int(code)}:
                return code
            case {"pid": int(pid)}:  # the supervisor was killed, its own group is what is left
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
        raise ReprocheckError(
            f"running {self._call.argv[0]}: the process that supervises it was killed",
            "the machine may be out of memory; see the system's log",
        )
