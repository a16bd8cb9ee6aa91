"""Proportions near 0 or 1, where Student's t is wrong: the examples are counted instead."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reprocheck.compare.distributions import clopper_pearson, fisher_p, share_exceeding
from reprocheck.model import Interval, Margin

_NEAR = 3  # examples from 0 or from all


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Examples with the outcome that the metric counts, of originals and reruns together."""

    ours: tuple[int, int]  # events, trials
    theirs: tuple[int, int]
    examples: int  # of one run
    reported: bool  # one original: a reported number, without noise of its own

    @property
    def difference(self) -> float:
        """The reruns' proportion minus the originals'."""
        return self.theirs[0] / self.theirs[1] - self.ours[0] / self.ours[1]

    def difference_p(self) -> float:
        """Fisher's exact two-sided p-value: the originals as more runs of the reruns' process."""
        return fisher_p(self.ours, self.theirs)

    def interval(self, alpha: float) -> Interval:
        """The interval of the difference, of level 1 - 2 alpha at least, by Clopper and Pearson."""
        low, high = clopper_pearson(*self.theirs, alpha)
        share = self.ours[0] / self.ours[1]
        least, most = (share, share) if self.reported else clopper_pearson(*self.ours, alpha)
        return Interval(low=low - most, high=high - least, level=100 * (1 - 2 * alpha))

    def prediction(self, alpha: float) -> Interval:
        """The proportions of the originals' examples that Fisher's test would not reject."""
        trials = self.ours[1]
        like = round(trials * self.theirs[0] / self.theirs[1])
        low = _last(lambda x: self._may_be(like - x, alpha), like)
        high = _last(lambda x: self._may_be(like + x, alpha), trials - like)
        level = 100 * (1 - alpha)
        return Interval(low=(like - low) / trials, high=(like + high) / trials, level=level)

    def reruns_needed(self, margin: Margin, alpha: float, most: int) -> int | None:
        """The least number of reruns that would show equivalence if the proportion stays."""
        fewest = self.theirs[1] // self.examples + 1
        more = range(fewest, most + 1)
        return next((n for n in more if self.after(n).is_inside(margin, alpha)), None)

    def after(self, reruns: int) -> Counts:
        """The counts of so many reruns if the proportion stays."""
        trials = reruns * self.examples
        share = self.theirs[0] / self.theirs[1]
        return replace(self, theirs=(round(share * trials), trials))

    def detectable(self, margin: float | None, alpha: float, power: float) -> float | None:
        """The difference, away from the bound, that is called a difference with that power.

        The reruns' proportion has to pass Fisher's test at alpha, and with its interval leave the
        margin, where there is one; the originals are taken as they are. None: no difference can.
        """
        rare = self if 2 * self.ours[0] <= self.ours[1] else self._turned()
        share, trials = rare.ours[0] / rare.ours[1], rare.theirs[1]

        def rejects(events: int) -> bool:
            moved = replace(rare, theirs=(min(events, trials), trials))
            outside = margin is None or moved.interval(alpha).low > margin
            return outside and moved.difference_p() <= alpha

        least = math.ceil(share * trials)
        # Fisher's two-sided p-value may rise again by an event or two.
        events = least + bisect_left(
            range(least, trials + 1), True, key=lambda x: all(map(rejects, range(x, x + 3)))
        )
        return None if events > trials else share_exceeding(events, trials, power) - share

    def _turned(self) -> Counts:
        """The other outcome counted."""
        ours, theirs = ((n - events, n) for events, n in (self.ours, self.theirs))
        return replace(self, ours=ours, theirs=theirs)

    def _may_be(self, events: int, alpha: float) -> bool:
        return fisher_p((events, self.ours[1]), self.theirs) > alpha

    def is_inside(self, margin: Margin, alpha: float) -> bool:
        """Whether the interval lies inside the margin."""
        interval = self.interval(alpha)
        return interval.low > -margin.low and interval.high < margin.high


def counts_of(
    originals: Sequence[float], reruns: Sequence[float], test_size: int | None
) -> Counts | None:
    """The counts where the originals' mean lies within 3 examples of a bound.

    None elsewhere, and for values that are no whole number of examples.
    """
    if test_size is None or not originals or not reruns:
        return None
    ours, theirs = _events(originals, test_size), _events(reruns, test_size)
    if ours is None or theirs is None:
        return None
    mean = ours / len(originals)
    if _NEAR < mean < test_size - _NEAR:
        return None
    return Counts(
        ours=(ours, len(originals) * test_size),
        theirs=(theirs, len(reruns) * test_size),
        examples=test_size,
        reported=len(originals) == 1,
    )


def _last(holds: Callable[[int], bool], most: int) -> int:
    """The largest number from 0 to `most` of which it holds, as it does of all before; 0 for none.

    By doubling steps: the answer is near 0 where events are few.
    """
    low, step = 0, 1
    while low + step <= most and holds(low + step):
        low, step = low + step, 2 * step
    high = min(most, low + step - 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _events(values: Sequence[float], test_size: int) -> int | None:
    counts = [value * test_size for value in values]
    if not all(0 <= count <= test_size * (1 + 1e-9) for count in counts):
        return None
    # float32 accuracies are off by 1e-7 of the value.
    if any(abs(count - round(count)) > 1e-3 + 1e-6 * test_size for count in counts):
        return None
    return sum(map(round, counts)) if all(map(math.isfinite, counts)) else None
