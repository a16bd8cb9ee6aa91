"""What of conda's is to be installed, and by which program."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reprocheck.environments import cache, conda_files, conda_program, conda_rattler, own_wheel
from reprocheck.environments.asked import needs_conda
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.conda_channels import Channels
from reprocheck.environments.conda_files import CondaAsked, CondaPackage, file_parts
from reprocheck.environments.conda_program import CondaProgram, explicit
from reprocheck.environments.conda_rattler import Rattler, Solved
from reprocheck.environments.cutoff import Cutoff
from reprocheck.environments.plan import rfc3339, sources
from reprocheck.environments.requirements import Asked, Reader
from reprocheck.environments.uv_program import Uv
from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentSpec, Finding, Severity

BUILDER = "conda 2"  # part of every digest: raise it when the same inputs build something else
_PIP = "# pip "  # as conda-lock writes what pip installs into an @EXPLICIT list


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPlan:
    """What is to be installed, exactly; a conda program solves for itself."""

    asked: CondaAsked  # every channel at its address
    pip: Asked
    installer: CondaProgram | Rattler
    cutoff: Cutoff  # for pip's packages
    findings: tuple[Finding, ...]
    sources: str  # all that decides where pip's packages come from

    @property
    def digest(self) -> str:
        """The environment's name: equal for what is the same, wherever the packages are."""
        asked = self.asked
        if asked.packages:
            what = [_portable(package) for package in asked.packages]
        else:
            what = [self.installer.__class__.__name__, *asked.channels, "--", *asked.specs]
        pip = [*self.pip.requirements, *self.pip.constraints, self.sources, str(self.cutoff.moment)]
        pip += own_wheel.digests(self.pip.requirements)
        return _digest(BUILDER, conda_files.subdir(), *what, *(pip if self.has_pip else ()))

    @property
    def has_pip(self) -> bool:
        """Whether pip installs something too."""
        return bool(self.pip.requirements)


def plan_for(request: BuildRequest, uv: Uv) -> CondaPlan:
    """Reads what a conda file asks for, and solves it as of the run's start where py-rattler does.

    Raises `RebuildError`.
    """
    spec = request.spec
    asked = _with_own(conda_files.read(spec))
    reader = Reader(spec=spec, tree=request.tree)
    for line in asked.pip:
        reader.take(line, folder=spec.directory or "")
    pip = reader.asked(frozen=asked.pip_complete)
    _refuse_local(spec, pip)
    installer = _installer(request, asked, uv.folder)
    channels = Channels(
        mirrors=request.channels,
        alias=request.env.get("CONDA_CHANNEL_ALIAS"),
        program=isinstance(installer, CondaProgram),
    )
    started = request.started_at
    plan = CondaPlan(
        asked=channels.located(asked),
        pip=pip,
        installer=installer,
        cutoff=Cutoff(moment=rfc3339(started) if started else None),
        findings=(*pip.findings, *_told(request, asked, installer)),
        sources=sources(pip, request),
    )
    if isinstance(installer, CondaProgram):
        return dataclasses.replace(plan, asked=_for_program(plan.asked, channels, spec))
    return _solved(plan, request, channels, installer) if asked.is_open else plan


def _with_own(asked: CondaAsked) -> CondaAsked:
    """With our own reprocheck-capture, by pip, in place of a channel's."""
    specs = [text for text in asked.specs if own_wheel.is_named(_as_pip(text))]
    parts = {package: file_parts(package.url) for package in asked.packages}
    files = {each: f"{name}=={version}" for each, (name, version, _) in parts.items()}
    packages = [each for each, line in files.items() if own_wheel.is_named(line)]
    if not (specs or packages):
        return asked
    return dataclasses.replace(
        asked,
        specs=tuple(text for text in asked.specs if text not in specs),
        packages=tuple(each for each in asked.packages if each not in packages),
        pip=(*asked.pip, *map(_as_pip, specs), *(files[each] for each in packages)),
    )


def _as_pip(spec: str) -> str:
    """Name and exact version of a conda spec, as pip has them."""
    found = re.match(r"(?:\S*::)?([\w.-]*)\s*=*\s*([\w.]*)", spec)
    name, version = (found[1], found[2]) if found else ("", "")
    return f"{name}=={version}" if version else name


def _refuse_local(spec: EnvironmentSpec, pip: Asked) -> None:
    """Projects and files of the tree are installed into virtual environments only."""
    named = [*(f"-e {each.path}" for each in pip.projects), *pip.places]
    if named:
        raise RebuildError(
            f"the list for pip in {spec.file} names {', '.join(named)} of the repository itself, "
            "which this version of reprocheck cannot install into a conda environment",
            "leave it out of the file and set PYTHONPATH in the command, or name a requirements "
            "file:  environment: {kind: venv, file: requirements.txt}",
        )


def _installer(request: BuildRequest, asked: CondaAsked, folder: Path) -> CondaProgram | Rattler:
    program = conda_program.find(request.env)
    embedded = conda_rattler.is_installed()
    # Only py-rattler can solve as of a date; what is locked needs no solving.
    dated = embedded and asked.is_open and request.started_at is not None
    if program is not None and not dated:
        return CondaProgram(path=program, folder=folder, env=request.env, progress=request.progress)
    if not embedded:
        raise needs_conda(request.spec.file, asked.specs)
    return Rattler(
        folder=folder,
        cache=request.cache / "conda-packages",
        env=request.env,
        progress=request.progress,
    )


