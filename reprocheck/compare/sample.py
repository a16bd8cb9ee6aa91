"""One original value and the finite reruns: mean, spread and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reprocheck.compare.distributions import t_quantile
from reprocheck.model import Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Statistics of k reruns against one original value, in the metric's unit."""

    reruns: int  # k, finite ones
    mean: float
    sd: float | None  # ddof 1, before the floor; None for one rerun
    difference: float  # mean minus original
    floor: float  # the spread that the metric's resolution alone gives

    @property
    def freedom(self) -> int:
        """Degrees of freedom: all spread comes from the reruns."""
        return self.reruns - 1

    @property
    def spread(self) -> float:
        """The run-to-run standard deviation, at least the floor."""
        return max(self.sd or 0.0, self.floor)

    @property
    def error_of_mean(self) -> float:
        """Standard error of the reruns' mean: what equivalence to the reported number needs."""
        return self.spread / math.sqrt(self.reruns)

    @property
    def error_of_prediction(self) -> float:
        """Standard error of the mean against one more run: the original has its own noise."""
        return self.spread * math.sqrt(1 + 1 / self.reruns)

    def interval(self, alpha: float) -> Interval | None:
        """The 100(1 - 2 alpha) % interval of the difference; None for one rerun."""
        if self.sd is None:
            return None
        half = t_quantile(self.freedom, 1 - alpha) * self.error_of_mean
        level = 100 * (1 - 2 * alpha)
        return Interval(low=self.difference - half, high=self.difference + half, level=level)

    def prediction(self, alpha: float) -> Interval | None:
        """The 100(1 - alpha) % interval of one more run; None for one rerun."""
        if self.sd is None:
            return None
        half = t_quantile(self.freedom, 1 - alpha / 2) * self.error_of_prediction
        return Interval(low=self.mean - half, high=self.mean + half, level=100 * (1 - alpha))


def summarise(original: float, reruns: Sequence[float], resolution: float | None) -> Sample:
    """The statistics of finite values, of which there is at least one.

    Sums are exact (`math.fsum`) and centred, so that a large common offset costs no digits,
    and scaled by a power of two, so that neither huge nor tiny values leave the range.
    """
    exponent = max((math.frexp(value)[1] for value in (*reruns, original) if value), default=0)
    values = [math.ldexp(value, -exponent) for value in reruns]
    least = min(values)
    shift = math.fsum(value - least for value in values) / len(values)
    sd = _sd([value - least - shift for value in values])
    return Sample(
        reruns=len(values),
        mean=_scaled(least + shift, exponent),
        sd=None if sd is None else _scaled(sd, exponent),
        difference=_scaled(least - math.ldexp(original, -exponent) + shift, exponent),
        floor=(resolution or 0.0) / math.sqrt(12),  # of a value rounded to the resolution
    )


def _sd(deviations: Sequence[float]) -> float | None:
    if len(deviations) < 2:
        return None
    return math.sqrt(math.fsum(x * x for x in deviations) / (len(deviations) - 1))


def _scaled(x: float, exponent: int) -> float:
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return math.copysign(math.inf, x)
