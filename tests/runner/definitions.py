"""`action.yml` and workflow files as nouns. A key that this runner does not know is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.runner.values import Value

STEP_KEYS = {
    *("id", "name", "if", "uses", "run", "shell", "with", "env"),
    *("working-directory", "continue-on-error", "timeout-minutes"),
}
JOB_KEYS = {
    *("name", "needs", "if", "runs-on", "environment", "permissions", "env", "outputs", "steps"),
    *("strategy", "timeout-minutes", "concurrency", "uses", "with", "secrets", "defaults"),
}
WORKFLOW_KEYS = {"name", "run-name", "on", "permissions", "env", "jobs", "concurrency", "defaults"}
ACTION_KEYS = {"name", "description", "author", "inputs", "outputs", "runs", "branding"}


class UnknownKeyError(Exception):
    """A file has a key, a shell or a kind of action that this runner does not know."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans, as GitHub reads them: `on` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in pairs if tag != "tag:yaml.org,2002:bool"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    id: str
    name: str
    condition: Value
    uses: str
    run: str
    shell: str
    inputs: Mapping[str, Value]
    env: Mapping[str, Value]
    working_directory: Value
    continue_on_error: Value
    timeout_minutes: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    required: bool
    default: Value  # None: none


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    folder: Path
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Value]
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    id: str
    needs: tuple[str, ...]
    condition: Value
    environment: Value  # its name, or None
    permissions: Mapping[str, str] | None  # None: the workflow's
    env: Mapping[str, Value]
    outputs: Mapping[str, Value]
    steps: tuple[Step, ...]
    matrix: Value  # None: no matrix
    uses: str  # of a reusable workflow
    inputs: Mapping[str, Value]
    secrets: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Workflow:
    path: Path
    name: str
    triggers: Mapping[str, Any]
    permissions: Mapping[str, str] | None
    env: Mapping[str, Value]
    jobs: Mapping[str, Job]


def read_action(folder: Path) -> Action:
    """The composite action of a folder."""
    read = _read(folder / "action.yml", ACTION_KEYS)
    runs = _known(read["runs"], {"using", "steps"}, f"runs of {folder}")
    if runs["using"] != "composite":
        raise UnknownKeyError(f"{folder} is not a composite action but {runs['using']}")
    steps = _steps(runs["steps"], str(folder))
    for step in steps:
        if step.run and not step.shell:
            raise UnknownKeyError(f"{folder}: a step of an action has to name its shell")
    outputs = {name: each["value"] for name, each in (read.get("outputs") or {}).items()}
    return Action(folder=folder, inputs=inputs_of(read), outputs=outputs, steps=steps)


def inputs_of(read: object) -> dict[str, Input]:
    """The inputs that an action, or a trigger of a workflow, declares."""
    declared = ((read.get("inputs") if isinstance(read, dict) else None) or {}).items()
    return {
        name: Input(
            required=(each or {}).get("required") is True, default=(each or {}).get("default")
        )
        for name, each in declared
    }


def read_workflow(path: Path) -> Workflow:
    read = _read(path, WORKFLOW_KEYS)
    triggers = read["on"]
    if isinstance(triggers, str):
        triggers = [triggers]
    return Workflow(
        path=path,
        name=str(read.get("name", path.name)),
        triggers=triggers if isinstance(triggers, dict) else dict.fromkeys(triggers),
        permissions=_permissions(read.get("permissions")),
        env=read.get("env") or {},
        jobs={name: _job(name, each) for name, each in read["jobs"].items()},
    )


def _read(path: Path, known: set[str]) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        return _known(yaml.load(file, _Loader), known, str(path))


def _known(held: dict[str, Any], known: set[str], where: str) -> dict[str, Any]:
    if unknown := sorted(set(held) - known):
        raise UnknownKeyError(f"{where}: this runner does not know {', '.join(unknown)}")
    return held


def _steps(read: list[dict[str, Any]], where: str) -> tuple[Step, ...]:
    return tuple(_step(each, f"{where}, step {number}") for number, each in enumerate(read, 1))


def _step(read: dict[str, Any], where: str) -> Step:
    _known(read, STEP_KEYS, where)
    if ("run" in read) == ("uses" in read):
        raise UnknownKeyError(f"{where}: either run or uses")
    if "${{" in read.get("run", ""):
        raise UnknownKeyError(f"{where}: an expression in run is an injection")
    return Step(
        id=read.get("id", ""),
        name=str(read.get("name") or read.get("uses") or read["run"].splitlines()[0]),
        condition=read.get("if", ""),
        uses=read.get("uses", ""),
        run=read.get("run", ""),
        shell=read.get("shell", ""),
        inputs=read.get("with") or {},
        env=read.get("env") or {},
        working_directory=read.get("working-directory", ""),
        continue_on_error=read.get("continue-on-error", False),
        timeout_minutes=read.get("timeout-minutes", 360),
    )


def _job(name: str, read: dict[str, Any]) -> Job:
    _known(read, JOB_KEYS, f"job {name}")
    needs = read.get("needs") or ()
    environment = read.get("environment")
    strategy = _known(
        read.get("strategy") or {}, {"matrix", "fail-fast", "max-parallel"}, f"strategy of {name}"
    )
    return Job(
        id=name,
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        condition=read.get("if", ""),
        environment=environment["name"] if isinstance(environment, dict) else environment,
        permissions=_permissions(read.get("permissions")),
        env=read.get("env") or {},
        outputs=read.get("outputs") or {},
        steps=_steps(read.get("steps") or [], f"job {name}"),
        matrix=strategy.get("matrix"),
        uses=read.get("uses", ""),
        inputs=read.get("with") or {},
        secrets=read.get("secrets"),
    )


def _permissions(read: Value) -> Mapping[str, str] | None:
    if isinstance(read, str):
        raise UnknownKeyError(f"permissions: {read} is more than a job needs")
    return read
