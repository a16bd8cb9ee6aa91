"""Requirements files as pip reads them: includes are resolved, what cannot be kept is refused."""

from __future__ import annotations

import codecs
import dataclasses
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from reprocheck.environments import local, own_wheel
from reprocheck.environments.local import LocalProject
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentSpec, Finding, Severity

_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
}
_KEPT = ("--index-url", "--extra-index-url", "--no-index", "--no-binary", "--only-binary")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LOCAL = re.compile(
    r"(?:\.|/|~|file:|[A-Za-z]:\\)"  # ./pkg, /abs/pkg, file:…
    r"|[^\s@;=<>]+(?:\.whl|\.zip|\.tar\.gz)\s*$"
    r"|[^\s@;]+\s*@\s*(?:file:|\.|/)",  # pkg @ file:///…
    re.IGNORECASE,
)
# Options of one requirement that concern how pip builds it; uv reads none of them.
_OF_ONE = re.compile(
    r"\s--(?:global-option|install-option|config-settings?)[= ]?(?:\"[^\"]*\"|'[^']*'|\S)*"
)
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")  # as pip expands it
# What a Debian bug added to freezes of old virtual environments; no index has it.
_PHANTOM = re.compile(r"pkg[-_]resources==0\.0\.0\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is to be installed, with all includes resolved."""

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # lines such as --index-url …, as a requirements file has them
    arguments: tuple[str, ...] = ()  # of uv, for options that it takes from no file
    projects: tuple[LocalProject, ...] = ()  # of the tree, installed editable
    places: tuple[str, ...] = ()  # of the tree, that requirements name: wheels, folders
    python: str | None = None  # the version that the file names
    complete: bool = False  # everything is listed and pinned: nothing to resolve
    findings: tuple[Finding, ...] = ()

    @property
    def hashed(self) -> bool:
        """Whether every requirement that an index serves names the hashes of its files."""
        served, _ = own_wheel.split(self.requirements)
        return bool(served) and all("--hash=" in line for line in served)

    @property
    def index_arguments(self) -> tuple[str, ...]:
        """Arguments of uv that decide which index a package comes from."""
        # pip takes the best version of all indexes, and the file was written for pip; uv by
        # itself looks no further than the first index that knows the name.
        several = any(line.startswith("--extra-index-url") for line in self.options)
        strategy = ("--index-strategy", "unsafe-best-match") if several else ()
        return (*self.arguments, *strategy)

    @property
    def unpinned(self) -> tuple[str, ...]:
        """The requirements that leave the version open."""
        return tuple(line for line in self.requirements if not is_pinned(line))


@dataclass(slots=True)
class Reader:
    """Collects the lines of files that include each other.

    Raises `RebuildError` for what cannot be rebuilt from the record or the commit alone.
    """

    spec: EnvironmentSpec
    tree: Path
    requirements: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    projects: list[LocalProject] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)  # files being read, to see a cycle

    def asked(self, *, frozen: bool = False, python: str | None = None) -> Asked:
        """What was collected; `frozen` says that it is the list of a whole environment."""
        asked = Asked(
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            options=tuple(self.options),
            arguments=tuple(self.arguments),
            projects=tuple(dict.fromkeys(self.projects)),
            places=tuple(dict.fromkeys(self.places)),
            python=python,
            findings=tuple(self.findings),
        )
        complete = asked.hashed or (frozen and not asked.unpinned)
        if complete:
            projects = tuple(dataclasses.replace(each, listed=True) for each in asked.projects)
            asked = dataclasses.replace(asked, projects=projects)
        return dataclasses.replace(asked, complete=complete)

    def read(self, content: bytes, *, folder: str, constrain: bool = False) -> None:
        """Takes all lines of a file; `folder` is where its includes are looked for."""
        for line in logical_lines(decode(content)):
            self.take(line, folder=folder, constrain=constrain)

    def take(self, line: str, *, folder: str, constrain: bool = False) -> None:
        """Takes one line of a requirements file."""
        line = self._without_build_options(line)
        if own_wheel.is_named(line):
            self._take_own(line, constrain=constrain)
        elif line.startswith("-"):
            self._take_option(line, folder)
        elif clone := local.clone_of(line):
            self.requirements.append(clone.line)
        elif _URL.match(line) and not line.startswith("file:"):
            self.requirements.append(_named(line))
        elif _LOCAL.match(line):
            self._take_local(line, folder)
        elif _PHANTOM.match(line):
            self._note("dropped-requirement", f"'{line}' is left out: no index has this version")
        else:
            (self.constraints if constrain else self.requirements).append(line)

    def _take_own(self, line: str, *, constrain: bool) -> None:
        if constrain:
            return  # ours is installed whatever they allow
        self.requirements.append(own_wheel.requirement(line))
        if other := own_wheel.asked_version(line):
            self.findings.append(_other_capture(other))

    def _without_build_options(self, line: str) -> str:
        bare = line if line.startswith("-") else _OF_ONE.sub("", line)
        if bare != line:
            dropped = _OF_ONE.search(line)
            self._note("ignored-option", f"'{dropped and dropped[0].strip()}' of {bare} is ignored")
        return bare

    def _take_option(self, line: str, folder: str) -> None:
        name, value = _split(line)
        match name:
            case "--requirement" | "--constraint":
                self._include(value, folder, constrain=name == "--constraint")
            case "--editable":
                self._take_editable(value, folder)
            case "--find-links":
                self.options.append(f"--find-links {self._links(value, folder)}")
            case "--pre":
                self.arguments += ["--prerelease", "allow"]
            case "--trusted-host":
                self.arguments += ["--allow-insecure-host", value]
            case "--require-hashes":
                pass  # hashes are always checked
            case "--index-url" | "--extra-index-url" if variable := _VARIABLE.search(value):
                # A file from anybody's branch must not send our secrets to an address of its own.
                self._note(
                    "unset-variable",
                    f"{self.spec.file} names an index with the variable {variable[1]}, which "
                    "builds do not see: give its address in UV_INDEX or pip.conf",
                    Severity.WARNING,
                )
            case _ if name in _KEPT:
                self.options.append(line)
            case _:
                self._note("ignored-option", f"the option '{line}' of {self.spec.file} is ignored")

    def _take_editable(self, value: str, folder: str) -> None:
        clone = local.clone_of(value)
        if clone is None:
            self._take_project(local.take_apart(value), value, folder)
        elif clone.revision and clone.revision == local.head(self.tree):
            # A freeze names the run's own repository so.
            self.projects.append(LocalProject(path=clone.subdirectory or "."))
        else:
            self.requirements.append(clone.line)
            self._note("not-editable", f"'{value}' is installed, but not as an editable package")

    def _take_project(self, asked: local.LocalLine, line: str, folder: str) -> None:
        path = self._find(asked.place, folder)
        guessed = path is None and asked.place.startswith("/") and self._is_project(".")
        if guessed:
            # A freeze holds the path that the repository had then.
            path = "."
            self._note("guessed-project", f"'{line}' is taken to be the project at the commit")
        if path is None or not self._is_project(path):
            raise self._refused(f"-e {line}", "a project that is not part of the commit")
        self.projects.append(LocalProject(path=path, extras=asked.extras))

    def _is_project(self, path: str) -> bool:
        return local.is_project(self.tree / path)

    def _take_local(self, line: str, folder: str) -> None:
        asked = local.take_apart(line)
        path, version = self._find(asked.place, folder), asked.version
        if path is not None:
            self.places.append(path)
            place = f"./{local.COPY}/{path}".removesuffix("/.")
            self.requirements.append(f"{place}{asked.extras}{asked.rest}")
        elif version is not None:
            self.requirements.append(f"{version[0]}{asked.extras}=={version[1]}{asked.rest}")
            self._note("lost-file", f"'{line}' is not at the commit; an index's file is installed")
        elif asked.name:
            self.requirements.append(f"{asked.name}{asked.extras}{asked.rest}")
            self._note(
                "lost-version",
                f"'{line}' names a place of the original machine and no version, as freezes of "
                "conda environments do; the version of the run's date is installed",
                Severity.WARNING,
            )
        else:
            raise self._refused(line, "a file or folder that is not part of the commit")

    def _find(self, place: str, folder: str) -> str | None:
        # A file that was logged with the run is no file of the tree, but was one at that time.
        return local.find(self.tree, folder if self.spec.directory is not None else "", place)

    def _include(self, name: str, folder: str, *, constrain: bool) -> None:
        path = posixpath.normpath(posixpath.join(folder, name))
        if path in self._open:
            return
        self._open.append(path)
        content = self._content(path, name)
        self.read(content, folder=posixpath.dirname(path), constrain=constrain)
        self._open.pop()

    def _content(self, path: str, name: str) -> bytes:
        file = None if _URL.match(name) else self._in_tree(path)
        if file is not None and file.is_file():
            return file.read_bytes()
        for companion in self.spec.companions:
            if PurePosixPath("/", companion.path).match(f"*/{path}"):
                return companion.content
        raise RebuildError(
            f"reading {self.spec.file}: the file {name} that it includes is neither at the commit "
            "nor recorded with the run",
            "record a freeze of the environment, or name a complete file in reprocheck.yaml",
        )

    def _in_tree(self, path: str) -> Path | None:
        if self.spec.directory is None:
            return None
        root = self.tree.resolve()
        file = (root / path).resolve()
        return file if file.is_relative_to(root) else None

    def _links(self, value: str, folder: str) -> str:
        if _URL.match(value) and not value.startswith("file:"):
            return value
        place = self._in_tree(posixpath.join(folder, value))
        if place is None or not place.exists():
            raise self._refused(f"--find-links {value}", "a folder that is not part of the commit")
        return str(place)

    def _refused(self, line: str, what: str) -> RebuildError:
        return RebuildError(
            f"{self.spec.file} asks for '{line}': {what}, which cannot be rebuilt from the commit",
            "commit it, or name a requirements file without it in reprocheck.yaml:  "
            "environment: {kind: venv, file: …}",
        )

    def _note(self, code: str, message: str, severity: Severity = Severity.NOTE) -> None:
        self.findings.append(
            Finding(
                code=code,
                severity=severity,
                message=message,
                hint="remove it from the file if it does not matter",
                pointer="/environment",
            )
        )


