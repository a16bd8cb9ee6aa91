"""The whole verification, stage by stage.

read       the run from its tracker                         intake.py, trackers/
validate   what the record holds                            intake.py, metadata.py
checkout   a clone of our own at the commit; command and environment
           are completed from its files              preparation.py, source.py, command/
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
from pathlib import Path

from reprocheck import (
    capacity,
    compare,
    datastores,
    environments,
    hardware,
    intake,
    planning,
    seen_paths,
)
from reprocheck import rerun as rerunning
from reprocheck.account import Account, Note, Request
from reprocheck.durations import format_duration
from reprocheck.environments import landed, landed_hardware, reach, tracing
from reprocheck.environments.base import BuildRequest, Sandbox
from reprocheck.errors import ReprocheckError
from reprocheck.machine import read_machine
from reprocheck.model import (
    Cost,
    Finding,
    HardwareSides,
    Judgement,
    Report,
    RunRecord,
    SeedPolicy,
    Severity,
    Stage,
    Trial,
)
from reprocheck.numbers import counted
from reprocheck.originals import Originals
from reprocheck.planning import Forecast, Outlook
from reprocheck.preparation import Prepared, around, prepare, shortages
from reprocheck.progress import Progress, Silent
from reprocheck.rerun import Outcome, Reruns
from reprocheck.seen_paths import SeenPaths
from reprocheck.temporary import remove_dead, temporary_folder
from reprocheck.trackers.base import Tracker
from reprocheck.watch import Watch, unlisted

__all__ = ["Request", "describe_cost", "plan", "verify"]


CHANGED = Finding(
    code="changed-environment",
    severity=Severity.WARNING,
    message="a trial wrote into the environment that it ran in; later trials saw what it wrote",
    hint="let the training install nothing, and keep its files out of site-packages; the "
    "environment is built anew next time",
    pointer="/environment",
)


AS_RECORDED = Finding(
    code="run-as-recorded",
    severity=Severity.NOTE,
    message="the reruns gave the run's own values again, so that the baseline that was accepted "
    "for it was not needed",
    hint="it counts again where they differ; to end it, revert the commit that added it to "
    "reprocheck.baseline.json",
    pointer="/metrics",
)


def verify(request: Request, progress: Progress | None = None) -> Report:
    """Verifies one run; whatever goes wrong on the way is in the report.

    Only a defect in reprocheck, an interruption, or the lack of a place for temporary files raises.
    Nothing is left behind but caches and what `keep` and `logs` ask for.
    """
    remove_dead()
    with temporary_folder(keep=request.keep) as workspace:
        account = Account(request=request, progress=progress or Silent(), workspace=workspace)
        try:
            with contextlib.ExitStack() as stack:
                _stages(account, stack)
        except ReprocheckError as error:
            return account.report(error)
        return account.report(None)


def plan(
    request: Request, given: frozenset[str] = frozenset(), progress: Progress | None = None
) -> Forecast:
    """What verifying a run can be expected to answer and to cost; only its record is read.

    `given` are the metrics whose sigma is an option's. Raises `ReprocheckError`.
    """
    with temporary_folder(keep=False) as workspace, contextlib.ExitStack() as stack:
        account = Account(request=request, progress=progress or Silent(), workspace=workspace)
        tracker = intake.open_tracker(account, stack)
        record, pooled = intake.read(account, tracker)
        question = intake.validate(account, tracker, record, pooled)
        cost = account.cost = intake.cost(request, record, compare.planned_reruns(question))
        machine = read_machine(request.env, workspace)
        outlook = Outlook(
            asked=request.asked,
            record=record,
            question=question,
            cost=cost,
            given=given,
            findings=shortages(account, record, None, machine),
        )
        return planning.forecast(outlook)


def _stages(account: Account, stack: contextlib.ExitStack) -> None:
    """Every stage, in order. What must be closed at the end goes onto the stack."""
    tracker = intake.open_tracker(account, stack)
    record, pooled = intake.read(account, tracker)
    question = intake.validate(account, tracker, record, pooled)
    cost = account.cost = intake.cost(account.request, record, compare.planned_reruns(question))
    prepared = prepare(account, tracker, record, cost)
    if account.request.dry_run:
        return
    sandbox = _rebuild(account, prepared, stack)
    inputs = _restore(account, prepared, sandbox)
    request = _rerun_request(account, prepared, tracker, sandbox, inputs)
    reruns = _rerun(account, request, question, tracker)
    _compare(account, reruns)


def _rebuild(account: Account, prepared: Prepared, stack: contextlib.ExitStack) -> Sandbox:
    spec, config = prepared.environment, account.request.config
    build = BuildRequest(
        spec=spec,
        tree=prepared.checkout.tree,
        started_at=prepared.record.started_at,
        cache=account.request.cache,
        progress=account.progress,
        env=account.request.env,
        download_python=account.request.config.download_python,
        channels=account.request.config.conda_channels,
        args=config.environment_args,
        network=config.environment_network,
        timeout_s=config.environment_timeout_s,
        limits=config.limits,
    )
    with account.stage(Stage.REBUILD, f"environment from {spec.file}") as note:
        capacity.check_gpus(config.limits, spec.kind, prepared.machine)
        sandbox = stack.enter_context(environments.pick(spec).build(build))
        built = account.environment = sandbox.built
        account.packages = landed.lists_of(prepared.record, prepared.checkout.tree, spec, built)
        note.findings.extend((*sandbox.findings, *landed.findings_of(account.packages)))
        sides = account.hardware = _land_hardware(account, prepared, sandbox)
        account.same_machine = bool(sides.same) and landed.is_same(account.packages, spec)
        note.findings.extend(hardware.findings_of(sides))
        note.summary = (
            f"{'cached' if built.cached else 'built'}: Python {built.python}, "
            f"{counted(len(built.packages), 'package')} from {built.asked}"
        )
    return sandbox


def _land_hardware(account: Account, prepared: Prepared, sandbox: Sandbox) -> HardwareSides:
    """What the trials compute on, beside what the run did."""
    request, command = account.request, prepared.starts.trials[0].command
    probing = landed_hardware.Probing(
        command=command,
        env=_trial_env(account) | dict(command.env),
        caller=request.env,
        frameworks=account.packages.frameworks if account.packages else (),
        limits=request.config.limits,
        machine=prepared.machine,
        folder=account.workspace / "probe",
        kept=request.cache / "hardware",
    )
    found = landed_hardware.landed_of(sandbox, probing)
    return landed_hardware.sides_of(prepared.record, account.settings, found)


def _trial_env(account: Account) -> dict[str, str]:
    """Variables of the trials besides the command's: those let through, those restored."""
    request = account.request
    passed = {name: request.env[name] for name in request.config.pass_env if name in request.env}
    return passed | {each.name: each.value for each in account.settings}


