"""Originals and finite reruns of one metric: mean, spread and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reprocheck.compare.distributions import f_tail, t_quantile
from reprocheck.model import Interval, Sigma

FEWEST_FOR_WELCH = 5
"""On each side: with fewer, the test for equivalence would lose most of its power by Welch's."""
UNEQUAL = 0.05
"""P-value of the F-test below which originals that vary more than the reruns are not pooled alone.

Reruns of one seed may hardly vary beside originals of several: pooled, up to 30 % of the shifts
as large as the margin would pass (2 originals, 8 reruns), with this check 5 %.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Statistics of k reruns against n originals, in the metric's unit or in logarithms.

    With one original the claim is about the reported number; with several, which the user named,
    it is about the means of both processes, and their spreads are pooled.
    """

    reruns: int  # k, finite ones
    originals: int  # n
    mean: float  # of the reruns
    sd: float | None  # of the reruns, ddof 1, before the floor; None for one rerun
    original: float  # mean of the originals
    original_sd: float | None  # None for one original
    difference: float  # mean of the reruns minus mean of the originals
    floor: float = 0.0  # the spread that the metric's resolution or flips alone give
    sigma: Sigma | None = None  # known from elsewhere

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the spread."""
        elsewhere = self.sigma.freedom if self.sigma else 0
        return self.originals - 1 + self.reruns - 1 + elsewhere

    @property
    def spread(self) -> float:
        """The run-to-run standard deviation, pooled over all that is known, at least the floor."""
        parts = [(self.reruns - 1, self.sd), (self.originals - 1, self.original_sd)]
        if self.sigma:
            parts.append((self.sigma.freedom, self.sigma.value))
        known = [(weight, sd) for weight, sd in parts if weight and sd is not None]
        total = sum(weight for weight, _ in known)
        pooled = math.hypot(*(math.sqrt(weight / total) * sd for weight, sd in known))
        return max(pooled, self.floor)

    @property
    def error_of_mean(self) -> float:
        """Standard error of the difference, for the test of equivalence.

        Of the reruns' mean alone where there is one original: it is then a reported number.
        """
        if self.originals == 1:
            return self.spread / math.sqrt(self.reruns)
        return self.spread * math.sqrt(1 / self.originals + 1 / self.reruns)

    @property
    def error_of_prediction(self) -> float:
        """Standard error of the difference between runs of one process: originals have noise."""
        return self.spread * math.sqrt(1 / self.originals + 1 / self.reruns)

    @property
    def welch(self) -> tuple[float, float] | None:
        """Standard error and degrees of freedom without pooling, where that is looked at too.

        With enough on both sides, or where pooling would hide the originals' larger spread. For
        intervals and equivalence, which it only makes harder: as a test for a difference it
        rejects honest runs too often with few originals (10 % at 2 against 10).
        """
        fewest = min(self.originals, self.reruns)
        pooled = self.sigma is not None or self.p_of_spreads >= UNEQUAL
        if fewest < FEWEST_FOR_WELCH and (fewest < 2 or pooled):
            return None
        theirs = max(self.sd or 0.0, self.floor) / math.sqrt(self.reruns)
        ours = max(self.original_sd or 0.0, self.floor) / math.sqrt(self.originals)
        error = math.hypot(ours, theirs)
        if error == 0.0:
            return None
        parts = (ours / error) ** 4 / (self.originals - 1) + (theirs / error) ** 4 / (
            self.reruns - 1
        )
        return error, 1 / parts

    @property
    def p_of_spreads(self) -> float:
        """The two-sided p-value of the F-test where the originals vary more than the reruns.

        1 where they do not, and where one side has one run only.
        """
        if self.sd is None or self.original_sd is None:
            return 1.0
        theirs = max(self.sd, self.floor)
        if self.original_sd <= theirs:
            return 1.0
        if self.original_sd > 1e100 * theirs:
            return 0.0
        ratio = (self.original_sd / theirs) ** 2
        return min(1.0, 2 * f_tail(self.originals - 1, self.reruns - 1, ratio))

    def interval(self, alpha: float) -> Interval | None:
        """The 100(1 - 2 alpha) % interval of the difference; None without any spread known."""
        if self.freedom == 0:
            return None
        half = t_quantile(self.freedom, 1 - alpha) * self.error_of_mean
        if self.welch:  # the wider of both
            error, freedom = self.welch
            half = max(half, t_quantile(freedom, 1 - alpha) * error)
        level = 100 * (1 - 2 * alpha)
        return Interval(low=self.difference - half, high=self.difference + half, level=level)

    def prediction(self, alpha: float) -> Interval | None:
        """The 100(1 - alpha) % interval for the originals' mean; None without any spread known."""
        if self.freedom == 0:
            return None
        half = t_quantile(self.freedom, 1 - alpha / 2) * self.error_of_prediction
        return Interval(low=self.mean - half, high=self.mean + half, level=100 * (1 - alpha))


def summarise(
    originals: Sequence[float],
    reruns: Sequence[float],
    floor: float = 0.0,
    sigma: Sigma | None = None,
) -> Sample:
    """The statistics of finite values, of which there is at least one on each side.

    Sums are exact (`math.fsum`) and centred, so that a large common offset costs no digits,
    and scaled by a power of two, so that neither huge nor tiny values leave the range.
    """
    exponent = max((math.frexp(value)[1] for value in (*reruns, *originals) if value), default=0)
    theirs, ours = _moments(reruns, exponent), _moments(originals, exponent)
    return Sample(
        reruns=len(reruns),
        originals=len(originals),
        mean=_scaled(theirs.least + theirs.shift, exponent),
        sd=None if theirs.sd is None else _scaled(theirs.sd, exponent),
        original=_scaled(ours.least + ours.shift, exponent),
        original_sd=None if ours.sd is None else _scaled(ours.sd, exponent),
        difference=_scaled(theirs.least - ours.least + (theirs.shift - ours.shift), exponent),
        floor=floor,
        sigma=sigma,
    )


@dataclass(frozen=True, slots=True)
class _Moments:
    """Of values scaled by a power of two; the mean is `least + shift`."""

    least: float
    shift: float
    sd: float | None


def _moments(values: Sequence[float], exponent: int) -> _Moments:
    scaled = [math.ldexp(value, -exponent) for value in values]
    least = min(scaled)
    shift = math.fsum(value - least for value in scaled) / len(scaled)
    if len(scaled) < 2:
        return _Moments(least, shift, None)
    squares = math.fsum((value - least - shift) ** 2 for value in scaled)
    return _Moments(least, shift, math.sqrt(squares / (len(scaled) - 1)))


def _scaled(x: float, exponent: int) -> float:
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return math.copysign(math.inf, x)
