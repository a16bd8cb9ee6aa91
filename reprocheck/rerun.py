"""Stage rerun: trials of one command, one after another, until the comparison is decided."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck import seen_paths
from reprocheck.compare import next_look
from reprocheck.counterpart import Rules, counterpart
from reprocheck.datastores import Inputs, remove_inside
from reprocheck.environments.base import Sandbox, TrialRun
from reprocheck.errors import RerunError
from reprocheck.git import last_lines
from reprocheck.hostile import redact, secret_values
from reprocheck.model import (
    Comparison,
    Finding,
    Judgement,
    OriginKind,
    RerunPlan,
    RunRecord,
    Trial,
)
from reprocheck.originals import Originals
from reprocheck.process import Completed
from reprocheck.progress import Progress
from reprocheck.proofs import check_code, check_command, check_seed, check_work, is_proved
from reprocheck.seen_paths import SeenPaths
from reprocheck.starts import Start
from reprocheck.trackers.base import LoggedRun, Redirection
from reprocheck.trial_words import TrialWords
from reprocheck.watch import Ran, Watch

TAIL = 64 * 1024  # characters of a log that the report keeps
NOTEBOOK_LACKS = "the environment cannot execute a notebook"  # as our program in the trial says
GRACE_S = 600.0  # a trial may take three times as long as the original, and this


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Why the trials ended, as far as the judgement must know."""

    unstable: bool = False  # a trial crashed after another had finished
    over_budget: bool = False


