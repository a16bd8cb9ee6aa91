"""Judges all trials so far: a comparison for each metric, and whether more trials are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from reprocheck.compare.advice import advice_on, advice_on_product
from reprocheck.compare.beside import aligned_predictions, criteria_of, history_of, predictions_of
from reprocheck.compare.case import Case, Ruling, Rung, build_case
from reprocheck.compare.comparisons import Obstacle, Values, bystander, compared, not_compared
from reprocheck.compare.evidence import are_deterministic, is_beyond_chance
from reprocheck.compare.futility import FEWEST_RERUNS, may_fail, may_pass
from reprocheck.compare.ladder import TOLERANCES, is_float32, same_bits, same_number
from reprocheck.compare.looks import Look, most_reruns
from reprocheck.compare.names import is_hardware_bound
from reprocheck.compare.prediction import case_p, holm
from reprocheck.compare.predictions import flip_floor
from reprocheck.compare.preview import planned_margin
from reprocheck.compare.products import compare_products, product_findings
from reprocheck.compare.question import Question, complete
from reprocheck.compare.verdicts import GOOD, finish, rule_on
from reprocheck.model import (
    SEVERITY_ORDER,
    Comparison,
    Judgement,
    ProductComparison,
    Trial,
    Verdict,
)

SAME = (Verdict.IDENTICAL, Verdict.NUMERICALLY_EQUAL)
"""Verdicts that need no statistics."""


class _Conclusion(NamedTuple):
    verdict: Verdict
    sentence: str
    needed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """A gated metric with what this look says about it."""

    case: Case
    p: float | None  # of the test for a difference, of this metric alone
    p_difference: float | None  # adjusted by Holm
    ruling: Ruling

    @property
    def may_change(self) -> bool:
        """Whether a later look may rule otherwise: there is one, and this one has not rejected."""
        return self.case.margin is not None or not self.case.judged


def judge(question: Question, trials: tuple[Trial, ...]) -> Judgement:
    """The judgement after these trials; called after each of them. A crashed trial is no data.

    Identity beyond chance ends the trials after the first, proven determinism after the second;
    else they are looked at as the plan says, until every gated metric has a good verdict at the
    same look, one is not reproduced, or neither can be expected any more.
    Reruns that give the run's own numbers again reproduce it, whatever was accepted since.
    """
    if question.accepted:
        own = _judge(replace(question, accepted={}), trials)
        if own.decided and own.verdict in SAME:
            return replace(own, as_recorded=True)
    return _judge(question, trials)


def _judge(question: Question, trials: tuple[Trial, ...]) -> Judgement:
    question, finished = complete(question, [each for each in trials if each.exit_code == 0])
    obstacles = {name: _obstacle(question, finished, name) for name in question.gates.metrics}
    cases = _cases(question, finished, [name for name in obstacles if obstacles[name] is None])
    products = compare_products(question, finished) if question.gated_products else ()
    look, judged = _look(question, finished, cases, products)
    comparisons = {each.case.metric: _compared(question, finished, each, look) for each in judged}
    gated = tuple(
        comparisons[name]
        if found is None
        else not_compared(name, found, _values(question, finished, name, look))
        for name, found in obstacles.items()
    )
    judgement = _conclude(question, gated + _others(question, finished, look), products, look)
    return replace(
        judgement,
        criteria=criteria_of(question, finished, look),
        products=products or (compare_products(question, finished) if look.stopped_by else ()),
        predictions=predictions_of(question, finished) if look.stopped_by else None,
        findings=product_findings(question, finished) if look.stopped_by else (),
    )


def _obstacle(question: Question, trials: Sequence[Trial], name: str) -> Obstacle | None:
    """Why a gated metric cannot be compared at all."""
    if name not in question.metrics:
        return Obstacle("missing", "the original run did not log it")
    missing = [str(trial.index) for trial in trials if name not in trial.metrics]
    if missing:
        return Obstacle("missing", f"rerun {', '.join(missing)} did not log it")
    if is_hardware_bound(name) and not question.same_machine:
        told = "it depends on the hardware, which is not known to be the original's"
        return Obstacle("hardware", told)
    return None if trials else Obstacle("missing", "no rerun finished")


def _cases(question: Question, trials: Sequence[Trial], names: Sequence[str]) -> list[Case]:
    predicted = aligned_predictions(question, trials)
    cases = []
    for name in names:
        reruns = [trial.metrics[name] for trial in trials]
        value = question.metrics[name].value
        floor = flip_floor(
            value, [rerun.value for rerun in reruns], question.predictions, predicted
        )
        cases.append(build_case(question, name, reruns, floor))
    return cases


def _look(
    question: Question,
    trials: Sequence[Trial],
    cases: Sequence[Case],
    products: Sequence[ProductComparison],
) -> tuple[Look, list[_Judged]]:
    """The present look, with why the trials end here if they do, and its ruling on each metric."""
    look = Look(
        reruns=len(trials),
        plan=question.plan,
        stopped_by="",
        deterministic=any(case.repeats for case in cases) and are_deterministic(trials),
        beyond_chance=len(trials) == 1 and is_beyond_chance(question, trials[0], _is_close),
        same_machine=question.same_machine,
        seeded=question.seeded,
    )
    judged = _judge_cases(cases, look)
    stopped_by = _stopped_by(question, trials, judged, look)
    if stopped_by == "identical" and not all(_is_good(each) for each in products if each.gated):
        stopped_by = "planned" if len(trials) >= question.plan.most else ""
    return replace(look, stopped_by=stopped_by), judged


def _judge_cases(cases: Sequence[Case], look: Look) -> list[_Judged]:
    found = {case.metric: p for case in cases if (p := case_p(case)) is not None}
    adjusted = holm(found, family=len(cases))
    return [
        _Judged(
            case=case,
            p=found.get(case.metric),
            p_difference=adjusted.get(case.metric),
            ruling=rule_on(case, look, adjusted.get(case.metric)),
        )
        for case in cases
    ]


def _stopped_by(
    question: Question, trials: Sequence[Trial], judged: Sequence[_Judged], look: Look
) -> str:
    """Why no further trial is wanted, "" while one is."""
    if question.unstable:
        return "unstable"
    if trials and not judged and not _products_may_fail(question, trials):
        return "decided" if question.gated_products else "nothing to compare"
    if _is_identical(question, trials, judged):
        return "identical"
    if look.deterministic and all(each.case.repeats for each in judged):
        return "deterministic"
    any_margin = any(each.case.margin is not None for each in judged)
    if len(trials) >= most_reruns(question.plan, any_margin=any_margin):
        return "planned"
    return _decided(question, judged, look) or ("budget" if question.over_budget else "")


def _products_may_fail(question: Question, trials: Sequence[Trial]) -> bool:
    """Whether gated products may still decide: where gated metrics that cannot be compared rule
    out a good end, two reruns show whether a product changed or varies."""
    return bool(question.gated_products) and not (question.gates.metrics and len(trials) > 1)


def _is_identical(question: Question, trials: Sequence[Trial], judged: Sequence[_Judged]) -> bool:
    """Whether the first rerun settles it: what can be compared has the same bits, not by chance."""
    return (
        len(trials) == 1
        and bool(judged or not question.gates.metrics)
        and all(each.case.rung is Rung.BITS for each in judged)
        and is_beyond_chance(question, trials[0], same_bits)
    )


def _decided(question: Question, judged: Sequence[_Judged], look: Look) -> str:
    """Whether a look before the last decides: for all gated metrics, against one, or neither.

    One that cannot be compared is decided: what a rerun did not log, no later one makes good.
    """
    if look.reruns not in question.plan.looks:
        return ""
    if any(each.ruling.verdict is Verdict.NOT_REPRODUCED for each in judged):
        return "decided"
    if judged and all(each.ruling.verdict in GOOD for each in judged):
        return "decided"
    if look.reruns < FEWEST_RERUNS:
        return ""
    complete = len(judged) == len(question.gates.metrics)
    hopeful = complete and all(may_pass(each.case, each.ruling) for each in judged)
    doubtful = any(may_fail(each.case, each.ruling, each.p) for each in judged)
    return "" if hopeful or doubtful else "futility"


def _is_good(product: ProductComparison) -> bool:
    return product.verdict in GOOD


def _is_close(original: float, rerun: float) -> bool:
    both = is_float32(original) and is_float32(rerun)
    return same_number(original, rerun, TOLERANCES["float32" if both else "float64"])


def _compared(
    question: Question, trials: Sequence[Trial], judged: _Judged, look: Look
) -> Comparison:
    ruling = finish(judged.ruling, look, may_change=judged.may_change)
    history = history_of(question, trials, judged.case.metric) if look.stopped_by else None
    return compared(judged.case, ruling, look, judged.p_difference, history)


def _others(question: Question, trials: Sequence[Trial], look: Look) -> tuple[Comparison, ...]:
    names = set(question.metrics).union(*(trial.metrics for trial in trials))
    names -= set(question.gates.metrics)
    return tuple(bystander(name, _values(question, trials, name, look)) for name in sorted(names))


def _values(question: Question, trials: Sequence[Trial], name: str, look: Look) -> Values:
    return Values(
        baseline=question.baseline(name),
        reruns=tuple(trial.metrics[name].value for trial in trials if name in trial.metrics),
        history=history_of(question, trials, name) if look.stopped_by else None,
        margin=planned_margin(question, name) if name in question.gates.metrics else None,
    )


def _conclude(
    question: Question,
    comparisons: tuple[Comparison, ...],
    products: Sequence[ProductComparison],
    look: Look,
) -> Judgement:
    gated = [comparison for comparison in comparisons if comparison.gated]
    told = [product for product in products if product.gated]
    conclusion = _nothing_compared(question, comparisons, look) or _worst(gated, told, question)
    return Judgement(
        verdict=conclusion.verdict,
        comparisons=comparisons,
        gates=question.gates,
        decided=bool(look.stopped_by),
        stopped_by=look.stopped_by,
        sentence=conclusion.sentence,
        needed=conclusion.needed,
    )


def _nothing_compared(
    question: Question, comparisons: Sequence[Comparison], look: Look
) -> _Conclusion | None:
    """Nothing measured is never green."""
    if look.reruns == 0:
        return _Conclusion(Verdict.NOT_VERIFIED, "No rerun finished.", "a rerun that finishes")
    if not question.gates.metrics and not question.gated_products:
        sentence = f"No metric was judged: {question.gates.reason}."
        return _Conclusion(Verdict.NOT_VERIFIED, sentence, "name a metric to judge: --gate NAME")
    if not any(comparison.reruns for comparison in comparisons):
        wanted = "a command that logs the run's metrics"
        return _Conclusion(Verdict.NOT_VERIFIED, "The reruns logged no metric.", wanted)
    return None


def _worst(
    gated: Sequence[Comparison], products: Sequence[ProductComparison], question: Question
) -> _Conclusion:
    worst = max(gated, key=_severity, default=None)
    product = max(products, key=_severity, default=None)
    if product is not None and (worst is None or _severity(product) > _severity(worst)):
        return _Conclusion(product.verdict, product.sentence, advice_on_product(product))
    if worst is None:
        raise ValueError("nothing was judged")
    names = [comparison.metric for comparison in gated if comparison.sentence == worst.sentence]
    named = worst.verdict is Verdict.NOT_COMPARABLE  # its sentence begins with the metric
    sentence = worst.sentence if named else f"{', '.join(names)}: {worst.sentence}"
    return _Conclusion(worst.verdict, sentence, advice_on(worst, question.plan))


def _severity(judged: Comparison | ProductComparison) -> int:
    return SEVERITY_ORDER.index(judged.verdict)
