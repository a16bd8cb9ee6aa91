"""`reprocheck record`: looks before a command starts at what its record would lack, runs it with
capture switched on, and sees to it that a run carries the record.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck.recording import code_imports, foresight, programs
from reprocheck.recording.base import Asked, Foreseen, Lack, Situation
from reprocheck.recording.capture_files import capture_folder
from reprocheck.recording.requirements import check, refused
from reprocheck.recording.template import FILE_NAME, write_template
from reprocheck.recording.training import Noted, create, exit_code, keep_ref, train

__all__ = [
    "FILE_NAME",
    "Asked",
    "Lack",
    "Noted",
    "Outcome",
    "Prepared",
    "look",
    "refused",
    "run",
    "variables",
    "write_template",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A command that is ready to start, and what its record would lack."""

    situation: Situation
    lacks: tuple[Lack, ...]
    python: tuple[str, ...] | None  # what starts the training's interpreter
    capture: Path
    folder: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a recorded command ended."""

    exit_code: int  # its own
    runs: tuple[Noted, ...]
    created: bool  # the command started no run
    problem: str = ""  # why no run could be created
    kept: str = ""  # the command that keeps the commit, "" where none is to be kept
    not_kept: str = ""  # why that failed


def look(asked: Asked, folder: Path) -> Prepared:
    """Finds out what the record would lack; `folder` is for files until the command has ended.

    Raises `ReprocheckError`.
    """
    capture = capture_folder(folder)
    files = folder / "files"
    files.mkdir()
    python = programs.interpreter(asked.argv, asked.cwd, asked.env)
    scripts = programs.scripts(asked.argv, asked.cwd)
    script = next((path for path in scripts if path.suffix == ".py"), None)
    foreseen, silent = foresight.foresee(asked, script, python, (capture, files))
    off = foresight.why_off(asked) or silent
    situation = Situation(asked=asked, foreseen=foreseen, capture_off=off)
    situation = _with_code(situation, scripts)
    return Prepared(
        situation=situation,
        lacks=check(situation),
        python=python,
        capture=capture,
        folder=folder,
    )


def _with_code(situation: Situation, scripts: tuple[Path, ...]) -> Situation:
    asked, foreseen = situation.asked, situation.foreseen
    by_hand = [
        asked.cwd / each for each in asked.env.get(foresight.PATH, "").split(os.pathsep) if each
    ]
    if programs.has_cwd_in_path(asked.argv, scripts):
        by_hand.append(asked.cwd)
    search = code_imports.search_path(scripts, by_hand, foreseen.search, foreseen.root)
    sources, modules = code_imports.read_sources(scripts, search)
    return dataclasses.replace(
        situation, tracked=_tracked(situation, foreseen), sources=sources, modules=modules
    )


def _tracked(situation: Situation, foreseen: Foreseen) -> frozenset[str]:
    if foreseen.root is None:
        return frozenset()
    told = situation.git("ls-files", "-z", trusting=True, check=False).stdout
    return frozenset(os.fsdecode(path) for path in told.split(b"\0") if path)


def run(prepared: Prepared) -> Outcome:
    """Runs the command, and records it where it started no run itself. Raises `UsageError`."""
    done, runs = train(prepared.situation.asked, prepared.capture, prepared.folder / "runs")
    outcome = Outcome(exit_code=exit_code(done), runs=runs, created=False)
    why = foresight.why_off(prepared.situation.asked)
    if not runs and why:  # a second run beside the command's own would be worse than none
        problem = f"no run is known to carry the record: {why}"
        outcome = dataclasses.replace(outcome, problem=problem)
    elif not runs:
        places = (prepared.capture, prepared.folder)
        made, problem = create(prepared.situation, done, prepared.python, places)
        found = (made,) if made else ()
        problem = problem and f"the command logged no run, and none could be made: {problem}"
        outcome = dataclasses.replace(outcome, runs=found, created=True, problem=problem)
    if outcome.runs and prepared.situation.asked.keep_ref:
        # One ref keeps the commit for all runs of a command; the first one is their parent.
        kept, why = keep_ref(prepared.situation, outcome.runs[0].run_id)
        outcome = dataclasses.replace(outcome, kept=kept, not_kept=why)
    return outcome


def variables(env: Mapping[str, str], uri: str | None, experiment: str | None) -> dict[str, str]:
    """The variables with the tracker that is to be logged into, where one is named."""
    named = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": experiment}
    return {**env, **{name: value for name, value in named.items() if value}}