def _for_program(asked: CondaAsked, channels: Channels, spec: EnvironmentSpec) -> CondaAsked:
    """With the channels that conda looks into anyway, and the recorded Python."""
    sets = conda_rattler.channel_sets(asked, channels)
    named = any(re.match(r"python\b(?!-)", each) for each in asked.specs)
    python = [] if named or not spec.python else [f"python={_plain(spec.python)}"]
    specs = (*asked.specs, *(python if _plain(spec.python) else ()))
    return dataclasses.replace(asked, channels=tuple(sets[-1]), specs=specs)


# --- solving ------------------------------------------------------------------------------


def _solved(
    plan: CondaPlan, request: BuildRequest, channels: Channels, rattler: Rattler
) -> CondaPlan:
    """The plan with the packages that fit together as of the run's start."""
    kept = request.cache / "locks" / f"{_inputs_digest(plan, request, channels)}.conda.txt"
    if request.started_at is not None and kept.is_file():
        solved = _parsed(kept.read_text())
    else:
        python = _pythons(request.spec)
        solved = rattler.solve(request.spec, plan.asked, channels, python, request.started_at)
        if request.started_at is not None:  # without it, tomorrow's answer is another
            cache.write_whole(kept, _written(solved))
    return dataclasses.replace(
        plan,
        asked=dataclasses.replace(plan.asked, packages=solved.packages),
        findings=(*plan.findings, *_undated(solved)),
    )


def _pythons(spec: EnvironmentSpec) -> tuple[str | None, ...]:
    """The recorded Python, another patch of it, and what the file itself allows."""
    plain = _plain(spec.python)
    if not plain:
        return (None,)
    minor = ".".join(plain.split(".")[:2]) + ".*"
    return (plain, minor, None) if plain.count(".") == 2 else (minor, None)


def _plain(python: str | None) -> str:
    found = re.fullmatch(r"=*\s*(\d+\.\d+(?:\.\d+)?)\S*", python or "")
    return found[1] if found else ""


def _inputs_digest(plan: CondaPlan, request: BuildRequest, channels: Channels) -> str:
    sets = conda_rattler.channel_sets(plan.asked, channels)
    overridden = sorted(
        f"{name}={value}"
        for name, value in request.env.items()
        if name.startswith("CONDA_OVERRIDE_")
    )
    return _digest(
        *(
            BUILDER,
            conda_files.subdir(),
            str(plan.cutoff.moment),
            str(request.spec.python),
            str(sets),
        ),
        *(*plan.asked.specs, *overridden),
    )


def _written(solved: Solved) -> str:
    undated = "".join(f"# undated: {name}\n" for name in solved.undated)
    return undated + "".join(
        f"{package.url}#{package.md5 or ''}#{package.sha256 or ''}\n" for package in solved.packages
    )


def _parsed(text: str) -> Solved:
    return Solved(
        packages=tuple(
            CondaPackage(url=url, md5=md5 or None, sha256=sha256 or None)
            for line in text.splitlines()
            if not line.startswith("#")
            for url, md5, sha256 in [line.split("#")]
        ),
        undated=tuple(re.findall(r"^# undated: (\S+)", text, re.MULTILINE)),
    )


# --- what is told -------------------------------------------------------------------------


def lock_text(packages: tuple[CondaPackage, ...], pip: list[str]) -> str:
    """What was installed, as an @EXPLICIT list that can be read again."""
    listed = explicit(packages)
    return f"# platform: {conda_files.subdir()}\n{listed}" + "".join(
        f"{_PIP}{line}\n" for line in pip
    )


def _told(
    request: BuildRequest, asked: CondaAsked, installer: CondaProgram | Rattler
) -> Iterator[Finding]:
    file = request.spec.file
    if asked.is_open and request.started_at is None:
        yield note(
            "no-start-time",
            f"the run's start time is not known: what {file} leaves open was resolved as of now",
            "record an @EXPLICIT list (conda list --explicit --md5) with the run",
            severity=Severity.WARNING,
        )
    elif asked.is_open and isinstance(installer, CondaProgram):
        yield note(
            "resolved-as-of-now",
            f"{installer.name} cannot resolve as of a date: what {file} leaves open was resolved "
            "as of now",
            "pip install 'reprocheck[conda]'",
            severity=Severity.WARNING,
        )
    bare = [package for package in asked.packages if not (package.md5 or package.sha256)]
    if bare:
        yield note(
            "unverified-package",
            f"{file} holds no digest of {len(bare)} of its {len(asked.packages)} packages: whether "
            "they are the run's was not verified",
            "record the list with  conda list --explicit --md5",
        )


def _undated(solved: Solved) -> Iterator[Finding]:
    if solved.undated:
        yield note(
            "undated-package",
            "the channels do not say how old these packages are, so they may be newer than the "
            f"run: {', '.join(solved.undated[:5])}",
            "record an @EXPLICIT list (conda list --explicit --md5) with the run",
        )


def note(code: str, message: str, hint: str, severity: Severity = Severity.NOTE) -> Finding:
    """A finding about the environment."""
    return Finding(code=code, severity=severity, message=message, hint=hint, pointer="/environment")


def _portable(package: CondaPackage) -> str:
    """A package by its digest; by its address where it has none."""
    digest = package.sha256 or package.md5
    return f"{package.url.rpartition('/')[2]}#{digest}" if digest else package.line


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
