"""The command line to rerun, from the record or from the files at the commit.

The first that exists: recorded argv; the MLproject that the run was started as; the template in
reprocheck.yaml; an MLproject's entry point or DVC stages that run the recorded script; that script
alone. What is inferred is said to be, and proved or refused by the parameters that a trial logs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck import dvc_files
from reprocheck.config import Config, StepTemplate
from reprocheck.dvc_files import DvcStage
from reprocheck.errors import SourceError
from reprocheck.model import (
    Argv,
    Command,
    Finding,
    Origin,
    OriginKind,
    RunRecord,
    Severity,
    ShellLine,
    Step,
)
from reprocheck.placeholders import parameters_given, substitute
from reprocheck.yaml_files import read_mapping

_PYTHON = re.compile(r"python([0-9](\.[0-9]+)?)?(\.exe)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandFound:
    """The command and where it comes from."""

    command: Command
    origin: Origin
    findings: tuple[Finding, ...] = ()
    given: frozenset[str] = frozenset()  # the run's parameters that `mlflow run` itself logged
    made: frozenset[str] = frozenset()  # paths in the tree that the command makes anew
    unproved: str = ""  # why another result may only mean that it is another command


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """What the ways to find a command look at; `refused` collects why a way was not taken."""

    record: RunRecord
    config: Config
    tree: Path
    refused: list[str]


def ways(record: RunRecord, config: Config, tree: Path) -> Iterator[CommandFound | None]:
    """What each way to find a command finds, the one that counts most first; None for nothing."""
    return _ways(_Search(record=record, config=config, tree=tree, refused=[]))


def complete(record: RunRecord, config: Config, tree: Path) -> CommandFound:
    """The command to rerun in a tree at the run's commit.

    Raises `SourceError` that lists what was looked for.
    """
    search = _Search(record=record, config=config, tree=tree, refused=[])
    for found in _ways(search):
        if found is not None:
            return found
    looked = "; ".join(search.refused) or "the record names neither a command nor a script"
    raise SourceError(
        f"the command of run {record.ref.run_id} is not known (missing-command): {looked}",
        f"write it into {config.name}, for example\n"
        '  command: "python train.py --lr {params.lr} --seed {seed}"',
    )


def _ways(search: _Search) -> Iterator[CommandFound | None]:
    found: tuple[Callable[[_Search], CommandFound | None], ...] = (
        _recorded,
        _from_own_mlproject,
        _from_template,  # before what is only guessed: it is how a user corrects a wrong guess
        _from_mlproject,
        _from_dvc_stages,
        _from_script,
    )
    return (way(search) for way in found)


def _recorded(search: _Search) -> CommandFound | None:
    command = search.record.command
    if command is None:
        return None
    origin = search.record.origins.get("/command")
    steps = tuple(_into_tree(step, search.tree) for step in command.steps)
    return CommandFound(
        command=Command(steps=steps, env=command.env),
        origin=origin or Origin(kind=OriginKind.TAG, where="reprocheck.argv"),
    )


def _into_tree(step: Step, tree: Path) -> Step:
    """A recorded command whose script has an absolute path of another machine."""
    if not isinstance(step.run, Argv):
        return step
    args = list(step.run.args)
    for index, word in enumerate(args[:2]):
        if PurePosixPath(word).is_absolute() and not _PYTHON.fullmatch(PurePosixPath(word).name):
            inside = find_in_tree(word, tree)
            args[index] = str(PurePosixPath(inside)) if inside else word
    return Step(run=Argv(args=tuple(args)), cwd=step.cwd)


def find_in_tree(recorded: str, tree: Path) -> str | None:
    """The file of the tree that a recorded path means: itself, its longest suffix, its name.

    None when there is none, or several that it could mean.
    """
    parts = PurePosixPath(recorded.removeprefix("file://")).parts
    for start in range(len(parts)):
        suffix = PurePosixPath(*parts[start:])
        if not suffix.is_absolute() and ".." not in suffix.parts and (tree / suffix).exists():
            return str(suffix)
    name = parts[-1] if parts else ""
    named = (
        [
            path.relative_to(tree)
            for path in tree.rglob(name)
            if ".git" not in path.parts and path.is_file()
        ]
        if name not in ("", "..", "/") and not set(name) & set("*?[")
        else []
    )
    return str(named[0]) if len(named) == 1 else None


# --- MLproject ----------------------------------------------------------------------------


def _from_own_mlproject(search: _Search) -> CommandFound | None:
    return None if search.record.code.entry_point is None else _from_mlproject(search)


def _from_mlproject(search: _Search) -> CommandFound | None:
    for folder in _project_folders(search):
        project = read_mapping(search.tree / folder / "MLproject")
        if project is not None:
            return _entry_point(search, folder, project)
    return None


def _project_folders(search: _Search) -> list[str]:
    """Folders of the tree that may hold the run's MLproject, likeliest first."""
    script = search.record.code.script or ""
    folders = []
    if search.record.code.entry_point is not None:
        folders.append(search.record.code.subdirectory)
        found = find_in_tree(script.partition("#")[0], search.tree)
        folders.append(found if found and (search.tree / found).is_dir() else ".")
    elif found := find_in_tree(script, search.tree) if script else None:
        folders.extend(str(parent) for parent in PurePosixPath(found).parents)
    folders.append(".")
    return [folder for folder in dict.fromkeys(folders) if ".." not in folder.split("/")]


