"""Test D: could the original and the reruns come from one process? And Holm's correction."""

from __future__ import annotations

from collections.abc import Mapping

from reprocheck.compare.distributions import t_tail
from reprocheck.compare.sample import Sample


def difference_p(sample: Sample) -> float | None:
    """The two-sided p-value of the original as one more run of the reruns' process.

    Exact for normal data at every k >= 2; None where the reruns show no spread.
    """
    error = sample.error_of_prediction
    if sample.sd is None or error == 0.0:
        return None
    return min(1.0, 2 * t_tail(sample.freedom, abs(sample.difference) / error))


def holm(p_values: Mapping[str, float], family: int) -> dict[str, float]:
    """Holm's adjusted p-values; tests of the family without a p-value count as p = 1."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (family - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted
