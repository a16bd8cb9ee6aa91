"""Runs the jobs of a workflow: one after the other, in the order that `needs` asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.runner.commands import Console
from tests.runner.definitions import Job, Workflow, inputs_of, read_workflow
from tests.runner.expressions import Scope, condition, filled
from tests.runner.functions import Function
from tests.runner.jobs import JobState, RunOf, StepRun, github_context
from tests.runner.steps import Frame, completed, perform
from tests.runner.values import Closed, Value, text
from tests.runner.world import Event, World

MATRIX_MOST = 256
LEVELS = {"none": 0, "read": 1, "write": 2}
TYPES = {"string": ((str,), ""), "boolean": ((bool,), False), "number": ((int, float), 0)}
_IDS = itertools.count(9_000_001)


class WorkflowError(Exception):
    """GitHub would refuse this workflow or matrix."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRun:
    """How a job, or a leg of its matrix, ended."""

    id: str
    result: str  # success, failure, skipped
    outputs: Mapping[str, str] = field(default_factory=dict)
    matrix: Mapping[str, Value] = field(default_factory=dict)
    steps: tuple[StepRun, ...] = ()
    summary: str = ""
    console: Console = field(default_factory=Console)
    folder: Path | None = None

    def step(self, name: str) -> StepRun:
        """The step of that id or name, also one inside of an action."""
        return next(each for each in self.steps if name in (each.id, each.name))

    def annotations(self, level: str) -> list[str]:
        return [each.message for each in self.console.annotations if each.level == level]


@dataclass(kw_only=True)
class WorkflowRun:
    """How a workflow's run ended."""

    run: RunOf
    jobs: dict[str, list[JobRun]] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return self.run.id

    @property
    def conclusion(self) -> str:
        results = {each.result for legs in self.jobs.values() for each in legs}
        return "failure" if "failure" in results else "success"

    def job(self, name: str) -> JobRun:
        """The only leg of a job, which may be one of a workflow that was called."""
        (only,) = self.legs(name)
        return only

    def legs(self, name: str) -> list[JobRun]:
        """All legs of a job."""
        every = itertools.chain.from_iterable(self.jobs.values())
        return [leg for leg in every if name in (leg.id, leg.id.rpartition("/")[2])]


def run_workflow(
    path: Path, event: Event, world: World, *, run_id: int | None = None, attempt: int = 1
) -> WorkflowRun:
    """Runs a workflow for an event that it is triggered by."""
    workflow = read_workflow(path)
    if event.name not in workflow.triggers:
        raise WorkflowError(f"{path.name} is not started by {event.name}")
    run = RunOf(
        id=run_id or next(_IDS),
        attempt=attempt,
        workflow=workflow,
        event=event,
        world=world,
        home=path.parents[2] if path.parent.name == "workflows" else path.parent,
    )
    scope = Scope(contexts={"github": {"event": event.payload}})
    declared = inputs_of(workflow.triggers[event.name])
    given = completed(path.name, declared, event.inputs, scope)
    return _perform(WorkflowRun(run=run), given, secrets=None)


def _perform(
    result: WorkflowRun, given: Mapping[str, Value], secrets: Mapping[str, str] | None
) -> WorkflowRun:
    """Runs the jobs. `secrets`: those that a caller hands over; None: there is none."""
    workflow = result.run.workflow
    every = [inputs_of(each) for each in workflow.triggers.values()]
    names = tuple(name for declared in every for name in declared)
    inputs = Closed(f"inputs of {workflow.path.name}", given, names)
    for job in _in_order(workflow):
        result.jobs[job.id] = _run_job(job, result, inputs, secrets)
    return result


def _in_order(workflow: Workflow) -> Iterator[Job]:
    done: set[str] = set()
    while len(done) < len(workflow.jobs):
        ready = [j for n, j in workflow.jobs.items() if n not in done and done.issuperset(j.needs)]
        if not ready:
            raise WorkflowError(f"{workflow.path.name}: needs go round in a circle")
        done |= {job.id for job in ready}
        yield from ready


