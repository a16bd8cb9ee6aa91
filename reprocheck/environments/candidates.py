"""Files that may define an environment: which names count, and which of several is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck.config import Config
from reprocheck.environments import ENVIRONMENTS, asked
from reprocheck.environments.asked import Format
from reprocheck.environments.conda import CondaEnvironment
from reprocheck.errors import RebuildError
from reprocheck.model import (
    Argv,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    Origin,
    OriginKind,
    RecordedFile,
    RunRecord,
    Severity,
)

# The best name first; several files of one rank are told apart by how deep they lie.
_NAMES = (
    re.compile(r"Dockerfile"),
    re.compile(r"conda-lock\.ya?ml|conda[-_](explicit|list|spec).*\.txt|spec-file\.txt"),
    re.compile(r"(conda|environment)\.ya?ml"),
    re.compile(  # not every *.lock: DVC, Cargo and yarn have theirs
        r"(uv|poetry|pdm|Pipfile|pixi)\.lock|pylock.*\.toml"
        r"|requirements.*\.lock|requirements[-_.]lock\.txt"
    ),
    re.compile(r".*freeze.*\.txt"),
    re.compile(r"requirements.*\.txt"),
    re.compile(r"python_env\.ya?ml"),
    re.compile(r"pyproject\.toml"),
)
WHOLE = (3, 4)
"""Ranks of locks and freezes."""
_ENVIRONMENT = "/environment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What the ways to find an environment look at."""

    record: RunRecord
    tree: Path
    config: Config
    findings: list[Finding]

    def note(self, code: str, severity: Severity, message: str, hint: str) -> None:
        """Keeps a finding about the environment."""
        self.findings.append(
            Finding(code=code, severity=severity, message=message, hint=hint, pointer=_ENVIRONMENT)
        )


def best(search: Search, files: Sequence[RecordedFile]) -> EnvironmentSpec | None:
    """The best of the files recorded in one place; several of the same rank are told."""
    ranked = sorted(
        (file for file in files if counts(PurePosixPath(file.path).name, file.content)),
        key=lambda file: (
            rank(PurePosixPath(file.path).name),
            len(PurePosixPath(file.path).parts),
            file.path,
        ),
    )
    specs = [_spec_of(file, search.record.files) for file in ranked]
    kept = [
        (file, spec) for file, spec in zip(ranked, specs, strict=True) if kind_wanted(search, spec)
    ]
    chosen = first_buildable(search, [spec for _, spec in kept])
    if chosen is None:
        return None
    if chosen.kind is EnvironmentKind.CONDA and not CondaEnvironment().accepts(chosen):
        # A conda file with a pip list leaves open what a lock or freeze beside it pins. Not so one
        # with packages of conda's own: what pip lists of those cannot be installed by pip.
        whole = [spec for _, spec in kept if rank(spec.file) in WHOLE and _can_build(spec)]
        chosen = next(iter(whole), chosen)
    rivals = [
        file.path
        for file, spec in kept
        if rank(spec.file) == rank(chosen.file) and spec.content != chosen.content
    ]
    if rivals:
        search.note(
            "ambiguous-environment",
            Severity.WARNING,
            f"the run holds several environments; {chosen.origin.where} is taken, not "
            f"{', '.join(rivals)}",
            f"decide it in {search.config.name}:  environment: {{file: …}}",
        )
    return chosen


def first_buildable(search: Search, specs: Sequence[EnvironmentSpec]) -> EnvironmentSpec | None:
    """The first that can be built, with a note on what was passed over; else the first."""
    if not specs:
        return None
    # Building one that cannot be built says why.
    chosen = next((spec for spec in specs if _can_build(spec)), specs[0])
    if chosen is not specs[0]:
        docker = specs[0].kind is EnvironmentKind.DOCKER
        why = "needs Docker, and no engine answers" if docker else "cannot be built here"
        search.note(
            "environment-skipped",
            Severity.WARNING if docker else Severity.NOTE,
            f"{specs[0].file} {why}; {chosen.file} from the same place is used",
            f"{'start Docker or podman, or ' if docker else ''}"
            f"decide it in {search.config.name}:  environment: {{file: …}}",
        )
    return chosen


def tell_choice(
    search: Search, chosen: EnvironmentSpec | None, found: Sequence[EnvironmentSpec]
) -> None:
    """Says which files at the commit define another kind of environment, and why not they.

    Not of one that an MLproject names, or that is taken in another's place, as is told already.
    """
    if chosen is None or chosen is not found[0] or chosen.origin.where.startswith("MLproject"):
        return
    others = [_name(spec) for spec in found if spec.kind is not chosen.kind]
    if chosen.kind is not EnvironmentKind.DOCKER and search.config.environment_kind == "auto":
        others += _dockerfiles(search.tree)
    if others:
        search.note(
            "environment-choice",
            Severity.NOTE,
            f"{_name(chosen)} at the commit is taken, not {', '.join(others[:5])}: a file named "
            "Dockerfile counts most, then conda's, locks, requirements; from the script's folder "
            "upwards",
            f"decide it in {search.config.name}:  environment: {{file: …}}",
        )


