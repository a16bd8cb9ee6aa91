"""Single predictions: how many changed, and what such flips alone give an accuracy as spread.

Nothing here is a gate. McNemar's test asks whether two models differ, not whether two runs of one
process do: where seeds have a common effect it rejects 27 to 75 % of honest reruns. Flips are used
as a floor of the noise, which can only make the other tests more careful.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from reprocheck.model import PredictionComparison, Predictions
from reprocheck.numbers import counted, format_percent, format_size

_EQUAL = 1e-9  # an accuracy that was logged, and the same one counted


def compare_predictions(
    original: Predictions, reruns: Sequence[Predictions]
) -> PredictionComparison:
    """How the reruns' predictions differ from the original's and from each other's.

    All have the original's ids in its order, and there is a rerun at least: see `aligned`.
    """
    changed = tuple(_share_apart(original.predicted, rerun.predicted) for rerun in reruns)
    apart = [_share_apart(a.predicted, b.predicted) for a, b in combinations(reruns, 2)]
    agreement = 1 - math.fsum(apart) / len(apart) if apart else None
    return PredictionComparison(
        examples=len(original.ids),
        churn=changed,
        agreement=agreement,
        flip_sd=_flip_sd(reruns),
        sentence=_sentence(len(original.ids), changed, agreement, _flip_sd(reruns)),
    )


def aligned(original: Predictions, rerun: Predictions) -> Predictions | None:
    """The rerun's predictions in the original's order; None unless ids and labels are the same."""
    rows = {id_: (label, predicted) for id_, label, predicted in _rows(rerun)}
    if len(rerun.ids) != len(original.ids) or rows.keys() != set(original.ids):
        return None
    if any(rows[id_][0] != label for id_, label, _ in _rows(original)):
        return None
    predicted = tuple(rows[id_][1] for id_ in original.ids)
    return Predictions(ids=original.ids, labels=original.labels, predicted=predicted)


def accuracy(predictions: Predictions) -> float:
    """The share of the examples, one at least, whose prediction is their label."""
    return sum(_right(predictions)) / len(predictions.ids)


def flip_floor(
    original: float,
    values: Sequence[float],
    predictions: Predictions | None,
    reruns: Sequence[Predictions | None],
) -> float:
    """The least standard deviation between runs of a metric that is the accuracy of predictions.

    `original` and `values` are the metric's, of the original and of each rerun. 0 for a metric
    that is something else, and where predictions of any run are not known.
    """
    known = [rerun for rerun in reruns if rerun is not None]
    if predictions is None or len(known) != len(values) or len(known) != len(reruns):
        return 0.0
    pairs = zip((original, *values), (predictions, *known), strict=True)
    if not all(abs(value - accuracy(found)) <= _EQUAL for value, found in pairs):
        return 0.0
    return _flip_sd(known) or 0.0


def _flip_sd(reruns: Sequence[Predictions]) -> float | None:
    """sqrt(sum of c(1-c) k/(k-1)) / m, c being the share of k reruns that are right on an example.

    The standard deviation that an accuracy over m examples has when the examples flip
    independently of each other; its square is unbiased for that. None for one rerun.
    """
    k = len(reruns)
    if k < 2:
        return None
    counts = map(sum, zip(*map(_right, reruns), strict=True))
    flips = math.fsum(count * (k - count) for count in counts) / k**2
    return math.sqrt(flips * k / (k - 1)) / len(reruns[0].ids)


def _right(predictions: Predictions) -> list[bool]:
    pairs = zip(predictions.labels, predictions.predicted, strict=True)
    return [label == predicted for label, predicted in pairs]


def _rows(predictions: Predictions) -> zip[tuple[str, str, str]]:
    return zip(predictions.ids, predictions.labels, predictions.predicted, strict=True)


def _share_apart(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return sum(a != b for a, b in zip(ours, theirs, strict=True)) / len(ours)


def _sentence(
    examples: int, changed: Sequence[float], agreement: float | None, flip_sd: float | None
) -> str:
    of = f"of {counted(examples, 'prediction')}"
    if not any(changed):
        return f"None {of} differs from the original's in any rerun."
    low, high = (format_percent(100 * share) for share in (min(changed), max(changed)))
    text = f"{low if low == high else f'{low} to {high}'} {of} differ from the original's"
    if agreement is None or flip_sd is None:
        return f"{text} in the rerun."
    return (
        f"{text}; two reruns agree on {format_percent(100 * agreement)}. Such flips alone give an "
        f"accuracy a standard deviation of {format_size(flip_sd)}."
    )
