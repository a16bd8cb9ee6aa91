"""Whether more reruns can still change a metric's answer: if not, they are not worth their cost.

The difference is let move by the noise that is to be expected until the last look; stopping is
not binding, so the error rates stay as they are.
"""

from __future__ import annotations

import math

from reprocheck.compare.case import Case, Ruling, Rung
from reprocheck.compare.distributions import t_quantile
from reprocheck.compare.looks import level_at
from reprocheck.compare.sample import Sample
from reprocheck.compare.verdicts import GOOD, tested_margin
from reprocheck.model import Verdict

FEWEST_RERUNS = 5
_REACH = 1.64  # standard errors: one-sided 95 %


def may_pass(case: Case, ruling: Ruling) -> bool:
    """Whether a good verdict is still within reach at the last look."""
    if case.rung is not Rung.NONE or ruling.verdict in GOOD:
        return True
    if ruling.reason == "unstable":
        return False
    sample = case.sample
    if case.margin is None or sample is None or case.counts is not None:
        return not case.judged or case.counts is not None
    margin, half = tested_margin(case, case.margin), _half(case, sample)
    low, high = _range(case, sample)
    return max(low, half - margin.low) < min(high, margin.high - half)


def may_fail(case: Case, ruling: Ruling, p: float | None) -> bool:
    """Whether NOT_REPRODUCED is still within reach at the last look; `p` is before Holm."""
    if case.rung is not Rung.NONE:
        return True  # another rerun may leave the ladder
    sample = case.sample
    if case.margin is None or sample is None or case.counts is not None:
        return not case.judged or ruling.verdict is Verdict.NOT_REPRODUCED or sample is None
    margin, half = tested_margin(case, case.margin), _half(case, sample)
    found = p is not None and p <= case.plan.alpha
    needed = 0.0 if found else _critical(case, sample)
    low, high = _range(case, sample)
    return high > max(margin.high + half, needed) or low < -max(margin.low + half, needed)


def _range(case: Case, sample: Sample) -> tuple[float, float]:
    """Where the difference may be at the last look."""
    most = case.plan.most
    room = _REACH * sample.spread * math.sqrt(max(0.0, 1 / sample.reruns - 1 / most))
    return sample.difference - room, sample.difference + room


def _half(case: Case, sample: Sample) -> float:
    """Half the interval at the last look."""
    level = level_at(case.plan, case.plan.most, has_margin=True)
    originals = 0.0 if sample.originals == 1 else 1 / sample.originals
    error = sample.spread * math.sqrt(1 / case.plan.most + originals)
    return t_quantile(_freedom(case, sample), 1 - level) * error


def _critical(case: Case, sample: Sample) -> float:
    """The difference that the prediction test rejects at the last look, of one metric alone."""
    level = level_at(case.plan, case.plan.most, has_margin=True)
    error = sample.spread * math.sqrt(1 / sample.originals + 1 / case.plan.most)
    return t_quantile(_freedom(case, sample), 1 - level / 2) * error


def _freedom(case: Case, sample: Sample) -> int:
    return sample.freedom + case.plan.most - sample.reruns