def _name(spec: EnvironmentSpec) -> str:
    return PurePosixPath(spec.directory or ".", spec.file).as_posix()


def _dockerfiles(tree: Path) -> list[str]:
    """Of any name, in the tree and the folders of it."""
    found = (path for depth in ("", "*/") for path in sorted(tree.glob(f"{depth}*ockerfile*")))
    files = [path for path in found if path.is_file() and path.suffix != ".dockerignore"]
    named = [path for path in files if asked.format_of(path.name, b"") is Format.DOCKERFILE]
    return [path.relative_to(tree).as_posix() for path in named]


def _can_build(spec: EnvironmentSpec) -> bool:
    return any(way.accepts(spec) for way in ENVIRONMENTS)


def _spec_of(file: RecordedFile, recorded: Sequence[RecordedFile]) -> EnvironmentSpec:
    folder = PurePosixPath(file.path).parent
    others = [other for other in recorded if other is not file]
    others.sort(
        key=lambda other: PurePosixPath(other.path).parent != folder
    )  # its own folder first
    return EnvironmentSpec(
        kind=_kind(file.path, file.content),
        file=PurePosixPath(file.path).name,
        content=file.content,
        directory=None,
        python=None,
        origin=file.origin,
        companions=tuple(others),
    )


def file_in_tree(search: Search, name: str, origin: Origin) -> EnvironmentSpec | None:
    """A file at the commit as a spec; None where it is absent or outside of the tree."""
    root = search.tree.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        return None
    content = path.read_bytes()
    asked_kind = search.config.environment_kind
    named = origin.kind is OriginKind.CONFIG and asked_kind in set(EnvironmentKind)
    return EnvironmentSpec(
        kind=EnvironmentKind(asked_kind) if named else _kind(name, content),
        file=path.name,
        content=content,
        directory=path.parent.relative_to(root).as_posix(),
        python=None,
        origin=origin,
    )


def image_spec(name: str, origin: Origin) -> EnvironmentSpec:
    """An image that a record names by digest, id or tag."""
    return EnvironmentSpec(
        kind=EnvironmentKind.DOCKER,
        file=asked.IMAGE,
        content=name.encode(),
        directory=None,
        python=None,
        origin=origin,
    )


def _kind(name: str, content: bytes) -> EnvironmentKind:
    try:
        kind = asked.format_of(name, content)
    except RebuildError:
        return EnvironmentKind.CONDA  # malformed YAML: building it says so
    if kind is Format.DOCKERFILE:
        return EnvironmentKind.DOCKER
    if kind in (Format.CONDA, Format.EXPLICIT):
        return EnvironmentKind.CONDA
    return EnvironmentKind.VENV


def kind_wanted(search: Search, spec: EnvironmentSpec) -> bool:
    """Whether the config leaves the kind open, or names this one."""
    return search.config.environment_kind in ("auto", "script", spec.kind.value)


def rank(name: str) -> int | None:
    """How good a file's name is, 0 the best; None: it defines no environment."""
    return next((i for i, pattern in enumerate(_NAMES) if pattern.fullmatch(name)), None)


def by_name(name: str) -> tuple[bool, str]:
    """Sorts requirements.txt itself before requirements-dev.txt and its like."""
    return name != "requirements.txt", name


def counts(name: str, content: bytes) -> bool:
    """Whether a file defines an environment: most pyproject.toml and some environment.yaml
    do not. A malformed one does, and building it says what is wrong.
    """
    if rank(name) is None:
        return False
    try:
        match asked.format_of(name, content):
            case Format.PYPROJECT:
                return _is_whole(name, content)
            case Format.CONDA:
                return b"dependencies" in content
            case _:
                return True
    except RebuildError:
        return True


def _is_whole(name: str, content: bytes) -> bool:
    """Whether a pyproject.toml says what its project depends on, be it by building it."""
    project = asked.read_project(name, content)
    builds = asked.is_installable(name, content)
    dynamic = builds and "dependencies" in project.get("dynamic", ())
    return "dependencies" in project or dynamic or (builds and b"[tool.poetry." in content)


def folders(search: Search) -> list[str]:
    """Where the commit's files are looked for: beside the scripts that the command names, where it
    runs, and from each upwards to the root.
    """
    root = search.tree.resolve()
    nearest = [
        (root / place).resolve()
        for place in (*_places(search.record), ".")
        if (root / place).resolve().is_relative_to(root) and (root / place).is_dir()
    ]
    above = [parent for folder in nearest for parent in (folder, *folder.parents)]
    inside = [
        folder.relative_to(root).as_posix() for folder in above if folder.is_relative_to(root)
    ]
    return list(dict.fromkeys(inside))


def _places(record: RunRecord) -> Iterator[str]:
    # The last step is the training; what it depends on comes before it.
    for step in reversed(record.command.steps if record.command else ()):
        words = step.run.args if isinstance(step.run, Argv) else step.run.line.split()
        for word in words:
            if word.endswith(".py"):
                yield PurePosixPath(step.cwd, word).parent.as_posix()
        yield step.cwd
    if record.code.script:
        yield PurePosixPath(record.code.script).parent.as_posix()