def _entry_point(search: _Search, folder: str, project: dict[str, Any]) -> CommandFound | None:
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


def _entry_name(search: _Search, entries: Mapping[str, Any]) -> str | None:
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


def mentions(line: str, script: str) -> bool:
    """Whether a command line names a script, by the file's name or as a module."""
    module = script.removesuffix(".py")
    words = re.split(r"[\s'\";&|=]+", line)
    return any(
        PurePosixPath(word).name == script or word.rpartition(".")[2] == module for word in words
    )


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


# --- DVC stages ---------------------------------------------------------------------------


def _from_dvc_stages(search: _Search) -> CommandFound | None:
    script = PurePosixPath(search.record.code.script or "").name
    for folder in _project_folders(search):
        stages = dvc_files.stages(search.tree / folder)
        if not stages:
            continue
        last = next((name for name in stages if _runs(stages[name], script)), None)
        if last is None:
            search.refused.append(f"no stage of dvc.yaml runs '{script}'")
            continue
        names = dvc_files.upstream(last, stages)
        steps = tuple(
            Step(run=ShellLine(line=line), cwd=str(PurePosixPath(folder, stages[name].wdir)))
            for name in names
            for line in stages[name].lines
        )
        where = f"DVC stages {', '.join(names)} at the commit"
        made = {PurePosixPath(folder, out) for name in names for out in stages[name].removed}
        return CommandFound(
            command=Command(steps=steps),
            origin=Origin(kind=OriginKind.FILE, where=where),
            made=frozenset(str(path) for path in made if _is_inside(path)),
        )
    return None


def _is_inside(path: PurePosixPath) -> bool:
    return bool(path.parts) and path.parts[0] not in ("/", ".git") and ".." not in path.parts


def _runs(stage: DvcStage, script: str) -> bool:
    return bool(script) and any(mentions(line, script) for line in stage.lines)


# --- template and script ------------------------------------------------------------------


def _from_template(search: _Search) -> CommandFound | None:
    if not search.config.command:
        search.refused.append(f"{search.config.name} has no command")
        return None
    return CommandFound(
        command=Command(
            steps=tuple(_filled(step, search.record) for step in search.config.command)
        ),
        origin=Origin(kind=OriginKind.CONFIG, where=f"{search.config.name}: command"),
    )


def _filled(step: StepTemplate, record: RunRecord) -> Step:
    args = tuple(substitute(arg, record) for arg in step.args)
    return Step(run=Argv(args=args), cwd=step.cwd)


def _from_script(search: _Search) -> CommandFound | None:
    script = search.record.code.script
    if search.record.code.entry_point is not None or not script:
        return None
    found = find_in_tree(script, search.tree)
    if found is None or not found.endswith(".py"):
        search.refused.append(f"the recorded script '{script}' is no Python file at the commit")
        return None
    name, cwd = _as_typed(script, found)
    words = f"python {name}" + (f" in {cwd}" if cwd != "." else "")
    unproved = "" if search.record.parameters else "the run logged no parameter"
    proof = (
        f"nothing proves it: {unproved}"
        if unproved
        else ("proved by the parameters that the rerun logs")
    )
    return CommandFound(
        command=Command(steps=(Step(run=Argv(args=("python", name)), cwd=cwd),)),
        origin=Origin(kind=OriginKind.INFERRED, where=f"the recorded script '{script}'"),
        unproved=unproved,
        findings=(
            Finding(
                code="inferred-command",
                severity=Severity.WARNING,
                message=f"only the script's name was recorded; '{words}' is inferred, and {proof}",
                hint=f"write the command into {search.config.name}, with {{params.NAME}} where "
                "the run's parameters go",
                pointer="/command",
            ),
        ),
    )


def _as_typed(script: str, found: str) -> tuple[str, str]:
    """The script and its directory: MLflow keeps the name as typed, so a relative one tells it."""
    typed, inside = PurePosixPath(script), PurePosixPath(found)
    if typed.is_absolute() or not inside.match(script):
        return found, "."
    return str(typed), str(PurePosixPath(*inside.parts[: -len(typed.parts)]))
