"""Test E, two one-sided t-tests: do the reruns average within the margin of the original?"""

from __future__ import annotations

import math

from reprocheck.compare.distributions import t_quantile, t_tail, wellek_bound
from reprocheck.compare.sample import Sample
from reprocheck.model import Interval, Margin

MOST_RERUNS_PROPOSED = 100
FEWEST_RERUNS = 3  # below it neither test has power, whatever the data


def equivalence_p(sample: Sample, margin: Margin) -> float:
    """The larger p-value of the two one-sided t-tests against the margin's ends."""
    error = sample.error_of_mean
    if error == 0.0:
        return 0.0 if -margin.low < sample.difference < margin.high else 1.0
    below = t_tail(sample.freedom, (sample.difference + margin.low) / error)
    above = t_tail(sample.freedom, (margin.high - sample.difference) / error)
    return max(below, above)


def is_outside(interval: Interval, margin: Margin) -> bool:
    """Whether an interval of the difference and the margin have no point in common."""
    return interval.low > margin.high or interval.high < -margin.low


def smallest_margin(interval: Interval) -> float:
    """The smallest symmetric margin that the interval's data would support."""
    return max(abs(interval.low), abs(interval.high))


def is_consistent(sample: Sample, alpha: float) -> bool:
    """Whether the standardised difference passes Wellek's test: what stands in for a margin."""
    if sample.spread == 0.0:
        return False
    ratio = abs(sample.difference) / sample.spread
    return ratio < wellek_bound(sample.reruns, alpha)


def reruns_needed(sample: Sample, margin: Margin, alpha: float) -> int | None:
    """The least number of reruns that would show equivalence if difference and spread stay.

    None: more than 100, or none, because the difference itself is not inside the margin.
    """
    room = min(margin.low + sample.difference, margin.high - sample.difference)
    if sample.sd is None or not room > 0.0:
        return None
    for reruns in range(max(FEWEST_RERUNS, sample.reruns + 1), MOST_RERUNS_PROPOSED + 1):
        if t_quantile(reruns - 1, 1 - alpha) * sample.spread / math.sqrt(reruns) < room:
            return reruns
    return None