def _paths(prepared: Prepared, sandbox: Sandbox) -> SeenPaths:
    return seen_paths.of_trials(prepared.record.data, prepared.roots, shows=sandbox.shows)


def _restore(account: Account, prepared: Prepared, sandbox: Sandbox) -> datastores.Inputs:
    checkout = prepared.checkout
    materials = tuple(item for item in prepared.record.data if not item.weak)
    with account.stage(Stage.RESTORE, counted(len(materials), "input")) as note:
        beside = around(account, checkout)
        asked = datastores.stores(beside)
        note.findings.extend(datastores.disagreements(materials, checkout.tree, asked))
        inputs = datastores.restore(materials, account.workspace / "inputs", beside)
        note.findings.extend(inputs.findings)
        paths, command = _paths(prepared, sandbox), prepared.starts.found.command
        told = seen_paths.findings(paths, materials, command, shows=sandbox.shows)
        note.findings.extend(told)
        seen_paths.refuse_others(paths, inputs, command)
        names = ", ".join(f"{item.label} at {item.digest[:8]}…" for item in materials[:3])
        note.summary = names or "no input is tracked by DVC"
    return inputs


def _rerun_request(
    account: Account,
    prepared: Prepared,
    tracker: Tracker,
    sandbox: Sandbox,
    inputs: datastores.Inputs,
) -> rerunning.RerunRequest:
    request, found = account.request, prepared.starts.found
    return rerunning.RerunRequest(
        record=prepared.record,
        starts=prepared.starts.trials,
        given=found.given,
        made=found.made,
        unproved=found.unproved,
        ignore=request.config.ignore_parameters,
        tree=prepared.checkout.tree,
        inputs=inputs,
        paths=_paths(prepared, sandbox),
        sandbox=sandbox,
        redirect=tracker.redirect,
        folder=account.workspace / "trials",
        logs=account.logs,
        timeout_s=prepared.cost.trial_timeout_s,
        budget_s=request.config.budget_s,
        keep=request.keep,
        env=_trial_env(account),
        fresh=request.config.reruns.seeds is SeedPolicy.FRESH,
        watch=Watch(
            trace=request.trace,
            known=tracing.below(*_known(inputs, sandbox)),
            unlisted=unlisted(request.config, prepared.record.data),
        ),
    )


