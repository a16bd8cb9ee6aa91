"""The decision rule for many simulated paths of reruns at once.

A path is the original's values and the reruns in their order. What `judge` decides for one path
of a run's metrics is decided here for thousands, to tell what a plan can be expected to answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reprocheck.compare.distributions import consistency_bound, t_quantile
from reprocheck.compare.futility import FEWEST_RERUNS
from reprocheck.compare.looks import single_look
from reprocheck.compare.sample import FEWEST_FOR_WELCH, UNEQUAL
from reprocheck.compare.sequential import critical_value, level_of
from reprocheck.compare.verdicts import FEWEST_RERUNS_TO_REJECT, LEVEL_WITHOUT_MARGIN
from reprocheck.model import FIRST_LOOK, RerunPlan, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]

VERDICTS = (
    Verdict.INCONCLUSIVE,
    Verdict.REPRODUCED,
    Verdict.CONSISTENT,
    Verdict.NOT_REPRODUCED,
)
"""By code in `Outcomes.verdicts`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """What was decided on each path, and after how many reruns."""

    verdicts: NDArray[np.int8]  # (paths,), indices into VERDICTS
    reruns: NDArray[np.int64]  # (paths,)

    def share(self, verdict: Verdict) -> float:
        """The fraction of the paths with this verdict."""
        return float((self.verdicts == VERDICTS.index(verdict)).mean())


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """Standard errors of the difference in units of the spread."""

    of_mean: float  # for equivalence
    of_prediction: float  # for the prediction test
    freedom: int


