"""The inputs of a step: variables INPUT_*, as the workflow files hand them over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reprocheck.errors import UsageError
from reprocheck.model import FailOn


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs by the names that the action's page has, as `fail-on`; absent and empty are one."""

    env: Mapping[str, str]

    def text(self, name: str) -> str:
        """The input without white space around it, "" where it is absent."""
        return self.env.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()

    def lines(self, name: str) -> tuple[str, ...]:
        """One value a line."""
        return tuple(line.strip() for line in self.text(name).splitlines() if line.strip())

    def words(self, name: str) -> tuple[str, ...]:
        """Values between commas or white space."""
        return tuple(word for word in re.split(r"[\s,]+", self.text(name)) if word)

    def flag(self, name: str) -> bool:
        """True or false; absent is false. Raises `UsageError`."""
        text = self.text(name).lower()
        if text not in ("", "true", "false"):
            raise UsageError(f"input {name}: '{text}' is neither true nor false", "write one")
        return text == "true"

    def number(self, name: str) -> int:
        """A whole number, 0 where it is absent. Raises `UsageError`."""
        text = self.text(name)
        if text and not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
            raise UsageError(f"input {name}: '{text}' is no whole number", "write digits alone")
        return int(text or 0)

    def chosen(self, name: str, offered: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the values offered that are named, each once. Raises `UsageError`."""
        named = tuple(dict.fromkeys(self.words(name)))
        for word in named:
            if word not in offered:
                raise UsageError(
                    f"input {name}: '{word}' is not known", f"choose from {', '.join(offered)}"
                )
        return named

    def fail_on(self) -> tuple[FailOn, ...] | None:
        """Input fail-on; None where it is absent. Raises `UsageError`."""
        named = self.chosen("fail-on", tuple(FailOn))
        return tuple(map(FailOn, named)) or None
