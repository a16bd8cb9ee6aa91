"""Stages read and validate: the run from its tracker, and whether it can be verified at all."""

from __future__ import annotations

import contextlib
import dataclasses

from reprocheck import (
    baselines,
    compare,
    honouring,
    metadata,
    originals,
    predictions,
    questions,
    record_rules,
    trackers,
)
from reprocheck import rerun as rerunning
from reprocheck.account import Account, Request
from reprocheck.baselines import Baseline
from reprocheck.bundles import open_bundle
from reprocheck.errors import MetadataError
from reprocheck.model import Cost, RunRecord, Severity, Stage
from reprocheck.numbers import counted, format_bytes
from reprocheck.progress import growing
from reprocheck.trackers.base import Tracker


def read(account: Account, tracker: Tracker) -> tuple[RunRecord, tuple[Baseline, ...]]:
    """The run that is asked for, and the baselines of the config.

    Raises `ReadError`, `BundleError`, or `UsageError` for a baseline that cannot be meant.
    """
    request, config = account.request, account.request.config
    with account.stage(Stage.READ, f"run {request.asked}") as note:
        if request.bundle is not None:
            account.bundle = open_bundle(request.bundle)
        read_run = account.noting(tracker.read)
        # A copy of the tracker's database, and files of the run.
        with growing(account.progress, account.workspace / "tracker", "read from the tracker"):
            record = account.take(read_run(request.asked))
        named = baselines.read(config.baselines, record, read_run)
        pooled, repeated = baselines.distinct(record, named)
        note.findings.extend(repeated)
        note.findings.extend(baselines.doubts(record, pooled, config.ignore_parameters))
        histories = sum(len(metric.history) for metric in record.metrics.values())
        note.summary = (
            f"run {record.ref.run_id[:8]} '{record.name}': "
            f"{counted(len(record.parameters), 'parameter')}, "
            f"{counted(len(record.metrics), 'metric')} ({counted(histories, 'value')})"
        ) + (f"; pooled with {counted(len(pooled), 'baseline')}" if pooled else "")
        if account.bundle is not None:
            note.summary += f"; from a bundle of {format_bytes(account.bundle.size)}"
    return record, pooled


def open_tracker(account: Account, stack: contextlib.ExitStack) -> Tracker:
    """The tracker that the request names, or the bundle in its place; closed with the stack."""
    request, scratch = account.request, account.workspace / "tracker"
    if request.bundle is not None:
        tracker = trackers.open_tracker(str(request.bundle), {}, scratch, kind="bundle")
    else:
        tracker = trackers.open_tracker(
            request.tracking_uri,
            request.config.artifact_roots,
            scratch,
            trusted=request.trusted,
        )
    stack.callback(tracker.close)
    return tracker


def validate(
    account: Account, tracker: Tracker, record: RunRecord, pooled: tuple[Baseline, ...]
) -> compare.Question:
    """What the reruns are asked, of a record that can be verified.

    Raises `MetadataError` for one that cannot, and `ConfigError`.
    """
    request = account.request
    with account.stage(Stage.VALIDATE, "the record") as note:
        asked = record_rules.warnings(record, request.config.record)
        findings = (*metadata.validate(record), *asked)
        note.findings.extend(findings)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
            raise MetadataError(f"{errors[0].message} ({errors[0].code}){more}", errors[0].hint)
        question, doubts = questions.ask(
            questions.Original.of(record), pooled, request.config, request.gates
        )
        honoured = honouring.honour(question, record.ref.run_id, request.accepted, request.proposed)
        account.acceptance, account.proposed = honoured.acceptance, honoured.proposed
        question = _with_files(account, tracker, record, honoured.question)
        note.findings.extend((*doubts, *honoured.findings))
        account.gates, account.planned = question.gates, compare.preview(question)
        note.summary = f"{counted(len(note.findings), 'finding')}, no errors"
    return question


def _with_files(
    account: Account, tracker: Tracker, record: RunRecord, question: compare.Question
) -> compare.Question:
    """The question with what the config asks of the original's files, before anything is built."""
    config = account.request.config
    question = dataclasses.replace(
        question, gated_products=originals.gated_patterns(config.products, record)
    )
    rule = config.predictions
    if rule is None:
        return question
    predictions.check_logged(rule, record.artifacts)
    file = tracker.file(record, rule.artifact, account.workspace / "predictions")
    found = predictions.original_predictions(rule, file, question.rules.values())
    return dataclasses.replace(question, predictions=found)


def cost(request: Request, record: RunRecord, reruns: int) -> Cost:
    """What the reruns may take at most."""
    timeout_s = rerunning.trial_timeout_s(record, request.config.timeout_s)
    longest_s = min(
        request.config.budget_s or float("inf"), timeout_s * (reruns + 1 + request.trace)
    )
    return Cost(
        original_s=record.duration_s,
        reruns=reruns,
        trial_timeout_s=timeout_s,
        longest_s=longest_s,
    )
