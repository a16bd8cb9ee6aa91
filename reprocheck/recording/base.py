"""What `reprocheck record` knows before a command starts, and what its record would lack."""

from __future__ import annotations

import ast
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck.config import Config
from reprocheck.git import Git
from reprocheck.model import Finding, Requirement, Severity

ASKING_S = 20.0
"""Seconds that git, a remote or an interpreter may take to answer a question."""
_SHOWN = 5
TRUST = "git config --global --add safe.directory "


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The command, and how it is to be recorded."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    config: Config
    strict: bool = False
    allow_patch: bool = False
    keep_ref: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """What capture would record of the command's run, as it told itself."""

    root: Path | None = None  # of the repository
    commit: str = ""
    dirty: bool = False
    whole: bool = True  # False: the patch would lack something
    kept: frozenset[str] = frozenset()  # sources that git does not know and the run would store
    listed: tuple[str, ...] = ()  # those that it would not
    seeds: Mapping[str, str] = field(default_factory=dict)
    freeze: tuple[str, ...] = ()
    from_conda: frozenset[str] = frozenset()  # packages that conda's own list pins
    search: tuple[Path, ...] = ()  # where the interpreter looks for modules
    missing: Mapping[str, str] = field(default_factory=dict)  # facts, and why
    own: bool = False  # the training's own interpreter told it
    tags: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None  # has the files of the record


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file of Python that the command runs or imports."""

    path: Path
    tree: ast.Module
    importer: Path | None = None  # None: the command names it


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """All that the requirements are checked against."""

    asked: Asked
    foreseen: Foreseen
    tracked: frozenset[str] = frozenset()  # paths in git's index, from the root
    sources: tuple[Source, ...] = ()
    capture_off: str = ""  # why capture cannot be switched on
    modules: tuple[Source, ...] = ()  # imported files without a source, as extension modules

    @property
    def git(self) -> Git:
        """Git in the repository's root, with the user's own settings where it is trusting."""
        folder = self.foreseen.root or self.asked.cwd
        return Git(folder, self.asked.env, timeout_s=ASKING_S)

    def inside(self, path: Path) -> str | None:
        """The path from the repository's root; None of what is outside."""
        root = self.foreseen.root
        named = Path(os.path.normpath(self.asked.cwd / path))
        absolute = named.parent.resolve() / named.name  # git knows links by their own names
        if root is None or not absolute.is_relative_to(root):
            return None
        return absolute.relative_to(root).as_posix()

    def is_known(self, path: Path) -> bool:
        """Whether the record has the file: git knows it, or --allow-patch lets it be stored."""
        name = self.inside(path)
        return name in self.tracked or (self.asked.allow_patch and name in self.foreseen.kept)

    def told(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """The paths as they are typed in the working directory."""
        return tuple(os.path.relpath(path, self.asked.cwd) for path in paths)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """A requirement that is not met, or not known to be."""

    requirement: Requirement | None  # None: asked for under --strict alone
    finding: Finding
    unknown: bool = False  # it could not be found out: refused under --strict alone


def lack(
    requirement: Requirement | None, code: str, message: str, *, hint: str, fix: str = ""
) -> Lack:
    """A requirement that is not met."""
    return Lack(requirement=requirement, finding=_finding(code, message, hint, fix))


def not_known(requirement: Requirement, code: str, message: str, hint: str, fix: str = "") -> Lack:
    """A requirement of which it could not be found out whether it is met."""
    return Lack(requirement=requirement, finding=_finding(code, message, hint, fix), unknown=True)


def _finding(code: str, message: str, hint: str, fix: str) -> Finding:
    return Finding(
        code=code, severity=Severity.WARNING, message=message, hint=hint, pointer="", fix=fix
    )


def no_repository(requirement: Requirement, situation: Situation) -> tuple[Lack, ...]:
    """What every question about code is answered with outside of a repository."""
    foreseen = situation.foreseen
    why, trusting, place = foreseen.missing.get("code", "").partition(TRUST)
    if foreseen.root is None and trusting:
        return (
            lack(
                requirement,
                "no-repository",
                f"which code the run has is not known: {why.removesuffix(' only after ')}",
                hint="trust it, if you know who put it there",
                fix=trusting + place,
            ),
        )
    if foreseen.root is None:
        message = "neither the script nor this folder is in a git repository, so nothing tells "
        return (
            lack(
                requirement,
                "no-repository",
                message + "which code the run had",
                hint="put the project into one",
                fix="git init && git add -A && git commit -m 'What is trained'",
            ),
        )
    return (
        lack(
            requirement,
            "no-repository",
            f"the repository {foreseen.root} has no commit",
            hint="commit what is trained",
            fix="git add -A && git commit -m 'What is trained'",
        ),
    )


def listed(names: Iterable[str]) -> str:
    """Some names, and how many more there are."""
    found = list(names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def quoted(names: Iterable[str]) -> str:
    """All names as words of a shell's line, behind the end of options."""
    return "-- " + shlex.join(names)
