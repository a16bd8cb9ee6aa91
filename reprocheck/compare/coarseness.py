"""Whether two unrelated runs could log the same value by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def step_of(values: Sequence[float]) -> float:
    """The step of the grid on which coarse values lie, 0 where none of them is coarse.

    A power of ten for rounded numbers; for shares of examples the largest step that gives all.
    """
    coarse = [value for value in values if math.isfinite(value) and is_coarse(value)]
    if not coarse:
        return 0.0
    for places in range(7):
        if all(_is_same(round(value, places), value) for value in coarse):
            return float(10.0**-places)
    return 1 / math.lcm(*(_share(value).denominator for value in coarse))


def _share(value: float) -> Fraction:
    exact = Fraction(value)
    share = exact.limit_denominator(_denominator(value))
    if float(share) == value:
        return share
    return exact.limit_denominator(_LARGEST_FLOAT32_DENOMINATOR)


def _is_same(rounded: float, value: float) -> bool:
    return rounded == value or (is_float32(value) and nearest_float32(rounded) == value)


def _denominator(value: float) -> int:
    # Every large double is near some fraction of a large denominator, which then tells nothing.
    return max(1, int(min(_LARGEST_DENOMINATOR, math.sqrt(0.01 / math.ulp(value)))))


def _is_simple_float32(value: float, exact: Fraction) -> bool:
    simple = exact.limit_denominator(_LARGEST_FLOAT32_DENOMINATOR)
    return nearest_float32(float(simple)) == value
