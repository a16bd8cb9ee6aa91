"""What a plan can find: the chance of an answer, and the differences that would be seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from reprocheck.compare.distributions import t_quantile
from reprocheck.compare.equivalence import MOST_RERUNS_PROPOSED
from reprocheck.compare.paths import Errors, decide_paths, errors_of
from reprocheck.model import FIRST_LOOK, RerunPlan, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POWER = 0.8
_SPREADS = 128  # equally likely values of an estimated spread, to average over


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """What an honest run can expect from a plan: probabilities, and the mean of the reruns."""

    reproduced: float
    consistent: float  # only without a margin
    inconclusive: float
    not_reproduced: float  # a false alarm
    mean_reruns: float


def chance_of_answer(
    plan: RerunPlan, sigma: float, margin: float | None, draws: tuple[Floats, Floats]
) -> Chance:
    """What becomes of an honest run whose values scatter with standard deviation sigma.

    `draws` are originals and reruns as independent standard normal numbers, shaped as
    `decide_paths` wants them; with 10,000 paths a probability is known to about 1 %.
    """
    originals, reruns = draws
    outcomes = decide_paths(sigma * originals, sigma * reruns, plan, margin)
    return Chance(
        reproduced=outcomes.share(Verdict.REPRODUCED),
        consistent=outcomes.share(Verdict.CONSISTENT),
        inconclusive=outcomes.share(Verdict.INCONCLUSIVE),
        not_reproduced=outcomes.share(Verdict.NOT_REPRODUCED),
        mean_reruns=float(outcomes.reruns.mean()),
    )


def reruns_for(chance: float, sigma: float, margin: float, alpha: float = 0.05) -> int | None:
    """The least fixed number of reruns that calls an honest run REPRODUCED with that chance.

    None where 100 do not: the original's own luck sets a ceiling of 2Φ(margin/sigma) - 1.
    """
    for reruns in range(FIRST_LOOK, MOST_RERUNS_PROPOSED + 1):
        if chance_of_reproduced(reruns, sigma, margin, alpha) >= chance:
            return reruns
    return None


def chance_of_reproduced(reruns: int, sigma: float, margin: float, alpha: float = 0.05) -> float:
    """The probability of REPRODUCED for an honest run by one look after `reruns` reruns.

    The equivalence test's over the normal difference, averaged over the estimated spread.
    """
    import numpy as np
    from scipy.special import ndtr

    if sigma == 0.0:
        return float(margin > 0.0)
    errors = errors_of(1, reruns)
    half = t_quantile(errors.freedom, 1 - alpha) * errors.of_mean * _spreads(errors.freedom)
    room = np.maximum(margin / sigma - half, 0.0)
    return float((2 * ndtr(room / errors.of_prediction) - 1).mean())


def detectable_difference(
    spread: float, reruns: int, margin: float | None, level: float, originals: int = 1
) -> float:
    """The smallest true difference that is called NOT_REPRODUCED with 80 % probability.

    It lies between the means of the two processes, so that the original's own luck counts, and
    `spread` is taken for the true one. `level` is the look's nominal level; the difference has
    to pass the prediction test at it, and with its interval leave the margin, where there is
    one. At least three reruns.
    """
    from scipy.special import ndtr

    if spread == 0.0:
        return margin or 0.0
    errors = errors_of(originals, reruns)
    wanted = _wanted(errors, None if margin is None else margin / spread, level)

    def power(difference: float) -> float:
        return float(ndtr((difference - wanted) / errors.of_prediction).mean())

    low, high = float(wanted.min()), float(wanted.max()) + 2 * errors.of_prediction
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < POWER else (low, middle)
    return spread * high


def _wanted(errors: Errors, margin: float | None, level: float) -> Floats:
    """How large the observed difference must be at each of the likely spreads."""
    import numpy as np

    spreads = _spreads(errors.freedom)
    predicted = t_quantile(errors.freedom, 1 - level / 2) * errors.of_prediction * spreads
    if margin is None:
        return predicted
    outside = margin + t_quantile(errors.freedom, 1 - level) * errors.of_mean * spreads
    return np.maximum(predicted, outside)


@cache
def _spreads(freedom: int) -> Floats:
    """Equally likely estimates of a standard deviation of 1: square roots of chi-squares."""
    import numpy as np
    from scipy.special import chdtri

    upper = (np.arange(_SPREADS) + 0.5) / _SPREADS
    spreads: Floats = np.sqrt(chdtri(freedom, upper) / freedom)
    return spreads
