"""Test E, two one-sided t-tests: do the reruns average within the margin of the original?"""

from __future__ import annotations

import math

from reprocheck.compare.distributions import consistency_bound, t_quantile, t_tail
from reprocheck.compare.sample import Sample
from reprocheck.model import FIRST_LOOK, Interval, Margin

MOST_RERUNS_PROPOSED = 100


def equivalence_p(sample: Sample, margin: Margin) -> float:
    """The larger p-value of the two one-sided t-tests against the margin's ends.

    An end at infinity always passes: what is left is a test of noninferiority.
    """
    errors = [(sample.error_of_mean, float(sample.freedom))]
    if sample.welch:  # with enough on both sides it must pass without pooling, too
        errors.append(sample.welch)
    return max(_one_sided_p(sample.difference, margin, *error) for error in errors)


def _one_sided_p(difference: float, margin: Margin, error: float, freedom: float) -> float:
    if error == 0.0:
        return 0.0 if -margin.low < difference < margin.high else 1.0
    below = t_tail(freedom, (difference + margin.low) / error)
    above = t_tail(freedom, (margin.high - difference) / error)
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
    noise = sample.error_of_mean / sample.spread
    return ratio < consistency_bound(sample.freedom, noise, alpha)


def reruns_needed(sample: Sample, margin: Margin, alpha: float) -> int | None:
    """The least number of reruns that would show equivalence if difference and spread stay.

    None: more than 100, or none, because the difference itself is not inside the margin.
    """
    room = min(margin.low + sample.difference, margin.high - sample.difference)
    if sample.freedom == 0 or not room > 0.0:
        return None
    fewest = max(FIRST_LOOK, sample.reruns + 1)
    return next(
        (k for k in range(fewest, MOST_RERUNS_PROPOSED + 1) if _half(sample, k, alpha) < room), None
    )


def _half(sample: Sample, reruns: int, alpha: float) -> float:
    """Half the interval that so many reruns would have with the spread seen so far."""
    more = reruns - sample.reruns
    known_originals = 0.0 if sample.originals == 1 else 1 / sample.originals
    error = sample.spread * math.sqrt(1 / reruns + known_originals)
    return t_quantile(sample.freedom + more, 1 - alpha) * error
