"""Test D: could the originals and the reruns come from one process? And Holm's correction."""

from __future__ import annotations

from collections.abc import Mapping

from reprocheck.compare.case import Case
from reprocheck.compare.distributions import t_tail
from reprocheck.compare.sample import Sample
from reprocheck.compare.selection import selected_p
from reprocheck.compare.sequential import path_p
from reprocheck.model import FIRST_LOOK


def difference_p(sample: Sample) -> float | None:
    """The two-sided p-value of the originals as more runs of the reruns' process.

    Exact for normal data at every number of runs; None where no spread is known.
    """
    if sample.freedom == 0 or sample.error_of_prediction == 0.0:
        return None
    error = sample.error_of_prediction
    return min(1.0, 2 * t_tail(sample.freedom, abs(sample.difference) / error))


def case_p(case: Case) -> float | None:
    """The p-value of a metric at its present look, over all looks so far; None: none applies."""
    if not case.judged:
        return None
    if case.margin is None or not case.plan.is_sequential:
        return _p_at(case, case.judged)
    looks = [look for look in case.plan.looks if look <= case.judged]
    found = {look: p for look in looks if (p := _p_at(case, look)) is not None}
    return path_p(found, case.plan.most) if found else None


def _p_at(case: Case, reruns: int) -> float | None:
    sample, counts = case.samples.get(reruns), case.counts_at(reruns)
    if sample is None or sample.reruns < min(FIRST_LOOK, case.plan.most):
        return None
    p = difference_p(sample) if counts is None else counts.difference_p()
    return None if p is None else selected_p(p, sample.difference, case.selection)


def holm(p_values: Mapping[str, float], family: int) -> dict[str, float]:
    """Holm's adjusted p-values; tests of the family without a p-value count as p = 1."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (family - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted
