"""What a step leaves in the files behind GITHUB_OUTPUT, GITHUB_ENV and their like."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

SUMMARY_MOST = 1024 * 1024  # bytes, of one step
NAMES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")


class CommandFileError(Exception):
    """The runner could not process what a step wrote: that fails the step."""


@dataclass(frozen=True, slots=True)
class CommandFiles:
    """Fresh empty files for one step."""

    folder: Path

    @classmethod
    def made(cls, temp: Path) -> CommandFiles:
        folder = temp / "_runner_file_commands" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        for name in NAMES:
            (folder / name).touch()
        return cls(folder)

    @property
    def env(self) -> dict[str, str]:
        return {name: str(self.folder / name) for name in NAMES}

    @property
    def outputs(self) -> dict[str, str]:
        return pairs(self._text("GITHUB_OUTPUT"))

    @property
    def variables(self) -> dict[str, str]:
        found = pairs(self._text("GITHUB_ENV"))
        if "NODE_OPTIONS" in found:
            raise CommandFileError("NODE_OPTIONS cannot be set by GITHUB_ENV")
        return found

    @property
    def paths(self) -> list[str]:
        return [line for line in self._text("GITHUB_PATH").splitlines() if line]

    @property
    def summary(self) -> str:
        size = (self.folder / "GITHUB_STEP_SUMMARY").stat().st_size
        if size > SUMMARY_MOST:
            raise CommandFileError(f"the summary may have 1024k, this one has {size // 1024}k")
        return self._text("GITHUB_STEP_SUMMARY")

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8-sig")


def pairs(written: str) -> dict[str, str]:
    """`name=value` lines, and `name<<WORD` with the lines up to WORD."""
    found: dict[str, str] = {}
    lines = iter(written.split("\n"))
    for line in lines:
        name, sign, value = _split(line)
        if not line:
            continue
        if not name or not sign or (sign == "<<" and not value):
            raise CommandFileError(f"Invalid format {line!r}")
        found[name] = value if sign == "=" else _until(value, lines)
    return found


def _split(line: str) -> tuple[str, str, str]:
    equals, heredoc = line.find("="), line.find("<<")
    first = "<<" if heredoc >= 0 and (equals < 0 or heredoc < equals) else "="
    return line.partition(first)


def _until(word: str, lines: object) -> str:
    held: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        if line == word:
            return "\n".join(held)
        held.append(line)
    raise CommandFileError(f"Matching delimiter not found {word!r}")
