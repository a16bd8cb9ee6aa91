"""What would settle a comparison that is not settled."""

from __future__ import annotations

from reprocheck.compare.verdicts import FEWEST_RERUNS_TO_REJECT
from reprocheck.model import FIRST_LOOK, Comparison, ProductComparison, RerunPlan, Verdict

_MARGIN = "declare a margin, the largest difference that does not matter: --margin {metric}=VALUE"


def advice_on(comparison: Comparison, plan: RerunPlan) -> str:
    """The next thing to try, "" for a comparison that is settled."""
    match comparison.verdict:
        case Verdict.INCONCLUSIVE:
            return _settle(comparison, plan)
        case Verdict.CONSISTENT if comparison.reason == "known_noise":
            return f"to test equivalence, more reruns: --reruns {FEWEST_RERUNS_TO_REJECT}"
        case Verdict.CONSISTENT:
            return "to test equivalence, " + _MARGIN.format(metric=comparison.metric)
        case Verdict.NOT_COMPARABLE if comparison.reason == "hardware":
            return "choose metrics that do not depend on the hardware: --gate NAME"
        case Verdict.NOT_COMPARABLE:
            return (
                f"make the training log a comparable {comparison.metric}, "
                "or choose other metrics: --gate NAME"
            )
        case _:
            return ""


def advice_on_product(product: ProductComparison) -> str:
    """The next thing to try, "" for a product that is settled."""
    match product.verdict:
        case Verdict.INCONCLUSIVE if product.reason == "too_few":
            return f"more reruns: --reruns {FIRST_LOOK}"
        case Verdict.INCONCLUSIVE:
            return (
                f"a training that makes {product.path} alike each time (seeds, deterministic "
                "algorithms), or no gate on it"
            )
        case Verdict.NOT_COMPARABLE:
            return f"see why {product.path} is not there on both sides, or do not gate it"
        case _:
            return ""


def _settle(comparison: Comparison, plan: RerunPlan) -> str:
    match comparison.reason:
        case "unfinished":
            return f"the remaining reruns, at most {plan.most} in all"
        case "budget":
            needed = comparison.reruns_needed
            many = f", enough for {needed} reruns" if needed else ""
            return f"a larger time budget for the reruns{many}"
        case "unstable" if comparison.reruns_needed is not None:
            return f"more reruns: --reruns {comparison.reruns_needed}"
        case "unstable":
            return "a training that ends well each time: see the logs of the reruns"
        case "too_few" | "chance":
            reruns = comparison.reruns_needed
            reruns = reruns or max(FEWEST_RERUNS_TO_REJECT, len(comparison.reruns) + 1)
            return f"more reruns: --reruns {reruns}"
        case _:
            return _settle_noise(comparison)


def _settle_noise(comparison: Comparison) -> str:
    needed = comparison.reruns_needed
    enough = f"about {needed} reruns: --reruns {needed}"
    if comparison.margin is None:
        margin = _MARGIN.format(metric=comparison.metric)
        return margin if needed is None else f"{margin}; or {enough}"
    if needed is not None:
        return enough
    return "less noise between runs, or a wider margin if one is honest; more reruns alone will not"
