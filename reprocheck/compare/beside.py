"""What is told beside the verdict, and never part of it: criteria, curves, predictions."""

from __future__ import annotations

from collections.abc import Sequence

from reprocheck.compare.criteria import judge_criteria
from reprocheck.compare.histories import compare_histories
from reprocheck.compare.ladder import storable, tolerance_of
from reprocheck.compare.looks import Look, level_at
from reprocheck.compare.names import usual_direction
from reprocheck.compare.predictions import aligned, compare_predictions
from reprocheck.compare.question import Question
from reprocheck.model import (
    CriterionResult,
    Direction,
    HistoryComparison,
    PredictionComparison,
    Predictions,
    Trial,
)

_PROVEN = ("identical", "deterministic")


def criteria_of(
    question: Question, trials: Sequence[Trial], look: Look
) -> tuple[CriterionResult, ...]:
    """The success criteria of all metrics, gated or not, on the finished trials."""
    alpha = level_at(question.plan, len(trials), has_margin=True)
    results: list[CriterionResult] = []
    for name, rule in question.rules.items():
        logged = [trial.metrics[name] for trial in trials if name in trial.metrics]
        results += judge_criteria(
            rule,
            [storable(metric.value) for metric in logged],
            alpha=alpha,
            proven=look.stopped_by in _PROVEN,
            unlogged=len(trials) - len(logged),
        )
    return tuple(results)


def history_of(question: Question, trials: Sequence[Trial], name: str) -> HistoryComparison | None:
    """The curves of a metric on both sides, where it has any."""
    original = question.metrics.get(name)
    reruns = [trial.metrics[name] for trial in trials if name in trial.metrics]
    if original is None or len(original.history) < 2 or not reruns:
        return None
    rule = question.rule(name)
    direction = rule.direction
    if direction is Direction.UNKNOWN:
        direction = usual_direction(name)
    tolerance = tolerance_of(rule.dtype, (original, *reruns))
    return compare_histories(original, reruns, direction, tolerance)


def predictions_of(question: Question, trials: Sequence[Trial]) -> PredictionComparison | None:
    """Single predictions on both sides; None unless every rerun logged those of the same rows."""
    reruns = aligned_predictions(question, trials)
    if question.predictions is None or not reruns:
        return None
    return compare_predictions(question.predictions, reruns)


def aligned_predictions(question: Question, trials: Sequence[Trial]) -> list[Predictions]:
    """The reruns' predictions in the original's order; none unless all are of the same rows."""
    if question.predictions is None:
        return []
    reruns = [
        trial.predictions and aligned(question.predictions, trial.predictions) for trial in trials
    ]
    known = [rerun for rerun in reruns if rerun is not None]
    return known if len(known) == len(reruns) else []
