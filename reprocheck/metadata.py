"""Stage validate: what a record lacks, and what in it cannot be right."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator

from reprocheck import late_metrics, late_writes, mending, schema, unlogged_arguments
from reprocheck.detail import Detail
from reprocheck.documents import record_document
from reprocheck.launchers import EXAMPLE, KERNEL_LAUNCHER, is_launched, is_launcher
from reprocheck.model import Finding, RunRecord, RunStatus, Severity, TreeState
from reprocheck.seeds import recorded_seeds
from reprocheck.stored_code import code_of

UNREAD = "artifacts-unread"
UNSEEN = frozenset({UNREAD, "artifacts-unreachable"})
"""What tells that a run may hold more than its record shows."""

COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
TIMEOUT = "limits: {timeout: 1h}"
_LOG_DATA = mending.line("reprocheck_capture.log_provenance(datasets=[{}])", "data/train.csv")
_REMOTE = "\"$(git remote get-url origin | sed 's,//[^/]*@,//,')\""  # without a password


def validate(record: RunRecord) -> tuple[Finding, ...]:
    """The record's own findings, then those of every check; an error forbids a verification."""
    found = checked(record)
    told = {finding.pointer for finding in found if finding.severity is Severity.ERROR}
    # The schema has the last word, where no check has said it better.
    issues = tuple(issue for issue in _schema(record) if issue.pointer not in told)
    return (*found, *issues)


def checked(record: RunRecord) -> tuple[Finding, ...]:
    """What `validate` says without the schema, which takes longer than all else."""
    found = {(finding.code, finding.pointer): finding for finding in record.findings}
    for check in CHECKS:
        for finding in check(record):
            found.setdefault((finding.code, finding.pointer), finding)
    return tuple(found.values())


def _schema(record: RunRecord) -> Iterator[Finding]:
    # Two points a history: a thousand more are of the same type, and slow to check.
    document = record_document(record, Detail(points=2))
    for issue in schema.check(document, "run"):
        message = f"the record does not follow its schema: {issue.pointer or '/'} {issue.message}"
        yield Finding(
            code="invalid-record",
            severity=Severity.ERROR,
            message=message,
            hint=issue.hint,
            pointer=issue.pointer,
        )


def _status(record: RunRecord) -> Iterator[Finding]:
    if record.status is RunStatus.UNKNOWN:
        yield Finding(
            code="unknown-status",
            severity=Severity.WARNING,
            message="the record does not say whether the run finished: its last metrics may not be "
            "its result",
            hint="write `status: finished` into the record, if it did",
            pointer="/status",
        )
    elif record.status is not RunStatus.FINISHED:
        yield Finding(
            code="unfinished-run",
            severity=Severity.ERROR,
            message=f"the run is {record.status.value}: its last metrics are not its result",
            hint="name a finished run; if this one did finish, set its status",
            pointer="/status",
            fix=_terminated(record),
        )


def _terminated(record: RunRecord) -> str:
    if record.status not in (RunStatus.RUNNING, RunStatus.SCHEDULED):
        return ""
    return mending.of_run(record, "set_terminated")


def _commit(record: RunRecord) -> Iterator[Finding]:
    commit = record.code.commit
    if not commit and (record.code.upstream or code_of(record)):
        yield Finding(
            code="missing-commit",
            severity=Severity.WARNING,
            message="the run records no commit; its code is only known from what was stored with "
            "it",
            hint="start the run from inside a git repository with GitPython installed, "
            "or tag it mlflow.source.git.commit",
            pointer="/code/commit",
            fix=mending.capture(record),
        )
    elif not commit:
        yield Finding(
            code="missing-commit",
            severity=Severity.ERROR,
            message="the run records no commit, so its code is not known",
            hint="start the run from inside a git repository with GitPython installed, "
            "or tag it mlflow.source.git.commit",
            pointer="/code/commit",
            fix=mending.capture(record),
        )
    elif not COMMIT.fullmatch(commit):
        yield Finding(
            code="bad-commit",
            severity=Severity.ERROR,
            message="the recorded commit is not 7 to 64 hexadecimal digits",
            hint="set the tag mlflow.source.git.commit to what `git rev-parse HEAD` "
            "printed when the run started",
            pointer="/code/commit",
        )


