"""The command line to rerun, from the record or from the files at the commit.

The first that exists: recorded argv; the MLproject that the run was started as; Hydra's overrides
kept with the run (after that MLproject, which itself logs what it passes on); the template in
reprocheck.yaml; an MLproject's entry point or DVC stages that run the recorded script; a notebook
that is the recorded source; that script alone. What is inferred is said to be, and proved or
refused by the parameters that a trial logs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from reprocheck.command import dvc_stages, hydra, mlproject, notebooks, script
from reprocheck.command.base import (
    PYTHON,
    CommandFound,
    PipelineStep,
    Search,
    find_in_tree,
    missing_command,
)
from reprocheck.command_templates import StepTemplate
from reprocheck.config import Config
from reprocheck.errors import SourceError
from reprocheck.launchers import KERNEL_LAUNCHER, is_launched, is_launcher
from reprocheck.model import Argv, Command, Origin, OriginKind, RunRecord, Step
from reprocheck.placeholders import substitute
from reprocheck.tree_paths import is_script, scripts_outside

__all__ = ["CommandFound", "PipelineStep", "complete", "find_in_tree", "ways"]


def ways(record: RunRecord, config: Config, tree: Path) -> Iterator[CommandFound | None]:
    """What each way to find a command finds, the one that counts most first; None for nothing."""
    return _ways(Search(record=record, config=config, tree=tree, refused=[]))


def complete(record: RunRecord, config: Config, tree: Path) -> CommandFound:
    """The command to rerun in a tree at the run's commit.

    Raises `SourceError` that lists what was looked for.
    """
    search = Search(record=record, config=config, tree=tree, refused=[])
    for found in _ways(search):
        if found is not None:
            return found
    source = record.code.script or ""
    if is_launcher(source) or (record.command and is_launched(record.command)):
        said = "the record names only what started the notebook's kernel, not the notebook"
        raise missing_command(search, f"{said} ('{source}')", KERNEL_LAUNCHER)
    looked = "; ".join(search.refused) or "the record names neither a command nor a script"
    raise missing_command(search, looked)


def _ways(search: Search) -> Iterator[CommandFound | None]:
    found: tuple[Way, ...] = (
        _else_template(_recorded),
        mlproject.from_own_mlproject,
        _else_template(hydra.from_overrides),
        _from_template,  # before what is only guessed: it is how a user corrects a wrong guess
        mlproject.from_mlproject,
        dvc_stages.from_script,
        notebooks.from_source,
        script.from_script,
    )
    return (way(search) for way in found)


Way = Callable[[Search], CommandFound | None]


def _else_template(way: Way) -> Way:
    """The way; what it cannot read is no error where the config has the command."""

    def found(search: Search) -> CommandFound | None:
        try:
            return way(search)
        except SourceError as error:
            if not search.config.command:
                raise
            search.refused.append(error.message)
            return None

    return found


# --- recorded argv ------------------------------------------------------------------------


def _recorded(search: Search) -> CommandFound | None:
    command = search.record.command
    if command is None or is_launched(command):
        return None
    origin = search.record.origins.get("/command")
    origin = origin or Origin(kind=OriginKind.TAG, where="reprocheck.argv")
    if len(command.steps) == 1:
        stages = dvc_stages.from_argv(search, command.steps[0])
        if stages is not None:
            return dataclasses.replace(
                stages,
                command=dataclasses.replace(stages.command, env=command.env),
                origin=dataclasses.replace(origin, where=f"{origin.where}: {stages.origin.where}"),
            )
    steps = tuple(
        notebooks.executed(_into_tree(step, search.tree), search.tree) for step in command.steps
    )
    for outside in scripts_outside(Command(steps=steps)):  # at its path here may be any other
        said = f"the recorded script {outside} is not at the commit, or several of its name are"
        raise missing_command(search, said)
    return CommandFound(command=Command(steps=steps, env=command.env), origin=origin)


def _into_tree(step: Step, tree: Path) -> Step:
    """A recorded command whose script has an absolute path of another machine."""
    if not isinstance(step.run, Argv):
        return step
    args = list(step.run.args)
    script = next((i for i, word in enumerate(args) if is_script(word)), 0)
    for index in {*range(min(2, len(args))), script}:
        word = args[index]
        if PurePosixPath(word).is_absolute() and not PYTHON.fullmatch(PurePosixPath(word).name):
            args[index] = find_in_tree(word, tree) or word
    return dataclasses.replace(step, run=Argv(args=tuple(args)))


# --- template -----------------------------------------------------------------------------


def _from_template(search: Search) -> CommandFound | None:
    templates = search.config.command
    if not templates:
        search.refused.append(f"{search.config.name} has no command")
        return None
    steps = tuple(
        notebooks.executed(_filled(template, search.record), search.tree) for template in templates
    )
    parts = tuple(
        PipelineStep(name=step.name, steps=(step,), makes=template.outs)
        for step, template in zip(steps, templates, strict=True)
        if step.name
    )
    return CommandFound(
        command=Command(steps=steps),
        origin=Origin(kind=OriginKind.CONFIG, where=f"{search.config.name}: command"),
        made=frozenset(path for part in parts for path in part.makes or ()),
        parts=parts,
    )


def _filled(step: StepTemplate, record: RunRecord) -> Step:
    args = tuple(substitute(arg, record) for arg in step.args)
    return Step(run=Argv(args=args), cwd=step.cwd, name=step.name)
