"""Lines for the log of a GitHub job: each stage's are a group, which is folded."""

from __future__ import annotations

from collections.abc import Callable

from reprocheck.model import Stage, StageResult
from reprocheck.progress.base import MARKS, ended, shown
from reprocheck.progress.lines import Lines
from reprocheck.progress.stream import Stream
from reprocheck.workflow_log import END_GROUP, GROUP, escaped, no_command


class Actions:
    """The same lines in groups; none of them is a command, whatever a run makes of its names.

    Commands begin with the token, where another process takes them out of what we print.
    """

    def __init__(self, out: Stream, clock: Callable[[], float], token: str = "") -> None:
        self._token = token
        self._lines = Lines(out, clock, no_command)
        self._out = out
        self._is_open = False

    def start(self, stage: Stage, doing: str) -> None:
        """Begins a group."""
        self._end()
        self._command(f"{GROUP}{escaped(shown(f'{stage.value}: {doing}'))}")
        self._is_open = True
        self._lines.begin(stage, doing)

    def update(self, doing: str) -> None:
        """What the running stage does now."""
        self._lines.update(doing)

    def say(self, text: str) -> None:
        """Lines worth keeping."""
        self._lines.say(text)

    def finish(self, result: StageResult) -> None:
        """Ends the group, and tells mark and time outside of it."""
        self._lines.end()
        self._end()
        self._lines.write(ended(result, MARKS[result.status]))

    def close(self) -> None:
        """Ends a group that is open."""
        self._lines.close()
        self._end()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._command(END_GROUP)

    def _command(self, command: str) -> None:
        self._out.write(f"{self._token}{command}\n")
        self._out.flush()