def _run_job(
    job: Job, sofar: WorkflowRun, inputs: Closed, secrets: Mapping[str, str] | None
) -> list[JobRun]:
    contexts = {
        "needs": Closed(f"needs of {job.id}", {name: _need(name, sofar) for name in job.needs}),
        "vars": sofar.run.world.variables,
        "inputs": inputs,
    }
    github = {"github": github_context(sofar.run, job.id)}
    before = [
        leg.result for name in _ancestors(job, sofar.run.workflow) for leg in sofar.jobs[name]
    ]
    scope = Scope(contexts={**contexts, **github}, functions=_status(before))
    if not condition(job.condition, scope):
        return [JobRun(id=job.id, result="skipped")]
    if job.uses:
        return _called(job, sofar, scope, secrets)
    return [
        _leg(
            job,
            sofar,
            {**contexts, "matrix": leg, "strategy": {"job-index": number}},
            scope,
            secrets,
        )
        for number, leg in enumerate(legs(filled(job.matrix, scope)))
    ]


def _called(
    job: Job, sofar: WorkflowRun, scope: Scope, secrets: Mapping[str, str] | None
) -> list[JobRun]:
    """A job that is a whole workflow: its legs are those of that workflow's jobs."""
    path = _reusable(job.uses, sofar.run)
    workflow = read_workflow(path)
    _refuse_more(job, workflow, sofar.run)
    run = replace(
        sofar.run,
        workflow=workflow,
        home=path.parents[2],
        called_as=f".github/workflows/{sofar.run.workflow.path.name}",
    )
    trigger = workflow.triggers["workflow_call"]
    given = completed(path.name, inputs_of(trigger), filled(dict(job.inputs), scope), scope)
    handed = _handed(job, trigger, sofar.run, scope, secrets)
    inner = _perform(WorkflowRun(run=run), _typed(path.name, trigger, given), handed)
    return [
        replace(leg, id=f"{job.id}/{leg.id}") for all_of in inner.jobs.values() for leg in all_of
    ]


def _reusable(uses: str, run: RunOf) -> Path:
    if uses.startswith("$/"):
        return run.home / uses.removeprefix("$/")
    name, _, ref = uses.partition("@")
    owner, repository, *inner = name.split("/")
    if not ref:
        raise WorkflowError(f"uses: {uses} names no version")
    return run.world.actions[f"{owner}/{repository}"].joinpath(*inner)


def _refuse_more(job: Job, called: Workflow, run: RunOf) -> None:
    """GitHub starts no workflow whose jobs ask for more than the job that calls it was given."""
    given = _asked(job, run.workflow)
    for inner in called.jobs.values():
        for scope, level in _asked(inner, called).items():
            if LEVELS[level] > LEVELS[given.get(scope, "none")]:
                raise WorkflowError(f"job {job.id} does not allow {scope}: {level} of {inner.id}")


def _typed(what: str, trigger: Mapping[str, Any], given: Mapping[str, Value]) -> dict[str, Value]:
    """The inputs of a call, which are of the types that are declared."""
    found: dict[str, Value] = {}
    for name, declared in (trigger.get("inputs") or {}).items():
        kinds, empty = TYPES[declared["type"]]
        value = empty if given[name] is None else given[name]
        if type(value) not in kinds:
            raise WorkflowError(f"{what}: input {name} is a {declared['type']}, not {value!r}")
        found[name] = value
    return found


def _handed(
    job: Job,
    trigger: Mapping[str, Any],
    run: RunOf,
    scope: Scope,
    secrets: Mapping[str, str] | None,
) -> dict[str, str]:
    """The secrets that the calling job hands over: never any of an environment."""
    own = _secrets("", run, secrets)
    if job.secrets == "inherit":
        return own
    handed = filled(job.secrets or {}, scope.having(secrets=own))
    if unknown := set(handed) - set(trigger.get("secrets") or {}):
        raise WorkflowError(f"job {job.id} hands over unknown secrets {', '.join(unknown)}")
    return _texts(handed)


def _ancestors(job: Job, workflow: Workflow) -> set[str]:
    return set(job.needs).union(*(_ancestors(workflow.jobs[n], workflow) for n in job.needs))


