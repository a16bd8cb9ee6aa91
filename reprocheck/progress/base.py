"""The seam to what shows progress, and the words that all implementations use."""

from __future__ import annotations

from typing import Protocol

from reprocheck.durations import format_duration
from reprocheck.hostile import printable, redact
from reprocheck.model import Stage, StageResult, StageStatus
from reprocheck.numbers import format_bytes

_BAR = 24  # characters

MARKS = {StageStatus.PASSED: "✓", StageStatus.FAILED: "✗", StageStatus.SKIPPED: "–"}


class Progress(Protocol):
    """Hears what is being done. Implementations never raise and never write to stdout."""

    def start(self, stage: Stage, doing: str) -> None:
        """A stage begins; `doing` is a short present participle phrase."""

    def update(self, doing: str) -> None:
        """What the running stage does now, in a line or a few; may be called often, from any
        thread, and replaces the last one."""

    def say(self, text: str) -> None:
        """A line worth keeping on the screen, for example the cost before the first trial."""

    def finish(self, result: StageResult) -> None:
        """The stage ended."""


class View(Progress, Protocol):
    """Shows progress somewhere."""

    def close(self) -> None:
        """Leaves the place as it was; more may be said afterwards."""


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


def bar(done: int, total: int | None, noun: str) -> str:
    """How much is done, for `Progress.update`: a bar where the total is known, and the count."""
    if not total:
        return f"{done:,} {noun}s"
    return f"{_drawn(done, total)} {done:,} of {max(done, total):,} {noun}s"


def bytes_bar(done: int, total: int | None) -> str:
    """As `bar`, of bytes."""
    if not total:
        return format_bytes(done)
    return f"{_drawn(done, total)} {format_bytes(done)} of {format_bytes(max(done, total))}"


def _drawn(done: int, total: int) -> str:
    filled = min(_BAR, _BAR * done // total)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def shown(text: str) -> str:
    """The text on one line, without secrets and without what moves a cursor."""
    return printable(redact(text))


def shown_lines(text: str) -> tuple[str, ...]:
    """The lines of a text that are not empty, each as it is shown."""
    return tuple(shown(line) for line in text.splitlines() if line.strip())


def ended(result: StageResult, mark: str) -> str:
    """A stage that ended, in one line, with its time and what it says of itself."""
    line = f"{mark} {result.stage.value} {format_duration(result.duration_s)}"
    return f"{line}  {shown(result.summary)}" if result.summary else line
