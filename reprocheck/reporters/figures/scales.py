"""From values to places on an axis, whatever the values: equal, huge, tiny or far apart."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from reprocheck.numbers import format_value
from reprocheck.reporters.figures import library
from reprocheck.reporters.figures.base import finite


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A labelled place of an axis."""

    value: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """From finite values between two ends to 0 to 1, by their logarithms where `log`."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value; one half where the ends are the same, NaN for a gap."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return math.nan
        low, high = self._inner(self.low), self._inner(self.high)
        # Halves, as the range of huge values is no number.
        width = high / 2 - low / 2
        if not width > 0:
            return 0.5
        return min(2.0, max(-1.0, (self._inner(value) / 2 - low / 2) / width))

    def _inner(self, value: float) -> float:
        return math.log(value) if self.log else value


def scale_of(values: Sequence[float], *, log: bool = False, pad: float = 0.06) -> Scale:
    """A scale that holds all the finite values, at least one, with some room at both ends.

    It is linear where any value has no logarithm.
    """
    known = finite(values)
    log = log and min(known) > 0
    low, high = (math.log(end) if log else end for end in (min(known), max(known)))
    room = pad * 2 * (high / 2 - low / 2) if math.isfinite(high - low) else 0.0
    low, high = low - room, high + room
    if log:
        return Scale(low=_power(low), high=_power(high), log=True)
    return Scale(low=_held(low), high=_held(high))


def ticks(scale: Scale, most: int = 5, *, whole: bool = False) -> tuple[Tick, ...]:
    """Round values between the scale's ends, about so many, and at least one.

    With `whole` none of them is a fraction, as far as that goes.
    """
    values = [value for value in _round(scale, most, whole=whole) if 0.0 <= scale.at(value) <= 1.0]
    if len(values) < 2:
        values = sorted({scale.low, scale.high})
    beside = abs(values[-1] / 2 - values[0] / 2) / max(1, len(values) - 1)
    return tuple(Tick(value=value, text=format_value(value, beside)) for value in values)


def _round(scale: Scale, most: int, *, whole: bool) -> list[float]:
    import numpy as np

    library.load()
    from matplotlib.ticker import LogLocator, MaxNLocator

    if scale.low == scale.high:
        return []
    if scale.log and scale.high / scale.low > 20:
        powers = LogLocator(numticks=most).tick_values(scale.low, scale.high)
        return [float(value) for value in powers]
    # Near 1, where no step under- or overflows.
    size = max(abs(scale.low), abs(scale.high))
    whole = whole and size < 1e15
    unit = 1.0 if whole else 10.0 ** max(-300, min(300, _exponent(size)))
    locator = MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10], integer=whole)
    with np.errstate(all="ignore"):
        found = locator.tick_values(scale.low / unit, scale.high / unit)
    # The shortest decimal: 0.3, not 0.30000000000000004.
    return [float(f"{value:.15g}") * unit for value in found]


def _exponent(value: float) -> int:
    return math.floor(math.log10(value)) if value > 0 else 0


def _power(x: float) -> float:
    return math.exp(max(-744.0, min(709.0, x)))


def _held(x: float) -> float:
    return max(-sys.float_info.max, min(sys.float_info.max, x))
