"""Conda's packages by py-rattler, where no conda is installed."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reprocheck import process
from reprocheck.environments.cache import digest
from reprocheck.environments.conda_channels import Channels
from reprocheck.environments.conda_errors import Cause, CondaError, classify, unreachable
from reprocheck.environments.conda_files import CondaAsked, CondaPackage, file_parts, place
from reprocheck.environments.uv_program import environment
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentSpec
from reprocheck.progress import Progress, bar

WORKER = Path(__file__).with_name("rattler_worker.py")
SOLVE_TIMEOUT_S = 1800.0
INSTALL_TIMEOUT_S = 3 * 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Solved:
    """Packages that fit together, and the names of those whose age their channel does not tell."""

    packages: tuple[CondaPackage, ...]
    undated: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rattler:
    """py-rattler in a process of its own, with a cache of ours."""

    folder: Path  # for the requests
    cache: Path  # of packages and of what the channels hold
    env: Mapping[str, str]  # the caller's
    progress: Progress

    def solve(
        self,
        spec: EnvironmentSpec,
        asked: CondaAsked,
        channels: Channels,
        pythons: Sequence[str | None],
        cutoff: datetime | None,
    ) -> Solved:
        """The newest packages that fit, as of the cut-off.

        Raises `CondaError`, or `RebuildError` that names the line which is wrong.
        """
        sets = channel_sets(asked, channels)
        when = f" as of {cutoff:%Y-%m-%d}" if cutoff else ""
        doing = f"solving {spec.file}{when}"
        result = self._run(
            {
                "do": "solve",
                "specs": asked.specs,
                "channels": sets,
                "pythons": list(pythons),
                "cutoff": cutoff.astimezone(UTC).isoformat() if cutoff else None,
                "cache": str(self.cache / "repodata"),
            },
            doing,
            SOLVE_TIMEOUT_S,
        )
        if result.get("entry") is not None:
            entry = str(result["entry"])
            raise RebuildError(
                f"reading {place(spec, entry)}: '{entry}': {result['text']}",
                "mend the line, or name another file in reprocheck.yaml:  environment: {file: …}",
            )
        _raise(result, doing, tuple(sets[0]))
        return Solved(
            packages=tuple(CondaPackage(**package) for package in result["packages"]),
            undated=tuple(result["undated"]),
        )

    def install(self, packages: Sequence[CondaPackage], prefix: Path) -> None:
        """Fetches packages, checks their digests and puts them into a prefix.

        Raises `CondaError`.
        """
        doing = f"installing {len(packages)} conda packages"
        kept = self._packages_of(packages)
        result = self._run(
            {
                "do": "install",
                "packages": [_described(package) for package in packages],
                "prefix": str(prefix),
                "cache": str(kept),
            },
            doing,
            INSTALL_TIMEOUT_S,
            lambda: self.progress.update(f"{doing}: {_arrived(packages, kept, prefix)}"),
        )
        _raise(result, doing, ())
        if kept.name != "packages":
            shutil.rmtree(kept, ignore_errors=True)

    def _packages_of(self, packages: Sequence[CondaPackage]) -> Path:
        """Where downloads are kept; only until the end for a list without every SHA-256.

        py-rattler finds downloads by name, version and build, and compares no MD5 with them: it
        would serve another channel's package.
        """
        if all(package.sha256 for package in packages):
            return self.cache / "packages"
        return self.cache / f"packages-{digest(*(package.line for package in packages))[:16]}"

    def _run(
        self,
        request: Mapping[str, Any],
        doing: str,
        timeout_s: float,
        on_tick: Callable[[], None] | None = None,
    ) -> dict[str, Any]:
        asked, answer, log = (self.folder / f"rattler{end}" for end in (".json", ".out", ".log"))
        for file in (answer, log):
            file.unlink(missing_ok=True)
        asked.write_text(json.dumps(request))
        self.progress.update(doing)
        call = process.Call(
            argv=(sys.executable, "-P", str(WORKER), str(asked), str(answer)),
            cwd=self.folder,
            env=worker_environment(self.env),
            timeout_s=timeout_s,
        )
        done = process.supervise(call, log=log, on_tick=on_tick)
        if done.timed_out:
            raise CondaError(doing, Cause.TIMEOUT, "")
        # Not the exit code: it may have crashed after its work was done.
        if not answer.is_file():
            output = done.stdout.decode(errors="replace")
            raise CondaError(doing, classify(output), output)
        result: dict[str, Any] = json.loads(answer.read_bytes())
        return result


def _arrived(packages: Sequence[CondaPackage], kept: Path, prefix: Path) -> str:
    """How many packages are in the prefix; before the first one, how many were fetched."""
    if linked := len([*(prefix / "conda-meta").glob("*.json")]):
        return f"installed {bar(linked, len(packages), 'package')}"
    there = [each.name for each in kept.iterdir() if each.is_dir()] if kept.is_dir() else []
    names = ("-".join(file_parts(package.url)) for package in packages)
    fetched = sum(any(each.startswith(name) for each in there) for name in names)
    return f"downloaded {bar(fetched, len(packages), 'package')}"


def is_installed() -> bool:
    """Whether py-rattler is there, which the extra reprocheck[conda] brings."""
    return importlib.util.find_spec("rattler") is not None


def channel_sets(asked: CondaAsked, channels: Channels) -> list[list[str]]:
    """The channels to solve with, and those to try next when that fails."""
    defaults = channels.places("defaults") if asked.defaults or not asked.channels else ()
    wider = [*asked.channels, *(name for name in defaults if name not in asked.channels)]
    # Not contacted unless needed: they have terms of their own, and companies block them.
    return (
        [list(asked.channels), wider] if asked.channels and wider != [*asked.channels] else [wider]
    )


def worker_environment(caller: Mapping[str, str]) -> dict[str, str]:
    """The part of the caller's environment that concerns where conda's packages come from."""
    ours = ("CONDA_OVERRIDE_", "RATTLER_AUTH_FILE", "MAMBA_ROOT_PREFIX", "CONDARC", "CONDA_PKGS")
    return environment(caller) | {
        name: value for name, value in caller.items() if name.startswith(ours)
    }


def _described(package: CondaPackage) -> dict[str, str | None]:
    name, version, build = file_parts(package.url)
    return asdict(package) | {"name": name, "version": version, "build": build}


def _raise(result: Mapping[str, Any], doing: str, channels: tuple[str, ...]) -> None:
    if "error" not in result:
        return
    output = str(result["text"])
    cause = Cause.CUTOFF if result.get("later") else classify(output)
    solving = result["error"] == "SolverError"
    if solving and cause is Cause.OTHER:
        cause = Cause.CONFLICT
    raise CondaError(doing, cause, output, "" if solving else unreachable(output, channels))
