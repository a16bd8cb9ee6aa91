"""The whole verification, stage by stage.

read       the run from its tracker                                    trackers/
validate   what the record holds                                       metadata.py
checkout   a clone of our own at the commit; command and environment
           are completed from its files                                source.py, command.py
rebuild    the environment                                             environments/
restore    the data at the recorded digests                            datastores/
rerun      trials of the command until the comparison is decided       rerun.py
compare    the metrics                                                 compare/

The order matters: nothing is built before the record is known to be complete, and no training runs
before code, environment and data are proved to be the run's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from reprocheck import (
    __version__,
    command,
    compare,
    datastores,
    environments,
    logged_files,
    metadata,
    source,
    trackers,
)
from reprocheck import rerun as rerunning
from reprocheck.config import Config
from reprocheck.datastores import choice as data_choice
from reprocheck.durations import format_duration
from reprocheck.environments import choice as environment_choice
from reprocheck.environments.base import BuildRequest, Sandbox
from reprocheck.errors import MetadataError, ReprocheckError
from reprocheck.model import (
    Comparison,
    Cost,
    Failure,
    Finding,
    Gates,
    Judgement,
    Report,
    RunRecord,
    Severity,
    Stage,
    StageResult,
    StageStatus,
    Trial,
    Verdict,
)
from reprocheck.progress import Progress, Silent
from reprocheck.rerun import Outcome, Reruns
from reprocheck.temporary import temporary_folder
from reprocheck.trackers.base import Tracker

REPORT_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to verify, and how."""

    asked: str  # the run, in any of the forms that the tracker knows
    tracking_uri: str
    config: Config = field(default_factory=Config)
    repo: str | None = None  # a path or URL
    gates: tuple[str, ...] = ()
    dry_run: bool = False
    keep: bool = False  # the workspace
    logs: Path | None = None  # where the trials' full logs go; None: into the workspace
    cwd: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=dict)  # the caller's environment
    cache: Path = field(default_factory=lambda: platformdirs.user_cache_path("reprocheck"))


@dataclass(slots=True)
class _Account:
    """What is known so far; becomes the report however far the stages come."""

    request: Request
    progress: Progress
    workspace: Path
    stages: list[StageResult] = field(default_factory=list)
    record: RunRecord | None = None
    sandbox: Sandbox | None = None
    cost: Cost | None = None
    trials: tuple[Trial, ...] = ()
    gates: Gates | None = None
    judgement: Judgement | None = None


@dataclass(slots=True)
class _Note:
    """What a stage says of itself when it ends."""

    summary: str = ""
    findings: list[Finding] = field(default_factory=list)


def verify(request: Request, progress: Progress | None = None) -> Report:
    """Verifies one run; whatever goes wrong on the way is in the report.

    Only a defect in reprocheck, or an interruption, raises. Nothing is left behind but caches and
    what `keep` and `logs` ask for.
    """
    with temporary_folder(keep=request.keep) as workspace:
        account = _Account(request=request, progress=progress or Silent(), workspace=workspace)
        try:
            with contextlib.ExitStack() as stack:
                _stages(account, stack)
        except ReprocheckError as error:
            return _report(account, error)
        return _report(account, None)


def _stages(account: _Account, stack: contextlib.ExitStack) -> None:
    """Every stage, in order. What must be closed at the end goes onto the stack."""
    tracker, record = _read(account, stack)
    _validate(account, record)
    checkout, found = _checkout(account, record)
    if account.request.dry_run:
        return
    sandbox = _rebuild(account, checkout, stack)
    inputs = _restore(account, checkout)
    reruns = _rerun(account, tracker, checkout, found, sandbox, inputs)
    _compare(account, reruns)


@contextlib.contextmanager
def _stage(account: _Account, stage: Stage, doing: str) -> Iterator[_Note]:
    """Times a stage, tells its progress and keeps its result, also when it fails."""
    note = _Note()
    started = time.monotonic()
    status, failure = StageStatus.FAILED, None
    account.progress.start(stage, doing)
    try:
        yield note
        status = StageStatus.PASSED
    except ReprocheckError as error:
        failure = Failure(
            kind=type(error).__name__, message=error.message, hint=error.hint, usage=error.usage
        )
        raise
    finally:
        result = StageResult(
            stage=stage,
            status=status,
            duration_s=time.monotonic() - started,
            summary=note.summary,
            findings=tuple(note.findings),
            failure=failure,
        )
        account.stages.append(result)
        account.progress.finish(result)


