"""Judgements as JSON documents: the parts of report.schema.json that compare fills."""

from __future__ import annotations

from reprocheck import model
from reprocheck.detail import Document, number


def comparison(judged: model.Comparison) -> Document:
    """A metric's judgement."""
    return {
        "metric": judged.metric,
        "gated": judged.gated,
        "verdict": judged.verdict.value,
        "change": judged.change and judged.change.value,
        "reason": judged.reason,
        "sentence": judged.sentence,
        "baseline": [number(value) for value in judged.baseline],
        "reruns": [number(value) for value in judged.reruns],
        "mean": number(judged.mean),
        "sd": number(judged.sd),
        "difference": number(judged.difference),
        "interval": _interval(judged.interval),
        "prediction": _interval(judged.prediction),
        "margin": judged.margin and _margin(judged.margin),
        "p_equivalence": number(judged.p_equivalence),
        "p_difference": number(judged.p_difference),
        "smallest_margin": number(judged.smallest_margin),
        "reruns_needed": judged.reruns_needed,
        "max_ulps": judged.max_ulps,
        "scale": judged.scale.value,
        "detectable": number(judged.detectable),
        "best_of": judged.best_of,
        "history": judged.history and _history(judged.history),
        "notes": list(judged.notes),
    }


def _history(history: model.HistoryComparison) -> Document:
    return {
        "steps": history.steps,
        "parted_at": history.parted_at,
        "best": history.best and _pair(history.best),
        "area": _pair(history.area),
        "rank_p": number(history.rank_p),
    }


def _pair(pair: model.Pair) -> Document:
    return {"original": number(pair.original), "rerun": number(pair.rerun)}


def plan(plan: model.RerunPlan) -> Document:
    """How many reruns were planned."""
    return {
        "least": plan.least,
        "most": plan.most,
        "alpha": number(plan.alpha),
        "seeds": plan.seeds.value,
    }


def criterion(result: model.CriterionResult) -> Document:
    """A success criterion."""
    return {
        "metric": result.metric,
        "bound": result.bound,
        "threshold": number(result.threshold),
        "outcome": result.outcome.value,
        "mean": number(result.mean),
        "limit": number(result.limit),
        "level": number(result.level),
        "sentence": result.sentence,
    }


def product(product: model.ProductComparison) -> Document:
    """A product beside its counterparts."""
    return {
        "path": product.path,
        "gated": product.gated,
        "verdict": product.verdict.value,
        "reason": product.reason,
        "sentence": product.sentence,
        "original": product.original,
        "reruns": list(product.reruns),
    }


def predictions(predictions: model.PredictionComparison) -> Document:
    """Single predictions of both sides."""
    return {
        "examples": predictions.examples,
        "churn": [number(share) for share in predictions.churn],
        "agreement": number(predictions.agreement),
        "flip_sd": number(predictions.flip_sd),
        "sentence": predictions.sentence,
    }


def _interval(interval: model.Interval | None) -> Document | None:
    if interval is None:
        return None
    return {
        "low": number(interval.low),
        "high": number(interval.high),
        "level": number(interval.level),
    }


def _margin(margin: model.Margin) -> Document:
    return {
        "low": number(margin.low),
        "high": number(margin.high),
        "source": margin.source.value,
        "text": margin.text,
    }
