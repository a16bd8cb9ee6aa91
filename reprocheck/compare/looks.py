"""The moments of judging: when a metric is looked at, and what is known then."""

from __future__ import annotations

from dataclasses import dataclass

from reprocheck.compare.sequential import level_of
from reprocheck.model import RerunPlan, SeedPolicy

LOOK_WITHOUT_MARGIN = 5
"""Reruns at the one look at a metric without a margin: Wellek's test at every look has size 11 %,
and without a margin nothing tames heavy tails before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """The moment of judging: how many reruns there are and what is known about them."""

    reruns: int
    plan: RerunPlan
    stopped_by: str  # "" while undecided
    deterministic: bool  # the reruns are proven equal to each other
    beyond_chance: bool  # that they equal the original is no coincidence
    same_machine: bool  # known to be the original's, environment included
    seeded: bool = True  # the original is not known to have had no seed

    @property
    def same_seed(self) -> bool:
        """Whether the reruns are asked to repeat the original's seed."""
        return self.plan.seeds is SeedPolicy.SAME and self.seeded


def single_look(plan: RerunPlan) -> int:
    """The number of reruns after which a metric without a margin is judged, once."""
    if not plan.is_sequential:
        return plan.most
    return min(max(LOOK_WITHOUT_MARGIN, plan.looks[0]), plan.most)


def judged_reruns(plan: RerunPlan, reruns: int, *, has_margin: bool) -> int:
    """How many of the reruns so far a metric is judged by; 0 where it is too early."""
    if has_margin:
        return reruns if reruns in plan.looks else 0
    look = single_look(plan)
    return look if reruns >= look else 0


def level_at(plan: RerunPlan, reruns: int, *, has_margin: bool) -> float:
    """The nominal level of a look; alpha itself for a single one."""
    if has_margin and reruns in plan.looks:
        return level_of(plan, reruns)
    return plan.alpha


def most_reruns(plan: RerunPlan, *, any_margin: bool) -> int:
    """The most reruns that the plan can ask for."""
    return plan.most if any_margin else single_look(plan)
