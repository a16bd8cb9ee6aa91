"""Conda's packages by the micromamba, mamba or conda that is installed here."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments.conda_errors import Cause, CondaError, classify, unreachable
from reprocheck.environments.conda_files import CondaAsked, CondaPackage
from reprocheck.environments.conda_rattler import worker_environment
from reprocheck.environments.logins import without_secrets
from reprocheck.progress import Progress

NAMES = ("micromamba", "mamba", "conda")
TIMEOUT_S = 3 * 3600.0
# Copies, not hard links: see rattler_worker. And no question on the terminal.
_SETTINGS = {
    f"{program}_{name}": "true" for program in ("CONDA", "MAMBA") for name in ("ALWAYS_COPY", "YES")
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaProgram:
    """A conda of the machine; its own settings (.condarc) apply."""

    path: str
    folder: Path  # for its files
    env: Mapping[str, str]  # the caller's
    progress: Progress

    @property
    def name(self) -> str:
        """Which of the programs it is."""
        return Path(self.path).name

    def create(self, asked: CondaAsked, prefix: Path, doing: str) -> None:
        """Makes a prefix of what is asked for, except pip's packages.

        Raises `CondaError`.
        """
        log = self.folder / "conda.log"
        log.unlink(missing_ok=True)
        call = process.Call(
            argv=(self.path, "create", "--yes", "--prefix", str(prefix), *self._what(asked)),
            cwd=self.folder,
            env=worker_environment(self.env) | _SETTINGS,
            timeout_s=TIMEOUT_S,
        )
        self.progress.update(doing)
        try:
            done = process.supervise(call, log=log, on_tick=lambda: self._tell(log, doing))
        except OSError as error:
            text = f"{error.strerror}: {error.filename}"
            raise CondaError(doing, Cause.OTHER, text) from error
        if done.timed_out:
            raise CondaError(doing, Cause.TIMEOUT, "")
        if done.exit_code != 0:
            output = done.stdout.decode(errors="replace")
            cause = classify(output)
            network = (Cause.NETWORK, Cause.NO_CHANNEL, Cause.DENIED, Cause.CERTIFICATE)
            about = unreachable(output, asked.channels) if cause in network else ""
            raise CondaError(doing, cause, output, about)

    def _tell(self, log: Path, doing: str) -> None:
        """Its bars are drawn over themselves: the last state of the last one."""
        parts = re.split(r"[\r\n]+", log.read_bytes()[-2000:].decode(errors="replace"))
        last = next((part.strip() for part in reversed(parts) if part.strip()), "")
        if last:
            self.progress.update(f"{doing}: {without_secrets(last)[:80]}")

    def _what(self, asked: CondaAsked) -> tuple[str, ...]:
        if asked.packages:
            listed = self.folder / "explicit.txt"
            listed.write_text(explicit(asked.packages))
            return "--file", str(listed)
        named = tuple(word for name in asked.channels for word in ("--channel", name))
        return ("--override-channels", *named, *asked.specs)


def find(env: Mapping[str, str]) -> str | None:
    """The program to use, if one is on the caller's PATH."""
    path = env.get("PATH", "")
    return next((found for name in NAMES if (found := shutil.which(name, path=path))), None)


def explicit(packages: tuple[CondaPackage, ...]) -> str:
    """An @EXPLICIT list of packages."""
    return "".join(f"{line}\n" for line in ("@EXPLICIT", *(package.line for package in packages)))


def installed(prefix: Path) -> tuple[CondaPackage, ...]:
    """What is in a prefix, by the records that every conda keeps there."""
    records = [
        json.loads(file.read_bytes()) for file in sorted((prefix / "conda-meta").glob("*.json"))
    ]
    return tuple(
        CondaPackage(url=record["url"], md5=record.get("md5"), sha256=record.get("sha256"))
        for record in records
        if isinstance(record, dict) and "url" in record
    )