def _read(account: _Account, stack: contextlib.ExitStack) -> tuple[Tracker, RunRecord]:
    request = account.request
    with _stage(account, Stage.READ, f"run {request.asked}") as note:
        tracker = trackers.open_tracker(
            request.tracking_uri, request.config.artifact_roots, account.workspace / "tracker"
        )
        stack.callback(tracker.close)
        record = account.record = tracker.read(request.asked)
        histories = sum(len(metric.history) for metric in record.metrics.values())
        note.summary = (
            f"run {record.ref.run_id[:8]} '{record.name}': {len(record.parameters)} parameters, "
            f"{len(record.metrics)} metrics ({histories} values)"
        )
    return tracker, record


def _validate(account: _Account, record: RunRecord) -> None:
    with _stage(account, Stage.VALIDATE, "the record") as note:
        findings = metadata.validate(record)
        note.findings.extend(findings)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
            raise MetadataError(f"{errors[0].message} ({errors[0].code}){more}", errors[0].hint)
        config = account.request.config
        compare.check_margins(config.metrics, record.metrics)
        account.gates = compare.choose_gates(record.metrics, config.metrics, account.request.gates)
        note.summary = f"{len(findings)} findings, no errors"


def _checkout(account: _Account, record: RunRecord) -> tuple[source.Checkout, command.CommandFound]:
    """The code; then command, environment and data as the files at the commit complete them."""
    request, config = account.request, account.request.config
    with _stage(account, Stage.CHECKOUT, f"commit {record.code.commit[:12]}") as note:
        checkout = source.checkout(
            source.CheckoutRequest(
                code=record.code,
                repo=request.repo,
                cwd=request.cwd,
                env=request.env,
                tree=account.workspace / "base" / "tree",
            ),
            account.progress,
        )
        note.findings.extend(checkout.findings)
        note.findings.extend(logged_files.put_back(record.files, checkout.tree))
        found = command.complete(record, config, checkout.tree)
        record = dataclasses.replace(record, command=found.command)
        environment, env_findings = environment_choice.choose(record, checkout.tree, config)
        materials, data_findings = data_choice.choose(
            record, config, checkout.tree, command.substitute
        )
        note.findings.extend((*found.findings, *env_findings, *data_findings))
        account.record = dataclasses.replace(
            record,
            code=dataclasses.replace(record.code, commit=checkout.commit),
            environment=environment,
            data=materials,
            origins={
                **{key: value for key, value in record.origins.items() if "/data" not in key},
                "/command": found.origin,
                "/environment": environment.origin,
                **{f"/data/{i}": material.origin for i, material in enumerate(materials)},
            },
        )
        account.cost = _cost(request, record)
        note.summary = f"{checkout.commit[:12]} from {checkout.place}"
    return checkout, found


def _rebuild(account: _Account, checkout: source.Checkout, stack: contextlib.ExitStack) -> Sandbox:
    record = _known(account)
    assert record.environment is not None  # noqa: S101 - checkout has set it
    build = BuildRequest(
        spec=record.environment,
        tree=checkout.tree,
        started_at=record.started_at,
        cache=account.request.cache,
        progress=account.progress,
        env=account.request.env,
    )
    with _stage(account, Stage.REBUILD, f"environment from {record.environment.file}") as note:
        builder = environments.pick(record.environment)
        sandbox = account.sandbox = stack.enter_context(builder.build(build))
        note.findings.extend(sandbox.findings)
        built = sandbox.built
        note.summary = (
            f"{'cached' if built.cached else 'built'}: Python {built.python}, "
            f"{len(built.packages)} packages from {built.asked}"
        )
    return sandbox


def _restore(account: _Account, checkout: source.Checkout) -> datastores.Inputs:
    materials = _known(account).data
    with _stage(account, Stage.RESTORE, f"{len(materials)} inputs") as note:
        inputs = datastores.restore(
            materials,
            account.workspace / "inputs",
            checkout.tree,
            checkout.repository,
            account.progress,
        )
        note.findings.extend(inputs.findings)
        names = ", ".join(f"{item.path} at {item.digest[:8]}…" for item in materials[:3])
        note.summary = names or "no input is tracked by DVC"
    return inputs


