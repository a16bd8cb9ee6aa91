"""What a verification knows so far, stage by stage, and the report that it becomes."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from reprocheck import __version__
from reprocheck.bundles import Bundle
from reprocheck.config import Config
from reprocheck.discretion import Discreet, is_sensitive, minimal, without_words
from reprocheck.errors import MachineError, ReprocheckError, UsageError
from reprocheck.model import (
    Acceptance,
    BuiltEnvironment,
    Comparison,
    Cost,
    Exhibit,
    Failure,
    Finding,
    Gates,
    HardwareSides,
    Judgement,
    PackageLists,
    Report,
    ReportDetail,
    RerunPlan,
    RunRecord,
    Scope,
    Setting,
    Stage,
    StageResult,
    StageStatus,
    Trial,
    UndeclaredInput,
    Verdict,
)
from reprocheck.progress import Progress
from reprocheck.subjects import subject

REPORT_VERSION = 1
# What the machine refuses; any other OSError is a defect of ours and stays a traceback.
_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_REFUSALS |= {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}


def cache_folder() -> Path:
    """Where finished environments are kept.

    Raises `UsageError` for a user without a home: the folder would lie in the current directory.
    """
    with contextlib.suppress(RuntimeError):  # of a new platformdirs
        folder = platformdirs.user_cache_path("reprocheck")
        if folder.is_absolute():
            return folder
    raise UsageError(
        "finding a place to keep environments: this user has no home directory",
        "set HOME or XDG_CACHE_HOME to an absolute path",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to verify, and how."""

    asked: str  # the run, in any of the forms that the tracker knows
    tracking_uri: str
    config: Config = field(default_factory=Config)
    bundle: Path | None = None  # in place of the tracker and of all data stores
    repo: str | None = None  # a path or URL
    ref: str = ""  # of origin, that has the commit; "": to be looked for
    accepted: tuple[Acceptance, ...] = ()  # baselines that count; of a run the last one
    proposed: tuple[Acceptance, ...] = ()  # baselines that do not count, and are told
    trusted: bool = False  # ask no address that the run or its commit names, but the config's own
    gates: tuple[str, ...] = ()
    dry_run: bool = False
    remote: str | None = None  # the DVC remote to read; None: all, the default first
    trace: bool = False  # observe which files the trials open
    start: str | None = None  # the step to start at; None: the first
    keep: bool = False  # the workspace
    logs: Path | None = None  # where the trials' full logs go; None: into the workspace
    cwd: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=dict)  # the caller's environment
    cache: Path = field(default_factory=cache_folder)


