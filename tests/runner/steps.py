"""Runs steps: scripts, composite actions, and stand-ins for the actions of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.runner import stand_ins
from tests.runner.command_files import CommandFileError, CommandFiles
from tests.runner.definitions import Action, Input, Step, UnknownKeyError, read_action
from tests.runner.expressions import Scope, condition, filled
from tests.runner.functions import Function
from tests.runner.jobs import JobState, StepRun
from tests.runner.values import Closed, Value, text, truthy

SHELLS = {
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
    "": ("bash", "-e"),  # a workflow's default
}


class UnknownInputError(Exception):
    """An action is handed an input that it does not have, or not handed one that it requires."""


@dataclass(kw_only=True)
class Frame:
    """A job or an action, whose steps run in order and know each other."""

    what: str
    inputs: Value
    steps: tuple[Step, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # of the step that uses the action
    action: Mapping[str, str] = field(default_factory=dict)  # action_path and the like
    failed: bool = False
    known: dict[str, Value] = field(default_factory=dict)

    def scope(self, job: JobState) -> Scope:
        """The contexts and functions of a step's expressions."""
        ids = tuple(step.id for step in self.steps if step.id)
        contexts = {
            "runner": job.runner,
            "env": {**job.env, **self.env},
            "job": {"status": "failure" if self.failed else "success"},
            **job.contexts,
            "github": {**job.github, **self.action},
            "inputs": self.inputs,
            "steps": Closed(f"steps of {self.what}", self.known, ids),
        }
        if not self.action:  # an action sees no secrets
            contexts["secrets"] = job.secrets_context()
        return Scope(contexts=contexts, functions=self._status())

    def _status(self) -> dict[str, Function]:
        told = {"success": not self.failed, "failure": self.failed}
        told |= {"always": True, "cancelled": False}
        return {name: Function(lambda value=value: value, 0, 0) for name, value in told.items()}


def perform(frame: Frame, job: JobState) -> None:
    """Runs the steps of a frame, each where its condition holds."""
    for step in frame.steps:
        result = _step(step, frame, job)
        job.steps.append(result)
        if result.conclusion == "failure":
            frame.failed = True
        if step.id:
            frame.known[step.id] = {
                "outcome": result.outcome,
                "conclusion": result.conclusion,
                "outputs": result.outputs,
            }


def _step(step: Step, frame: Frame, job: JobState) -> StepRun:
    scope = frame.scope(job)
    told = StepRun(
        id=step.id,
        name=step.name,
        uses=step.uses,
        inputs={},
        env={},
        outcome="skipped",
        conclusion="skipped",
        outputs={},
    )
    if not condition(step.condition, scope):
        return told
    env = {**frame.env, **_texts(filled(step.env, scope))}
    scope = scope.having(env={**job.env, **env})
    ended = _script(step, frame, job, scope) if step.run else _used(step, job, scope)
    lenient = truthy(filled(step.continue_on_error, scope)) is True
    conclusion = "success" if lenient and ended.outcome == "failure" else ended.outcome
    return replace(ended, id=step.id, name=step.name, uses=step.uses, conclusion=conclusion)


def _script(step: Step, frame: Frame, job: JobState, scope: Scope) -> StepRun:
    if step.shell not in SHELLS:
        raise UnknownKeyError(f"{frame.what}: this runner has no shell {step.shell!r}")
    job.number += 1
    script = job.temp / f"step-{job.number}.sh"
    script.write_text(step.run, encoding="utf-8")
    files = CommandFiles.made(job.temp)
    github: Mapping[str, Any] = scope.contexts["github"]
    env = {**job.variables(github), **scope.contexts["env"], **files.env}
    done = job.machine.run(
        (*SHELLS[step.shell], str(script)),
        cwd=job.workspace / text(filled(step.working_directory, scope)),
        env=env,
        timeout_s=60 * float(filled(step.timeout_minutes, scope)),
    )
    job.console.print((done.stdout + done.stderr).decode(errors="replace"))
    good = done.exit_code == 0 and not done.timed_out
    return _left(files, job, env=env, outcome="success" if good else "failure")