def _repository(record: RunRecord) -> Iterator[Finding]:
    if not record.code.repository:
        yield Finding(
            code="missing-repository",
            severity=Severity.NOTE,
            message="the run does not say which repository its commit belongs to",
            hint="run reprocheck inside the repository, or tag the run mlflow.source.git.repoURL",
            pointer="/code/repository",
            fix=_origin(record),
        )


def _origin(record: RunRecord) -> str:
    """The tag with the address that git knows, for the shell in the repository to fill in."""
    line = mending.set_tag(record, "mlflow.source.git.repoURL", "")
    return line.removesuffix("''") + _REMOTE if line else ""


def _tree(record: RunRecord) -> Iterator[Finding]:
    code = record.code
    if code.tree is TreeState.UNKNOWN:
        yield Finding(
            code="unknown-tree",
            severity=Severity.WARNING,
            message="the run does not say whether its code had uncommitted changes; "
            "the code at the commit may be another",
            hint="tag the run reprocheck.tree with clean or dirty, where you know; later runs "
            "record it with reprocheck-capture",
            pointer="/code/tree",
            fix=mending.capture(record),
        )
    elif code.tree is TreeState.DIRTY and not any(
        patch and (patch.content or patch.size) for patch in (code.patch, code.upstream)
    ):
        yield _missing_patch({finding.code for finding in record.findings})


def _missing_patch(told: set[str]) -> Finding:
    """Unknown is not missing: an audit may have left the artifacts unread, which hold patches."""
    if told & UNSEEN:
        return Finding(
            code="missing-patch",
            severity=Severity.WARNING if UNREAD in told else Severity.ERROR,
            message="the code had uncommitted changes; whether the run holds them is not known, as "
            "its artifacts were not read",
            hint="see that the artifacts can be read",
            pointer="/code/patch",
        )
    return Finding(
        code="missing-patch",
        severity=Severity.ERROR,
        message="the code had uncommitted changes, and the run does not hold them",
        hint="commit before a run, or log the output of `git diff HEAD --binary` "
        "as the artifact reprocheck/source.patch",
        pointer="/code/patch",
        fix=mending.COMMIT,
    )


def _patch(record: RunRecord) -> Iterator[Finding]:
    for name, patch in (("patch", record.code.patch), ("upstream", record.code.upstream)):
        if patch is None or patch.sha256 is None or patch.size is not None:
            continue
        actual = hashlib.sha256(patch.content).hexdigest()
        if patch.sha256.lower() != actual:
            yield Finding(
                code="patch-digest",
                severity=Severity.ERROR,
                message=f"the patch is not the recorded one: its SHA-256 is {actual}",
                hint=f"the artifact of the patch or the tag reprocheck.{name}.sha256 was "
                "changed after the run: put the original back",
                pointer=f"/code/{name}/sha256",
            )


def _source(record: RunRecord) -> Iterator[Finding]:
    known = record.command is not None and not is_launched(record.command)
    if is_launcher(record.code.script or "") and not known:
        yield Finding(
            code=KERNEL_LAUNCHER,
            severity=Severity.NOTE,
            message=f"the record's source, {record.code.script}, only starts a notebook's kernel: "
            "which notebook was run, and how, is not recorded",
            hint=f'name the notebook in reprocheck.yaml: command: "{EXAMPLE}"',
            pointer="/code/script",
        )


def _metrics(record: RunRecord) -> Iterator[Finding]:
    if not record.metrics:
        yield Finding(
            code="missing-metrics",
            severity=Severity.ERROR,
            message="the run has no metrics: there is nothing to compare",
            hint="log at least one metric with mlflow.log_metric, or name another run",
            pointer="/metrics",
            fix='mlflow.log_metric("accuracy", accuracy)',
        )
    for name, metric in record.metrics.items():
        if not any(math.isfinite(point.value) for point in metric.history):
            yield Finding(
                code="non-finite-metric",
                severity=Severity.WARNING,
                message=f"the metric {name} was never a finite number",
                hint="look whether the training diverged; name the metrics to judge "
                "in reprocheck.yaml",
                pointer=schema.pointer(["metrics", name]),
            )


