"""Progress on a stream, in the way that suits it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from reprocheck.colors import wants_color
from reprocheck.model import Stage, StageResult
from reprocheck.progress.actions import Actions
from reprocheck.progress.base import View
from reprocheck.progress.lines import Lines
from reprocheck.progress.stream import Stream
from reprocheck.workflow_log import TOKEN


class Terminal:
    """Progress on stderr: a live list on a terminal, groups in GitHub's log, else plain lines.

    `stages` are those that will run, as far as that is known. To be closed, best by `with`: while
    a stage runs, the terminal's cursor is hidden.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        stages: tuple[Stage, ...] = (),
        *,
        groups: bool = True,
    ) -> None:
        out = Stream(sys.stderr if stream is None else stream)
        dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
        token = os.environ.get(TOKEN, "")
        in_job = bool(token) or os.environ.get("GITHUB_ACTIONS") == "true"
        if out.isatty() and not dumb:
            self._view: View = _screen(out, clock, stages)
        else:
            self._view = Actions(out, clock, token) if in_job and groups else Lines(out, clock)

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
        self._view.start(stage, doing)

    def update(self, doing: str) -> None:
        """What the running stage does now."""
        self._view.update(doing)

    def say(self, text: str) -> None:
        """Lines that stay."""
        self._view.say(text)

    def finish(self, result: StageResult) -> None:
        """The stage ended: a line with its time stays."""
        self._view.finish(result)


def _screen(out: Stream, clock: Callable[[], float], stages: tuple[Stage, ...]) -> View:
    from reprocheck.progress.screen import Screen

    return Screen(out, clock, stages, color=wants_color(os.environ, is_terminal=True))
