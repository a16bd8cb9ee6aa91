"""bubblewrap: commands in a read-only view of the machine, with processes and network of their own.

Nothing of the command's reaches the program itself: an LD_PRELOAD of a record would run outside.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments import pids
from reprocheck.environments.hidden import Kind, Mounts
from reprocheck.environments.reach import Reach
from reprocheck.errors import RerunError
from reprocheck.model import Limits

_PROBE_S = 20.0
_ROOT = Path("/")
_SIZED = (0, 7)  # the first version that can bound a file system in memory
# Graphics and other accelerators, where they are: a trial sees the hardware that a run saw.
_DEVICES = ("nvidia*", "dri", "kfd", "dxg", "accel*", "neuron*")
_OF_KERNEL = ("bus", "fs", "irq", "sys", "sysrq-trigger")  # below /proc
_OPTIONS = {
    Kind.EMPTY: "--tmpfs",
    Kind.LINK: "--symlink",
    Kind.READABLE: "--ro-bind",
    Kind.WRITABLE: "--bind",
}
# Arguments and environment come through a file: others see argv, and there may be secrets.
_START = ("/bin/sh", "-c", 'exec "$@" 3<&0 </dev/null', "sh")
# Inside, as the command's parent: with exec, the command would have the shell's process id.
_INSIDE = "reprocheck-start"
_REFUSED = re.compile(r"bwrap: (.*)\s*\Z")
# It takes one file system after another along, and an engine mounts some for each step of a build.
_MOVED = re.compile(r"Can't (re)?(bind )?mount|Unable to (apply mount flags|remount)")
_STARTS, _PAUSE_S = 5, 0.2  # again, where they moved
_NO_PROGRAM = {126: errno.EACCES, 127: errno.ENOENT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bubblewrap:
    """A bubblewrap that works here."""

    program: str
    version: str
    caller: Mapping[str, str]
    limits: Limits = dataclasses.field(default_factory=Limits)

    def run(
        self, call: process.Call, reach: Reach, run: Callable[[process.Call], process.Completed]
    ) -> process.Completed:
        """How the command ended, of which `run` runs what `around` makes.

        Raises what `run` and `ended` do.
        """
        for _ in range(_STARTS):
            try:
                return self.ended(call, run(self.around(call, reach)))
            except _MountsMovedError:
                time.sleep(_PAUSE_S)
        return self.ended(call, run(self.around(call, reach)))

    def around(self, call: process.Call, reach: Reach) -> process.Call:
        """The same command in the sandbox, with nothing on its standard input."""
        words = [*self._options(reach, Mounts(self.caller, reach)), "--chdir", str(call.cwd)]
        for name, value in call.env.items():
            words += ["--setenv", name, value]
        return process.Call(
            argv=(*_START, self.program, "--args", "3", "--", *_inside(call.argv)),
            cwd=Path("/"),
            env={},
            timeout_s=call.timeout_s,
            stdin=b"".join(os.fsencode(word) + b"\0" for word in words),
        )

    def ended(self, call: process.Call, done: process.Completed) -> process.Completed:
        """How the command itself ended, of what `around` made of it.

        Raises `FileNotFoundError` or `PermissionError` as `process.run` does, `RerunError` when the
        sandbox could not be made.
        """
        output = (done.stderr or done.stdout)[-2000:].decode(errors="replace")
        refused = _REFUSED.search(output)
        if done.exit_code == 1 and refused is not None:
            moved = _MOVED.search(refused[1]) is not None
            raise (_MountsMovedError if moved else RerunError)(
                f"starting the sandbox: bubblewrap says: {refused[1].strip()}",
                "run where bwrap is not on PATH to do without it",
            )
        said = output.rstrip().rpartition("\n")[2]
        if done.exit_code in _NO_PROGRAM and said.startswith(f"{_INSIDE}: "):
            number = _NO_PROGRAM[done.exit_code]
            raise OSError(number, os.strerror(number), call.argv[0])
        by_signal = done.exit_code - 128 in signal.valid_signals()
        code = 128 - done.exit_code if by_signal else done.exit_code
        return dataclasses.replace(done, argv=call.argv, exit_code=code)

    @property
    def keeps_shm(self) -> bool:
        """Whether it can bound /dev/shm."""
        return tuple(map(int, re.findall(r"\d+", self.version)[:2])) >= _SIZED

    def _options(self, reach: Reach, mounts: Mounts) -> Iterator[str]:
        # A session of its own the supervisor gives, which ends what is in it also when it is itself
        # killed: --die-with-parent takes all processes inside along.
        yield from ("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--cap-drop", "ALL")
        yield from () if reach.network else ("--unshare-net",)
        yield from () if _ROOT in mounts.made else ("--ro-bind", "/", "/")
        yield from ("--proc", "/proc", "--dev", "/dev")
        for switch in _switches():
            yield from ("--ro-bind", switch, switch)
        for device in self._devices():
            yield from ("--dev-bind", device, device)
        if self.limits.shm and self.keeps_shm:
            yield from ("--size", str(self.limits.shm))
        yield from ("--tmpfs", "/dev/shm")  # noqa: S108 - the sandbox's
        for place, mount in mounts:
            if place == _ROOT:  # in memory from the start
                continue
            yield _OPTIONS[mount.kind]
            yield from (mount.source, str(place)) if mount.source else (str(place),)
        for place in mounts.made:
            yield from ("--remount-ro", str(place))

    def _devices(self) -> list[str]:
        if not self.limits.gpus and "gpus" in self.limits.named:
            return []
        return [str(path) for name in _DEVICES for path in sorted(Path("/dev").glob(name))]


def _switches() -> list[str]:
    """The kernel's switches, which root may turn without any capability (core_pattern)."""
    names = _OF_KERNEL if os.getuid() == 0 else ()
    return [place for name in names if os.access(place := f"/proc/{name}", os.F_OK)]