def _parameters(record: RunRecord) -> Iterator[Finding]:
    for name in sorted(record.truncated):
        yield Finding(
            code="truncated-parameter",
            severity=Severity.WARNING,
            message=f"the store cut the value of the parameter {name}: its end is not known",
            hint="log long values as an artifact, or as several parameters",
            pointer=schema.pointer(["parameters", name]),
            fix=mending.line('mlflow.log_dict({{{}: value}}, "parameters.json")', name),
        )


def _seed(record: RunRecord) -> Iterator[Finding]:
    if not recorded_seeds(record):
        yield Finding(
            code="missing-seed",
            severity=Severity.WARNING,
            message="the run records no random seed: the reruns may differ by their seeds too",
            hint="log the seed as a parameter named seed",
            pointer="/seeds",
            fix='mlflow.log_param("seed", seed)',
        )


def _data(record: RunRecord) -> Iterator[Finding]:
    if not record.data:
        yield Finding(
            code="missing-data",
            severity=Severity.NOTE,
            message="the run records no digest of its data; the DVC files at its commit count",
            hint="give the digests under `data` in reprocheck.yaml, or tag the run reprocheck.data",
            pointer="/data",
            fix=mending.capture(record, _LOG_DATA),
        )
    for i, material in enumerate(record.data):
        if material.weak:
            yield Finding(
                code="weak-digest",
                severity=Severity.NOTE,
                message=f"the digest of {material.path} does not cover its whole content",
                hint=f"give the md5 or sha256 of {material.path} under `data` in reprocheck.yaml",
                pointer=f"/data/{i}/digest",
                fix=mending.line("reprocheck_capture.log_provenance(datasets=[{}])", material.path),
            )


def _rebuilding(record: RunRecord) -> Iterator[Finding]:
    """Notes here: after the checkout, the files at the commit may complete the record."""
    if record.command is None and record.code.entry_point is None:
        yield Finding(
            code="missing-command",
            severity=Severity.NOTE,
            message="the run records no command; it is sought in the files at the commit",
            hint="give `command` in reprocheck.yaml, or start runs with `mlflow run`",
            pointer="/command",
            fix=mending.capture(record),
        )
    if record.environment is None and not record.files:
        yield Finding(
            code="missing-environment",
            severity=Severity.NOTE,
            message="the run records no environment; it is sought in the files at the commit",
            hint="log the output of `pip freeze` as the artifact requirements.txt, "
            "or commit a lock file",
            pointer="/environment",
            fix=mending.capture(record),
        )


def _times(record: RunRecord) -> Iterator[Finding]:
    start, end = record.started_at, record.ended_at
    if start is None or end is None:
        side = "start" if start is None else "end"
        yield Finding(
            code="missing-times",
            severity=Severity.WARNING,
            message=f"the run does not say when it {side}ed: how long a rerun may take "
            "has to be guessed",
            hint="give `limits: {timeout: ...}` in reprocheck.yaml",
            pointer=f"/{side}ed_at",
            fix=TIMEOUT,
        )
    elif end < start:
        yield Finding(
            code="odd-times",
            severity=Severity.WARNING,
            message="the run ended before it started: its duration is not known",
            hint="give `limits: {timeout: ...}` in reprocheck.yaml",
            pointer="/ended_at",
            fix=TIMEOUT,
        )


CHECKS: tuple[Callable[[RunRecord], Iterator[Finding]], ...] = (
    _status,
    _commit,
    _repository,
    _tree,
    _patch,
    _source,
    _metrics,
    _parameters,
    _seed,
    _data,
    _rebuilding,
    _times,
    late_metrics.findings,
    late_writes.findings,
    unlogged_arguments.findings,
)