@dataclass(slots=True)
class Note:
    """What a stage says of itself when it ends."""

    summary: str = ""
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """What is known so far; becomes the report however far the stages come."""

    request: Request
    progress: Progress
    workspace: Path
    stages: list[StageResult] = field(default_factory=list)
    record: RunRecord | None = None
    subject: str = ""  # of the record as the tracker gave it
    environment: BuiltEnvironment | None = None
    packages: PackageLists | None = None
    settings: tuple[Setting, ...] = ()
    hardware: HardwareSides | None = None
    same_machine: bool = False  # hardware and environment are known to be the run's
    scope: Scope | None = None
    undeclared: tuple[UndeclaredInput, ...] | None = None
    cost: Cost | None = None
    gates: Gates | None = None
    acceptance: Acceptance | None = None  # whose values are the baseline
    proposed: Acceptance | None = None
    plan: RerunPlan | None = None  # None: the config's
    planned: tuple[Comparison, ...] = ()  # what would be judged, before any trial
    seeds: tuple[str | None, ...] = ()  # of all planned trials
    trials: tuple[Trial, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    bundle: Bundle | None = None  # opened
    lists: dict[str, bytes] = field(default_factory=dict)  # manifests that were read, by address
    judgement: Judgement | None = None
    _told: Discreet = field(init=False)

    def __post_init__(self) -> None:
        is_on = self.request.config.detail is ReportDetail.MINIMAL
        self.progress = self._told = Discreet(self.progress, is_on=is_on)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all stages; of a sensitive run without their words."""
        found = tuple(finding for stage in self.stages for finding in stage.findings)
        return without_words(found) if self._told.is_on else found

    @property
    def logs(self) -> Path:
        """Where the trials' full logs go; those of a sensitive run go with the workspace."""
        named = None if self._told.is_on else self.request.logs
        return named or self.workspace / "logs"

    def noting(self, read: Callable[[str], RunRecord]) -> Callable[[str], RunRecord]:
        """The same way to read a run; one sensitive run makes the whole report one."""

        def noted(asked: str) -> RunRecord:
            record = read(asked)
            self._told.is_on |= is_sensitive(record)
            return record

        return noted

    def take(self, record: RunRecord) -> RunRecord:
        """Keeps the record as the tracker gave it: files at the commit add to it later."""
        self.record, self.subject = record, subject(record)
        return record

    @contextlib.contextmanager
    def stage(self, stage: Stage, doing: str) -> Iterator[Note]:
        """Times a stage, tells its progress and keeps its result, also when it fails."""
        note = Note()
        started = time.monotonic()
        status, failure = StageStatus.FAILED, None
        self.progress.start(stage, doing)
        try:
            with _machine_errors(doing):
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
            self.stages.append(result)
            self.progress.finish(result)

    def report(self, error: ReprocheckError | None) -> Report:
        """The report, with the stages that did not run as skipped; minimal of a sensitive run."""
        report = self._whole(error)
        if not self._told.is_on:
            return report
        if report.workspace is not None:
            self.progress.say(f"Kept: {report.workspace}")
        return minimal(report)

    def _whole(self, error: ReprocheckError | None) -> Report:
        done = {result.stage for result in self.stages}
        skipped = tuple(
            StageResult(stage=stage, status=StageStatus.SKIPPED, duration_s=0.0)
            for stage in Stage
            if stage not in done
        )
        verdict, failed_stage, sentence, needed = self._answer(error)
        judgement = None if error else self.judgement
        return Report(
            schema_version=REPORT_VERSION,
            tool_version=__version__,
            created_at=datetime.now(UTC),
            asked=self.request.asked,
            record=self.record,
            stages=(*self.stages, *skipped),
            environment=self.environment,
            cost=self.cost,
            trials=tuple(map(_shown, self.trials)),
            gates=self.gates,
            comparisons=() if error else self._comparisons(),
            verdict=verdict,
            failed_stage=failed_stage,
            sentence=sentence,
            needed=needed,
            require=self.request.config.require,
            dry_run=self.request.dry_run and error is None,
            workspace=self.workspace if self.request.keep else None,
            plan=self.plan or self.request.config.reruns,
            stopped_by=judgement.stopped_by if judgement else "",
            criteria=judgement.criteria if judgement else (),
            seeds=self.seeds,
            products=judgement.products if judgement else (),
            predictions=judgement.predictions if judgement else None,
            packages=self.packages,
            settings=self.settings,
            hardware=self.hardware,
            scope=self.scope,
            undeclared=self.undeclared,
            subject=self.subject,
            exhibits=self.exhibits,
            acceptance=None if judgement and judgement.as_recorded else self.acceptance,
            proposed=self.proposed,
        )

    def _comparisons(self) -> tuple[Comparison, ...]:
        return self.planned if self.judgement is None else self.judgement.comparisons

    def _answer(self, error: ReprocheckError | None) -> tuple[Verdict, Stage | None, str, str]:
        if error is not None:
            failed = [item.stage for item in self.stages if item.status is StageStatus.FAILED]
            stage = failed[0] if failed else error.stage
            return Verdict.NOT_VERIFIED, stage, error.message, error.hint
        judgement = self.judgement
        if judgement is None:
            dry = self.request.dry_run
            sentence = "nothing was run: this is the plan" if dry else "nothing was run"
            return Verdict.NOT_VERIFIED, None, sentence, ""
        stage = Stage.COMPARE if judgement.verdict is Verdict.NOT_VERIFIED else None
        return judgement.verdict, stage, judgement.sentence, judgement.needed


def _shown(trial: Trial) -> Trial:
    """The trial without what only the comparison needs; it may be millions of numbers."""
    products = tuple(dataclasses.replace(product, content=None) for product in trial.products)
    return dataclasses.replace(trial, products=products, predictions=None)


@contextlib.contextmanager
def _machine_errors(doing: str) -> Iterator[None]:
    """Tells a full disk, or a place that may not be written, as such."""
    try:
        yield
    except OSError as error:
        # shutil.copytree gathers errors as text.
        told = re.search(r"\[Errno (\d+)\] ([^\"\[]+)", str(error))
        number, reason = (int(told[1]), told[2]) if told else (error.errno, str(error))
        if number not in _REFUSALS:
            raise
        raise MachineError(
            f"{doing}: {reason}",
            "free some space, or give another place: TMPDIR for the workspace, "
            "XDG_CACHE_HOME for the environments",
        ) from error
