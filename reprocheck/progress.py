"""Progress of a long verification, told to an object that is passed in; silent by default."""

from __future__ import annotations

from typing import Protocol

from reprocheck.model import Stage, StageResult


class Progress(Protocol):
    """Hears what is being done. Implementations never raise and never write to stdout."""

    def start(self, stage: Stage, doing: str) -> None:
        """A stage begins; `doing` is a short present participle phrase."""

    def update(self, doing: str) -> None:
        """What the running stage does now; may be called often and replaces the last one."""

    def say(self, text: str) -> None:
        """A line worth keeping on the screen, for example the cost before the first trial."""

    def finish(self, result: StageResult) -> None:
        """The stage ended."""


class Silent:
    """Says nothing."""

    def start(self, stage: Stage, doing: str) -> None:
        """Nothing."""

    def update(self, doing: str) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def finish(self, result: StageResult) -> None:
        """Nothing."""
