"""Judgements out of the parts of a report's document that compare filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reprocheck import model
from reprocheck.detail import float_of


def comparison(judged: Mapping[str, Any]) -> model.Comparison:
    """A metric's judgement. Raises `ValueError` or `OverflowError`, as all of these here do."""
    return model.Comparison(
        metric=judged["metric"],
        gated=judged["gated"],
        verdict=model.Verdict(judged["verdict"]),
        change=model.Change(judged["change"]) if judged["change"] else None,
        reason=judged["reason"],
        sentence=judged["sentence"],
        baseline=tuple(map(float, judged["baseline"])),
        reruns=tuple(map(float, judged["reruns"])),
        mean=float_of(judged["mean"]),
        sd=float_of(judged["sd"]),
        difference=float_of(judged["difference"]),
        interval=_interval(judged["interval"]),
        prediction=_interval(judged["prediction"]),
        margin=_margin(judged["margin"]),
        p_equivalence=float_of(judged["p_equivalence"]),
        p_difference=float_of(judged["p_difference"]),
        smallest_margin=float_of(judged["smallest_margin"]),
        reruns_needed=judged["reruns_needed"],
        max_ulps=judged["max_ulps"],
        scale=model.Scale(judged["scale"]),
        detectable=float_of(judged["detectable"]),
        best_of=judged["best_of"],
        history=_history(judged["history"]),
        notes=tuple(judged["notes"]),
    )


def plan(plan: Mapping[str, Any]) -> model.RerunPlan:
    """How many reruns were planned."""
    return model.RerunPlan(
        least=plan["least"],
        most=plan["most"],
        alpha=float(plan["alpha"]),
        seeds=model.SeedPolicy(plan["seeds"]),
    )


def criterion(result: Mapping[str, Any]) -> model.CriterionResult:
    """A success criterion."""
    return model.CriterionResult(
        metric=result["metric"],
        bound=result["bound"],
        threshold=float(result["threshold"]),
        outcome=model.Outcome(result["outcome"]),
        mean=float_of(result["mean"]),
        limit=float_of(result["limit"]),
        level=float_of(result["level"]),
        sentence=result["sentence"],
    )


def product(product: Mapping[str, Any]) -> model.ProductComparison:
    """A product beside its counterparts."""
    return model.ProductComparison(
        path=product["path"],
        gated=product["gated"],
        verdict=model.Verdict(product["verdict"]),
        reason=product["reason"],
        sentence=product["sentence"],
        original=product["original"],
        reruns=tuple(product["reruns"]),
    )


def predictions(predictions: Mapping[str, Any]) -> model.PredictionComparison:
    """Single predictions of both sides."""
    return model.PredictionComparison(
        examples=predictions["examples"],
        churn=tuple(map(float, predictions["churn"])),
        agreement=float_of(predictions["agreement"]),
        flip_sd=float_of(predictions["flip_sd"]),
        sentence=predictions["sentence"],
    )


def _interval(interval: Mapping[str, Any] | None) -> model.Interval | None:
    if interval is None:
        return None
    return model.Interval(
        low=float(interval["low"]), high=float(interval["high"]), level=float(interval["level"])
    )


def _margin(margin: Mapping[str, Any] | None) -> model.Margin | None:
    if margin is None:
        return None
    return model.Margin(
        low=float(margin["low"]),
        high=float(margin["high"]),
        source=model.MarginSource(margin["source"]),
        text=margin["text"],
    )


def _history(history: Mapping[str, Any] | None) -> model.HistoryComparison | None:
    if history is None:
        return None
    return model.HistoryComparison(
        steps=history["steps"],
        parted_at=history["parted_at"],
        best=_pair(history["best"]) if history["best"] else None,
        area=_pair(history["area"]),
        rank_p=float_of(history["rank_p"]),
    )


def _pair(pair: Mapping[str, Any]) -> model.Pair:
    return model.Pair(original=float(pair["original"]), rerun=float(pair["rerun"]))
