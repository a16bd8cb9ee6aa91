"""Lines for a file or a log: nothing is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reprocheck.durations import format_duration
from reprocheck.model import Stage, StageResult
from reprocheck.progress.base import shown, shown_lines
from reprocheck.progress.stream import Stream

QUIET_S = 30.0
"""Seconds between two lines while a stage runs: less is noise, more looks like a standstill."""
_BEAT_S = 1.0


class Lines:
    """A line for each event, and one every half minute that says what the running stage does.

    That comes from a thread of its own: a stage may wait for hours without a word.
    """

    def __init__(
        self,
        out: Stream,
        clock: Callable[[], float],
        harmless: Callable[[str], str] = lambda line: line,
    ) -> None:
        self._out = out
        self._clock = clock
        self._harmless = harmless  # for the reader of the lines
        self._lock = threading.Lock()
        self._told = self._started = clock()
        self._stage: Stage | None = None
        self._doing: tuple[str, ...] = ()
        self._stop: threading.Event | None = None

    def start(self, stage: Stage, doing: str) -> None:
        """A stage begins."""
        self.begin(stage, doing)
        self.write(f"{stage.value}: {shown(doing)}")

    def begin(self, stage: Stage, doing: str) -> None:
        """As `start`, without a line."""
        self._stage, self._started = stage, self._clock()
        self._doing = (shown(doing),)
        if self._stop is None:
            self._stop = threading.Event()
            threading.Thread(target=self._live, args=(self._stop,), daemon=True).start()

    def update(self, doing: str) -> None:
        """What the running stage does now."""
        self._doing = shown_lines(doing)
        self.beat()

    def say(self, text: str) -> None:
        """Lines worth keeping."""
        for line in text.splitlines():
            self.write(shown(line))

    def finish(self, result: StageResult) -> None:
        """The stage ended."""
        self.end()
        line = f"{result.stage.value}: {result.status.value}, {format_duration(result.duration_s)}"
        self.write(f"{line}  {shown(result.summary)}" if result.summary else line)

    def end(self) -> None:
        """As `finish`, without a line."""
        self._stage = None

    def close(self) -> None:
        """Ends the thread."""
        self.end()
        stop, self._stop = self._stop, None
        if stop is not None:
            stop.set()

    def beat(self) -> None:
        """Says what the running stage does, where nothing was said for long."""
        stage, now = self._stage, self._clock()
        if stage is None or now - self._told < QUIET_S:
            return
        doing = "; ".join(self._doing)
        self.write(f"  {stage.value} {format_duration(now - self._started)}: {doing}")

    def write(self, line: str) -> None:
        """Writes a line as it is."""
        with self._lock:
            self._told = self._clock()
            self._out.write(f"{self._harmless(line)}\n")
            self._out.flush()

    def _live(self, stop: threading.Event) -> None:
        while not stop.wait(_BEAT_S):
            self.beat()
