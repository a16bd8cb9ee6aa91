"""Workflow commands in what a step prints: `::error file=…::message` and the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COMMAND = re.compile(r"^\s*::(?P<name>[\w-]+)(?:\s+(?P<properties>[^\n]*?))?::(?P<data>.*)$")
ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
ANNOTATIONS = ("debug", "notice", "warning", "error")
KNOWN = (*ANNOTATIONS, "group", "endgroup", "add-mask", "stop-commands", "add-matcher")


class UnknownCommandError(Exception):
    """A step printed a workflow command that does not exist or is switched off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    level: str
    message: str
    properties: dict[str, str]


@dataclass
class Console:
    """What a job printed, as GitHub would show it: with secrets masked."""

    masks: set[str] = field(default_factory=set)
    annotations: list[Annotation] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    _stopped_by: str = ""

    def print(self, output: str) -> None:
        """Takes a step's output; commands in it are obeyed."""
        self._stopped_by = ""
        for line in output.splitlines():
            self.lines.append(self._masked(line))
            self._obey(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def _masked(self, line: str) -> str:
        for mask in sorted(self.masks, key=len, reverse=True):
            line = line.replace(mask, "***")
        return line

    def _obey(self, line: str) -> None:
        if self._stopped_by:
            if line.strip() == f"::{self._stopped_by}::":
                self._stopped_by = ""
            return
        found = COMMAND.match(line)
        if not found:
            return
        name, data = found["name"].lower(), unescaped(found["data"])
        if name not in KNOWN:
            raise UnknownCommandError(f"no workflow command {line[:200]!r}")
        self._do(name, data, _properties(found["properties"] or ""))

    def _do(self, name: str, data: str, properties: dict[str, str]) -> None:
        if name in ANNOTATIONS:
            message = self._masked(data)
            found = Annotation(level=name, message=message, properties=properties)
            self.annotations.append(found)
        elif name == "add-mask" and data:
            self.masks |= {data, *(line for line in data.splitlines() if line)}
        elif name == "stop-commands":
            self._stopped_by = data
        elif name == "group":
            self.groups.append(data)


def unescaped(data: str) -> str:
    for escape, sign in ESCAPES:
        data = data.replace(escape, sign)
    return data


def _properties(written: str) -> dict[str, str]:
    parts = (each.partition("=") for each in written.split(",") if each.strip())
    return {name.strip().lower(): unescaped(value) for name, _, value in parts}
