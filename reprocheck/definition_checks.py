"""What a run's experiment definition asks for, and whether the run has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from reprocheck import definition, mending, record_documents, schema
from reprocheck.model import (
    Approval,
    ExperimentDefinition,
    Finding,
    Material,
    MaterialPlace,
    RegisteredData,
    RequiredComparison,
    RunRecord,
    Severity,
    SignOff,
)

TAG = "reprocheck.definition.sha256"
"""What reprocheck-capture says of the definition when the run starts."""

APPROVAL_TAG = "approved_by"
_UNREAD = ("artifacts-unreachable", "artifacts-unread")
_NAMED = 5
"""Paths that a message names."""


def definition_findings(record: RunRecord) -> tuple[Finding, ...]:
    """Sign-offs that are missing, data that is not the registered one, and what else it says."""
    declared = record.definition
    if declared is None:
        return ()
    return (
        *_approvals(record, declared),
        *_registered(record, declared),
        *_unregistered(record, declared),
        *_sensitive(declared),
        *(_comparison(record, each, declared) for each in declared.comparisons),
    )


def changed_definition(record: RunRecord, repository_file: bytes | None) -> tuple[Finding, ...]:
    """Whether the recorded definition is the one that the run started with.

    `repository_file` is the repository's present one, if there is any; that it is another is but
    worth a note, because the recorded one counts.
    """
    recorded, tag = _digest(record), record.tags.get(TAG, "").lower()
    present = "" if repository_file is None else hashlib.sha256(repository_file).hexdigest()
    if tag and recorded and recorded.lower() != tag:
        return (_changed(record, recorded, _restore(record) if present == tag else ""),)
    read = all(finding.code not in _UNREAD for finding in record.findings)
    if tag and not recorded and record.definition is None and read:
        return (_gone(tag, _restore(record) if present == tag else ""),)
    if recorded and present and present != recorded.lower():
        return (_moved_on(),)
    return ()


# --- sign-offs ----------------------------------------------------------------------------


def _approvals(record: RunRecord, declared: ExperimentDefinition) -> Iterator[Finding]:
    for wanted in declared.sign_offs:
        if any(_signs(approval, wanted) for approval in record.approvals):
            continue
        who = f" by {' or '.join(wanted.by)}" if wanted.by else ""
        yield Finding(
            code="missing-approval",
            severity=Severity.ERROR,
            message=f"the definition requires a sign-off as {wanted.role}{who}; the run has none",
            hint="let that person look at the run and record the approval with it, with role and "
            "commit",
            pointer="/approvals",
            fix=_approve(record, wanted),
        )


def _signs(approval: Approval, wanted: SignOff) -> bool:
    """Somebody who is named may leave the role out; nobody signs in another one."""
    role = approval.role.strip().casefold()
    people = {name.strip().casefold() for name in wanted.by}
    is_one = approval.by.strip().casefold() in people
    if not role:
        return is_one
    return role == wanted.role.strip().casefold() and (is_one or not people)


def _approve(record: RunRecord, wanted: SignOff) -> str:
    if record.ref.tracker != "mlflow":
        return ""
    told = [record_documents.approval(each) for each in record.approvals]
    person = wanted.by[0] if wanted.by else "NAME"
    mine = {"by": person, "role": wanted.role, "commit": record.code.commit}
    return mending.set_tag(record, APPROVAL_TAG, json.dumps([*told, mine], ensure_ascii=False))


# --- data ---------------------------------------------------------------------------------


def _registered(record: RunRecord, declared: ExperimentDefinition) -> Iterator[Finding]:
    for entry in declared.data:
        algorithm, _, digest = entry.digest.partition(":")
        for i, material in enumerate(record.data):
            if not digest or not _is_of(material, entry):
                continue
            if material.algorithm.lower() != algorithm:
                yield _unlike(entry, material, i)
            elif material.digest.lower() != digest.lower():
                yield _other(entry, material, i)


def _is_of(material: Material, entry: RegisteredData) -> bool:
    same = material.path.rstrip("/") == entry.path.rstrip("/")
    return material.place is MaterialPlace.TREE and same


def _other(entry: RegisteredData, material: Material, i: int) -> Finding:
    version = f" {entry.version}" if entry.version else ""
    return Finding(
        code="unregistered-data",
        severity=Severity.ERROR,
        message=f"the run read {material.path} with the {material.algorithm} {material.digest}; "
        f"the definition registers {entry.name}{version} with {entry.digest}",
        hint="train on the registered version, or register this one in the definition before the "
        "next run",
        pointer=f"/data/{i}/digest",
    )


def _unlike(entry: RegisteredData, material: Material, i: int) -> Finding:
    return Finding(
        code="unregistered-data",
        severity=Severity.NOTE,
        message=f"whether {material.path} is the registered {entry.name} is not known: the run "
        f"recorded its {material.algorithm}, the definition has {entry.digest}",
        hint=f"give the {material.algorithm} of {entry.name} in the definition",
        pointer=f"/data/{i}/digest",
    )


def _unregistered(record: RunRecord, declared: ExperimentDefinition) -> Iterator[Finding]:
    paths = [entry.path.rstrip("/") for entry in declared.data]
    if not paths or not all(paths):  # data that is registered by its name alone may be any
        return
    others = [
        material.path
        for material in record.data
        if material.place is MaterialPlace.TREE
        and not any(f"{material.path}/".startswith(f"{path}/") for path in paths)
        and not any(path.startswith(f"{material.path.rstrip('/')}/") for path in paths)
    ]
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        yield Finding(
            code="unregistered-data",
            severity=Severity.WARNING,
            message=f"the run read data that the definition does not register: "
            f"{', '.join(others[:_NAMED])}{more}",
            hint="list under `data` in experiment.yaml all that the experiment reads",
            pointer="/data",
        )


def _sensitive(declared: ExperimentDefinition) -> Iterator[Finding]:
    told = [("the experiment", declared.sensitive)]
    told += [(f"{entry.name} {entry.version}".strip(), entry.sensitive) for entry in declared.data]
    flags = [f"{name} ({', '.join(words)})" for name, words in told if words]
    if flags:
        yield Finding(
            code="sensitive-data",
            severity=Severity.NOTE,
            message=f"the definition calls sensitive: {'; '.join(flags)}",
            hint="look what of reports, logs and artifacts may be shared before sharing it",
            pointer="/definition/sensitive" if declared.sensitive else "/definition/data",
        )


# --- comparisons, and the file itself -----------------------------------------------------


def _comparison(
    record: RunRecord, wanted: RequiredComparison, declared: ExperimentDefinition
) -> Finding:
    names = ", ".join(wanted.metrics or declared.primary)
    why = f" ({wanted.reason})" if wanted.reason else ""
    is_run = definition.RUN_ID.fullmatch(wanted.against)
    return Finding(
        code="required-comparison",
        severity=Severity.NOTE,
        message=f"the definition requires a comparison of {names or 'its metrics'} with "
        f"{wanted.against}{why}",
        hint="this tells whether the run reproduces, not whether it is better: compare the two "
        "beside it",
        pointer=schema.pointer(["definition", "comparisons"]),
        fix=mending.shell("reprocheck", "compare", wanted.against, record.ref.run_id)
        if is_run
        else "",
    )


def _digest(record: RunRecord) -> str:
    """SHA-256 of the definition as it is recorded now, also of a broken one; "" without any."""
    if record.definition and record.definition.sha256:
        return record.definition.sha256
    files = {file.path: file for file in record.files}
    file = next((files[path] for path in definition.PATHS if path in files), None)
    return definition.digest_of(file) if file else ""


def _restore(record: RunRecord) -> str:
    if record.ref.tracker != "mlflow":
        return ""
    return mending.shell(
        *("mlflow", "artifacts", "log-artifact", f"--run-id={record.ref.run_id}"),
        *("--local-file=experiment.yaml", "--artifact-path=reprocheck"),
    )


def _changed(record: RunRecord, recorded: str, fix: str) -> Finding:
    where = record.definition.origin.where if record.definition else "experiment.yaml"
    return Finding(
        code="changed-definition",
        severity=Severity.ERROR,
        message=f"the experiment definition was changed after the run: {where} has the SHA-256 "
        f"{recorded}, the run started with {record.tags[TAG].lower()[:64]}",
        hint="put the original back among the run's artifacts: margins and thresholds count only "
        "as they were before the result was known",
        pointer="/definition/sha256",
        fix=fix,
    )


def _gone(tag: str, fix: str) -> Finding:
    return Finding(
        code="changed-definition",
        severity=Severity.ERROR,
        message=f"the experiment definition that the run started with (SHA-256 {tag[:64]}) is not "
        "among its artifacts any more",
        hint="put the original back as the artifact reprocheck/experiment.yaml",
        pointer="/definition/sha256",
        fix=fix,
    )


def _moved_on() -> Finding:
    return Finding(
        code="changed-definition",
        severity=Severity.NOTE,
        message="experiment.yaml of the repository is another than the run's; the run's counts",
        hint="nothing needs to be done: a definition may change for the next run",
        pointer="/definition/sha256",
    )
