"""How long we wait for a forge, in all."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from reprocheck.errors import ForgeError

_WORTH_SAYING_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """How patient we are with a forge, in all that one object does; and by whose clock."""

    most_s: float = 300.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter_s: Callable[[], float] = lambda: secrets.SystemRandom().uniform(0.5, 2.0)
    timeout_s: int = 15  # of one request's silence


class Patience:
    """What is left of it."""

    def __init__(self, waiting: Waiting, forge: str, say: Callable[[str], None]) -> None:
        self._waiting = waiting
        self._forge = forge
        self._say = say
        self.waited_s = 0.0

    def wait(self, s: float, doing: str) -> None:
        """Raises `ForgeError` rather than to wait for longer than there is patience for."""
        if self.waited_s + s > self._waiting.most_s:
            raise self.ended(s, doing)
        if s >= _WORTH_SAYING_S:
            self._say(f"waiting {s:.0f} s, as {self._forge} asks, to {doing}")
        self.waited_s += s
        self._waiting.sleep(s)

    def pause(self) -> None:
        """A moment of uneven length, for others to finish; that is no patience with the forge."""
        self._waiting.sleep(self._waiting.jitter_s())

    def ended(self, s: float, doing: str) -> ForgeError:
        """For limits that ask for more patience than there is."""
        return ForgeError(
            f"could not {doing}: {self._forge}'s limit asks to wait {s:.0f} s, longer than we do",
            "try again later; jobs that share a token share its limit",
        )
