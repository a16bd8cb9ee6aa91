"""A job that runs: its folders, its variables and contexts, and what its steps did so far."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.runner.commands import Console
from tests.runner.definitions import Workflow
from tests.runner.machines import Machine
from tests.runner.values import Value
from tests.runner.world import Event, World


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOf:
    """One run of a workflow."""

    id: int
    attempt: int
    workflow: Workflow
    event: Event
    world: World
    home: Path  # the tree that the workflow's file is of
    called_as: str = ""  # by a job of another workflow, as that names it


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRun:
    """How a step ended, with what it was given."""

    id: str
    name: str
    uses: str
    inputs: Mapping[str, str]
    env: Mapping[str, str]
    outcome: str  # success, failure, skipped
    conclusion: str  # as outcome, but success where continue-on-error holds
    outputs: Mapping[str, str]


@dataclass(kw_only=True)
class JobState:
    """What the steps of a job share."""

    id: str
    run: RunOf
    machine: Machine
    folder: Path
    token: str
    secrets: Mapping[str, str]
    contexts: Mapping[str, Value]  # needs, matrix, strategy, vars, inputs
    env: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    console: Console = field(default_factory=Console)
    summary: str = ""
    steps: list[StepRun] = field(default_factory=list)  # also those inside of actions
    number: int = 0

    def __post_init__(self) -> None:
        for folder in (self.workspace, self.temp, self.home, self.tool_cache):
            folder.mkdir(parents=True, exist_ok=True)
        for name, target in self.run.world.in_temp.items():
            (self.temp / name).symlink_to(target)
        self.event_file.write_text(json.dumps(self.run.event.payload), encoding="utf-8")
        self.console.masks |= {self.token, *self.secrets.values()} - {""}

    @property
    def workspace(self) -> Path:
        return self.folder / "work" / self.run.world.repository.partition("/")[2]

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def event_file(self) -> Path:
        return self.temp / "event.json"

    @property
    def tool_cache(self) -> Path:
        return self.run.world.tool_cache or self.folder / "tools"

    @property
    def github(self) -> dict[str, Any]:
        """The context `github`, but for what is of an action."""
        places = {"workspace": str(self.workspace), "event_path": str(self.event_file)}
        return {**github_context(self.run, self.id), **places, "token": self.token}

    @property
    def runner(self) -> dict[str, str]:
        places = {"temp": str(self.temp), "tool_cache": str(self.tool_cache)}
        about = {"os": "Linux", "arch": "X64", "name": "test", "environment": "github-hosted"}
        return {**about, **places, "debug": ""}

    def variables(self, github: Mapping[str, Any]) -> dict[str, str]:
        """The variables that GitHub sets for every step. The token is not one of them."""
        base = self.machine.env()
        if self.paths:
            base["PATH"] = ":".join([*reversed(self.paths), base["PATH"]])
        left_out = {"event", "token", "action_path"}
        named = {
            f"GITHUB_{name.upper()}": str(v) for name, v in github.items() if name not in left_out
        }
        if github["action_path"]:
            named["GITHUB_ACTION_PATH"] = github["action_path"]
        machine = {f"RUNNER_{name.upper()}": value for name, value in self.runner.items() if value}
        always = {"CI": "true", "GITHUB_ACTIONS": "true", "HOME": str(self.home)}
        return {**base, **always, **named, **machine}

    def secrets_context(self) -> Mapping[str, Value]:
        return {"GITHUB_TOKEN": self.token, **self.secrets}


def github_context(run: RunOf, job: str) -> dict[str, Any]:
    """The context `github` as it is before a job has a machine."""
    event, world = run.event, run.world
    pull = event.pull_request or {}
    workflow = run.called_as or f".github/workflows/{run.workflow.path.name}"
    return {
        "job": job,
        "ref": event.ref,
        "ref_name": event.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
        "ref_type": "tag" if event.ref.startswith("refs/tags/") else "branch",
        "sha": event.sha,
        "repository": world.repository,
        "repository_owner": world.repository.partition("/")[0],
        "run_id": str(run.id),
        "run_number": str(run.id),
        "run_attempt": str(run.attempt),
        "actor": event.actor,
        "triggering_actor": event.actor,
        "workflow": run.workflow.name,
        "workflow_ref": f"{world.repository}/{workflow}@{event.ref}",
        "workflow_sha": event.sha,
        "head_ref": pull["head"]["ref"] if pull else "",
        "base_ref": pull["base"]["ref"] if pull else "",
        "event_name": event.name,
        "event": event.payload,
        "server_url": world.server_url,
        "api_url": world.api_url,
        "graphql_url": world.graphql_url,
        **dict.fromkeys(("action", "action_path", "action_repository", "action_ref"), ""),
    }
