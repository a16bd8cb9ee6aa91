from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from reprocheck.compare import Question, judge
from reprocheck.model import (
    DeclaredMargin,
    Direction,
    Gates,
    Judgement,
    Metric,
    MetricRule,
    Point,
    Product,
    RerunPlan,
    SeedPolicy,
    Trial,
    Width,
)

Logged = float | Sequence[float]


def build_metric(name: str, logged: Logged) -> Metric:
    values = logged if isinstance(logged, Sequence) else [logged]
    points = (Point(step=i, timestamp_ms=1000 * i, value=v) for i, v in enumerate(values))
    return Metric(name=name, history=tuple(points))


def build_metrics(logged: Mapping[str, Logged]) -> dict[str, Metric]:
    return {name: build_metric(name, value) for name, value in logged.items()}


def build_products(digests: Mapping[str, str]) -> dict[str, Product]:
    return {path: Product(path=path, sha256=sha, size=1) for path, sha in digests.items()}


def build_trial(
    index: int,
    logged: Mapping[str, Logged],
    products: Mapping[str, str] | None = None,
    exit_code: int = 0,
) -> Trial:
    return Trial(
        index=index,
        seed=None,
        metrics=build_metrics(logged),
        parameters={},
        differences=(),
        exit_code=exit_code,
        duration_s=1.0,
        log=Path("log"),
        log_tail="",
        products=tuple(build_products(products or {}).values()),
    )


def build_trials(*logged: Mapping[str, Logged]) -> tuple[Trial, ...]:
    return tuple(build_trial(i, metrics) for i, metrics in enumerate(logged, start=1))


def build_rule(
    metric: str,
    margin: float | None = None,
    direction: Direction = Direction.UNKNOWN,
    resolution: float | None = None,
    dtype: str | None = None,
) -> MetricRule:
    declared = None
    if margin is not None:
        declared = DeclaredMargin(absolute=Width.both(margin), source="--margin")
    return MetricRule(
        metric=metric, margin=declared, direction=direction, resolution=resolution, dtype=dtype
    )


def build_question(
    original: Mapping[str, Logged],
    *rules: MetricRule,
    gates: Sequence[str] | None = None,
    reruns: int = 5,
    seeds: str = "same",
    products: Mapping[str, str] | None = None,
    **given: object,
) -> Question:
    return Question(
        products=build_products(products or {}),
        metrics=build_metrics(original),
        rules={rule.metric: rule for rule in rules},
        gates=Gates(metrics=tuple(original if gates is None else gates), reason="named by --gate"),
        plan=RerunPlan(least=reruns, most=reruns, seeds=SeedPolicy(seeds)),
        **given,
    )


def judge_one(
    original: float,
    reruns: Sequence[float],
    planned: int | None = None,
    seeds: str = "same",
    same_machine: bool = False,
    seeded: bool = True,
    **rule: object,
) -> Judgement:
    """The judgement of one gated metric, `accuracy`, after all planned reruns."""
    question = build_question(
        {"accuracy": original},
        build_rule("accuracy", **rule),
        reruns=planned or len(reruns),
        seeds=seeds,
        same_machine=same_machine,
        seeded=seeded,
    )
    return judge(question, build_trials(*({"accuracy": value} for value in reruns)))


def _fixture(function: Callable[..., object]) -> Callable[[], Callable[..., object]]:
    @pytest.fixture(scope="session", name=function.__name__)
    def provide() -> Callable[..., object]:
        return function

    return provide


provide_metric = _fixture(build_metric)
provide_metrics = _fixture(build_metrics)
provide_trial = _fixture(build_trial)
provide_trials = _fixture(build_trials)
provide_rule = _fixture(build_rule)
provide_question = _fixture(build_question)
provide_judge_one = _fixture(judge_one)
