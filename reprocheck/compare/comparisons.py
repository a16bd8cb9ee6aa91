"""Builds the `Comparison` of a metric: judged, not comparable, or only shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from reprocheck.compare import words
from reprocheck.compare.case import Case, Ruling
from reprocheck.compare.equivalence import equivalence_p, smallest_margin
from reprocheck.compare.ladder import storable
from reprocheck.compare.looks import Look
from reprocheck.compare.names import is_hardware_bound
from reprocheck.compare.notes import notes_on
from reprocheck.compare.prospects import Prospect, prospect_of
from reprocheck.compare.sample import Sample, summarise
from reprocheck.compare.sensitivity import detectable
from reprocheck.compare.sentences import informational, not_comparable, sentence_of
from reprocheck.compare.verdicts import OPEN, tested_margin
from reprocheck.model import Comparison, HistoryComparison, Margin, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """The values of a metric on both sides, empty where it was not logged."""

    baseline: tuple[float, ...]
    reruns: tuple[float, ...]
    history: HistoryComparison | None = None
    margin: Margin | None = None  # of a gated metric


def compared(
    case: Case,
    ruling: Ruling,
    look: Look,
    p_difference: float | None,
    history: HistoryComparison | None = None,
) -> Comparison:
    """The comparison of a gated metric with its verdict and all statistics behind it."""
    sample = case.sample
    noiseless = ruling.reason == "deterministic"  # its difference is an exact number
    interval = None if noiseless else words.shown_interval(case)
    prospect = _prospect(case, ruling, look)
    return Comparison(
        metric=case.metric,
        gated=True,
        verdict=ruling.verdict,
        change=ruling.change,
        reason=ruling.reason,
        sentence=sentence_of(case, ruling, look, p_difference, prospect.text),
        baseline=case.baselines,
        reruns=case.reruns,
        mean=words.shown_mean(case),
        sd=sample.sd if sample else None,
        difference=sample.difference if sample else None,
        interval=interval,
        prediction=words.shown_prediction(case),
        margin=case.margin,
        p_equivalence=_equivalence_p(case),
        p_difference=p_difference,
        smallest_margin=smallest_margin(interval) if interval else None,
        reruns_needed=prospect.reruns,
        max_ulps=case.max_ulps,
        scale=case.rule.scale,
        detectable=detectable(case, ruling) if look.stopped_by else None,
        best_of=case.selection.best_of if case.selection else None,
        history=history,
        notes=notes_on(case, ruling, look),
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
        margin=values.margin,
        history=values.history,
    )


def _sample(values: Values) -> Sample | None:
    finite = [rerun for rerun in map(storable, values.reruns) if math.isfinite(rerun)]
    original = storable(values.baseline[0]) if values.baseline else 0.0
    if not finite or not math.isfinite(original):
        return None
    return summarise([original], finite)


def _why_not_judged(metric: str, values: Values) -> tuple[str, str]:
    if is_hardware_bound(metric):
        return "hardware", "hardware-bound"
    if not values.baseline:
        return "new", "new in the reruns"
    if not values.reruns:
        return "missing", "missing in the reruns"
    return "not_gated", "not gated"


def _equivalence_p(case: Case) -> float | None:
    sample, margin = case.sample, case.margin
    if sample is None or margin is None or sample.freedom == 0 or case.counts is not None:
        return None
    return equivalence_p(sample, tested_margin(case, margin))


def _prospect(case: Case, ruling: Ruling, look: Look) -> Prospect:
    goes_on = ruling.reason == OPEN and not look.stopped_by
    if ruling.verdict is not Verdict.INCONCLUSIVE or goes_on:
        return Prospect(reruns=None, text="")
    return prospect_of(case, ruling, look)