def errors_of(originals: int, reruns: int) -> Errors:
    """One original is a fixed number for equivalence; several are pooled with the reruns."""
    both = math.sqrt(1 / originals + 1 / reruns)
    of_mean = math.sqrt(1 / reruns) if originals == 1 else both
    return Errors(of_mean=of_mean, of_prediction=both, freedom=originals + reruns - 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """All paths at one look; the arrays are (paths, metrics)."""

    originals: int
    reruns: int
    difference: Floats
    spread: Floats
    extra: Floats | None  # Welch's half-width of the interval, where it applies


def decide_paths(
    originals: Floats, reruns: Floats, plan: RerunPlan, margin: float | None
) -> Outcomes:
    """The verdict on each path of finite values of a continuous distribution.

    Shapes: reruns (paths, K) with originals (paths,) or (paths, n); for several metrics reruns
    (paths, K, metrics) with originals (paths, metrics) or (paths, n, metrics). K is at least
    `plan.most`. The margin is a half-width in the values' unit, the same for all metrics: divide
    each by its own to use 1. Without one there is a single look, on the original's own machine.
    ValueError for other shapes, and for more than 20 reruns with several looks.
    """
    originals, reruns = _shaped(originals, reruns)
    if reruns.shape[1] < plan.most:
        raise ValueError(f"the plan wants {plan.most} reruns, not {reruns.shape[1]}")
    if plan.most < FIRST_LOOK:
        return _undecided(len(reruns), plan.most)
    if margin is None:
        return _without_margin(originals, reruns, plan)
    return _with_margin(originals, reruns, plan, margin)


def _shaped(originals: Floats, reruns: Floats) -> tuple[Floats, Floats]:
    if reruns.ndim == 2:
        reruns = reruns[:, :, None]
        originals = originals[..., None]
    if originals.ndim == 2:
        originals = originals[:, None, :]
    paths, _, metrics = originals.shape
    if (paths, metrics) != (reruns.shape[0], reruns.shape[2]):
        raise ValueError(f"originals {originals.shape} do not fit reruns {reruns.shape}")
    return originals, reruns


def _undecided(paths: int, reruns: int) -> Outcomes:
    import numpy as np

    return Outcomes(
        verdicts=np.zeros(paths, dtype=np.int8), reruns=np.full(paths, reruns, dtype=np.int64)
    )


def _with_margin(originals: Floats, reruns: Floats, plan: RerunPlan, margin: float) -> Outcomes:
    import numpy as np

    found = _undecided(len(reruns), plan.most)
    going = np.ones(len(reruns), dtype=bool)
    smallest = np.full(reruns[:, 0].shape, np.inf)
    for look in plan.looks:
        level = level_of(plan, look)
        seen = _see(originals, reruns[:, :look], level)
        smallest = np.minimum(smallest, _prediction_p(seen) * (plan.most / look))
        size, half = abs(seen.difference), _half_width(seen, level)
        differs = _rejected(smallest, plan, plan.alpha)
        reproduced = going & (size + half < margin).all(axis=1)
        rejected = going & (differs & (size - half > margin)).any(axis=1)
        found.verdicts[reproduced] = VERDICTS.index(Verdict.REPRODUCED)
        found.verdicts[rejected] = VERDICTS.index(Verdict.NOT_REPRODUCED)
        ended = reproduced | rejected
        if FEWEST_RERUNS <= look < plan.most:
            ended |= going & _is_futile(seen, smallest, plan, margin)
        found.reruns[ended] = look
        going &= ~ended
    return found


def _without_margin(originals: Floats, reruns: Floats, plan: RerunPlan) -> Outcomes:
    look = single_look(plan)
    plan = replace(plan, least=look, most=look)
    found = _undecided(len(reruns), look)
    seen = _see(originals, reruns[:, :look], plan.alpha)
    p = _prediction_p(seen)
    errors = errors_of(seen.originals, look)
    bound = consistency_bound(errors.freedom, errors.of_mean, plan.alpha)
    near = abs(seen.difference) / seen.spread < bound
    consistent = near & ~_rejected(p, plan, plan.alpha)
    found.verdicts[consistent.all(axis=1)] = VERDICTS.index(Verdict.CONSISTENT)
    if look >= FEWEST_RERUNS_TO_REJECT:
        differs = _rejected(p, plan, min(LEVEL_WITHOUT_MARGIN, plan.alpha))
        found.verdicts[differs.any(axis=1)] = VERDICTS.index(Verdict.NOT_REPRODUCED)
    return found


def _see(originals: Floats, reruns: Floats, level: float) -> _Seen:
    import numpy as np

    n, k = originals.shape[1], reruns.shape[1]
    difference = reruns.mean(axis=1) - originals.mean(axis=1)
    variance = reruns.var(axis=1, ddof=1)
    if n == 1:
        return _Seen(
            originals=1,
            reruns=k,
            difference=difference,
            spread=np.sqrt(variance),
            extra=None,
        )
    baseline = originals.var(axis=1, ddof=1)
    pooled = ((n - 1) * baseline + (k - 1) * variance) / (n + k - 2)
    return _Seen(
        originals=n,
        reruns=k,
        difference=difference,
        spread=np.sqrt(pooled),
        extra=_welch_half_width(baseline, variance, (n, k), level),
    )


def _welch_half_width(ours: Floats, theirs: Floats, sizes: tuple[int, int], level: float) -> Floats:
    """The interval without equal variances, 0 where it is not asked for; see `Sample.welch`."""
    import numpy as np
    from scipy.special import fdtrc, stdtrit

    n, k = sizes
    asked = 2 * fdtrc(n - 1, k - 1, ours / theirs) < UNEQUAL
    if min(n, k) >= FEWEST_FOR_WELCH:
        asked[:] = True
    ours, theirs = ours / n, theirs / k
    freedom = (ours + theirs) ** 2 / (ours**2 / (n - 1) + theirs**2 / (k - 1))
    half: Floats = np.where(asked, stdtrit(freedom, 1 - level) * np.sqrt(ours + theirs), 0.0)
    return half


def _prediction_p(seen: _Seen) -> Floats:
    from scipy.special import stdtr

    errors = errors_of(seen.originals, seen.reruns)
    error = seen.spread * errors.of_prediction
    p: Floats = 2 * stdtr(errors.freedom, -abs(seen.difference) / error)
    return p


def _half_width(seen: _Seen, level: float) -> Floats:
    """Of the interval of the difference, by the wider where Welch's applies too."""
    import numpy as np

    errors = errors_of(seen.originals, seen.reruns)
    half = t_quantile(errors.freedom, 1 - level) * errors.of_mean * seen.spread
    return half if seen.extra is None else np.maximum(half, seen.extra)


def _rejected(smallest: Floats, plan: RerunPlan, alpha: float) -> Truths:
    """Holm's step-down over each path's metrics, on w instead of its p-value F(w)."""
    import numpy as np

    metrics = smallest.shape[1]
    order = np.argsort(smallest, axis=1)
    critical = np.array([_critical(plan, alpha / (metrics - i)) for i in range(metrics)])
    met = np.take_along_axis(smallest, order, axis=1) <= critical
    rejected = np.empty_like(met)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(met, axis=1), axis=1)
    return rejected


def _critical(plan: RerunPlan, alpha: float) -> float:
    """The largest w that rejects at level alpha over all looks."""
    return critical_value(alpha, plan.most) if plan.is_sequential else alpha


def _is_futile(seen: _Seen, smallest: Floats, plan: RerunPlan, margin: float) -> Truths:
    """Whether neither answer is reachable at the last look.

    The difference may still move by what its further reruns let expect (90 %), the spread stays.
    REPRODUCED needs every metric, NOT_REPRODUCED one.
    """
    import numpy as np

    errors, level = errors_of(seen.originals, plan.most), level_of(plan, plan.most)
    half = t_quantile(errors.freedom, 1 - level) * errors.of_mean * seen.spread
    move = 1.64 * seen.spread * math.sqrt(1 / seen.reruns - 1 / plan.most)
    nearest = np.maximum(abs(seen.difference) - move, 0.0)
    farthest = abs(seen.difference) + move
    reach = t_quantile(errors.freedom, 1 - level / 2) * errors.of_prediction * seen.spread
    # Of a metric alone, for Holm's correction of it may shrink until then.
    may_differ = (smallest <= _critical(plan, plan.alpha)) | (farthest > reach)
    may_reproduce = (nearest + half < margin).all(axis=1)
    may_reject = (may_differ & (farthest - half > margin)).any(axis=1)
    futile: Truths = ~np.logical_or(may_reproduce, may_reject)
    return futile
