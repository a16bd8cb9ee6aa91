"""Where the steps of a job run: this machine, or a clean container."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reprocheck.process import Call, Completed, run


class Machine(Protocol):
    """Runs commands. Folders that it was handed have the same path there as here."""

    def env(self) -> dict[str, str]:
        """The variables that are there before any step."""

    def run(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float
    ) -> Completed:
        """Runs a command with these variables only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """This machine, with its programs and without the variables of whoever runs the tests."""

    path: str = ""

    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG",) if name in os.environ}
        return kept | {"PATH": self.path or os.environ["PATH"]}

    def run(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float
    ) -> Completed:
        return run(Call(argv=tuple(argv), cwd=cwd, env=env, timeout_s=timeout_s))


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A running container; its programs are all that a job finds."""

    name: str
    docker: str  # the program
    variables: Mapping[str, str]

    def env(self) -> dict[str, str]:
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", **self.variables}

    def run(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float
    ) -> Completed:
        given = [part for name, value in env.items() for part in ("--env", f"{name}={value}")]
        command = (self.docker, "exec", *given, "--workdir", str(cwd), self.name, *argv)
        return run(Call(argv=command, cwd=cwd, env=dict(os.environ), timeout_s=timeout_s))


@contextlib.contextmanager
def container(
    image: str,
    *,
    docker: str,
    writable: Sequence[Path],
    readable: Sequence[Path],
    variables: Mapping[str, str],
) -> Iterator[Container]:
    """A container of an image with these folders at their own paths, and the host's network.

    The network is the host's so that the servers of a test can be reached at their addresses.
    """
    mounts = [f"{path}:{path}" for path in writable]
    mounts += [f"{path}:{path}:ro" for path in readable]
    options = [part for mount in mounts for part in ("--volume", mount)]
    argv = [docker, "run", "--detach", "--rm", "--init", "--network", "host", *options, image]
    started = _docker((*argv, "sleep", "3600"))
    try:
        yield Container(name=started, docker=docker, variables=variables)
    finally:
        _docker((docker, "rm", "--force", "--volumes", started))


def _docker(argv: tuple[str, ...]) -> str:
    done = run(Call(argv=argv, cwd=Path("/"), env=dict(os.environ), timeout_s=120))
    assert done.exit_code == 0, done.stderr.decode()
    return done.stdout.decode().strip()
