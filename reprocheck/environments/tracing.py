"""Observes which files a trial opens, by strace, inside of the trial's own sandbox.

strace is not the command's parent but a grandchild: exit code, signals and the end of what is left
behind are those of the command. Where it cannot observe, the command runs without it.
"""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments.base import Observed, TrialRun
from reprocheck.environments.opened import files_read
from reprocheck.environments.system_files import is_input, source_of

OPENED, REFUSED = "opened", "refused"
INSTALL = "install it: apt-get install strace"
_ALLOW = "allow ptrace to the user and in the container that reprocheck runs in"
_QUICK_S = 20.0
# Where a system's own Python is, there may be data too: what is there is judged by its kind.
_WIDE = {"/", "/usr", "/usr/local", "/opt", "/var", "/home"}
# Successful calls only, with the paths of what was opened; by a filter of the kernel, so that other
# calls are not slowed. Arguments of programs are not kept: there may be secrets.
_OPTIONS = (
    "-D -f -qqq -A --seccomp-bpf -z -y -s 0 -e signal=none "
    "-e trace=?open,openat,?openat2,?creat,execve"
)
# $1: the folder; $2: how many words strace's own command has. It is tried first: one that starts
# and may not trace would take the command along.
_SCRIPT = f"""
folder=$1 count=$2; shift 2
strace=
while [ "$count" -gt 0 ]; do strace="$strace $1"; shift; count=$((count - 1)); done
limit=; command -v timeout >/dev/null 2>&1 && limit="timeout 20"
if $limit $strace {_OPTIONS} -o "$folder/tried" -- /bin/sh -c ': </dev/null' \
    </dev/null 2>"$folder/{REFUSED}" && [ -s "$folder/tried" ]; then
  rm -f "$folder/{REFUSED}"
  exec $strace {_OPTIONS} -o "$folder/{OPENED}" -- "$@"
fi
exec "$@"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracer:
    """A strace, or why there is none."""

    argv: tuple[str, ...] = ()  # empty: none
    told: str = ""  # name and version
    missing: str = ""
    hint: str = ""


def find(env: Mapping[str, str]) -> Tracer:
    """The strace on the caller's PATH."""
    if sys.platform != "linux":
        return Tracer(
            missing="opened files can be observed under Linux only",
            hint="trace where the trials run under Linux, for example in CI",
        )
    program = shutil.which("strace", path=env.get("PATH"))
    if program is None:
        return Tracer(missing="strace is not installed", hint=INSTALL)
    if re.search(r"[^\w./+-]", program):  # a word of a script
        return Tracer(missing=f"strace is at '{program}'", hint="put it at a path without spaces")
    return Tracer(argv=(program,), told=_version(program))


@functools.cache
def _version(program: str) -> str:
    call = process.Call(argv=(program, "-V"), cwd=Path("/"), env={}, timeout_s=_QUICK_S)
    with contextlib.suppress(OSError):
        found = re.search(rb"version ([\w.]+)", process.run(call).stdout)
        return f"strace {found[1].decode()}" if found else "strace"
    return "strace"


def around(argv: tuple[str, ...], trial: TrialRun, tracer: Tracer) -> tuple[str, ...]:
    """The same command, observed where the trial asks for it and it is possible."""
    if trial.trace is None or not tracer.argv:
        return argv
    words = (str(trial.trace.resolve()), str(len(tracer.argv)), *tracer.argv)
    return ("/bin/sh", "-c", _SCRIPT, "reprocheck-trace", *words, *argv)


def carried(tracer: Tracer, trial: TrialRun) -> Tracer:
    """The same strace with all that it needs in the trial's folder: for a container, whose image
    has neither it nor its libraries.
    """
    if trial.trace is None or not tracer.argv:
        return tracer
    folder = trial.trace.resolve() / "strace"
    folder.mkdir(exist_ok=True)
    program = shutil.copy(Path(tracer.argv[0]).resolve(), folder / "strace")
    call = process.Call(
        argv=("ldd", tracer.argv[0]), cwd=Path("/"), env={"LC_ALL": "C"}, timeout_s=_QUICK_S
    )
    with contextlib.suppress(OSError):
        libraries = [Path(each) for each in _paths(process.run(call).stdout.decode())]
        for library in libraries:
            shutil.copy(library.resolve(), folder / library.name)
        loader = next((each.name for each in libraries if each.name.startswith("ld-")), "")
        if loader:
            argv = (str(folder / loader), "--library-path", str(folder), str(program))
            return Tracer(argv=argv, told=tracer.told)
    return Tracer(argv=(str(program),), told=tracer.told)


def _paths(listed: str) -> list[str]:
    """Of the libraries that ldd lists."""
    return re.findall(r"(?:^|=>)\s*(/\S+) \(0x", listed, re.MULTILINE)


def observed(
    trial: TrialRun, tracer: Tracer, is_own: Callable[[str], bool], *, image: bool = False
) -> Observed:
    """What a trial that has ended read besides what is its own and the system's."""
    folder = trial.trace
    if folder is None or not tracer.argv:
        return Observed(missing=tracer.missing or "it was not asked for", hint=tracer.hint)
    opened = folder / OPENED
    if (folder / REFUSED).is_file() or opened.is_symlink() or not opened.is_file():
        return Observed(missing=f"strace cannot observe here{_said(folder)}", hint=_ALLOW)
    with opened.open("rb") as lines:
        paths = {source_of(path) for path in files_read(lines) if not is_own(path)}
    kept = sorted(path for path in paths if is_input(path) and not is_own(path))
    return Observed(files=tuple(kept), by=tracer.told, image=image)


def _said(folder: Path) -> str:
    """The last line that a strace printed which could not trace."""
    with contextlib.suppress(OSError):
        lines = (folder / REFUSED).read_text(errors="replace").strip().splitlines()
        return f": {lines[-1].rpartition('strace: ')[2][:200]}" if lines else ""
    return ""


def below(*places: Path | str) -> Callable[[str], bool]:
    """Whether a path is one of these or below one of them, by their own names or the real ones."""
    names = {str(place) for place in places} | {str(Path(place).resolve()) for place in places}
    names -= _WIDE
    prefixes = tuple(f"{name.rstrip('/')}/" for name in names)
    return lambda path: path in names or path.startswith(prefixes)
