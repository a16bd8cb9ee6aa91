"""Churn, agreement, and the floor that flips give."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reprocheck.compare.predictions import accuracy, aligned, compare_predictions, flip_floor
from reprocheck.model import Predictions


def predictions(right: str, ids: str = "", labels: str = "") -> Predictions:
    """Of a text such as 1101: 1 for a right prediction."""
    ids = ids or "".join(chr(ord("a") + i) for i in range(len(right)))
    return Predictions(
        ids=tuple(ids), labels=tuple(labels or "1" * len(right)), predicted=tuple(right)
    )


def of_array(right: np.ndarray) -> Predictions:
    names = tuple(map(str, range(len(right))))
    return Predictions(ids=names, labels=("1",) * len(right), predicted=tuple(map(str, right * 1)))


def test_churn_and_agreement_by_hand():
    found = compare_predictions(
        predictions("1100"), [predictions("1101"), predictions("1111"), predictions("1100")]
    )
    assert found.examples == 4
    assert found.churn == (0.25, 0.5, 0.0)
    assert found.agreement == pytest.approx((0.75 + 0.75 + 0.5) / 3)
    # Right on c: 1 of 3, on d: 2 of 3.
    assert found.flip_sd == pytest.approx(math.sqrt((1 / 3 * 2 / 3 * 2) * 3 / 2) / 4)
    assert found.sentence == (
        "0 % to 50 % of 4 predictions differ from the original's; two reruns agree on 66.7 %. "
        "Such flips alone give an accuracy a standard deviation of 0.2041."
    )


def test_one_rerun_has_no_agreement_and_no_spread():
    found = compare_predictions(predictions("11"), [predictions("10")])
    assert (found.agreement, found.flip_sd) == (None, None)
    assert found.sentence == "50 % of 2 predictions differ from the original's in the rerun."
    same = compare_predictions(predictions("1"), [predictions("1")] * 2)
    assert same.sentence == "None of 1 prediction differs from the original's in any rerun."
    assert same.flip_sd == 0.0


def test_rows_in_another_order_are_put_in_the_originals():
    found = aligned(predictions("100", "abc", "112"), predictions("021", "cab", "211"))
    assert found == predictions("210", "abc", "112")


@pytest.mark.parametrize(
    "other", [predictions("11", "ab", "12"), predictions("11", "ac"), predictions("1", "a"),
              predictions("111", "abc")]
)  # fmt: skip
def test_other_ids_or_labels_are_not_aligned(other):
    assert aligned(predictions("11", "ab"), other) is None


RERUNS = [predictions("1110"), predictions("1101"), predictions("1111")]
VALUES = [0.75, 0.75, 1.0]


def test_the_floor_is_of_a_metric_that_is_the_accuracy():
    floor = flip_floor(0.5, VALUES, predictions("1100"), RERUNS)
    assert floor == compare_predictions(predictions("1100"), RERUNS).flip_sd > 0


@pytest.mark.parametrize(
    ("original", "values", "known"),
    [(0.5001, VALUES, RERUNS), (0.5, [0.75, 0.75, 0.99], RERUNS), (0.5, VALUES[:2], RERUNS),
     (0.5, VALUES, [*RERUNS[:2], None]), (0.5, [0.75], RERUNS[:1]), (0.5, [], [])],
)  # fmt: skip
def test_of_any_other_metric_it_is_zero(original, values, known):
    assert flip_floor(original, values, predictions("1100"), known) == 0.0


def test_without_the_originals_predictions_it_is_zero():
    assert flip_floor(0.5, VALUES, None, RERUNS) == 0.0


@pytest.mark.parametrize("k", [2, 5])
def test_the_squared_floor_is_unbiased_for_independent_flips(k):
    """Against the naive plug-in without k/(k-1), which is too small by 1/k."""
    rng = np.random.default_rng(3)
    chances = rng.uniform(size=40)
    true = float((chances * (1 - chances)).sum()) / 40**2
    squares = []
    for right in rng.uniform(size=(600, k, 40)) < chances:
        found = compare_predictions(of_array(right[0]), [of_array(row) for row in right])
        squares.append(found.flip_sd**2)
    assert float(np.mean(squares)) == pytest.approx(true, rel=0.03)
    assert float(np.mean(squares)) * (1 - 1 / k) != pytest.approx(true, rel=0.1)


def test_the_floor_never_inflates_false_alarms():
    """Honest runs: D with s := max(s, floor) rejects at most as often as without the floor.

    Replacing s by the floor would reject too often when seeds have a common effect.
    """
    from scipy.stats import t

    rng = np.random.default_rng(5)
    k, m, runs = 3, 60, 1500
    common = rng.normal(0, 0.4, size=(runs, k + 1, 1))
    logits = rng.normal(1, 1.5, size=m)
    right = rng.uniform(size=(runs, k + 1, m)) < 1 / (1 + np.exp(-(logits + common)))
    limit = t.ppf(0.975, k - 1) * math.sqrt(1 + 1 / k)
    rejected = {"s": 0, "floored": 0, "replaced": 0}
    for sample in right:
        shares = sample.mean(axis=1)
        reruns = [of_array(row) for row in sample[1:]]
        floor = flip_floor(shares[0], list(shares[1:]), of_array(sample[0]), reruns)
        s, d = shares[1:].std(ddof=1), abs(shares[1:].mean() - shares[0])
        rejected["s"] += d > limit * s
        rejected["floored"] += d > limit * max(s, floor)
        rejected["replaced"] += d > 1.96 * math.sqrt(1 + 1 / k) * floor
    assert rejected["floored"] <= rejected["s"]
    assert rejected["floored"] / runs <= 0.05
    assert rejected["replaced"] / runs > 0.07


def test_the_accuracy_is_a_share():
    assert accuracy(predictions("1101")) == 0.75
