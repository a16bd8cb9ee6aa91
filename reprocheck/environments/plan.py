"""What is to be installed, exactly: what is not pinned is resolved as of the run's start."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import canonicalize_name

from reprocheck.environments import asked as asking
from reprocheck.environments import cache, interpreters, local, locks, own_wheel
from reprocheck.environments.asked import Format
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.cutoff import Cutoff, attempted
from reprocheck.environments.interpreters import Interpreter
from reprocheck.environments.local import LocalProject
from reprocheck.environments.requirements import Asked, Reader, decode, is_pinned
from reprocheck.environments.uv_program import Uv, index_settings
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentSpec, Finding, Severity

BUILDER = "venv 4"  # part of every digest: raise it when the same inputs build something else


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be installed, exactly."""

    asked: Asked
    interpreter: Interpreter
    lock: str  # pins, as a requirements file
    cutoff: Cutoff
    findings: tuple[Finding, ...]
    sources: str = ""  # all that decides where packages come from

    @property
    def digest(self) -> str:
        """The environment's name: equal for what is the same, wherever Python is installed."""
        ours = own_wheel.digests(self.lock.splitlines())
        return cache.digest(BUILDER, self.lock, self.interpreter.identity, self.sources, *ours)


def plan_for(request: BuildRequest, uv: Uv) -> Plan:
    """Reads what a spec asks for and pins everything as of the run's start.

    Raises `RebuildError`.
    """
    spec = request.spec
    kind = asking.format_of(spec.file, spec.content)
    lock = kind in (Format.UV_LOCK, Format.LOCK)
    asked = asking.read(spec, request.tree) if not lock else None
    python = spec.python or (asked.python if asked else locks.python_of(spec.file, spec.content))
    interpreter, findings = _interpreter(python, request, uv)
    if asked is None:
        read = _exported if kind is Format.UV_LOCK else _translated
        asked = read(request, interpreter, uv)
    plan = Plan(
        asked=asked,
        interpreter=interpreter,
        lock="".join(f"{line}\n" for line in asked.requirements),
        cutoff=Cutoff(moment=rfc3339(request.started_at) if request.started_at else None),
        findings=(*asked.findings, *findings),
        sources=sources(asked, request),
    )
    open_projects = [each for each in asked.projects if not each.listed]
    if asked.complete or not (own_wheel.split(asked.requirements)[0] or open_projects):
        return plan
    return _resolved(plan, request, uv)


def _interpreter(
    python: str | None, request: BuildRequest, uv: Uv
) -> tuple[Interpreter, tuple[Finding, ...]]:
    try:
        return interpreters.find(python, request.env, request.started_at)
    except interpreters.MissingPythonError as error:
        if not request.download_python:
            raise
        uv.download_python(error.version)
        return interpreters.find(python, request.env, request.started_at)


def _exported(request: BuildRequest, interpreter: Interpreter, uv: Uv) -> Asked:
    """The requirements that a uv.lock pins, by uv's own export."""
    spec = request.spec
    project = uv.folder / "project"
    project.mkdir()
    (project / "uv.lock").write_bytes(spec.content)
    (project / "pyproject.toml").write_bytes(_beside(spec, "pyproject.toml", request.tree))
    uv(
        *("export", "--frozen", "--project", str(project), "--no-emit-project", "--no-header"),
        *("--no-annotate", "-q", "--python", str(interpreter.path), "-o", "exported.txt"),
        doing=f"reading {spec.file}",
    )
    return _frozen(request, decode((uv.folder / "exported.txt").read_bytes()))


def _translated(request: BuildRequest, interpreter: Interpreter, _: Uv) -> Asked:
    """The requirements that the lock of another tool pins."""
    spec = request.spec
    try:
        project = _beside(spec, "pyproject.toml", request.tree)
    except RebuildError:
        project = b""  # without it only some markers are not known
    lines = locks.requirements(spec.file, spec.content, project, interpreter.version)
    return _frozen(request, "\n".join(lines))


def _frozen(request: BuildRequest, lines: str) -> Asked:
    """What a lock lists, and the project itself, which it leaves out."""
    spec = request.spec
    reader = Reader(spec=spec, tree=request.tree)
    reader.read(lines.encode(), folder=spec.directory or "")
    path = spec.directory
    if path is not None and _builds(request.tree / path / "pyproject.toml"):
        reader.projects.append(LocalProject(path=path, optional=True, listed=True))
    return reader.asked(frozen=True)


def _builds(file: Path) -> bool:
    return file.is_file() and asking.is_installable(file.name, file.read_bytes())


def _beside(spec: EnvironmentSpec, name: str, tree: Path) -> bytes:
    file = None if spec.directory is None else tree / spec.directory / name
    if file is not None and file.is_file():
        return file.read_bytes()
    for companion in spec.companions:
        if Path(companion.path).name == name:
            return companion.content
    raise RebuildError(
        f"reading {spec.file}: the {name} that belongs to it is not beside it",
        "record both, or name a requirements file in reprocheck.yaml",
    )


