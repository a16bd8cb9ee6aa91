"""Builds the `Comparison` of a metric: judged, not comparable, or only shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from reprocheck.compare.case import Case, Look, Ruling
from reprocheck.compare.equivalence import equivalence_p, reruns_needed, smallest_margin
from reprocheck.compare.ladder import storable
from reprocheck.compare.names import is_hardware_bound
from reprocheck.compare.sample import Sample, summarise
from reprocheck.compare.sentences import informational, not_comparable, sentence_of
from reprocheck.model import Comparison, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """The values of a metric on both sides, empty where it was not logged."""

    baseline: tuple[float, ...]
    reruns: tuple[float, ...]


def compared(case: Case, ruling: Ruling, look: Look, p_difference: float | None) -> Comparison:
    """The comparison of a gated metric with its verdict and all statistics behind it."""
    sample, margin = case.sample, case.margin
    interval = sample.interval(look.alpha) if sample else None
    tested = sample is not None and sample.sd is not None and margin is not None
    return Comparison(
        metric=case.metric,
        gated=True,
        verdict=ruling.verdict,
        change=ruling.change,
        reason=ruling.reason,
        sentence=sentence_of(case, ruling, look, p_difference),
        baseline=(case.original,),
        reruns=case.reruns,
        mean=sample.mean if sample else None,
        sd=sample.sd if sample else None,
        difference=sample.difference if sample else None,
        interval=interval,
        prediction=sample.prediction(look.alpha) if sample else None,
        margin=margin,
        p_equivalence=equivalence_p(sample, margin) if tested and sample and margin else None,
        p_difference=p_difference,
        smallest_margin=smallest_margin(interval) if interval else None,
        reruns_needed=_needed(sample, case, ruling, look),
        max_ulps=case.max_ulps,
    )


class Obstacle(NamedTuple):
    """Why a gated metric cannot be compared: a short code, and in words."""

    reason: str
    text: str


def not_compared(metric: str, obstacle: Obstacle, values: Values) -> Comparison:
    """The comparison of a gated metric that cannot be compared."""
    told = (obstacle.reason, not_comparable(metric, obstacle.text))
    return _plain(metric, values, Verdict.NOT_COMPARABLE, told)


def bystander(metric: str, values: Values) -> Comparison:
    """The comparison of a metric that is no gate: shown with its difference, never judged."""
    reason, why = _why_not_judged(metric, values)
    sample = _sample(values)
    original = values.baseline[0] if values.baseline else None
    shown = sample.mean if sample else (values.reruns[-1] if values.reruns else None)
    sentence = informational(metric, original, shown, why)
    return _plain(metric, values, Verdict.INFORMATIONAL, (reason, sentence))


def _plain(metric: str, values: Values, verdict: Verdict, told: tuple[str, str]) -> Comparison:
    reason, sentence = told
    sample = _sample(values)
    return Comparison(
        metric=metric,
        gated=verdict is Verdict.NOT_COMPARABLE,
        verdict=verdict,
        change=None,
        reason=reason,
        sentence=sentence,
        baseline=values.baseline,
        reruns=values.reruns,
        mean=sample.mean if sample else None,
        sd=sample.sd if sample else None,
        difference=sample.difference if sample and values.baseline else None,
    )


def _sample(values: Values) -> Sample | None:
    finite = [rerun for rerun in map(storable, values.reruns) if math.isfinite(rerun)]
    original = storable(values.baseline[0]) if values.baseline else 0.0
    if not finite or not math.isfinite(original):
        return None
    return summarise(original, finite, None)


def _why_not_judged(metric: str, values: Values) -> tuple[str, str]:
    if is_hardware_bound(metric):
        return "hardware", "hardware-bound"
    if not values.baseline:
        return "new", "new in the reruns"
    if not values.reruns:
        return "missing", "missing in the reruns"
    return "not_gated", "not gated"


def _needed(sample: Sample | None, case: Case, ruling: Ruling, look: Look) -> int | None:
    if ruling.reason not in ("noise", "shift_detected") or sample is None or case.margin is None:
        return None
    return reruns_needed(sample, case.margin, look.alpha)
