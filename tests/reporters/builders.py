"""Records and reports for tests: complete ones, changed by keyword."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reprocheck.model import (
    Acceptance,
    AcceptedMetric,
    Argv,
    Artifact,
    BuiltEnvironment,
    CodeState,
    Command,
    Comparison,
    Cost,
    CriterionResult,
    DeclaredMargin,
    Direction,
    EnvironmentKind,
    EnvironmentSpec,
    ExperimentDefinition,
    Gates,
    HistoryComparison,
    Interval,
    Lineage,
    Margin,
    MarginSource,
    Material,
    Metric,
    MetricRule,
    Origin,
    OriginKind,
    Outcome,
    Package,
    Pair,
    Patch,
    Point,
    Product,
    ProductComparison,
    Report,
    Require,
    RerunPlan,
    RunRecord,
    RunRef,
    RunStatus,
    Sibling,
    Stage,
    StageResult,
    StageStatus,
    Step,
    TreeState,
    Trial,
    Verdict,
    Width,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
RUN_ID = "5f0c8f6d3b0e4f7f9a0d2c1b3e4f5a6b"
TAG = Origin(kind=OriginKind.TAG, where="mlflow.source.git.commit")


def make_metric(name: str, *values: float) -> Metric:
    points = (Point(step=i, timestamp_ms=1_000 * i, value=v) for i, v in enumerate(values))
    return Metric(name=name, history=tuple(points))


def make_patch(content: bytes = b"diff --git a/train.py b/train.py\n") -> Patch:
    return Patch(content=content, sha256=hashlib.sha256(content).hexdigest())


def make_code(**changes: Any) -> CodeState:
    code = CodeState(
        commit=COMMIT,
        repository="https://github.com/example/digits",
        branch="main",
        script="train.py",
        entry_point=None,
        patch=None,
        tree=TreeState.CLEAN,
    )
    return dataclasses.replace(code, **changes)


def make_definition(**changes: Any) -> ExperimentDefinition:
    rules = (
        MetricRule(
            metric="accuracy",
            margin=DeclaredMargin(absolute=Width.both(0.005), source="experiment.yaml"),
            direction=Direction.HIGHER,
            test_size=360,
            least=0.95,
        ),
        MetricRule(metric="loss", direction=Direction.LOWER),
    )
    definition = ExperimentDefinition(
        primary=("accuracy",),
        secondary=("loss",),
        rules={rule.metric: rule for rule in rules},
        origin=Origin(kind=OriginKind.ARTIFACT, where="reprocheck/experiment.yaml"),
    )
    return dataclasses.replace(definition, **changes)


def make_record(**changes: Any) -> RunRecord:
    record = RunRecord(
        ref=RunRef(tracker="mlflow", run_id=RUN_ID),
        name="digits-sgd",
        experiment="digits",
        status=RunStatus.FINISHED,
        started_at=datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC),
        ended_at=datetime(2026, 1, 31, 12, 3, 20, tzinfo=UTC),
        description="",
        url=None,
        code=make_code(),
        command=Command(steps=(Step(run=Argv(args=("python", "train.py", "--lr", "0.1"))),)),
        parameters={"lr": "0.1", "seed": "42"},
        truncated=frozenset(),
        environment=EnvironmentSpec(
            kind=EnvironmentKind.VENV,
            file="requirements.txt",
            content=b"scikit-learn==1.5.2\n",
            directory=None,
            python="3.11.7",
            origin=Origin(kind=OriginKind.ARTIFACT, where="reprocheck/environment"),
        ),
        files=(),
        data=(
            Material(
                path="data/train.csv",
                algorithm="md5",
                digest="9e107d9d372bb6826bd81d3542a419d6",
                size=81_920,
                files=None,
                origin=Origin(kind=OriginKind.TAG, where="reprocheck.data"),
            ),
        ),
        metrics={
            "accuracy": make_metric("accuracy", 0.91, 0.9611),
            "loss": make_metric("loss", 0.5, 0.1342),
        },
        artifacts=(Artifact(path="model/MLmodel", size=512),),
        seeds={"seed": "42"},
        hardware={},
        tags={"team": "vision"},
        approvals=(),
        siblings=(Sibling(run_id="0" * 32, metrics={"accuracy": 0.9602}),),
        lineage=Lineage(parent=None, depth=0, place=0),
        origins={"/code/commit": TAG},
    )
    return dataclasses.replace(record, **changes)


def make_trial(index: int = 1, **changes: Any) -> Trial:
    trial = Trial(
        index=index,
        seed="42",
        metrics={"accuracy": make_metric("accuracy", 0.91, 0.9608)},
        parameters={"lr": "0.1", "seed": "42"},
        differences=(),
        exit_code=0,
        duration_s=62.5,
        log=Path("work/trial-1/log.txt"),
        log_tail="epoch 1: accuracy 0.9608\n",
        products=(Product(path="model/model.pkl", sha256="ab" * 32, size=2048),),
    )
    return dataclasses.replace(trial, **changes)


def make_comparison(**changes: Any) -> Comparison:
    comparison = Comparison(
        metric="accuracy",
        gated=True,
        verdict=Verdict.REPRODUCED,
        change=None,
        reason="equivalent",
        sentence=(
            "Across 5 reruns the mean differs from the reported 0.9611 by -0.00032 "
            "(90 % CI -0.00121…0.00057), inside the margin ±0.005 (--margin)."
        ),
        baseline=(0.9611,),
        reruns=(0.9608, 0.9614, 0.9599, 0.9611, 0.9607),
        mean=0.96078,
        sd=0.00057,
        difference=-0.00032,
        interval=Interval(low=-0.00121, high=0.00057, level=90.0),
        prediction=Interval(low=0.95905, high=0.96251, level=95.0),
        margin=Margin(low=0.005, high=0.005, source=MarginSource.DECLARED, text="0.005 (--margin)"),
        p_equivalence=0.0001,
        p_difference=0.31,
        smallest_margin=0.00121,
    )
    return dataclasses.replace(comparison, **changes)


def make_criterion(**changes: Any) -> CriterionResult:
    result = CriterionResult(
        metric="accuracy",
        bound="min",
        threshold=0.95,
        outcome=Outcome.MEETS,
        mean=0.96078,
        limit=0.960237,
        level=95.0,
        sentence=(
            "accuracy meets its criterion min 0.95: the reruns average 0.96078, at least 0.960237 "
            "with 95 % confidence."
        ),
    )
    return dataclasses.replace(result, **changes)


def make_product(path: str, reason: str = "same", **changes: Any) -> ProductComparison:
    product = ProductComparison(
        path=path,
        gated=False,
        verdict=Verdict.INFORMATIONAL,
        reason=reason,
        sentence=f"{path}: {reason} in all 5 reruns.",
        original="ab" * 32,
        reruns=("ab" * 32,) * 5,
    )
    return dataclasses.replace(product, **changes)


def make_history(**changes: Any) -> HistoryComparison:
    history = HistoryComparison(
        steps=20,
        parted_at=3,
        best=Pair(original=0.9622, rerun=0.9619),
        area=Pair(original=18.101, rerun=18.0872),
        rank_p=0.5,
    )
    return dataclasses.replace(history, **changes)


def make_informational(metric: str, **changes: Any) -> Comparison:
    comparison = Comparison(
        metric=metric,
        gated=False,
        verdict=Verdict.INFORMATIONAL,
        change=None,
        reason="not_gated",
        sentence=f"{metric}: 12.5 → 12.9 (not judged).",
        baseline=(12.5,),
        reruns=(12.8, 13.0, 12.9),
        mean=12.9,
        sd=0.1,
    )
    return dataclasses.replace(comparison, **changes)


def make_stages(failed: Stage | None = None, **changes: Any) -> tuple[StageResult, ...]:
    """All stages, or those up to the failed one, which is changed by keyword."""
    results: list[StageResult] = []
    for i, stage in enumerate(Stage):
        result = StageResult(stage=stage, status=StageStatus.PASSED, duration_s=0.4 + 3.1 * i**3)
        if stage is failed:
            results.append(dataclasses.replace(result, status=StageStatus.FAILED, **changes))
            break
        results.append(result)
    return tuple(results)


def make_environment(**changes: Any) -> BuiltEnvironment:
    packages = (
        Package(name="numpy", version="2.1.3"),
        Package(name="scikit-learn", version="1.5.2"),
    )
    built = BuiltEnvironment(
        kind=EnvironmentKind.VENV,
        digest="cd" * 32,
        python="3.11.7",
        asked="requirements.txt (artifact reprocheck/environment)",
        lock="numpy==2.1.3\nscikit-learn==1.5.2\n",
        packages=packages,
        isolation="own HOME, no network",
        cached=False,
    )
    return dataclasses.replace(built, **changes)


def make_report(**changes: Any) -> Report:
    report = Report(
        schema_version=1,
        tool_version="0.1.0",
        created_at=datetime(2026, 2, 1, 9, 30, 0, tzinfo=UTC),
        asked=RUN_ID[:8],
        record=make_record(),
        stages=make_stages(),
        environment=make_environment(),
        cost=Cost(original_s=200.0, reruns=5, trial_timeout_s=1_200.0, longest_s=6_000.0),
        trials=tuple(make_trial(index) for index in range(1, 6)),
        gates=Gates(metrics=("accuracy",), reason="marked gate: true in reprocheck.yaml"),
        comparisons=(make_comparison(), make_informational("latency_ms")),
        verdict=Verdict.REPRODUCED,
        failed_stage=None,
        sentence=make_comparison().sentence,
        needed="",
        require=Require.CONSISTENT,
        dry_run=False,
        workspace=None,
        plan=RerunPlan(least=3, most=5),
        stopped_by="planned",
    )
    return dataclasses.replace(report, **changes)


def make_acceptance(
    run_id: str = RUN_ID,
    old: tuple[float, ...] = (0.9611,),
    new: tuple[float, ...] = (0.9502, 0.9511, 0.9493),
    **changes: Any,
) -> Acceptance:
    made = Acceptance(
        run_id=run_id,
        by="Jo <jo@x.org>",
        at=datetime(2026, 5, 3, 10, 15, tzinfo=UTC),
        reason="the solver's default changed",
        verdict=Verdict.NOT_REPRODUCED,
        metrics=(AcceptedMetric(metric="accuracy", old=old, new=new),),
        verified_at=datetime(2026, 5, 3, 10, 15, tzinfo=UTC),
        tool_version="0.1.0",
    )
    return dataclasses.replace(made, **changes)