def _resolved(plan: Plan, request: BuildRequest, uv: Uv) -> Plan:
    """The plan with a lock that pins everything as of the run's start."""
    kept = request.cache / "locks" / f"{_inputs_digest(plan, request, uv)}.txt"
    if plan.cutoff.moment is not None and kept.is_file():
        lock, cutoff = _parsed(kept.read_text(), plan.cutoff)
    else:
        lock, cutoff = _compile(plan, request, uv)
        if plan.cutoff.moment is not None:  # without it, tomorrow's answer is another
            cache.write_whole(kept, _written(lock, cutoff))
    lock = own_wheel.pinned(lock, plan.asked.requirements)
    late = () if plan.cutoff.moment else (_no_start(request.spec),)
    told = (*late, *cutoff.findings(request.spec.file, _pinned(plan.asked)))
    return dataclasses.replace(plan, lock=lock, cutoff=cutoff, findings=(*plan.findings, *told))


def _pinned(asked: Asked) -> set[str]:
    names = (re.match(r"[\w.-]+", line) for line in asked.requirements if is_pinned(line))
    return {canonicalize_name(found[0]) for found in names if found}


def _written(lock: str, cutoff: Cutoff) -> str:
    if not cutoff.undated:
        return lock
    return f"# {'void' if cutoff.void else 'undated'}: {' '.join(cutoff.undated)}\n{lock}"


def _parsed(text: str, cutoff: Cutoff) -> tuple[str, Cutoff]:
    found = re.match(r"# (void|undated): (.*)\n", text)
    if found is None:
        return text, cutoff
    undated, void = tuple(found[2].split()), found[1] == "void"
    return text[found.end() :], dataclasses.replace(cutoff, undated=undated, void=void)


def _compile(plan: Plan, request: BuildRequest, uv: Uv) -> tuple[str, Cutoff]:
    asked = plan.asked
    projects = [each.line for each in asked.projects if not each.listed]
    if projects or asked.places:
        local.copy_of(request.tree, uv.folder)
    served, _ = own_wheel.split(asked.requirements)
    write(uv.folder / "asked.txt", *asked.options, *served, *projects)
    write(uv.folder / "constraints.txt", *asked.constraints)
    when = f" as of {plan.cutoff.moment}" if plan.cutoff.moment else ""
    arguments = (
        *("pip", "compile", "asked.txt", "-o", "lock.txt", "--no-header", "--no-annotate"),
        *own_wheel.overriding(uv.folder),
        *(("--constraints", "constraints.txt") if asked.constraints else ()),
        *("--python", str(plan.interpreter.path)),
        *asked.index_arguments,
    )
    doing = f"resolving {request.spec.file} for Python {plan.interpreter.version}{when}"

    def compiled(cutoff: Cutoff) -> None:
        uv(*arguments, *cutoff.arguments, doing=doing)

    cutoff = attempted(compiled, plan.cutoff)
    # Only what the editable projects depend on: they themselves are not of the environment.
    ours = {f"./{local.COPY}/{each.path}".removesuffix("/.") for each in asked.projects}
    lines = (uv.folder / "lock.txt").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.split(" ;")[0].strip() not in ours), cutoff


def _inputs_digest(plan: Plan, request: BuildRequest, uv: Uv) -> str:
    asked = plan.asked
    open_projects = [each for each in asked.projects if not each.listed]
    trees = [local.digest_of(request.tree)] if open_projects else []
    projects = [each.line for each in open_projects]
    lines = (*asked.requirements, *projects, *trees, "-c", *asked.constraints)
    lines = (*lines, plan.interpreter.identity)
    return cache.digest(
        *lines, str(plan.cutoff.moment), uv.read("--version").decode(), plan.sources
    )


def sources(asked: Asked, request: BuildRequest) -> str:
    """All that decides where packages come from, beside their names.

    A version may be another file elsewhere: on another index, or in the commit's own wheels.
    """
    settings = "\n".join((*asked.options, *asked.arguments, index_settings(request.env)))
    settings = re.sub(r"(?<=://)[^/@\s]+@", "", settings)  # a login does not change what is there
    wheels = [_content(Path(line)) for line in _local_links(asked)]
    places = [local.digest_of(request.tree / place) for place in asked.places]
    return "\n".join((settings.replace(str(request.tree.resolve()), ""), *wheels, *places))


def _local_links(asked: Asked) -> list[str]:
    links = [line.partition(" ")[2] for line in asked.options if line.startswith("--find-links")]
    return [link for link in links if link.startswith("/")]


def _content(place: Path) -> str:
    """Names and digests of the files that uv looks for packages in."""
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    lines = []
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                lines.append(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}")
    return "\n".join(lines)


def _no_start(spec: EnvironmentSpec) -> Finding:
    return Finding(
        code="no-start-time",
        severity=Severity.WARNING,
        message=f"the run's start time is not known: what {spec.file} leaves open was resolved as "
        "of now",
        hint="record a freeze of the environment with the run",
        pointer="/started_at",
    )


def write(path: Path, *lines: str) -> None:
    """Writes lines into a file."""
    path.write_text("".join(f"{line}\n" for line in lines))


def rfc3339(moment: datetime) -> str:
    """A moment as uv and pip take it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
