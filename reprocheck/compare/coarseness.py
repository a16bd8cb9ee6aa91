"""Whether two unrelated runs could log the same value by chance."""

from __future__ import annotations

import math
from fractions import Fraction

from reprocheck.compare.ladder import is_float32, nearest_float32

_LARGEST_DENOMINATOR = 1_000_000  # six decimals, or a share of a million examples
_LARGEST_FLOAT32_DENOMINATOR = 10_000


def is_coarse(value: float, resolution: float | None = None) -> bool:
    """Whether a value lies on a coarse grid: a share of examples, an integer, a rounded number.

    An accuracy over 360 examples equals another honest run's by chance in 8 % of the cases, so
    equal coarse values alone do not show that a rerun was identical. A value called coarse by
    mistake costs reruns, never a verdict.
    """
    if resolution is not None or not math.isfinite(value):
        return True
    exact = Fraction(value)
    if float(exact.limit_denominator(_denominator(value))) == value:
        return True
    return is_float32(value) and _is_simple_float32(value, exact)


def _denominator(value: float) -> int:
    # Every large double is near some fraction of a large denominator, which then tells nothing.
    return max(1, int(min(_LARGEST_DENOMINATOR, math.sqrt(0.01 / math.ulp(value)))))


def _is_simple_float32(value: float, exact: Fraction) -> bool:
    simple = exact.limit_denominator(_LARGEST_FLOAT32_DENOMINATOR)
    return nearest_float32(float(simple)) == value