Judge = Callable[[tuple[Trial, ...], Outcome], Judgement]


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunRequest:
    """What a trial is made of."""

    record: RunRecord
    starts: tuple[Start, ...]  # of the trials; at most so many
    given: frozenset[str]  # parameters that the command line itself carries
    unproved: str  # why another result may only mean that it is another command
    ignore: tuple[str, ...]
    tree: Path  # a complete checkout; copied for each trial
    inputs: Inputs
    sandbox: Sandbox
    redirect: Callable[[Path], Redirection]
    folder: Path  # for the trials' trees and trackers
    logs: Path
    timeout_s: float  # for each trial
    budget_s: float | None = None  # for all trials
    made: frozenset[str] = frozenset()  # paths that the command makes; the commit's are removed
    keep: bool = False
    originals: Originals = field(default_factory=Originals)  # beside which products are put
    env: Mapping[str, str] = field(default_factory=dict)  # besides the allow-list
    fresh: bool = False  # the starts have seeds of their own
    paths: SeenPaths = field(default_factory=SeenPaths)  # that the commands are made to name
    plan: RerunPlan = field(default_factory=RerunPlan)
    planned: tuple[Comparison, ...] = ()  # what will be judged
    watch: Watch = field(default_factory=Watch)

    @property
    def reruns(self) -> int:
        """The most trials."""
        return len(self.starts)

    @property
    def words(self) -> TrialWords:
        """What is said of the trials."""
        gated = tuple(each.metric for each in self.planned)
        return TrialWords(record=self.record, gated=gated, most=self.reruns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reruns:
    """The finished trials and what they say."""

    trials: tuple[Trial, ...]
    judgement: Judgement
    note: str  # why it stopped, where that is no judgement
    findings: tuple[Finding, ...]  # what makes the trials doubtful


def trial_timeout_s(record: RunRecord, configured_s: float | None) -> float:
    """The time limit of a trial: as configured, else three times the original and ten minutes."""
    if configured_s is not None:
        return configured_s
    return 3 * (record.duration_s or 0.0) + GRACE_S if record.duration_s else 6 * GRACE_S


def rerun(request: RerunRequest, judge: Judge, progress: Progress) -> Reruns:
    """Runs trials until `judge` says that the answer is decided.

    Raises `RerunError` when the first trial crashes twice, when a trial logs nothing, or when what
    it logs is not the recorded run's counterpart or proves nothing.
    """
    trials, outcome, note = _trials(request, judge, progress)
    judgement = judge(trials, outcome)
    doubt = request.unproved or _doubt_of_command(request.record, trials)
    check_command(doubt, judgement)
    check_code(_doubt_of_code(request.record), judgement)
    findings = (
        *check_work(request.record, trials[0]),
        *_check_seed(request, trials[0]),
        *request.originals.findings,
    )
    return Reruns(trials=trials, judgement=judgement, note=note, findings=findings)


def _doubt_of_code(record: RunRecord) -> str:
    stored = ", ".join(record.code.stored)
    return f"it is what the run stored in {stored}, not the commit's" if stored else ""


def _check_seed(request: RerunRequest, trial: Trial) -> tuple[Finding, ...]:
    return check_seed(request.record, trial, request.ignore) if request.fresh else ()


def _doubt_of_command(record: RunRecord, trials: tuple[Trial, ...]) -> str:
    """Why an inferred command may not be the run's; "" where the trials' parameters prove it."""
    origin = record.origins.get("/command")
    inferred = origin is not None and origin.kind is OriginKind.INFERRED
    return "" if not inferred or is_proved(record, trials) else "no logged parameter proves it"


def _trials(
    request: RerunRequest, judge: Judge, progress: Progress
) -> tuple[tuple[Trial, ...], Outcome, str]:
    """The finished trials, at least one, and why there are no more."""
    started = time.monotonic()
    trials: list[Trial] = []
    judged = request.planned
    crashes = 0
    number = 0
    while True:
        number += 1
        index = len(trials) + 1
        left_s = _left_s(request, started)
        traced = request.watch.traces
        look = next_look(request.plan, judged, len(trials))
        tell = _Teller(request=request, ended=tuple(trials), look=look, progress=progress)
        completed, redirection = _run(request, (index, number), left_s, tell)
        if completed.timed_out and _left_s(request, started) <= 0:
            return _over_budget(trials)
        if completed.timed_out or completed.exit_code != 0:
            if traced:  # that may be why
                progress.say(f"trial {index} {_how(completed)} while observed; once more without")
                continue
            crashes += 1
            if trials:
                note = f"trial {index} {_how(completed)} after another had finished"
                return tuple(trials), Outcome(unstable=True), note
            if crashes == 2:
                raise _crashed(completed, request)
            progress.say(f"trial 1 {_how(completed)}; trying once more")
            continue
        trials.append(_trial(request, index, number, completed, redirection))
        check_work(request.record, trials[-1])
        _check_seed(request, trials[-1])
        judgement = judge(tuple(trials), Outcome())
        judged = judgement.comparisons
        progress.say(request.words.ended(trials[-1], judged))
        if judgement.decided:
            return tuple(trials), Outcome(), ""
        if _left_s(request, started) <= 0:
            return _over_budget(trials)


def _left_s(request: RerunRequest, started: float) -> float:
    if request.budget_s is None:
        return float("inf")
    return request.budget_s - (time.monotonic() - started)


def _over_budget(trials: list[Trial]) -> tuple[tuple[Trial, ...], Outcome, str]:
    if not trials:
        raise RerunError(
            "the budget for all reruns was used up before the first one finished",
            "allow more with --budget",
        )
    return tuple(trials), Outcome(over_budget=True), "the budget was used up"


def _run(
    request: RerunRequest, numbers: tuple[int, int], left_s: float, tell: _Teller
) -> tuple[Completed, Redirection]:
    """Runs the command once, in a tree of its own: the trial's, and its number among all runs."""
    index, number = numbers
    folder = request.folder / f"trial-{number}"
    tree, home = folder / "tree", folder / "home"
    (home / "tmp").mkdir(parents=True)
    tell.progress.update(f"preparing trial {index}")
    shutil.copytree(request.tree, tree, symlinks=True)
    for path in request.made:  # outputs of an earlier run, as DVC removes them
        remove_inside(tree, path)
    copies = request.inputs.copy_into(tree, tell.progress)
    seen_paths.copy_home(request.inputs, home)
    _log(request, number).unlink(missing_ok=True)  # of an earlier verification, beside a report
    redirection = request.redirect(folder / "tracking")
    tick = tell.ticks(index, redirection)
    tick()
    command = request.paths.in_tree(request.starts[index - 1].command, tree)
    trial = TrialRun(
        command=command,
        tree=tree,
        home=home,
        env={**request.env, **command.env, **request.inputs.env, **redirection.env},
        timeout_s=max(1.0, min(request.timeout_s, left_s)),
        log=_log(request, number),
        tracking=folder / "tracking",
        on_tick=tick,
        shown=seen_paths.shown(request.inputs) if request.sandbox.shows else (),
        trace=request.watch.trace_folder(folder),
    )
    completed = request.sandbox.run(trial)
    ran = Ran(number=number, trial=trial, copies=copies, completed=completed)
    request.watch.look(ran, request.sandbox)
    if not request.keep:
        shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(folder / "trace", ignore_errors=True)
    return completed, redirection


@dataclass(frozen=True, kw_only=True, slots=True)
class _Teller:
    """Tells what a trial does while it runs."""

    request: RerunRequest
    ended: tuple[Trial, ...]  # trials before it
    look: tuple[str, ...]  # what is said of the next look
    progress: Progress

    def ticks(self, index: int, redirection: Redirection) -> Callable[[], None]:
        started = time.monotonic()

        def tick() -> None:
            elapsed_s = time.monotonic() - started
            now = self.request.words.running(index, elapsed_s, redirection.peek(), self.ended)
            self.progress.update("\n".join((now, *self.look)))

        return tick


def _log(request: RerunRequest, number: int) -> Path:
    request.logs.mkdir(parents=True, exist_ok=True)
    return request.logs / f"trial-{number}.log"


def _trial(
    request: RerunRequest, index: int, number: int, completed: Completed, redirection: Redirection
) -> Trial:
    rules = Rules(
        record=request.record,
        folder=request.folder / f"trial-{number}",
        ignore=request.ignore,
        given=request.given,
        seed=request.starts[index - 1].seed if request.fresh else None,
        paths=request.paths,
    )
    run, differences = counterpart(redirection.collect(), rules)
    _refuse_unfinished(run)
    request.originals.exhibit_beside(run, index)
    return Trial(
        index=index,
        seed=request.starts[index - 1].seed,
        metrics=run.metrics,
        parameters=run.parameters,
        differences=differences,
        exit_code=completed.exit_code,
        duration_s=completed.duration_s,
        log=_log(request, number),
        log_tail=_told(request, completed),
        products=request.originals.put_beside(run),
        predictions=request.originals.predictions_of(run, index),
        parent_parameters=run.lineage.parent_parameters,
    )


def _refuse_unfinished(run: LoggedRun) -> None:
    if not run.finished:
        raise RerunError(
            f"the training exited with 0, but its MLflow run '{run.name}' did not finish",
            "see the trial's log; end the run with mlflow.end_run() or a with block",
        )
    if not run.metrics:
        raise RerunError(
            f"the rerun's MLflow run '{run.name}' has no metric: nothing was measured",
            "check that the command evaluates the model, as the original run did",
        )


def _told(request: RerunRequest, completed: Completed) -> str:
    """The end of the log, without the secrets that `pass_env` let through."""
    return redact(completed.stdout.decode(errors="replace"), secret_values(request.env))[-TAIL:]


def _how(completed: Completed) -> str:
    if completed.timed_out:
        return f"ran into its time limit after {completed.duration_s:.0f} s"
    if completed.exit_code < 0:
        return f"was ended by signal {-completed.exit_code}"
    return f"exited with {completed.exit_code}"


def _crashed(completed: Completed, request: RerunRequest) -> RerunError:
    tail = last_lines(_told(request, completed).encode(), 12)
    return RerunError(
        f"the first trial {_how(completed)}, twice\n{tail}",
        _hint(completed, tail, request),
    )


def _hint(completed: Completed, tail: str, request: RerunRequest) -> str:
    if completed.timed_out:
        return "allow more time per trial with --timeout"
    if "OfflineModeIsEnabled" in tail or "LocalEntryNotFoundError" in tail:
        return (
            "the training loads from the Hugging Face hub what is not listed, or by "
            "datasets.load_dataset(NAME), which cannot work offline: list it under data as  "
            "hub: datasets/NAME, and give load_dataset the folder that snapshot_download returns"
        )
    if NOTEBOOK_LACKS in tail:
        return (
            "list ipykernel, and papermill or nbconvert, in the file of the run's environment, or "
            "name one that has them under environment.file in reprocheck.yaml"
        )
    if "ModuleNotFoundError" in tail or "ImportError" in tail:
        return (
            f"the environment ({request.sandbox.built.asked}) lacks a package: name the file "
            "that lists all of them under environment.file in reprocheck.yaml"
        )
    if "FileNotFoundError" in tail or "No such file or directory" in tail:
        return "an input is missing: track it with DVC or git, or list it under data"
    return "run with --keep and repeat the command in the kept workspace to see more"
