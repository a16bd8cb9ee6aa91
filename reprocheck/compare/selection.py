"""Originals that were chosen for being the best: they are expected to beat their reruns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reprocheck.compare.distributions import normal_quantile
from reprocheck.compare.names import usual_direction
from reprocheck.model import Direction, MetricRule, Sibling


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The run is the best of so many by a metric."""

    best_of: int  # 2 at least
    inferred: bool  # from the finished runs under the same parent; else declared
    direction: Direction

    @property
    def expected_lead(self) -> float:
        """How far the best of so many normal runs lies from their mean, in standard deviations.

        Blom's approximation of the largest order statistic.
        """
        return normal_quantile((self.best_of - 0.375) / (self.best_of + 0.25))


def selection_of(rule: MetricRule, original: float, peers: Sequence[Sibling]) -> Selection | None:
    """As declared; else inferred where the run is the best of its sweep; None: not known to be.

    The direction is the rule's, else the usual one of such a name.
    """
    direction = rule.direction
    if direction is Direction.UNKNOWN:
        direction = usual_direction(rule.metric)
    if rule.best_of is not None:
        if rule.best_of < 2:
            return None
        return Selection(best_of=rule.best_of, inferred=False, direction=direction)
    values = [peer.metrics[rule.metric] for peer in peers if rule.metric in peer.metrics]
    if not values or direction is Direction.UNKNOWN:
        return None
    sign = 1 if direction is Direction.HIGHER else -1
    if any(sign * value > sign * original for value in values):
        return None
    return Selection(best_of=len(values) + 1, inferred=True, direction=direction)


def selected_p(p: float, difference: float, selection: Selection | None) -> float:
    """The p-value of the test for a difference, when the original was selected.

    The best of N honest runs lies beyond any point with at most N times the chance of one run
    (Boole's inequality). The other way, reruns that beat a selected original, needs no correction.
    """
    if selection is None:
        return p
    reruns_lose = (difference < 0) == (selection.direction is Direction.HIGHER)
    if selection.direction is not Direction.UNKNOWN and not reruns_lose:
        return p
    return min(1.0, p * selection.best_of)