def _known(inputs: datastores.Inputs, sandbox: Sandbox) -> tuple[Path, ...]:
    """Where trials find what is declared, besides their trees."""
    shown = seen_paths.shown(inputs) if sandbox.shows else ()
    return (inputs.folder, *reach.named_in(inputs.env), *(Path(each.target) for each in shown))


def _rerun(
    account: Account, request: rerunning.RerunRequest, question: compare.Question, tracker: Tracker
) -> Reruns:
    with account.stage(Stage.RERUN, f"at most {counted(request.reruns, 'trial')}") as note:
        if account.cost:
            account.progress.say(describe_cost(account.cost))
        left = _originals(account, request.record, question, tracker, note)
        planned = compare.preview(question)
        request = dataclasses.replace(request, originals=left, plan=question.plan, planned=planned)

        def judge(trials: tuple[Trial, ...], outcome: Outcome) -> Judgement:
            asked = dataclasses.replace(
                question,
                same_machine=account.same_machine,
                products=dict(left.products),
                unstable=outcome.unstable,
                over_budget=outcome.over_budget,
            )
            account.trials, account.judgement = trials, compare.judge(asked, trials)
            return account.judgement

        try:
            reruns = rerunning.rerun(request, judge, account.progress)
        finally:  # also where a trial crashed: a changed input may be why
            note.findings.extend(request.watch.findings)
            account.undeclared = request.watch.undeclared
            account.exhibits = left.exhibits or ()
        note.findings.extend(reruns.findings)
        if request.sandbox.changed():
            note.findings.append(CHANGED)
        saved = request.reruns - len(reruns.trials)
        note.summary = counted(len(reruns.trials), "trial") + (f", {saved} saved" if saved else "")
        note.summary += f"; {reruns.note}" if reruns.note else ""
    return reruns


def _originals(
    account: Account,
    record: RunRecord,
    question: compare.Question,
    tracker: Tracker,
    note: Note,
) -> Originals:
    """What the original left; also shows whether the first rerun is identical to it."""
    fetched = tracker.products(record, account.workspace / "products", account.progress)
    note.findings.extend(fetched.findings)
    return Originals.of(fetched, account.request.config.predictions, question.predictions)


def _compare(account: Account, reruns: Reruns) -> None:
    with account.stage(Stage.COMPARE, "metrics") as note:
        account.judgement = reruns.judgement
        judged = [item for item in reruns.judgement.comparisons if item.gated]
        told = counted(len(judged), "gated metric")
        note.summary = f"{told}, stopped by: {reruns.judgement.stopped_by}"
        note.findings.extend(reruns.judgement.findings)
        if reruns.judgement.as_recorded:
            note.findings.append(AS_RECORDED)


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
