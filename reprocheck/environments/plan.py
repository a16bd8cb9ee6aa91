"""What is to be installed, exactly: what is not pinned is resolved as of the run's start."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reprocheck.environments import asked as asking
from reprocheck.environments import cache, interpreters
from reprocheck.environments.asked import Format
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.interpreters import Interpreter
from reprocheck.environments.requirements import Asked, Reader
from reprocheck.environments.uv_program import Uv, index_settings
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentSpec, Finding, Severity

BUILDER = "venv 3"  # part of every digest: raise it when the same inputs build something else


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be installed, exactly."""

    asked: Asked
    interpreter: Interpreter
    lock: str  # pins, as a requirements file
    cutoff: str | None  # RFC 3339
    findings: tuple[Finding, ...]
    sources: str = ""  # all that decides where packages come from

    @property
    def digest(self) -> str:
        """The environment's name: equal for what is the same, wherever Python is installed."""
        return _digest(BUILDER, self.lock, self.interpreter.identity, self.sources)


def plan_for(request: BuildRequest, uv: Uv) -> Plan:
    """Reads what a spec asks for and pins everything as of the run's start.

    Raises `RebuildError`.
    """
    spec = request.spec
    asked = asking.read(spec, request.tree) if not _is_uv_lock(spec) else None
    python = spec.python or (asked.python if asked else None)
    interpreter, findings = interpreters.find(python, request.env, request.started_at)
    asked = asked or _exported(request, interpreter, uv)
    plan = Plan(
        asked=asked,
        interpreter=interpreter,
        lock="".join(f"{line}\n" for line in asked.requirements),
        cutoff=None if request.started_at is None else _rfc3339(request.started_at),
        findings=(*asked.findings, *findings),
        sources=sources(asked, request),
    )
    if asked.complete or not asked.requirements:
        return plan
    return _resolved(plan, request, uv)


def _is_uv_lock(spec: EnvironmentSpec) -> bool:
    return asking.format_of(spec.file, spec.content) is Format.UV_LOCK


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
    reader = Reader(spec=spec, tree=request.tree)
    reader.read((uv.folder / "exported.txt").read_bytes(), folder="")
    return reader.asked(frozen=True)


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
    kept = request.cache / "locks" / f"{_inputs_digest(plan, uv)}.txt"
    if plan.cutoff is not None and kept.is_file():
        lock = kept.read_text()
    else:
        lock = _compile(plan, request.spec.file, uv)
        if plan.cutoff is not None:  # without it, tomorrow's answer is another
            cache.write_whole(kept, lock)
    late = () if plan.cutoff else (_no_start(request.spec),)
    return dataclasses.replace(plan, lock=lock, findings=(*plan.findings, *late))


def _compile(plan: Plan, file: str, uv: Uv) -> str:
    asked = plan.asked
    write(uv.folder / "asked.txt", *asked.options, *asked.requirements)
    write(uv.folder / "constraints.txt", *asked.constraints)
    when = f" as of {plan.cutoff}" if plan.cutoff else ""
    uv(
        *("pip", "compile", "asked.txt", "-o", "lock.txt", "--no-header", "--no-annotate"),
        *(("--constraints", "constraints.txt") if asked.constraints else ()),
        *("--python", str(plan.interpreter.path)),
        *(("--exclude-newer", plan.cutoff) if plan.cutoff else ()),
        *plan.asked.index_arguments,
        doing=f"resolving {file} for Python {plan.interpreter.version}{when}",
    )
    return (uv.folder / "lock.txt").read_text()


def _inputs_digest(plan: Plan, uv: Uv) -> str:
    asked = plan.asked
    lines = (*asked.requirements, "-c", *asked.constraints, plan.interpreter.identity)
    return _digest(*lines, str(plan.cutoff), uv.read("--version").decode(), plan.sources)


def sources(asked: Asked, request: BuildRequest) -> str:
    """All that decides where packages come from, beside their names.

    A version may be another file elsewhere: on another index, or in the commit's own wheels.
    """
    settings = "\n".join((*asked.options, *asked.arguments, index_settings(request.env)))
    settings = re.sub(r"(?<=://)[^/@\s]+@", "", settings)  # a login does not change what is there
    wheels = [_content(Path(line)) for line in _local_links(asked)]
    return "\n".join((settings.replace(str(request.tree.resolve()), ""), *wheels))


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


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
