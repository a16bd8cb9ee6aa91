"""What would be judged, before any trial: for a dry run."""

from __future__ import annotations

from reprocheck.compare.case import centre_of
from reprocheck.compare.looks import most_reruns
from reprocheck.compare.margins import margin_of
from reprocheck.compare.question import Question, complete
from reprocheck.model import Comparison, Margin, Verdict


def planned_reruns(question: Question) -> int:
    """The most reruns that the plan may ask for; fewer where no gated metric has a margin."""
    planned = preview(question)
    return most_reruns(question.plan, any_margin=any(each.margin for each in planned))


def preview(question: Question) -> tuple[Comparison, ...]:
    """The gated metrics with their original values and margins; nothing is judged yet."""
    question, _ = complete(question, ())
    return tuple(_planned(question, name) for name in question.gates.metrics)


def _planned(question: Question, name: str) -> Comparison:
    return Comparison(
        metric=name,
        gated=True,
        verdict=Verdict.INFORMATIONAL,
        change=None,
        reason="planned",
        sentence="",
        baseline=question.repeated(name),
        reruns=(),
        margin=planned_margin(question, name),
        scale=question.rule(name).scale,
    )


def planned_margin(question: Question, name: str) -> Margin | None:
    """The margin of a metric by what is known without reruns."""
    if name not in question.metrics:
        return None
    rule = question.rule(name)
    siblings = [each.metrics[name] for each in question.siblings if name in each.metrics]
    return margin_of(rule, centre_of(rule, question.repeated(name)), siblings)
