"""Progress of a long verification, told to an object that is passed in; silent by default."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING, Protocol, Self, TextIO, cast

from reprocheck.durations import format_duration
from reprocheck.hostile import printable, redact
from reprocheck.model import Stage, StageResult, StageStatus

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

QUIET_S = 30.0
"""Seconds between two lines about what a stage does, where lines cannot be replaced."""

_BAR = 24  # characters

MARKS = {StageStatus.PASSED: "✓", StageStatus.FAILED: "✗", StageStatus.SKIPPED: "–"}
COLORS = {StageStatus.PASSED: "green", StageStatus.FAILED: "red", StageStatus.SKIPPED: "dim"}


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


def bar(done: int, total: int | None, noun: str) -> str:
    """How much is done, for `Progress.update`: a bar where the total is known, and the count."""
    if not total:
        return f"{done:,} {noun}s"
    filled = min(_BAR, _BAR * done // total)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {done:,} of {max(done, total):,} {noun}s"


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


class Terminal:
    """Progress on stderr: a live line on a terminal, plain lines elsewhere.

    To be closed, best by `with`: while a stage runs, the terminal's cursor is hidden.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        out = _Forgiving(sys.stderr if stream is None else stream)
        dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
        self._view = _Lines(out, clock) if dumb or not out.isatty() else _Screen(out, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the terminal as it was; more may be said afterwards."""
        self._view.close()

    def start(self, stage: Stage, doing: str) -> None:
        """A stage begins."""
        self._view.start(stage, _shown(doing))

    def update(self, doing: str) -> None:
        """What the running stage does now."""
        self._view.update(_shown(doing))

    def say(self, text: str) -> None:
        """Lines that stay above the running stage's."""
        for line in text.splitlines():
            self._view.say(_shown(line))

    def finish(self, result: StageResult) -> None:
        """The stage ended: a line with its time stays."""
        self._view.finish(result)


def _shown(text: str) -> str:
    return printable(redact(text))


class _Lines:
    """Lines for a file or a log: nothing is replaced."""

    def __init__(self, out: _Forgiving, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._told = clock()

    def start(self, stage: Stage, doing: str) -> None:
        self.say(f"{stage.value}: {doing}")

    def update(self, doing: str) -> None:
        if self._clock() - self._told >= QUIET_S:
            self.say(f"  {doing}")

    def say(self, text: str) -> None:
        self._told = self._clock()
        self._out.write(f"{text}\n")
        self._out.flush()

    def finish(self, result: StageResult) -> None:
        time_taken = format_duration(result.duration_s)
        self.say(
            _with_summary(f"{result.stage.value}: {result.status.value}, {time_taken}", result)
        )

    def close(self) -> None:
        pass


class _Screen:
    """A line for each stage that ended, and a live one for the stage that runs."""

    def __init__(self, out: _Forgiving, clock: Callable[[], float]) -> None:
        from rich.console import Console
        from rich.spinner import Spinner

        self._console = Console(
            file=cast("IO[str]", out), force_terminal=True, highlight=False, legacy_windows=False
        )
        self._clock = clock
        self._unicode = out.encoding.lower().startswith("utf")
        self._spinner = Spinner("dots" if self._unicode else "line", style="cyan")
        self._live: Live | None = None
        self._stage = ""
        self._doing = ""
        self._started = clock()

    def start(self, stage: Stage, doing: str) -> None:
        from rich.live import Live

        self.close()
        self._stage, self._doing, self._started = stage.value, doing, self._clock()
        # Redirected, what is written to stdout would come out on stderr.
        self._live = Live(
            get_renderable=self._running,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        atexit.register(self.close)  # for a caller that forgot to
        self._live.start()

    def update(self, doing: str) -> None:
        self._doing = doing

    def say(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(text))

    def finish(self, result: StageResult) -> None:
        from rich.text import Text

        self.close()
        mark = MARKS[result.status] if self._unicode else result.status.value
        line = Text(mark, style=COLORS[result.status])
        told = f" {result.stage.value} {format_duration(result.duration_s)}"
        line.append(_with_summary(told, result), style="default")
        self._console.print(line)

    def close(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
            atexit.unregister(self.close)

    def _running(self) -> Spinner:
        from rich.text import Text

        elapsed = format_duration(self._clock() - self._started)
        line = Text(f"{self._stage} {elapsed}  {self._doing}")
        line.truncate(max(1, self._console.width - 3), overflow="ellipsis")
        self._spinner.update(text=line)
        return self._spinner


def _with_summary(line: str, result: StageResult) -> str:
    return f"{line}  {_shown(result.summary)}" if result.summary else line


class _Forgiving:
    """A stream that goes on when its reader is gone: progress is not worth a failure."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        with suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text.encode(self.encoding, "replace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()
