"""What the ways to find a command share: what they look at, what they find, and paths in a tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reprocheck.config import Config
from reprocheck.errors import SourceError
from reprocheck.launchers import EXAMPLE, KERNEL_LAUNCHER
from reprocheck.model import Argv, Command, Finding, Material, Origin, RunRecord, Step

PYTHON = re.compile(r"python([0-9](\.[0-9]+)?)?(\.exe)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineStep:
    """One of several named steps, and the files by which it hangs together with the others."""

    name: str
    steps: tuple[Step, ...]
    reads: frozenset[str] | None = None  # paths in the tree; None: not declared
    makes: frozenset[str] | None = None  # the same
    proofs: Mapping[str, Material] = field(default_factory=dict)  # what it made, by path
    unproved: str = ""  # why `proofs` may be those of another run


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandFound:
    """The command and where it comes from."""

    command: Command
    origin: Origin
    findings: tuple[Finding, ...] = ()
    given: frozenset[str] = frozenset()  # the run's parameters that `mlflow run` itself logged
    made: frozenset[str] = frozenset()  # paths in the tree that the command makes anew
    unproved: str = ""  # why another result may only mean that it is another command
    parts: tuple[PipelineStep, ...] = ()  # of a command of several named steps
    skipped: tuple[PipelineStep, ...] = ()  # steps that are not run: what they make is restored


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What the ways to find a command look at; `refused` collects why a way was not taken."""

    record: RunRecord
    config: Config
    tree: Path
    refused: list[str]


def missing_command(search: Search, said: str, code: str = "missing-command") -> SourceError:
    """That no command is known, why, and what to write into the config."""
    example = "python train.py --lr {params.lr} --seed {seed}"
    if code == KERNEL_LAUNCHER:
        example = EXAMPLE
    return SourceError(
        f"the command of run {search.record.ref.run_id} is not known ({code}): {said}",
        f'write it into {search.config.name}, for example\n  command: "{example}"',
    )


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


def project_folders(search: Search) -> list[str]:
    """Folders of the tree that may hold the run's MLproject or dvc.yaml, likeliest first."""
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


def mentions(line: str, script: str) -> bool:
    """Whether a command line names a script, by the file's name or as a module."""
    module = script.removesuffix(".py")
    words = re.split(r"[\s'\";&|=]+", line)
    return any(
        PurePosixPath(word).name == script or word.rpartition(".")[2] == module for word in words
    )


def as_typed(script: str, found: str) -> tuple[str, str]:
    """The script and its directory: MLflow keeps the name as typed, so a relative one tells it."""
    typed, inside = PurePosixPath(script), PurePosixPath(found)
    if typed.is_absolute() or not inside.match(script):
        return found, "."
    return str(typed), str(PurePosixPath(*inside.parts[: -len(typed.parts)]))


def tool_words(step: Step) -> tuple[str, ...]:
    """The words of a recorded command from the program's name on, without what starts Python:
    ("dvc", "repro") of /opt/x/bin/dvc repro and of python -m dvc repro.
    """
    if not isinstance(step.run, Argv) or not step.run.args:
        return ()
    program, *rest = step.run.args
    if PYTHON.fullmatch(PurePosixPath(program).name):
        rest = rest[1:] if rest[:1] == ["-m"] else rest
        program, *rest = rest or [""]
    path = PurePosixPath(program)
    # What `python -m dvc` leaves in sys.argv.
    name = path.parent.name if path.name == "__main__.py" else path.name
    return (name, *rest)
