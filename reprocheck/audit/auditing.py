"""How verifiable a tracker's runs are, in one pass over them.

search     every run's record, a page at a time                trackers, mlflow_search.py
grade      what each record lacks, as `validate` says it       judging.py, validation.py
together   what concerns the runs together                     together.py
reach      commits and data, each asked for once               commits.py, data.py
causes     the commonest, and the step that rescues most       causes.py

Of a run nothing stays but its grade, its findings and what it names; alike ones are kept once.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from reprocheck import __version__, hopeless, trackers
from reprocheck.audit.base import AuditRequest, Kept
from reprocheck.audit.causes import causes, rescue
from reprocheck.audit.commits import Commits, reach
from reprocheck.audit.data import look, trees_of
from reprocheck.audit.judging import Judge
from reprocheck.audit.together import Together
from reprocheck.audit.trees import Trees
from reprocheck.grading import grade
from reprocheck.model import (
    Audit,
    AuditedRun,
    Finding,
    Severity,
    Stage,
    StageResult,
    StageStatus,
)
from reprocheck.numbers import counted
from reprocheck.progress import Progress, Silent, bar
from reprocheck.source.patches import ways
from reprocheck.stored_code import code_of
from reprocheck.temporary import temporary_folder
from reprocheck.trackers.base import Found, Search, SearchedRun

_SEVERITIES = tuple(Severity)  # the worst first
_H = TypeVar("_H", bound=Hashable)


def audit(request: AuditRequest, progress: Progress | None = None) -> Audit:
    """Grades the runs of the request's experiments. Nothing is written but temporary files.

    Raises `UsageError`, `ReadError`, `SourceError` and what else means that it could not look.
    """
    progress = progress or Silent()
    with temporary_folder() as workspace:
        tracker = trackers.open_tracker(
            request.tracking_uri, request.config.artifact_roots, workspace / "tracker"
        )
        try:
            return _audit(request, tracker.search(_search(request)), workspace, progress)
        finally:
            tracker.close()


def _search(request: AuditRequest) -> Search:
    own = request.config.experiment
    return Search(
        experiments=request.experiments or ((own,) if own else ()),
        filter=request.filter,
        limit=request.limit,
        remote=not request.offline,
    )


def _audit(request: AuditRequest, found: Found, workspace: Path, progress: Progress) -> Audit:
    together = Together(request.tracking_uri, request.config.artifact_roots)
    kept = _read(request, found, together, progress)
    runs = _reached(kept, request, workspace, progress)
    step, rescued = rescue(runs)
    return Audit(
        experiments=found.experiments,
        filter=request.filter,
        made_at=datetime.now(UTC),
        tool_version=__version__,
        runs=runs,
        causes=causes(runs),
        rescue=step,
        rescued=rescued,
        findings=(*together.findings(), *_unlooked(request)),
    )


def _read(
    request: AuditRequest, found: Found, together: Together, progress: Progress
) -> list[Kept]:
    names = counted(len(found.experiments), "experiment")
    started = time.monotonic()
    progress.start(Stage.READ, f"the runs of {names}")
    keeper, kept = _Keeper(request), list[Kept]()
    for run in found:
        kept.append(keeper.keep(run))
        together.add(run.summary)
        progress.update(bar(len(kept), found.total, "run"))
    _finish(progress, Stage.READ, started, f"{counted(len(kept), 'run')} of {names}")
    return kept


class _Keeper:
    """Keeps of each run what is needed at the end, and of things that are alike only one."""

    def __init__(self, request: AuditRequest) -> None:
        self._known: dict[Hashable, Hashable] = {}
        self._judge = Judge(request)

    def keep(self, run: SearchedRun) -> Kept:
        record = run.record
        findings = tuple(map(self._one, self._judge.findings(record)))
        audited = AuditedRun(
            ref=record.ref,
            name=record.name,
            experiment=self._one(record.experiment),
            status=record.status,
            started_at=record.started_at,
            commit=self._one(record.code.commit),
            grade=grade(findings),
            findings=findings,
            metrics={sys.intern(name): value for name, value in run.summary.metrics.items()},
        )
        named = tuple(each for each in record.data if not each.weak and each.listing is None)
        return Kept(
            run=audited,
            commits=self._one(tuple(way.commit for way in ways(record.code))),
            repository=self._one(record.code.repository or ""),
            stored=bool(code_of(record)),
            adds=hopeless.adds_files(record),
            data=tuple(map(self._one, named)),
        )

    def _one(self, thing: _H) -> _H:
        return self._known.setdefault(thing, thing)  # type: ignore[return-value]


def _reached(
    kept: list[Kept], request: AuditRequest, workspace: Path, progress: Progress
) -> tuple[AuditedRun, ...]:
    """The runs, graded again where a commit or data cannot be had."""
    started = time.monotonic()
    distinct = {commit for each in kept for commit in each.commits}
    progress.start(Stage.VALIDATE, f"looking for {counted(len(distinct), 'commit')}")
    commits = reach(kept, request, workspace)
    trees = trees_of(kept, request, commits, workspace)
    data = None
    if not request.config.data:
        progress.update("looking for the data of the runs")
        data = look(kept, request, commits, workspace, trees)
    runs = []
    while kept:  # what is done is let go
        each = kept.pop()
        found = [*commits.findings(each), *(data.findings(each) if data else ())]
        runs.append(_graded(_settled(each, commits, trees), found))
    said = f"{counted(len(distinct), 'commit')} looked for"
    _finish(progress, Stage.VALIDATE, started, said)
    return tuple(reversed(runs))


def _settled(kept: Kept, commits: Commits, trees: Trees) -> AuditedRun:
    """The run, where its commit holds no file that could define its environment, told so."""
    named = [commits.full.get(each.lower(), "") for each in kept.commits]
    hopeful = any(trees.names(each, hopeless.defines_environment) for each in named)
    if kept.adds or hopeful or not named:
        return kept.run
    return dataclasses.replace(kept.run, findings=hopeless.settled(kept.run.findings))


def _graded(run: AuditedRun, found: list[Finding]) -> AuditedRun:
    findings = sorted((*run.findings, *found), key=lambda each: _SEVERITIES.index(each.severity))
    return dataclasses.replace(run, findings=tuple(findings), grade=grade(findings))


def _unlooked(request: AuditRequest) -> Iterator[Finding]:
    if request.config.data:
        yield Finding(
            code="data-unchecked",
            severity=Severity.NOTE,
            message="the data that reprocheck.yaml lists was not looked for: its paths may depend "
            "on the run",
            hint="verify one run, which restores its data: reprocheck verify RUN_ID",
            pointer="/data",
        )


def _finish(progress: Progress, stage: Stage, started: float, summary: str) -> None:
    duration_s = time.monotonic() - started
    progress.finish(
        StageResult(stage=stage, status=StageStatus.PASSED, duration_s=duration_s, summary=summary)
    )
