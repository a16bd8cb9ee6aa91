"""What a figure is, and how texts and numbers of a run may stand in one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from reprocheck.hostile import cut, printable

LONGEST = 60
"""Characters of a run's text that a figure shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A picture of numbers.

    `svg` is markup as it stands: everything of a run in it is escaped already. Its colors are
    those of templates/figures.css. `alt` and `caption` are plain text: escape them.
    """

    svg: str
    alt: str
    caption: str


def plain(text: str, longest: int = LONGEST) -> str:
    """A run's text on one line, without what is not to be seen, and not too long."""
    return cut(printable(cut(text, 10 * longest)), longest)


def named(text: str, longest: int) -> str:
    """A name of a run's: of a long one both ends, as names of one kind end differently."""
    whole = plain(text, 10 * LONGEST)
    if len(whole) <= longest:
        return whole
    last = (longest - 1) // 2
    return f"{whole[: longest - 1 - last]}…{whole[-last:]}"


def finite(values: Iterable[float]) -> tuple[float, ...]:
    """Those of the values that can be drawn."""
    return tuple(value for value in values if math.isfinite(value))


def average(values: tuple[float, ...]) -> float:
    """The mean of finite values, at least one, however huge they are."""
    return math.fsum(value / len(values) for value in values)
