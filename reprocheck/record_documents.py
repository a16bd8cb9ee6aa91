"""The record of a run as a JSON document, by schemas/run.schema.json.

Not in the document: the content of patches and of recorded files, which are told by their digests;
the middle of long histories; where a margin is declared; the remote and the listing of a material.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import assert_never

from reprocheck import code_documents, hostile, model, used_documents
from reprocheck.detail import Detail, Document, number, thin, time
from reprocheck.seals import seal_document

RECORD_VERSION = 1
CAPTURE = "/capture"
"""Among what a record says beside: what reprocheck-capture tells of its own work."""


def record(record: model.RunRecord, secrets: frozenset[str], detail: Detail) -> Document:
    """The document of a record whose texts hold none of the secrets any more."""
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
        "metrics": metrics(record.metrics, detail),
        "artifacts": [_artifact(artifact) for artifact in record.artifacts],
        "seeds": dict(record.seeds),
        "hardware": dict(record.hardware),
        "tags": dict(record.tags),
        "approvals": [approval(each) for each in record.approvals],
        "siblings": [_sibling(sibling) for sibling in record.siblings],
        "peers": [_sibling(peer) for peer in record.peers],
        "lineage": _lineage(record.lineage),
        "definition": record.definition and definition_document(record.definition),
        "capture": record.sealed and {"sealed": seal_document(record.sealed)},
        "origins": _origins(record),
        "findings": [finding(each) for each in record.findings],
        **_extra(record.extra),
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
        "sha256": spec.sha256 or hashlib.sha256(spec.content).hexdigest(),
        "content": content,
        "companions": [_file(file) for file in spec.companions],
    }


def _file(file: model.RecordedFile) -> Document:
    return {
        "path": file.path,
        "sha256": file.sha256 or hashlib.sha256(file.content).hexdigest(),
        "size": file.size if file.sha256 else len(file.content),
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


def metrics(metrics: Mapping[str, model.Metric], detail: Detail) -> Document:
    """Metrics by name, their histories as long as they may be."""
    return {
        name: {
            "value": number(metric.value),
            "points": metric.points or len(metric.history),
            "history": [
                [point.step, point.timestamp_ms, number(point.value)]
                for point in thin(metric.history, detail.points)
            ],
        }
        for name, metric in metrics.items()
    }


def _artifact(artifact: model.Artifact) -> Document:
    told = {"sha256": artifact.sha256, "uri": artifact.uri}
    return {
        "path": artifact.path,
        "size": artifact.size,
        **{key: value for key, value in told.items() if value},
    }


def _extra(extra: Mapping[str, object]) -> Document:
    """What was written beside, back in its place: `capture` has one of its own."""
    plain = {key: _plain(value) for key, value in extra.items()}
    capture = {"capture": plain.pop(CAPTURE)} if CAPTURE in plain else {}
    return capture | ({"extra": plain} if plain else {})


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case tuple():
            return [_plain(each) for each in value]
        case float():
            return number(value)
        case _:
            return value


def approval(approval: model.Approval) -> Document:
    """A sign-off, also as the tag `approved_by` has it."""
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
    """The definition as run.schema.json has it: its parts as experiment.schema.json has them."""
    told = {
        "sha256": definition.sha256,
        "hypothesis": definition.hypothesis,
        "comparisons": [_required(each) for each in definition.comparisons],
        "sign_offs": [_sign_off(each) for each in definition.sign_offs],
        "sensitive": list(definition.sensitive),
        "data": [_registered(each) for each in definition.data],
    }
    return {
        "primary": list(definition.primary),
        "secondary": list(definition.secondary),
        "metrics": {name: _rule(rule) for name, rule in definition.rules.items()},
        **_said(told),
    }


def _required(each: model.RequiredComparison) -> Document:
    told = {"metrics": list(each.metrics), "reason": each.reason}
    return {"against": each.against, **_said(told)}


def _sign_off(each: model.SignOff) -> Document:
    return {"role": each.role, **_said({"by": list(each.by)})}


def _registered(each: model.RegisteredData) -> Document:
    told = {
        "version": each.version,
        "path": each.path,
        "digest": each.digest,
        "sensitive": list(each.sensitive),
        "licence": each.licence,
        "owner": each.owner,
    }
    return {"name": each.name, **_said(told)}


def _said(told: Document) -> Document:
    return {key: value for key, value in told.items() if value}


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


def finding(finding: model.Finding) -> Document:
    """A finding, with the line that mends it where one does."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "pointer": finding.pointer,
        **({"fix": finding.fix} if finding.fix else {}),
    }
