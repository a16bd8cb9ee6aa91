"""Config files that the command names: what the run itself had counts, not what the commit has.

A team that trains from `configs/exp7.yaml` and logs it often commits it later, or never. It is put
back from the run's artifacts at the path that the command names; what a command writes is not.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck.errors import ReadError, SourceError
from reprocheck.model import Argv, Artifact, Command, Finding, Severity, Step
from reprocheck.tree_paths import inside, is_inside

LARGEST = 1_000_000  # bytes
_SURE = {".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".gin"}
_UNSURE = {".json", ".txt"}  # as often results; only where a word says that it is a config
_CONFIG = re.compile(r"conf|cfg|param|setting|args|option|spec|recipe|experiment", re.IGNORECASE)
_WRITTEN = re.compile(
    r"out|save|dump|log|result|metric|report|write|dest|checkpoint|ckpt|pred|score|summary|export",
    re.IGNORECASE,
)
_OWN = ("reprocheck/", "models/")

Fetch = Callable[[Sequence[str], Path], Mapping[str, Path]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A config file as the command names it."""

    word: str
    path: str  # relative to the tree's root


def named_files(command: Command) -> tuple[Named, ...]:
    """The config files that a command reads, as far as its words tell."""
    found = (named for step in command.steps for named in _of_step(step))
    return tuple({named.path: named for named in found}.values())


def _of_step(step: Step) -> Iterator[Named]:
    before = ""
    for word in _words(step):
        option, equals, value = word.rpartition("=")
        option = option if equals else before
        before = word if word.startswith("-") or set(word) <= set("<>&12") else ""
        if option.endswith(">") or not _is_config(option, value.removeprefix("@")):
            continue
        path = _normal(PurePosixPath(step.cwd, value.removeprefix("@")))
        if path is not None:
            yield Named(word=value, path=path)


def _words(step: Step) -> Sequence[str]:
    if isinstance(step.run, Argv):
        return step.run.args
    try:
        return shlex.split(step.run.line)
    except ValueError:
        return ()


def _is_config(option: str, value: str) -> bool:
    path = PurePosixPath(value)
    reads = _CONFIG.search(option)
    if "://" in value or (_WRITTEN.search(option) and not reads) or _saves(option):
        return False
    if path.suffix in _SURE:
        return bool(reads) or not _WRITTEN.search(path.stem)
    says = reads or _CONFIG.search(value)
    return path.suffix in _UNSURE and bool(says) and not _WRITTEN.search(path.stem)


def _saves(option: str) -> bool:
    return re.search(r"save|dump|write|export|out", option, re.IGNORECASE) is not None


def _normal(path: PurePosixPath) -> str | None:
    """The path without `.` and `..`; None for one of elsewhere in the machine."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return None if path.is_absolute() else "/".join(parts)


def put_back(
    files: Iterable[Named], artifacts: Sequence[Artifact], tree: Path, fetch: Fetch, folder: Path
) -> tuple[Finding, ...]:
    """Writes the run's own config files to where the command names them, and says which differed.

    Raises `SourceError` for one whose place is outside of the tree.
    """
    findings: list[Finding] = []
    for named in files:
        logged = _logged(named, artifacts)
        if not logged:
            continue
        place = inside(tree, named.path, "the config file of the command")
        try:
            contents = _contents(fetch([each.path for each in logged], folder))
        except ReadError as error:
            findings.append(_unread(named, error))
            continue
        if len(contents) > 1:
            findings.append(_ambiguous(named, contents))
        elif contents:
            findings += _write(named, place, *contents.values())
    return tuple(findings)


def _logged(named: Named, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The artifacts that can be the file: those at the longest end of its path."""
    parts = PurePosixPath(named.path).parts
    models = [each.path.removesuffix("MLmodel") for each in artifacts if _is_model(each.path)]
    small = [
        each
        for each in artifacts
        if (each.size or 0) <= LARGEST
        and is_inside(each.path)
        and not each.path.startswith(_OWN)
        and not any(_is_in_model(each.path, folder) for folder in models)
    ]
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        found = [each for each in small if each.path == end or each.path.endswith("/" + end)]
        exact = [each for each in found if each.path == end]
        if found:
            return exact if exact and start == 0 else found
    return []


def _is_model(path: str) -> bool:
    """Whether an artifact tells that its folder is a model: what lies there the run has made."""
    return path.endswith("/MLmodel")


def _is_in_model(path: str, folder: str) -> bool:
    """Whether a file is a part of a model; its `code_paths` are none."""
    return path.startswith(folder) and not path.startswith(f"{folder}code/")


def _contents(files: Mapping[str, Path]) -> dict[str, tuple[str, bytes]]:
    """The different contents, each with the artifact that has it."""
    read = {name: file.read_bytes() for name, file in sorted(files.items())}
    return {
        hashlib.sha256(content).hexdigest(): (name, content)
        for name, content in read.items()
        if len(content) <= LARGEST
    }


def _write(named: Named, place: Path, logged: tuple[str, bytes]) -> Iterator[Finding]:
    name, content = logged
    if place.is_dir():
        return
    there = place.read_bytes() if place.is_file() else None
    if there == content:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    except (FileExistsError, NotADirectoryError) as error:
        raise SourceError(
            f"the config file {named.path} of the command lies below a file of the commit",
            "write the command into reprocheck.yaml",
        ) from error
    differs = "is not in the commit" if there is None else "differs from the commit's"
    yield Finding(
        code="file-from-record",
        severity=Severity.NOTE,
        message=f"{named.path}, which the command names, {differs}; the one that was logged with "
        f"the run ({name}) is used",
        hint="commit before training, so that the commit has what the run had",
        pointer="/artifacts",
    )


def _ambiguous(named: Named, contents: Mapping[str, tuple[str, bytes]]) -> Finding:
    names = ", ".join(name for name, _ in contents.values())
    return Finding(
        code="ambiguous-file",
        severity=Severity.WARNING,
        message=f"the run logged several different files that can be {named.path}, which the "
        f"command names ({names}); the commit's is used",
        hint=f"log a config file under the path that the command has: {named.path}",
        pointer="/artifacts",
    )


def _unread(named: Named, error: ReadError) -> Finding:
    return Finding(
        code="unread-file",
        severity=Severity.WARNING,
        message=f"{named.path}, which the command names, was logged with the run and cannot be "
        f"read there: {error.message}; the commit's is used",
        hint=error.hint,
        pointer="/artifacts",
    )