def _need(name: str, sofar: WorkflowRun) -> dict[str, Value]:
    finished = sofar.jobs[name]
    results = {each.result for each in finished}
    result = next(each for each in ("failure", "success", "skipped") if each in results)
    outputs = {key: value for each in finished for key, value in each.outputs.items() if value}
    declared = tuple(sofar.run.workflow.jobs[name].outputs)
    return {"result": result, "outputs": Closed(f"outputs of {name}", outputs, declared)}


def _status(before: list[str]) -> dict[str, Function]:
    told = {
        "success": all(each == "success" for each in before),
        "failure": "failure" in before,
        "always": True,
        "cancelled": False,
    }
    return {name: Function(lambda value=value: value, 0, 0) for name, value in told.items()}


def legs(matrix: Value) -> list[dict[str, Value]]:
    """The combinations of a matrix, after `include` and `exclude`; one empty leg without one."""
    if matrix is None:
        return [{}]
    axes = {name: each for name, each in matrix.items() if name not in ("include", "exclude")}
    combined = [dict(zip(axes, each, strict=True)) for each in itertools.product(*axes.values())]
    found = combined if axes else []
    if matrix.get("exclude"):
        raise WorkflowError("this runner knows no exclude")
    for extra in matrix.get("include") or []:
        fits = [
            leg for leg in found if all(leg.get(k, v) == v for k, v in extra.items() if k in axes)
        ]
        if not axes or not fits:
            found.append(dict(extra))
        for leg in fits if axes else []:
            leg.update(extra)
    if not 0 < len(found) <= MATRIX_MOST:
        raise WorkflowError(f"a matrix has 1 to {MATRIX_MOST} legs, this one {len(found)}")
    return found


def _leg(
    job: Job,
    sofar: WorkflowRun,
    contexts: Mapping[str, Value],
    scope: Scope,
    secrets: Mapping[str, str] | None,
) -> JobRun:
    folder = _folder(job, sofar)
    scope = scope.having(**contexts)
    with sofar.run.world.machine(folder) as machine:
        state = JobState(
            id=job.id,
            run=sofar.run,
            machine=machine,
            folder=folder,
            token=sofar.run.world.token(_scopes(job, sofar.run)),
            secrets=_secrets(text(filled(job.environment, scope)), sofar.run, secrets),
            contexts=contexts,
            env=_texts(filled({**sofar.run.workflow.env, **job.env}, scope)),
        )
        frame = Frame(what=f"the job {job.id}", inputs=contexts["inputs"], steps=job.steps)
        perform(frame, state)
        outputs = _texts(filled(dict(job.outputs), frame.scope(state)))
    return JobRun(
        id=job.id,
        result="failure" if frame.failed else "success",
        outputs={name: value for name, value in outputs.items() if not _told(value, state)},
        matrix=contexts["matrix"],
        steps=tuple(state.steps),
        summary=state.summary,
        console=state.console,
        folder=folder,
    )


def _scopes(job: Job, run: RunOf) -> dict[str, str]:
    """What the job's token may: a fork's never writes."""
    asked = _asked(job, run.workflow)
    if not run.event.of_a_fork:
        return asked
    return {scope: "read" if level == "write" else level for scope, level in asked.items()}


def _asked(job: Job, workflow: Workflow) -> dict[str, str]:
    return dict((workflow.permissions if job.permissions is None else job.permissions) or {})


def _secrets(environment: str, run: RunOf, handed: Mapping[str, str] | None) -> dict[str, str]:
    """Those of the repository, or of the caller, and of the environment; none for a fork's code."""
    if run.event.of_a_fork:
        return {}
    held = run.world.secrets
    own = held.get("", {}) if handed is None else handed
    return {**own, **(held.get(environment, {}) if environment else {})}


def _told(value: str, state: JobState) -> bool:
    """Whether an output holds a secret: GitHub hands no such output on."""
    return any(mask in value for mask in state.console.masks)


def _folder(job: Job, sofar: WorkflowRun) -> Path:
    name = f"{sofar.id}-{sofar.run.attempt}-{job.id}"
    numbered = (sofar.run.world.folder / f"{name}-{number}" for number in itertools.count(1))
    return next(each for each in numbered if not each.exists())


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: text(value) for name, value in values.items()}