def _left(files: CommandFiles, job: JobState, *, env: dict[str, str], outcome: str) -> StepRun:
    """Takes over what a script left in its files."""
    outputs: dict[str, str] = {}
    try:
        outputs = files.outputs
        job.env |= files.variables
        job.paths += files.paths
        job.summary += files.summary
    except CommandFileError as error:
        job.console.print(f"::error::{error}")
        outcome = "failure"
    return _ended(outcome, outputs, env=env)


def _ended(
    outcome: str,
    outputs: Mapping[str, str],
    *,
    env: Mapping[str, str] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> StepRun:
    return StepRun(
        id="",
        name="",
        uses="",
        inputs=inputs or {},
        env=env or {},
        outcome=outcome,
        conclusion=outcome,
        outputs=outputs,
    )


def _used(step: Step, job: JobState, scope: Scope) -> StepRun:
    given = _texts(filled(step.inputs, scope))
    folder = _own(step.uses, job)
    if folder is None:
        return _stood_in(step.uses, given, job, scope)
    return _composite(read_action(folder), given, job, scope, step)


def _own(uses: str, job: JobState) -> Path | None:
    """The folder of a composite action that can be run, None where it is of others."""
    if uses.startswith("./"):  # of the workspace, also when an action names it
        return job.workspace / uses
    if uses.startswith("$/"):  # of the repository that has the file, at its commit
        return job.run.home / uses.removeprefix("$/")
    name, _, ref = uses.partition("@")
    owner, repository, *inner = name.split("/")
    if not ref:
        raise UnknownKeyError(f"uses: {uses} names no version")
    tree = job.run.world.actions.get(f"{owner}/{repository}")
    return None if tree is None else tree.joinpath(*inner)


def _composite(
    action: Action, given: dict[str, str], job: JobState, scope: Scope, step: Step
) -> StepRun:
    inputs = completed(action.folder.name, action.inputs, given, scope)
    about = {"action_path": str(action.folder), "action": step.id or "__self"}
    frame = Frame(
        what=f"the action {action.folder.name}",
        inputs=Closed(f"inputs of {action.folder.name}", _texts(inputs), tuple(action.inputs)),
        steps=action.steps,
        env=scope.contexts["env"],
        action=about,
    )
    perform(frame, job)
    outputs = _texts(filled(dict(action.outputs), frame.scope(job)))
    known = Closed(f"outputs of {action.folder.name}", outputs)
    return _ended("failure" if frame.failed else "success", known, inputs=given)


def completed(
    what: str, declared: Mapping[str, Input], given: Mapping[str, Value], scope: Scope
) -> dict[str, Value]:
    """Inputs with the defaults of those that were not given. Raises `UnknownInputError`."""
    names = {name.lower() for name in declared}
    if unknown := [name for name in given if name.lower() not in names]:
        raise UnknownInputError(f"{what} has no input {', '.join(unknown)}")
    found: dict[str, Value] = {}
    for name, each in declared.items():
        handed = next((given[other] for other in given if other.lower() == name.lower()), None)
        if handed is None and each.required:
            raise UnknownInputError(f"{what} requires the input {name}")
        found[name] = filled(each.default, scope) if handed is None else handed
    return found


def _stood_in(uses: str, given: dict[str, str], job: JobState, scope: Scope) -> StepRun:
    name, _, ref = uses.partition("@")
    stand_in = stand_ins.find(name, ref, job.run.world.pinned)
    if unknown := [each for each in given if each not in stand_in.inputs]:
        raise UnknownInputError(f"{name} has no input {', '.join(unknown)}")
    try:
        outputs = stand_in.act(given, job)
    except stand_ins.ActionFailedError as error:
        job.console.print(f"::error::{error}")
        return _ended("failure", Closed(f"outputs of {name}", {}, stand_in.outputs), inputs=given)
    return _ended("success", Closed(f"outputs of {name}", outputs, stand_in.outputs), inputs=given)


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: text(value) for name, value in values.items()}