def _rerun(
    account: _Account,
    tracker: Tracker,
    checkout: source.Checkout,
    found: command.CommandFound,
    sandbox: Sandbox,
    inputs: datastores.Inputs,
) -> Reruns:
    request, record, cost = account.request, _known(account), account.cost
    assert cost is not None  # noqa: S101 - checkout has set it
    question = _question(account)

    def judge(trials: tuple[Trial, ...], outcome: Outcome) -> Judgement:
        account.trials = trials
        account.judgement = compare.judge(
            dataclasses.replace(
                question, unstable=outcome.unstable, over_budget=outcome.over_budget
            ),
            trials,
        )
        return account.judgement

    with _stage(account, Stage.RERUN, f"at most {cost.reruns} trials") as note:
        account.progress.say(describe_cost(cost))
        passed = {
            name: request.env[name] for name in request.config.pass_env if name in request.env
        }
        reruns = rerunning.rerun(
            rerunning.RerunRequest(
                record=record,
                command=found.command,
                given=found.given,
                ignore=request.config.ignore_parameters,
                tree=checkout.tree,
                inputs=inputs,
                sandbox=sandbox,
                redirect=tracker.redirect,
                folder=account.workspace / "trials",
                logs=request.logs or account.workspace / "logs",
                reruns=cost.reruns,
                timeout_s=cost.trial_timeout_s,
                budget_s=request.config.budget_s,
                keep=request.keep,
                env={**passed, **found.command.env},
            ),
            judge,
            account.progress,
        )
        saved = cost.reruns - len(reruns.trials)
        note.summary = f"{len(reruns.trials)} trials" + (f", {saved} saved" if saved else "")
        note.summary += f"; {reruns.note}" if reruns.note else ""
    return reruns


def _compare(account: _Account, reruns: Reruns) -> None:
    with _stage(account, Stage.COMPARE, "metrics") as note:
        account.judgement = reruns.judgement
        judged = [item for item in reruns.judgement.comparisons if item.gated]
        note.summary = f"{len(judged)} gated metrics, stopped by: {reruns.judgement.stopped_by}"


def _question(account: _Account) -> compare.Question:
    config, record = account.request.config, _known(account)
    assert account.gates is not None  # noqa: S101 - validate has set it
    return compare.Question(
        metrics=record.metrics,
        rules=config.metrics,
        gates=account.gates,
        plan=config.reruns,
        same_machine=False,  # the record does not say what machine it was
        products={},
    )


def _cost(request: Request, record: RunRecord) -> Cost:
    timeout_s = rerunning.trial_timeout_s(record, request.config.timeout_s)
    reruns = request.config.reruns.reruns
    longest_s = min(request.config.budget_s or float("inf"), timeout_s * (reruns + 1))
    return Cost(
        original_s=record.duration_s,
        reruns=reruns,
        trial_timeout_s=timeout_s,
        longest_s=longest_s,
    )


def describe_cost(cost: Cost) -> str:
    """One line that says what the reruns may cost."""
    took = (
        "how long the original took is not recorded"
        if cost.original_s is None
        else f"the original took {format_duration(cost.original_s)}"
    )
    return (
        f"{took}; at most {cost.reruns} reruns, each stopped after "
        f"{format_duration(cost.trial_timeout_s)}, all after {format_duration(cost.longest_s)}"
    )


def _known(account: _Account) -> RunRecord:
    assert account.record is not None  # noqa: S101 - read has set it
    return account.record


def _report(account: _Account, error: ReprocheckError | None) -> Report:
    """The report, with the stages that did not run as skipped."""
    request, judgement = account.request, account.judgement
    done = {result.stage for result in account.stages}
    failed = next((item for item in account.stages if item.status is StageStatus.FAILED), None)
    skipped = tuple(
        StageResult(stage=stage, status=StageStatus.SKIPPED, duration_s=0.0)
        for stage in Stage
        if stage not in done
    )
    verdict, failed_stage, sentence, needed = _answer(judgement, failed, error, request)
    return Report(
        schema_version=REPORT_VERSION,
        tool_version=__version__,
        created_at=datetime.now(UTC),
        asked=request.asked,
        record=account.record,
        stages=(*account.stages, *skipped),
        environment=account.sandbox.built if account.sandbox else None,
        cost=account.cost,
        trials=account.trials,
        gates=account.gates,
        comparisons=_comparisons(account, error),
        verdict=verdict,
        failed_stage=failed_stage,
        sentence=sentence,
        needed=needed,
        require=request.config.require,
        dry_run=request.dry_run and error is None,
        workspace=account.workspace if request.keep else None,
    )


def _comparisons(account: _Account, error: ReprocheckError | None) -> tuple[Comparison, ...]:
    if error is not None:
        return ()
    if account.judgement is None:
        return compare.preview(_question(account))
    return account.judgement.comparisons


def _answer(
    judgement: Judgement | None,
    failed: StageResult | None,
    error: ReprocheckError | None,
    request: Request,
) -> tuple[Verdict, Stage | None, str, str]:
    if error is not None:
        stage = failed.stage if failed else error.stage
        return Verdict.NOT_VERIFIED, stage, error.message, error.hint
    if judgement is None:
        sentence = "nothing was run: this is the plan" if request.dry_run else "nothing was run"
        return Verdict.NOT_VERIFIED, None, sentence, ""
    stage = Stage.COMPARE if judgement.verdict is Verdict.NOT_VERIFIED else None
    return judgement.verdict, stage, judgement.sentence, judgement.needed
