"""Judges what is recorded already: runs as reruns of another one, or plain lists of values.

read       the original and the reruns, from files, a tracker or the command line    sides.py
compare    the metrics, by the one look that their number allows                     compare/

Nothing is rerun: the other stages are skipped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from reprocheck import compare, questions, trackers
from reprocheck.account import Account, Request
from reprocheck.config import Config
from reprocheck.errors import ReprocheckError
from reprocheck.model import Report, RerunPlan, RunRecord, SeedPolicy, Stage
from reprocheck.numbers import counted
from reprocheck.precedence import OPTION
from reprocheck.progress import Progress, Silent
from reprocheck.record_files import names_file, read_record_file
from reprocheck.sides import RecordedRuns, Sides, ValueLists, sides_of_runs, sides_of_values
from reprocheck.temporary import temporary_folder


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """What to judge, and how."""

    sides: RecordedRuns | ValueLists
    tracking_uri: str = ""  # for runs that are no files
    config: Config = field(default_factory=Config)
    gates: tuple[str, ...] = ()
    seeds: SeedPolicy | None = None  # None: as the records say, else as the config does
    env: Mapping[str, str] = field(default_factory=dict)


def compare_recorded(request: RecordedRequest, progress: Progress | None = None) -> Report:
    """Judges recorded reruns; whatever goes wrong on the way is in the report.

    Only a defect in reprocheck, an interruption, or the lack of a place for temporary files raises.
    """
    with temporary_folder() as workspace:
        account = Account(
            request=Request(
                asked=_asked(request),
                tracking_uri=request.tracking_uri,
                config=request.config,
                gates=request.gates,
                env=request.env,
                cache=workspace,  # unused: no environment is built
            ),
            progress=progress or Silent(),
            workspace=workspace,
        )
        try:
            _compare(account, request, _read(account, request))
        except ReprocheckError as error:
            return account.report(error)
        return account.report(None)


def _asked(request: RecordedRequest) -> str:
    match request.sides:
        case RecordedRuns(original=named):
            return named
        case ValueLists():
            return "the values of the command line"
        case other:
            assert_never(other)


def _read(account: Account, request: RecordedRequest) -> Sides:
    with account.stage(Stage.READ, "both sides") as note:
        match request.sides:
            case RecordedRuns() as runs:
                sides = _read_runs(runs, request, account)
            case ValueLists() as lists:
                sides = sides_of_values(lists)
            case other:
                assert_never(other)
        account.record, account.trials = sides.record, sides.trials
        note.findings.extend(sides.findings)
        note.summary = (
            f"{counted(sides.originals, 'original')}, {counted(len(sides.trials), 'rerun')}, "
            f"{counted(len(sides.original.metrics), 'metric')}"
        ) + (f"; the reruns are {sides.told}" if sides.told else "")
    return sides


def _read_runs(runs: RecordedRuns, request: RecordedRequest, account: Account) -> Sides:
    roots = request.config.artifact_roots
    tracker = trackers.open_tracker(request.tracking_uri, roots, account.workspace / "tracker")

    def read(named: str) -> RunRecord:
        return read_record_file(Path(named)) if names_file(named) else tracker.read(named)

    with contextlib.closing(tracker):
        return sides_of_runs(runs, account.noting(read), request.config.ignore_parameters)


def _compare(account: Account, request: RecordedRequest, sides: Sides) -> None:
    with account.stage(Stage.COMPARE, "metrics") as note:
        question, doubts = questions.ask(
            sides.original, sides.pooled, _config(request, sides), request.gates or sides.named
        )
        question = dataclasses.replace(
            question,
            baselines=question.baselines + sides.more,
            same_machine=sides.same_machine,
        )
        if sides.named and not request.gates:
            gates = dataclasses.replace(question.gates, reason="named by --values")
            question = dataclasses.replace(question, gates=gates)
        note.findings.extend(doubts)
        account.gates, account.plan = question.gates, question.plan
        judgement = compare.judge(question, sides.trials)
        # Nothing is rerun here, so there is no such option.
        needed = re.sub(r": --reruns (\d+)", r", \1 in all", judgement.needed)
        account.judgement = dataclasses.replace(judgement, needed=needed)
        judged = [item for item in judgement.comparisons if item.gated]
        seeds = question.plan.seeds.value
        note.summary = (
            f"{counted(len(judged), 'gated metric')}, judged as reruns with {seeds} seeds"
        )


def _config(request: RecordedRequest, sides: Sides) -> Config:
    """The config, with one look at all the reruns there are. Of plain values only its rules for
    the metrics that were named count; options count always."""
    config, reruns = request.config, len(sides.trials)
    rules = {
        name: rule
        for name, rule in config.metrics.items()
        if not sides.named
        or name in sides.named
        or (rule.margin is not None and rule.margin.source == OPTION)
        or (rule.sigma is not None and not rule.place)  # of an option
    }
    plan = RerunPlan(
        least=reruns,
        most=reruns,
        alpha=config.reruns.alpha,
        seeds=request.seeds or sides.seeds or config.reruns.seeds,
    )
    return dataclasses.replace(config, metrics=rules, reruns=plan)
