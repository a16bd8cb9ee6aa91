"""Judges all trials so far: a comparison for each metric, and whether more trials are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reprocheck.compare.advice import advice_on
from reprocheck.compare.case import Case, Look, Rung, build_case
from reprocheck.compare.comparisons import Obstacle, Values, bystander, compared, not_compared
from reprocheck.compare.evidence import are_deterministic, is_beyond_chance
from reprocheck.compare.ladder import TOLERANCES, is_float32, same_bits, same_number
from reprocheck.compare.names import is_hardware_bound
from reprocheck.compare.prediction import difference_p, holm
from reprocheck.compare.question import Question
from reprocheck.compare.verdicts import rule_on
from reprocheck.model import SEVERITY_ORDER, Comparison, Judgement, SeedPolicy, Trial, Verdict


class _Conclusion(NamedTuple):
    verdict: Verdict
    sentence: str
    needed: str


def judge(question: Question, trials: tuple[Trial, ...]) -> Judgement:
    """The judgement after these trials; called after each of them. A crashed trial is no data.

    The plan is fixed: one look at level alpha after `plan.most` trials. Only identity beyond
    chance ends it after the first, and only proven determinism before the last.
    """
    finished = [trial for trial in trials if trial.exit_code == 0]
    obstacles = {name: _obstacle(question, finished, name) for name in question.gates.metrics}
    cases = [_case(question, finished, name) for name, found in obstacles.items() if found is None]
    look = _look(question, finished, cases)
    judged = _judge_cases(cases, look)
    gated = tuple(
        judged[name]
        if found is None
        else not_compared(name, found, _values(question, finished, name))
        for name, found in obstacles.items()
    )
    return _conclude(question, gated + _others(question, finished), look)


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


def _case(question: Question, trials: Sequence[Trial], name: str) -> Case:
    reruns = [trial.metrics[name] for trial in trials]
    return build_case(question.rule(name), question.metrics[name], reruns)


def _look(question: Question, trials: Sequence[Trial], cases: Sequence[Case]) -> Look:
    deterministic = any(case.repeats for case in cases) and are_deterministic(trials)
    return Look(
        reruns=len(trials),
        planned=question.plan.most,
        alpha=question.plan.alpha,
        stopped_by=_stopped_by(question, trials, cases, deterministic),
        deterministic=deterministic,
        beyond_chance=len(trials) == 1 and is_beyond_chance(question, trials[0], _is_close),
        same_seed=question.plan.seeds is SeedPolicy.SAME,
        same_machine=question.same_machine,
    )


def _stopped_by(
    question: Question, trials: Sequence[Trial], cases: Sequence[Case], deterministic: bool
) -> str:
    """Why no further trial is wanted, "" while one is."""
    if question.unstable:
        return "unstable"
    if trials and not cases:
        return "nothing to compare"
    if _is_identical(question, trials, cases):
        return "identical"
    if deterministic and all(case.repeats for case in cases):
        return "deterministic"
    if len(trials) >= question.plan.most:
        return "planned"
    return "budget" if question.over_budget else ""


def _is_identical(question: Question, trials: Sequence[Trial], cases: Sequence[Case]) -> bool:
    """Whether the first rerun settles it: every gate has the same bits, and not by chance."""
    return (
        len(trials) == 1
        and len(cases) == len(question.gates.metrics)
        and all(case.rung is Rung.BITS for case in cases)
        and is_beyond_chance(question, trials[0], same_bits)
    )


def _is_close(original: float, rerun: float) -> bool:
    both = is_float32(original) and is_float32(rerun)
    return same_number(original, rerun, TOLERANCES["float32" if both else "float64"])


def _judge_cases(cases: Sequence[Case], look: Look) -> dict[str, Comparison]:
    p_values = {
        case.metric: p
        for case in cases
        if case.sample and (p := difference_p(case.sample)) is not None
    }
    adjusted = holm(p_values, family=len(cases))
    judged = {}
    for case in cases:
        p = adjusted.get(case.metric)
        judged[case.metric] = compared(case, rule_on(case, look, p), look, p)
    return judged


def _others(question: Question, trials: Sequence[Trial]) -> tuple[Comparison, ...]:
    names = set(question.metrics).union(*(trial.metrics for trial in trials))
    names -= set(question.gates.metrics)
    return tuple(bystander(name, _values(question, trials, name)) for name in sorted(names))


def _values(question: Question, trials: Sequence[Trial], name: str) -> Values:
    logged = question.metrics.get(name)
    return Values(
        baseline=() if logged is None else (logged.value,),
        reruns=tuple(trial.metrics[name].value for trial in trials if name in trial.metrics),
    )


def _conclude(question: Question, comparisons: tuple[Comparison, ...], look: Look) -> Judgement:
    gated = [comparison for comparison in comparisons if comparison.gated]
    conclusion = _nothing_compared(question, comparisons, look) or _worst(gated, question)
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
    if not question.gates.metrics:
        sentence = f"No metric was judged: {question.gates.reason}."
        return _Conclusion(Verdict.NOT_VERIFIED, sentence, "name a metric to judge: --gate NAME")
    if not any(comparison.reruns for comparison in comparisons):
        wanted = "a command that logs the run's metrics"
        return _Conclusion(Verdict.NOT_VERIFIED, "The reruns logged no metric.", wanted)
    return None


def _worst(gated: Sequence[Comparison], question: Question) -> _Conclusion:
    worst = max(gated, key=lambda comparison: SEVERITY_ORDER.index(comparison.verdict))
    names = [comparison.metric for comparison in gated if comparison.sentence == worst.sentence]
    named = worst.verdict is Verdict.NOT_COMPARABLE  # its sentence begins with the metric
    sentence = worst.sentence if named else f"{', '.join(names)}: {worst.sentence}"
    return _Conclusion(worst.verdict, sentence, advice_on(worst, question.plan))
