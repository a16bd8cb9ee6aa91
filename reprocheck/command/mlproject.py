"""The command of an MLproject's entry point, with the run's parameters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from reprocheck.command.base import CommandFound, Search, mentions, project_folders
from reprocheck.model import (
    Command,
    Finding,
    Origin,
    OriginKind,
    RunRecord,
    Severity,
    ShellLine,
    Step,
)
from reprocheck.placeholders import parameters_given
from reprocheck.yaml_files import read_mapping


def from_own_mlproject(search: Search) -> CommandFound | None:
    """The entry point that the run was started as."""
    return None if search.record.code.entry_point is None else from_mlproject(search)


def from_mlproject(search: Search) -> CommandFound | None:
    """The entry point that the run names, else one whose command runs its script."""
    for folder in project_folders(search):
        project = read_mapping(search.tree / folder / "MLproject")
        if project is not None:
            return _entry_point(search, folder, project)
    return None


def _entry_point(search: Search, folder: str, project: dict[str, Any]) -> CommandFound | None:
    entries = project.get("entry_points")
    entries = entries if isinstance(entries, dict) else {}
    name = _entry_name(search, entries)
    if name is None:
        search.refused.append("no entry point of the MLproject runs the recorded script")
        return None
    entry = entries.get(name)
    if not isinstance(entry, dict) or not isinstance(entry.get("command"), str):
        search.refused.append(f"the MLproject's entry point '{name}' has no command")
        return None
    values, missing, defaults = _entry_values(search.record, entry.get("parameters"))
    if missing:
        search.refused.append(
            f"the MLproject's entry point '{name}' wants {', '.join(missing)}, "
            "which the run did not log"
        )
        return None
    line = _line(entry["command"], values)
    if line is None:
        search.refused.append(
            f"the MLproject's entry point '{name}' has a command that cannot be filled safely"
        )
        return None
    own = search.record.code.entry_point is not None
    where = f"MLproject entry point '{name}' at the commit"
    return CommandFound(
        command=Command(steps=(Step(run=ShellLine(line=line), cwd=folder),)),
        # A script that was started by hand need not have had the defaults.
        origin=Origin(
            kind=OriginKind.INFERRED if defaults and not own else OriginKind.FILE, where=where
        ),
        findings=_defaults_finding(defaults, where),
        unproved=f"the run did not log {', '.join(defaults)}" if defaults else "",
        # `mlflow run` logs the entry point's parameters itself; the script need not.
        given=frozenset(values) if own else frozenset(),
    )


def _line(template: str, values: Mapping[str, str]) -> str | None:
    """The command with its parameters, each quoted for the shell; None where that cannot be."""
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    if quoted != dict(values) and _fills_quotes(template):  # there ours would end the template's
        return None
    try:
        return template.format(**quoted)
    except (KeyError, IndexError, ValueError, AttributeError):
        return None


def _fills_quotes(template: str) -> bool:
    """Whether a parameter stands inside quotes of the template's own."""
    return "{" in "".join(re.findall(r"(?:\\.|[^'\"\\])+|('[^']*'|\"(?:\\.|[^\"\\])*\")", template))


def _entry_name(search: Search, entries: Mapping[str, Any]) -> str | None:
    """The entry point that the run names, else the one whose command runs its script."""
    recorded = search.record.code.entry_point
    if recorded is not None:
        return recorded if recorded in entries else None
    script = PurePosixPath(search.record.code.script or "").name
    for name, entry in entries.items():
        command = entry.get("command") if isinstance(entry, dict) else None
        if script and isinstance(command, str) and mentions(command, script):
            return str(name)
    return None


def _entry_values(
    record: RunRecord, declared: object
) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """The entry point's parameters; the missing; the defaults taken."""
    values: dict[str, str] = {}
    missing: list[str] = []
    defaults: dict[str, str] = {}
    logged = parameters_given(record)
    for name, rule in (declared if isinstance(declared, dict) else {}).items():
        default = rule.get("default") if isinstance(rule, dict) else None
        if name in logged:
            values[str(name)] = logged[name]
        elif default is not None:
            defaults[str(name)] = str(default)
            values[str(name)] = str(default)
        else:
            missing.append(str(name))
    return values, missing, defaults


def _defaults_finding(defaults: Mapping[str, str], where: str) -> tuple[Finding, ...]:
    if not defaults:
        return ()
    said = ", ".join(f"{name}={value}" for name, value in defaults.items())
    return (
        Finding(
            code="default-parameter",
            severity=Severity.WARNING,
            message=f"the run did not log {said}: the defaults of the {where} were taken",
            hint="log every parameter that the entry point takes",
            pointer="/command",
        ),
    )
