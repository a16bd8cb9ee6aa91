"""What the expressions of a file name, without running it: each has to be declared in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.runner import syntax
from tests.runner.definitions import Action, Job, Step, Workflow, inputs_of
from tests.runner.expressions import MARKED, STATUS
from tests.runner.functions import FUNCTIONS
from tests.runner.syntax import Binary, Call, Context, Index, Literal, Node, Not
from tests.runner.values import Value

OF_JOBS = {"github", "inputs", "needs", "vars"}
OF_STEPS = OF_JOBS | {"env", "job", "matrix", "runner", "secrets", "steps", "strategy"}
OF_ACTIONS = {"env", "github", "inputs", "job", "runner", "steps"}
Known = Mapping[str, set[str] | None]  # names below a context; None: any


def unknown_in_action(action: Action) -> list[str]:
    """Names and functions in an action's file that it does not declare."""
    known = dict.fromkeys(OF_ACTIONS) | {"inputs": set(action.inputs), "steps": _ids(action.steps)}
    return [*_unknown([list(action.outputs.values()), _whole(action.steps)], known)]


def unknown_in_workflow(workflow: Workflow) -> list[str]:
    """Names and functions in a workflow's file that it does not declare."""
    inputs = {name for each in workflow.triggers.values() for name in inputs_of(each)}
    found: list[str] = []
    for job in workflow.jobs.values():
        outer = dict.fromkeys(OF_JOBS) | {"inputs": inputs, "needs": set(job.needs)}
        found += _unknown(_about(job), outer)
        inner = dict.fromkeys(OF_STEPS) | outer | {"steps": _ids(job.steps)}
        found += _unknown([dict(job.outputs), dict(job.env), _whole(job.steps)], inner)
    return found


def _about(job: Job) -> list[Value]:
    condition = f"${{{{ {job.condition} }}}}" if _is_bare(job.condition) else job.condition
    return [condition, job.environment, job.matrix, dict(job.inputs), job.secrets]


def _whole(steps: tuple[Step, ...]) -> list[Value]:
    """All values of steps that may hold expressions; a condition is one without its braces."""
    found: list[Value] = []
    for step in steps:
        found += [dict(step.inputs), dict(step.env), step.working_directory]
        found += [step.continue_on_error, step.timeout_minutes, step.name]
        bare = _is_bare(step.condition)
        found.append(f"${{{{ {step.condition} }}}}" if bare else step.condition)
    return found


def _is_bare(condition: Value) -> bool:
    return isinstance(condition, str) and bool(condition) and "${{" not in condition


def _ids(steps: tuple[Step, ...]) -> set[str]:
    return {step.id for step in steps if step.id}


def _unknown(value: Value, known: Known) -> Iterator[str]:
    for written in _expressions(value):
        tree = syntax.parsed(written)
        for name in syntax.calls(tree) - set(FUNCTIONS) - STATUS:
            yield f"function {name} in {written}"
        for context, below in _named(tree):
            names = known.get(context, set())
            if context not in known or (below and names is not None and below not in names):
                yield f"{context}.{below} in {written}"


def _expressions(value: Value) -> Iterator[str]:
    match value:
        case str():
            yield from (found[1] for found in MARKED.finditer(value))
        case Mapping():
            for each in value.values():
                yield from _expressions(each)
        case list():
            for each in value:
                yield from _expressions(each)


def _named(node: Node) -> Iterator[tuple[str, str]]:
    """Each context that a tree names, with the property that is taken of it."""
    match node:
        case Index(Context(name), Literal(key)):
            yield name, str(key)
        case Context(name):
            yield name, ""
        case Index(held, key):
            yield from _named(held)
            yield from _named(key) if key else ()
        case Call(_, arguments):
            for each in arguments:
                yield from _named(each)
        case Not(operand):
            yield from _named(operand)
        case Binary(_, left, right):
            yield from (*_named(left), *_named(right))
