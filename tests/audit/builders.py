"""Runs and audits to look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from reprocheck.model import (
    Audit,
    AuditedRun,
    Cause,
    DatasetUse,
    Finding,
    Grade,
    RunRef,
    RunStatus,
    RunSummary,
    Severity,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_summary(index: int = 0, **changes: object) -> RunSummary:
    fields: dict[str, object] = {
        "ref": RunRef(tracker="mlflow", run_id=f"{index:032x}"),
        "name": f"grumpy-cat-{index}",
        "experiment": "digits",
        "status": RunStatus.FINISHED,
        "started_at": START + timedelta(hours=index),
        "ended_at": START + timedelta(hours=index, minutes=5),
        "parameters": {},
        "metrics": {},
        "tags": {"mlflow.source.name": "train.py"},
        "datasets": (),
        "artifact_uri": f"s3://bucket/1/{index:032x}/artifacts",
        "commit": "0123abcd" * 5,
    }
    return RunSummary(**{**fields, **changes})


def make_dataset(digest: str, context: str = "eval", name: str = "digits-test") -> DatasetUse:
    return DatasetUse(name=name, digest=digest, context=context, source="")


def make_finding(code: str, severity: Severity = Severity.ERROR, **changes: str) -> Finding:
    fields = {"message": f"the run has {code}", "hint": f"mend {code}", "pointer": ""}
    return Finding(code=code, severity=severity, **{**fields, **changes})


def make_run(
    index: int = 0,
    grade: Grade = Grade.VERIFIABLE,
    findings: tuple[Finding, ...] = (),
    metrics: Mapping[str, float] | None = None,
    **changes: object,
) -> AuditedRun:
    fields: dict[str, object] = {
        "ref": RunRef(tracker="mlflow", run_id=f"{index:032x}"),
        "name": f"grumpy-cat-{index}",
        "experiment": "digits",
        "status": RunStatus.FINISHED,
        "started_at": START + timedelta(hours=index),
        "commit": "0123abcd" * 5,
        "grade": grade,
        "findings": findings,
        "metrics": metrics or {"accuracy": 0.9},
    }
    return AuditedRun(**{**fields, **changes})


def make_audit(
    runs: tuple[AuditedRun, ...] = (),
    causes: tuple[Cause, ...] = (),
    findings: tuple[Finding, ...] = (),
    **changes: object,
) -> Audit:
    fields: dict[str, object] = {
        "experiments": ("digits",),
        "filter": "",
        "made_at": START + timedelta(days=30),
        "tool_version": "1.2.3",
        "runs": runs,
        "causes": causes,
        "rescue": "",
        "rescued": 0,
        "findings": findings,
    }
    return Audit(**{**fields, **changes})
