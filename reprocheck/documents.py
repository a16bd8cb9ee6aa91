"""Records and reports as JSON documents: the shapes that schemas/ publishes.

The conversion is made by hand, so that a change of the nouns is no silent change of the shape.
Secrets are hidden here: what leaves this module may be posted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import assert_never

from reprocheck import code_documents, hostile, judgement_documents, model, used_documents
from reprocheck.detail import (
    ENCODE,
    LEVELS,
    Detail,
    Document,
    dump,
    number,
    shorten,
    tail,
    thin,
    time,
)
from reprocheck.seals import seal_document

RECORD_VERSION = 1
LARGEST_REPORT = 5_000_000
"""Bytes of a report as `dump` writes it."""


def record_document(record: model.RunRecord, detail: Detail | None = None) -> Document:
    """The record by run.schema.json, without secrets."""
    secrets = hostile.record_secrets(record)
    return _record(hostile.redacted_record(record), secrets, detail or Detail())


def report_document(report: model.Report) -> Document:
    """The report by report.schema.json, without secrets, at most `LARGEST_REPORT` bytes."""
    secrets = hostile.report_secrets(report)
    clean = hostile.redacted_report(report)
    document: Document = {}
    for detail in LEVELS:
        document = shorten(_report(clean, secrets, detail), detail)
        # The compact form is no longer than the indented one, and much faster to make.
        if len(ENCODE(document)) <= LARGEST_REPORT >= len(dump(document).encode()):
            break
    return document


# --- the record ---------------------------------------------------------------------------


def _record(record: model.RunRecord, secrets: frozenset[str], detail: Detail) -> Document:
    return {
        "schema_version": RECORD_VERSION,
        "tracker": record.ref.tracker,
        "run_id": record.ref.run_id,
        "name": record.name,
        "experiment": record.experiment,
        "status": record.status.value,
        "started_at": time(record.started_at),
        "ended_at": time(record.ended_at),
        "description": record.description,
        "url": record.url,
        "code": code_documents.code(record.code),
        "command": None if record.command is None else _command(record.command),
        "parameters": dict(record.parameters),
        "truncated": sorted(record.truncated),
        "environment": record.environment and _spec(record.environment, secrets),
        "files": [_file(file) for file in record.files],
        "data": [_material(material) for material in record.data],
        "dataset_version": record.dataset_version,
        "metrics": _metrics(record.metrics, detail),
        "artifacts": [
            {"path": artifact.path, "size": artifact.size} for artifact in record.artifacts
        ],
        "seeds": dict(record.seeds),
        "hardware": dict(record.hardware),
        "tags": dict(record.tags),
        "approvals": [_approval(each) for each in record.approvals],
        "siblings": [_sibling(sibling) for sibling in record.siblings],
        "peers": [_sibling(peer) for peer in record.peers],
        "lineage": _lineage(record.lineage),
        "definition": record.definition and definition_document(record.definition),
        "capture": record.sealed and {"sealed": seal_document(record.sealed)},
        "origins": _origins(record),
        "findings": [finding_document(finding) for finding in record.findings],
    }


def _command(command: model.Command) -> Document:
    return {
        "steps": [_step(step) for step in command.steps],
        "env": dict(command.env),
    }


def _step(step: model.Step) -> Document:
    match step.run:
        case model.Argv(args=args):
            found: Document = {"argv": list(args), "cwd": step.cwd}
        case model.ShellLine(line=line):
            found = {"shell": line, "cwd": step.cwd}
        case other:
            assert_never(other)
    return found | ({"name": step.name} if step.name else {})


def _spec(spec: model.EnvironmentSpec, secrets: frozenset[str]) -> Document:
    content = hostile.redact(spec.content.decode("utf-8", "replace"), secrets)
    return {
        "kind": spec.kind.value,
        "file": spec.file,
        "directory": spec.directory,
        "python": spec.python,
        "sha256": hashlib.sha256(spec.content).hexdigest(),
        "content": content,
        "companions": [_file(file) for file in spec.companions],
    }


def _file(file: model.RecordedFile) -> Document:
    return {
        "path": file.path,
        "sha256": hashlib.sha256(file.content).hexdigest(),
        "size": len(file.content),
        "origin": used_documents.origin(file.origin),
    }


def _material(material: model.Material) -> Document:
    return {
        "path": material.path,
        "algorithm": material.algorithm,
        "digest": material.digest,
        "size": material.size,
        "files": material.files,
        "weak": material.weak,
        "source": material.source,
        "seen_as": material.seen_as,
        "place": material.place.value,
    }


def _metrics(metrics: Mapping[str, model.Metric], detail: Detail) -> Document:
    return {
        name: {
            "value": number(metric.value),
            "points": len(metric.history),
            "history": [
                [point.step, point.timestamp_ms, number(point.value)]
                for point in thin(metric.history, detail.points)
            ],
        }
        for name, metric in metrics.items()
    }


def _approval(approval: model.Approval) -> Document:
    return {
        "by": approval.by,
        "what": approval.what,
        "role": approval.role,
        "commit": approval.commit,
        "at": time(approval.at),
    }


def _sibling(sibling: model.Sibling) -> Document:
    metrics = {name: number(value) for name, value in sibling.metrics.items()}
    return {"run_id": sibling.run_id, "metrics": metrics}


def definition_document(definition: model.ExperimentDefinition) -> Document:
    """The definition as run.schema.json has it: its metrics as experiment.schema.json has them."""
    return {
        "primary": list(definition.primary),
        "secondary": list(definition.secondary),
        "metrics": {name: _rule(rule) for name, rule in definition.rules.items()},
    }


def _rule(rule: model.MetricRule) -> Document:
    """Only what is declared."""
    declared = {
        "direction": rule.direction.value,
        "margin": rule.margin and _declared_margin(rule.margin),
        "min": rule.least,
        "max": rule.most,
        "test_size": rule.test_size,
        "scale": rule.scale.value,
        "noninferiority": rule.noninferiority or None,
    }
    return {key: value for key, value in declared.items() if value is not None}


def _declared_margin(margin: model.DeclaredMargin) -> Document:
    widths = {"abs": margin.absolute, "rel": margin.relative}
    return {
        key: {"below": width.below, "above": width.above} for key, width in widths.items() if width
    }


def _lineage(lineage: model.Lineage) -> Document:
    parameters = lineage.parent_parameters
    return {
        "parent": lineage.parent,
        "depth": lineage.depth,
        "place": lineage.place,
        "parent_parameters": None if parameters is None else dict(parameters),
    }


def _origins(record: model.RunRecord) -> Document:
    """Also the origins that the nouns carry themselves: one place to look."""
    carried = {f"/data/{i}": material.origin for i, material in enumerate(record.data)}
    if record.environment:
        carried["/environment"] = record.environment.origin
    if record.definition:
        carried["/definition"] = record.definition.origin
    origins = carried | dict(record.origins)
    return {key: used_documents.origin(value) for key, value in origins.items()}


def finding_document(finding: model.Finding) -> Document:
    """A finding by the schemas that have one."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "pointer": finding.pointer,
        **({"fix": finding.fix} if finding.fix else {}),
    }


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
        **used_documents.used(report),
        "findings": [
            {"stage": result.stage.value, **finding_document(finding)}
            for result in report.stages
            for finding in result.findings
        ],
        "stages": [_stage(result) for result in report.stages],
        "environment": report.environment and _environment(report.environment),
        "cost": report.cost and _cost(report.cost),
        "trials": [_trial(trial, detail) for trial in report.trials],
        "record": None if record is None else _record(record, secrets, detail),
        "workspace": None if report.workspace is None else str(report.workspace),
        "kept": {
            "points": detail.points,
            "log_bytes": detail.log_bytes,
            "text": detail.text,
            "items": detail.items,
        },
    }


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
        "metrics": _metrics(trial.metrics, detail),
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
