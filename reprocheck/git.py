"""git, run so that nothing of the user's setup fires: no hooks, no prompts, no filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.errors import SourceError

_INERT = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.ext.allow=never",  # a recorded URL must not name a command
    "-c",
    "advice.detachedHead=false",
    "-c",
    "gc.auto=0",  # nothing may go on in a clone of ours while it is copied
    "-c",
    "maintenance.auto=false",
    "-c",
    "http.lowSpeedLimit=1",  # a server that falls silent must not hold us up for hours
    "-c",
    "http.lowSpeedTime=120",
)
# So does an ssh whose other end is gone: after two minutes without a sign of life it ends.
_SSH = "ssh -o ServerAliveInterval=30 -o ServerAliveCountMax=4"
_OVER_NETWORK = ("clone", "fetch", "ls-remote", "submodule", "lfs")
_REPOSITORY_VARIABLES = re.compile(r"GIT_(?!SSH|SSL|ASKPASS|CONFIG|TRACE|HTTP|PROXY)")


@dataclass(frozen=True, slots=True)
class Git:
    """git in one directory.

    A trusting one sees the user's config (credentials, proxies) for the network; the others see
    no config but the repository's own, so that no filter of the user's can run.
    """

    folder: Path
    env: Mapping[str, str]  # the caller's
    timeout_s: float = 3600.0

    def __call__(
        self, *args: str, trusting: bool = False, check: bool = True, stdin: bytes = b""
    ) -> process.Completed:
        """Runs a git command.

        Raises `SourceError` when it fails, unless `check` is false.
        """
        env = _environment(self.env, trusting)
        if trusting and not {"GIT_SSH", "GIT_SSH_COMMAND"} & env.keys():
            env |= self._ssh(args)
        call = process.Call(
            argv=("git", *_INERT, *args),
            cwd=self.folder,
            env=env,
            stdin=stdin,
            timeout_s=self.timeout_s,
        )
        try:
            done = process.run(call)
        except FileNotFoundError as error:
            raise SourceError("running git: it is not installed", "install git") from error
        if check and done.exit_code != 0:
            raise SourceError(
                f"git {args[0]} in {self.folder} failed: {last_lines(done.stderr)}",
                "the lines above are git's own; run the command by hand to see more",
            )
        return done

    def text(self, *args: str, trusting: bool = False) -> str:
        """What a git command prints, without white space around it; "" when it fails."""
        done = self(*args, trusting=trusting, check=False)
        return done.stdout.decode(errors="replace").strip() if done.exit_code == 0 else ""

    def _ssh(self, args: tuple[str, ...]) -> Mapping[str, str]:
        """Bounds how long a silent ssh is waited for, unless the user's config names another."""
        if not any(name in args for name in _OVER_NETWORK):
            return {}
        own = self("config", "--get", "core.sshCommand", trusting=True, check=False)
        return {} if own.stdout.strip() else {"GIT_SSH_COMMAND": _SSH}


def _environment(env: Mapping[str, str], trusting: bool) -> dict[str, str]:
    # A hook that calls us sets GIT_DIR and its kin: they mean the hook's repository.
    kept = {name: value for name, value in env.items() if not _REPOSITORY_VARIABLES.match(name)}
    kept |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its digest says
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }
    if not trusting:
        kept |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        kept = {name: value for name, value in kept.items() if not _counted_config(name)}
    return kept


def _counted_config(name: str) -> bool:
    return name.startswith(("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")) or (
        name == "GIT_CONFIG_PARAMETERS"
    )


def last_lines(output: bytes, count: int = 6) -> str:
    """The last lines of a program's output, for a message."""
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-count:]) or "(no output)"