class _MountsMovedError(RerunError):
    """The machine's file systems changed while the view of them was made."""


def _inside(argv: tuple[str, ...]) -> tuple[str, ...]:
    return "/bin/sh", "-c", pids.script() + '"$@"; exit $?', _INSIDE, *argv


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why there is no bubblewrap, and what would mend it."""

    reason: str
    hint: str
    version: str = ""  # of one that is there, but does not work


def find(env: Mapping[str, str]) -> Bubblewrap | Refusal:
    """The bubblewrap on the PATH, if it can do all that is wanted of it: it is tried, once."""
    if sys.platform != "linux":
        return Refusal(reason="bubblewrap needs Linux", hint="use containers: kind: docker")
    program = shutil.which("bwrap", path=env.get("PATH"))
    if program is None:
        return Refusal(reason="bubblewrap is not installed", hint="apt-get install bubblewrap")
    found = _tried(program, env.get("HOME", ""), env.get("SUDO_USER", ""))
    return dataclasses.replace(found, caller=env) if isinstance(found, Bubblewrap) else found


@functools.cache
def _tried(program: str, home: str, user: str) -> Bubblewrap | Refusal:
    caller = {"HOME": home, "SUDO_USER": user}
    call = process.Call(argv=(program, "--version"), cwd=Path("/"), env={}, timeout_s=_PROBE_S)
    try:
        version = process.run(call).stdout.decode(errors="replace").rpartition(" ")[2].strip()
        found = Bubblewrap(program=program, version=version, caller=caller)
        with tempfile.TemporaryDirectory(prefix="reprocheck-") as folder:
            trial = process.Call(
                argv=("/bin/sh", "-c", "exit 17"), cwd=Path(folder), env={}, timeout_s=_PROBE_S
            )
            done = process.run(found.around(trial, Reach(writable=(Path(folder),))))
    except OSError as error:
        return Refusal(reason=f"{program} does not start: {error.strerror}", hint="reinstall it")
    if done.exit_code == 17:
        return found
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2].removeprefix("bwrap: ")
    reason = "it took too long" if done.timed_out else said or f"it exited with {done.exit_code}"
    told = f"bubblewrap does not work here: {reason}"
    return Refusal(reason=told, hint=_hint(), version=version)


# What forbids namespaces to those who are not root, and the value that allows them.
_SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("user/max_user_namespaces", "0", "10000"),
)


def _hint() -> str:
    for name, forbids, allows in _SWITCHES:
        with contextlib.suppress(OSError):
            if Path("/proc/sys", name).read_text().strip() == forbids:
                return f"sysctl -w {name.replace('/', '.')}={allows}"
    return "a container in which reprocheck runs must allow namespaces; outside of one it works"