def _other_capture(asked: str) -> Finding:
    name = own_wheel.NAME
    return Finding(
        code="other-capture",
        severity=Severity.NOTE,
        message=f"the run had {name} {asked}; {own_wheel.version()} is installed, which belongs to "
        "this reprocheck",
        hint="nothing to do: a trial records nothing by it",
        pointer="/environment",
    )


def is_pinned(line: str) -> bool:
    """Whether a requirement allows exactly one version, one commit, one URL or one file."""
    clone = local.clone_of(line)
    if clone is not None:
        return re.fullmatch(r"[0-9a-f]{7,64}", clone.revision) is not None
    if line.startswith(f"./{local.COPY}"):
        return True
    try:
        requirement = Requirement(re.split(r"\s--[a-z]", line, maxsplit=1)[0])
    except InvalidRequirement:
        return False
    return bool(requirement.url) or any(
        part.operator == "===" or (part.operator == "==" and not part.version.endswith("*"))
        for part in requirement.specifier
    )


def _named(url: str) -> str:
    """A URL as a requirement with the name that its file tells, if it does."""
    address, space, rest = url.partition(" ")
    found = local.version_of(urlsplit(address).path)
    return f"{found[0]} @ {address}{space}{rest}" if found else url


def logical_lines(text: str) -> Iterator[str]:
    """Lines without comments, those that end in a backslash joined; none is empty."""
    joined = re.sub(r"\\[ \t]*\r?\n", " ", text)
    for line in joined.splitlines():
        bare = re.sub(r"(^|\s+)#.*$", "", line).strip()
        if bare:
            yield re.sub(r"\s+", " ", bare)


def decode(content: bytes) -> str:
    """Text in the encoding that its byte order mark says (PowerShell writes UTF-16), or UTF-8."""
    marks = (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    )
    encoding = next((name for mark, name in marks if content.startswith(mark)), "utf-8")
    return content.decode(encoding, errors="replace")


def _split(line: str) -> tuple[str, str]:
    if line.startswith("--"):
        name, _, value = line.replace("=", " ", 1).partition(" ")
    else:
        name, value = line[:2], line[2:].lstrip("= ")
    return _SHORT.get(name, name), value.strip().strip("'\"")
