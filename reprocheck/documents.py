"""Records and reports as JSON documents: the shapes that schemas/ publishes.

The conversion is made by hand, so that a change of the nouns is no silent change of the shape.
Secrets are hidden here: what leaves this module may be posted.
"""

from __future__ import annotations

import dataclasses

from reprocheck import (
    acceptance_documents,
    exhibit_documents,
    hostile,
    judgement_documents,
    model,
    record_documents,
    used_documents,
)
from reprocheck.detail import (
    ENCODE,
    LEVELS,
    Detail,
    Document,
    dump,
    number,
    shorten,
    tail,
    time,
)

LARGEST_REPORT = 5_000_000
"""Bytes of a report as `dump` writes it."""


def record_document(record: model.RunRecord, detail: Detail | None = None) -> Document:
    """The record by run.schema.json, without secrets."""
    secrets = hostile.record_secrets(record)
    return record_documents.record(hostile.redacted_record(record), secrets, detail or Detail())


def report_document(report: model.Report, most: int = LARGEST_REPORT) -> Document:
    """The report by report.schema.json, without secrets, at most `most` bytes."""
    secrets = hostile.report_secrets(report)
    clean = hostile.redacted_report(report)
    document: Document = {}
    for detail in LEVELS:
        document = shorten(_report(clean, secrets, detail), detail)
        # The compact form is no longer than the indented one, and much faster to make.
        if len(ENCODE(document)) <= most >= len(dump(document).encode()):
            break
    return document


# --- the report ---------------------------------------------------------------------------


def _report(report: model.Report, secrets: frozenset[str], detail: Detail) -> Document:
    record, gates = report.record, report.gates
    return {
        "schema_version": report.schema_version,
        "tool_version": report.tool_version,
        "created_at": time(report.created_at),
        "asked": report.asked,
        "verdict": report.verdict.value,
        "failed_stage": report.failed_stage and report.failed_stage.value,
        "sentence": report.sentence,
        "needed": report.needed,
        "require": report.require.value,
        "dry_run": report.dry_run,
        # Gated first: what is judged is left out last.
        "comparisons": [
            judgement_documents.comparison(each)
            for each in sorted(report.comparisons, key=_not_gated)
        ],
        "gates": gates and {"metrics": list(gates.metrics), "reason": gates.reason},
        "plan": report.plan and judgement_documents.plan(report.plan),
        "seeds": list(report.seeds),
        "stopped_by": report.stopped_by,
        "criteria": [judgement_documents.criterion(each) for each in report.criteria],
        "products": [judgement_documents.product(each) for each in report.products],
        "predictions": report.predictions and judgement_documents.predictions(report.predictions),
        "exhibits": exhibit_documents.exhibits(report.exhibits, detail.exhibits),
        **used_documents.used(report),
        "findings": [
            {"stage": result.stage.value, **record_documents.finding(finding)}
            for result in report.stages
            for finding in result.findings
        ],
        "stages": [_stage(result) for result in report.stages],
        "environment": report.environment and _environment(report.environment),
        "cost": report.cost and _cost(report.cost),
        "trials": [_trial(trial, detail) for trial in report.trials],
        "record": None if record is None else record_documents.record(record, secrets, detail),
        "workspace": None if report.workspace is None else str(report.workspace),
        "kept": _kept(report, detail),
        "acceptance": report.acceptance and acceptance_documents.acceptance(report.acceptance),
        "proposed": report.proposed and acceptance_documents.acceptance(report.proposed),
        "subject": report.subject,
        "detail": report.detail.value,
    }


def _kept(report: model.Report, detail: Detail) -> Document:
    """The most that is held of long things: of a report from a file, no more than that held."""
    now = dataclasses.asdict(detail)
    return {key: min(most, (report.kept or now).get(key, most)) for key, most in now.items()}


def _not_gated(comparison: model.Comparison) -> bool:
    return not comparison.gated


def _stage(result: model.StageResult) -> Document:
    failure = result.failure
    return {
        "stage": result.stage.value,
        "status": result.status.value,
        "duration_s": number(result.duration_s),
        "summary": result.summary,
        "failure": failure
        and {
            "kind": failure.kind,
            "message": failure.message,
            "hint": failure.hint,
            "usage": failure.usage,
        },
    }


def _environment(built: model.BuiltEnvironment) -> Document:
    return {
        "kind": built.kind.value,
        "digest": built.digest,
        "python": built.python,
        "asked": built.asked,
        "lock": built.lock,
        "packages": [
            {"name": package.name, "version": package.version} for package in built.packages
        ],
        "isolation": built.isolation,
        "cached": built.cached,
    }


def _cost(cost: model.Cost) -> Document:
    return {
        "original_s": number(cost.original_s),
        "reruns": cost.reruns,
        "trial_timeout_s": number(cost.trial_timeout_s),
        "longest_s": number(cost.longest_s),
    }


def _trial(trial: model.Trial, detail: Detail) -> Document:
    return {
        "index": trial.index,
        "seed": trial.seed,
        "metrics": record_documents.metrics(trial.metrics, detail),
        "parameters": dict(trial.parameters),
        "differences": [_difference(each) for each in trial.differences],
        "exit_code": trial.exit_code,
        "duration_s": number(trial.duration_s),
        "log": str(trial.log),
        "log_tail": tail(trial.log_tail, detail.log_bytes),
        "products": [
            {"path": product.path, "sha256": product.sha256, "size": product.size}
            for product in trial.products
        ],
    }


def _difference(difference: model.Difference) -> Document:
    return {
        "name": difference.name,
        "original": difference.original,
        "trial": difference.trial,
        "excuse": difference.excuse,
    }
