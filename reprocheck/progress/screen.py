"""A terminal: all stages in a list that is drawn again and again, and plain lines at the end."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from typing import IO, cast

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reprocheck.durations import format_duration
from reprocheck.model import Stage, StageResult, StageStatus
from reprocheck.plain_characters import is_unicode
from reprocheck.progress.base import MARKS, shown, shown_lines
from reprocheck.progress.stream import Stream

COLORS = {StageStatus.PASSED: "green", StageStatus.FAILED: "red", StageStatus.SKIPPED: "dim"}
_FRAMES = {True: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", False: "|/-\\"}  # of the spinner, with and without Unicode
_FRAMES_A_SECOND = 8
_NAMES = max(len(stage.value) for stage in Stage)
_TIMES = len("59 min 59 s")
_DETAILS = 3
"""Lines about what the running stage does."""


class Screen:
    """The list of stages: those that ended, the running one, and those to come.

    It never has more lines than the terminal, nor a line that wraps.
    """

    def __init__(
        self, out: Stream, clock: Callable[[], float], stages: tuple[Stage, ...], *, color: bool
    ) -> None:
        self._console = Console(
            file=cast("IO[str]", out),
            force_terminal=True,
            no_color=not color,
            highlight=False,
            legacy_windows=False,
        )
        self._clock = clock
        self._planned = stages
        self._frames = _FRAMES[is_unicode(out.encoding)]
        self._live: Live | None = None
        self._ended: dict[Stage, StageResult] = {}
        self._running: Stage | None = None
        self._doing = ""
        self._details: tuple[str, ...] = ()
        self._started = clock()

    def start(self, stage: Stage, doing: str) -> None:
        """A stage begins; one that ended before begins another list."""
        if stage in self._ended:
            self.close()
        self._doing, self._details, self._started = shown(doing), (), self._clock()
        self._running = stage
        self._open()

    def update(self, doing: str) -> None:
        """What the running stage does now, below it."""
        self._details = shown_lines(doing)

    def say(self, text: str) -> None:
        """Lines that stay above the list."""
        for line in text.splitlines():
            self._console.print(Text(shown(line)))

    def finish(self, result: StageResult) -> None:
        """The stage ended."""
        self._running, self._details = None, ()
        self._ended[result.stage] = result
        self._open()
        if all(stage in self._ended for stage in self._planned):
            self.close()

    def close(self) -> None:
        """Leaves the list as plain lines, and the cursor as it was."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()  # which draws once more
            self._console.print()
            atexit.unregister(self.close)
        self._ended, self._running = {}, None

    def _open(self) -> None:
        if self._live is not None:
            return
        # Redirected, what is written to stdout would come out on stderr.
        self._live = Live(
            get_renderable=self._frame,
            console=self._console,
            refresh_per_second=_FRAMES_A_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        atexit.register(self.close)  # for a caller that forgot to
        self._live.start(refresh=True)

    def _frame(self) -> Text:
        """What is seen now: the running stage in any case, then as much as there is room for."""
        if self._live is None:
            return self._plain()
        before, now, after = self._parts()
        room = max(1, self._console.height - 1)
        now = now[:room]
        after = after[: max(0, room - len(now) - len(before))]
        before = before[-(room - len(now) - len(after)) :] if room > len(now) else []
        return self._lines([*before, *now, *after])

    def _plain(self) -> Text:
        before, _, _ = self._parts()
        if self._running is not None:
            before.append(self._line(self._running, "-", self._now_s(), "not finished"))
        return self._lines(before)

    def _parts(self) -> tuple[list[Text], list[Text], list[Text]]:
        running, ended = self._running, self._ended
        before = [self._end_of(ended[stage]) for stage in Stage if stage in ended]
        after = [
            Text(f"  {stage.value}", style="dim")
            for stage in self._planned
            if stage not in ended and stage is not running
        ]
        return before, list(self._now(running)) if running else [], after

    def _now(self, stage: Stage) -> Iterator[Text]:
        frame = self._frames[int(self._clock() * _FRAMES_A_SECOND) % len(self._frames)]
        line = self._line(stage, frame, self._now_s(), self._doing)
        line.stylize("cyan", 0, 1)
        line.stylize("bold", 2, 2 + _NAMES)
        yield line
        for detail in self._details[:_DETAILS]:
            yield Text(f"    {detail}")

    def _now_s(self) -> float:
        return self._clock() - self._started

    def _end_of(self, result: StageResult) -> Text:
        mark, time_s = MARKS[result.status], result.duration_s
        line = self._line(result.stage, mark, time_s, shown(result.summary))
        line.stylize(COLORS[result.status], 0, 1)
        return line

    def _line(self, stage: Stage, mark: str, time_s: float, told: str) -> Text:
        name, time = stage.value.ljust(_NAMES), format_duration(time_s).rjust(_TIMES)
        return Text(f"{mark} {name} {time}  {told}".rstrip())

    def _lines(self, lines: list[Text]) -> Text:
        for line in lines:
            # The last column stays free: some terminals wrap there.
            line.truncate(max(1, self._console.width - 1), overflow="ellipsis")
        return Text("\n").join(lines)
