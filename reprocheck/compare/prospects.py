"""How many reruns would settle what is INCONCLUSIVE, if difference and spread stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reprocheck.compare.case import Case, Ruling, Rung
from reprocheck.compare.distributions import fisher_more_p
from reprocheck.compare.equivalence import MOST_RERUNS_PROPOSED, is_consistent, reruns_needed
from reprocheck.compare.looks import Look, single_look
from reprocheck.compare.prediction import difference_p
from reprocheck.compare.sample import Sample
from reprocheck.compare.selection import selected_p
from reprocheck.compare.verdicts import (
    FEWEST_RERUNS_TO_REJECT,
    LEVEL_WITHOUT_MARGIN,
    OPEN,
    failures,
    is_described,
    is_excused,
    tested_margin,
)
from reprocheck.model import FIRST_LOOK, Margin


@dataclass(frozen=True, kw_only=True, slots=True)
class Prospect:
    """What more reruns would do, judged by one look at the plan's alpha."""

    reruns: int | None  # that would settle it; None: unknown, more than 100, or none would
    text: str  # "about 12 reruns would"


_NEVER = Prospect(reruns=None, text="no number of reruns settles that")
_MARGIN_NEEDED = Prospect(
    reruns=None, text="more reruns are not expected to settle it, a margin would"
)


def prospect_of(case: Case, ruling: Ruling, look: Look) -> Prospect:
    """What would settle a gated metric that is INCONCLUSIVE for the ruling's reason."""
    match ruling.reason:
        case "unstable":
            crashed = look.stopped_by == "unstable"
            return _NEVER if crashed else _after_failures(case)
        case "chance":
            return _exactly(FIRST_LOOK)
        case reason if reason == OPEN:
            return _exactly(single_look(case.plan))
    if case.rung is not Rung.NONE:
        return _exactly(FIRST_LOOK)
    if case.sample is None:
        return _after_failures(case)
    return _of_statistics(case, case.sample, ruling, look)


def _of_statistics(case: Case, sample: Sample, ruling: Ruling, look: Look) -> Prospect:
    if ruling.reason == "too_few" and sample.reruns >= FIRST_LOOK:
        return _exactly(FEWEST_RERUNS_TO_REJECT)  # equal values on an unknown grid
    if sample.freedom == 0:
        return Prospect(reruns=None, text=f"at least {FIRST_LOOK} reruns would")
    if sample.spread == 0.0 and sample.reruns < FIRST_LOOK:
        return _exactly(FIRST_LOOK)
    if case.margin is None:
        return _without_margin(case, sample, look)
    return _with_margin(case, sample, case.margin)


def _with_margin(case: Case, sample: Sample, margin: Margin) -> Prospect:
    """Towards equivalence: a difference beyond the margin will not come back into it."""
    tested, alpha = tested_margin(case, margin), case.plan.alpha
    if sample.sd == 0.0 and sample.original_sd:
        text = "only more originals would, since the reruns do not vary"
        return Prospect(reruns=None, text=text)
    if not -tested.low < sample.difference < tested.high:
        return Prospect(reruns=None, text="more reruns are not expected to reproduce it")
    if case.counts is not None:
        needed = case.counts.reruns_needed(tested, alpha, MOST_RERUNS_PROPOSED)
    else:
        needed = reruns_needed(sample, tested, alpha)
    many = Prospect(reruns=None, text=f"more than {MOST_RERUNS_PROPOSED} reruns would")
    return _about(needed, many)


def _without_margin(case: Case, sample: Sample, look: Look) -> Prospect:
    """Either way: consistent, or so far off that it is rejected without a margin."""
    if sample.spread == 0.0:
        return _MARGIN_NEEDED
    alpha, excused = case.plan.alpha, is_excused(sample, look)

    def settles(reruns: int) -> bool:
        then = replace(sample, reruns=reruns)
        p = _p_at(case, then)
        rejects = p <= min(LEVEL_WITHOUT_MARGIN, alpha) and reruns >= FEWEST_RERUNS_TO_REJECT
        return (rejects and not excused) or (p > alpha and is_consistent(then, alpha))

    return _about(_least(len(case.reruns), settles), _MARGIN_NEEDED)


def _p_at(case: Case, sample: Sample) -> float:
    counts = case.counts
    p = counts.after(sample.reruns).difference_p() if counts else difference_p(sample)
    return selected_p(1.0 if p is None else p, sample.difference, case.selection)


def _after_failures(case: Case) -> Prospect:
    """Until that share of failures is larger than the originals' can be."""
    ours, (failed, reruns) = failures(case)
    described = any(is_described(case, x) for x in case.reruns)
    enough = FEWEST_RERUNS_TO_REJECT if described else FIRST_LOOK

    def settles(total: int) -> bool:
        theirs = round(failed * total / reruns), total
        if failed < reruns:  # what failed is set aside unless it was described
            return bool(case.rule.failure_if) and fisher_more_p(ours, theirs) <= case.plan.alpha
        likely = ours[0] and fisher_more_p(ours, theirs) > case.plan.alpha
        return total >= enough and not likely

    needed = _least(reruns, settles)
    return _NEVER if needed is None else _exactly(needed)


def _least(reruns: int, settles: Callable[[int], bool]) -> int | None:
    """The least number of reruns, more than there are, that settles it; None: not up to 100."""
    fewest = max(FIRST_LOOK, reruns + 1)
    return next(filter(settles, range(fewest, MOST_RERUNS_PROPOSED + 1)), None)


def _about(reruns: int | None, otherwise: Prospect) -> Prospect:
    if reruns is None:
        return otherwise
    return Prospect(reruns=reruns, text=f"about {reruns} reruns would")


def _exactly(reruns: int) -> Prospect:
    return Prospect(reruns=reruns, text=f"{reruns} reruns would")
