"""Runs one command and ends everything that it started. Started as a file, by `process.supervise`.

The control socket is the file descriptor named by the first argument. In: one JSON line with
argv, cwd and env; then nothing, and its end means stop, whether the parent asked or died. Out:
JSON lines, first `{"pid": …}` or `{"error": [errno, text, name]}`, at last `{"exit": …}`.
Standard input, output and error are handed through to the command. Standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
STOP_GRACE_S = 5.0  # between SIGTERM and SIGKILL, when the command was told to stop
LEFTOVER_GRACE_S = 1.0  # the same for what a finished command left in the background
KILL_LIMIT_S = 30.0  # a process of another user or in uninterruptible sleep cannot be killed


def adopt_orphans() -> None:
    """Makes orphans among the descendants children of this process, where the system can."""
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Lets the command end if its supervisor is killed, before anybody knows its pid."""
    set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)


def set_process_option(option: int, value: int) -> None:
    """Linux's prctl; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def wake_up_on_signals() -> socket.socket:
    """A socket that becomes readable when a child ends or SIGTERM arrives."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    # Handlers, not SIG_IGN: the command would inherit an ignored signal.
    for name in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: None)
    return reader


class Supervisor:
    """One command, its exit status, and its descendants."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.parent = os.getppid()
        self.stop_asked = False
        self.exit_code: int | None = None
        self.main: int = 0
        self.started = self.ended = time.monotonic()
        self.wakeup = wake_up_on_signals()
        signal.signal(signal.SIGTERM, self.on_sigterm)

    def on_sigterm(self, *_: object) -> None:
        """SIGTERM to the supervisor means stop, too."""
        self.stop_asked = True

    def tell(self, **message: object) -> None:
        """Sends a line to the parent, if it still listens."""
        try:
            self.control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.stop_asked = True

    def report(self, left: list[int]) -> None:
        """Tells how the command ended, and in the log which processes could not be ended."""
        if left:
            pids = ", ".join(map(str, left))
            os.write(2, f"\n[reprocheck: could not end these processes: {pids}]\n".encode())
        self.tell(exit=self.exit_code, seconds=self.ended - self.started)

    def start(self, request: dict[str, Any]) -> bool:
        """Starts the command in a session of its own; tells the parent when that fails."""
        try:
            process = subprocess.Popen(
                request["argv"],
                cwd=request["cwd"],
                env=request["env"],
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - there is one thread only
            )
        except OSError as error:
            self.tell(error=[error.errno, error.strerror, error.filename or request["argv"][0]])
            return False
        self.main = process.pid
        self.process = process  # kept: when collected, it would reap the command before us
        self.tell(pid=process.pid)
        return True

    def watch(self) -> None:
        """Returns when the command has ended or is to be stopped."""
        while self.exit_code is None and not self.stop_asked:
            ready, _, _ = select.select([self.control, self.wakeup], [], [], 1.0)
            # More than the end never arrives after the request, so that any event means stop.
            # The parent's death is seen even if a fork of it holds the socket open.
            self.stop_asked |= self.control in ready or os.getppid() != self.parent
            self.rest(0)

    def rest(self, seconds: float) -> None:
        """Waits until a signal arrives, at most so long, and reaps whatever has ended."""
        ready, _, _ = select.select([self.wakeup], [], [], seconds)
        if ready:
            self.wakeup.recv(4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.main:
                self.exit_code = os.waitstatus_to_exitcode(status)
                self.ended = time.monotonic()

    def end_all(self) -> list[int]:
        """Ends every descendant; returns those that could not be ended."""
        grace = LEFTOVER_GRACE_S if self.exit_code is not None else STOP_GRACE_S
        if self.signal_until_gone(signal.SIGTERM, once=True, limit_s=grace):
            self.signal_until_gone(signal.SIGKILL, once=False, limit_s=KILL_LIMIT_S)
        left = self.living()
        self.rest(0)  # the last may have ended between the last rest and the look at the living
        return left

    def signal_until_gone(self, signum: int, *, once: bool, limit_s: float) -> bool:
        """Signals the living until none is left; True when the limit came first."""
        deadline = time.monotonic() + limit_s
        told: set[int] = set()
        while living := self.living():
            # With `once`, only newcomers are told: a second SIGTERM often means "at once".
            for pid in living if not once else sorted(set(living) - told):
                send(pid, signum)
            told.update(living)
            if time.monotonic() > deadline:
                return True
            self.rest(0.05)
        return False

    def living(self) -> list[int]:
        """Descendants that have not ended; without /proc, the command's process group."""
        if sys.platform == "linux" and Path("/proc/self/stat").exists():
            return descendants(os.getpid())
        group = -self.main
        return [group] if send(group, 0) else []


def send(pid: int, signum: int) -> bool:
    """Signals a process, or a group if negative; False when there is none that we may signal."""
    try:
        os.kill(pid, signum)
    except OSError:
        return False
    return True


def descendants(root: int) -> list[int]:
    """Pids of all living processes below `root`, parents first."""
    children: dict[int, list[int]] = {}
    zombies = set()
    for entry in os.listdir("/proc"):  # noqa: PTH208 - a Path for each process costs time
        if entry.isdigit() and (found := state_and_parent(entry)):
            children.setdefault(found[1], []).append(int(entry))
            if found[0] in "ZX":
                zombies.add(int(entry))
    below: list[int] = []
    todo = [root]
    while todo:
        mine = children.get(todo.pop(), [])
        below += mine
        todo += mine
    return [pid for pid in below if pid not in zombies]


def state_and_parent(pid: str) -> tuple[str, int] | None:
    """The state letter and the parent's pid, from /proc; None when it is gone.

    A process whose first thread has ended looks like a zombie while its other threads go on.
    """
    try:
        stat = Path("/proc", pid, "stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    fields = stat[stat.rindex(b")") + 2 :].split()
    state, threads = fields[0].decode(), int(fields[17])
    return ("R" if threads > 1 else state), int(fields[1])


def read_request(control: socket.socket) -> dict[str, Any] | None:
    """The request; None when the parent ended before it was complete."""
    line = control.makefile("rb").readline()
    if not line.endswith(b"\n"):
        return None
    request: dict[str, Any] = json.loads(line)
    return request


def main(descriptor: int, leave: Callable[[int], object] = os._exit) -> None:
    """Supervises one command; see the module's text."""
    adopt_orphans()
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    supervisor = Supervisor(control)
    request = read_request(control)
    if request is not None and supervisor.start(request):
        supervisor.watch()
        left = supervisor.end_all()
        supervisor.report(left)
    leave(0)  # at once: nothing here needs an orderly shutdown of the interpreter


if __name__ == "__main__":
    main(int(sys.argv[1]))
