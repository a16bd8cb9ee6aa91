"""Conda environments: by the conda of this machine, or by py-rattler; kept by digest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from reprocheck import process
from reprocheck.environments import asked as asking
from reprocheck.environments import cache, conda_program, conda_rattler, interpreters, own_wheel
from reprocheck.environments.asked import Format
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.conda_files import file_parts
from reprocheck.environments.conda_plan import CondaPlan, lock_text, note, plan_for
from reprocheck.environments.conda_program import CondaProgram
from reprocheck.environments.cutoff import Cutoff, attempted
from reprocheck.environments.isolation import Isolation, chosen
from reprocheck.environments.sandbox import VenvSandbox
from reprocheck.environments.uv_program import Cause, Uv, UvError
from reprocheck.environments.venv import REDIRECT, WHERE, install_own, packages, pip_install, probe
from reprocheck.errors import RebuildError
from reprocheck.model import (
    BuiltEnvironment,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    Package,
    Severity,
)
from reprocheck.temporary import temporary_folder

# The scripts that packages bring for activation, as a shell would source them.
_ACTIVATE = 'for f in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do . "$f" >&2; done; env -0'
_NOT_OURS = ("PATH", "PWD", "OLDPWD", "SHLVL", "_", "HOME")


class CondaEnvironment:
    """Builds prefixes from environment.yml, @EXPLICIT lists and conda-lock.yml.

    A conda file that asks conda for nothing but Python is left to pip, which is faster.
    """

    def accepts(self, spec: EnvironmentSpec) -> bool:
        """Whether the spec asks for conda's packages, and there is something to install them."""
        if spec.kind is EnvironmentKind.DOCKER:
            return False
        try:
            kind = asking.format_of(spec.file, spec.content)
            if kind is Format.CONDA and not asking.read_conda(spec.file, spec.content).packages:
                return False
        except RebuildError:
            return False
        return kind in (Format.CONDA, Format.EXPLICIT) and _can_install()

    @contextlib.contextmanager
    def build(self, request: BuildRequest) -> Iterator[VenvSandbox]:
        """Solves, then installs; either is taken from the cache where it was done before.

        Raises `RebuildError` with the likely cause and the last lines of what was printed.
        """
        with temporary_folder() as work:
            uv = Uv(folder=work, env=request.env, progress=request.progress)
            plan = plan_for(request, uv)
            cached = cache.Cache(root=request.cache / "conda", progress=request.progress)
            with cached.entry(
                plan.digest,
                lambda folder: _install(folder, plan, request, uv),
                _healthy(request.env),
            ) as entry:
                isolation = chosen(request.env, request.limits)
                told = (*plan.findings, *_findings(entry.state, request.spec))
                yield VenvSandbox(
                    built=_built(plan, entry, request.spec, isolation),
                    findings=(*told, *isolation.findings),
                    folder=entry.folder / "env",
                    env=request.env,
                    fingerprint=entry.state["fingerprint"],
                    isolation=isolation,
                    activation={
                        **entry.state["activation"],
                        **_allowed(plan.asked.variables),
                        "CONDA_PREFIX": str(entry.folder / "env"),
                    },
                )


def _can_install() -> bool:
    return conda_rattler.is_installed() or conda_program.find(os.environ) is not None


# --- install ------------------------------------------------------------------------------


def _install(folder: Path, plan: CondaPlan, request: BuildRequest, uv: Uv) -> dict[str, Any]:
    """Makes the prefix in a folder, and returns the state to keep with it."""
    prefix = folder / "env"
    _install_conda(prefix, plan, request)
    python = prefix / "bin/python"
    if not python.exists():
        raise RebuildError(
            f"building {request.spec.file}: what it asks for holds no Python",
            "add python to its dependencies, or name another file in reprocheck.yaml",
        )
    before = _freeze(python, uv)
    served, ours = own_wheel.split(plan.pip.requirements)
    findings = list(_install_pip(plan, served, python, uv)) if served else []
    install_own(uv, python, ours)
    version, purelib = probe(python, uv.env)
    (Path(purelib) / "reprocheck_redirect.pth").write_text(REDIRECT)
    pip = [line for line in _freeze(python, uv) if line not in before]
    return {
        "python": version,
        "pip": pip,
        "lock": lock_text(conda_program.installed(prefix), pip),
        "packages": _listed(prefix, python, uv),
        "findings": [[item.code, item.message, item.hint] for item in findings],
        "activation": _activation(prefix, request.env),
        "fingerprint": cache.fingerprint(prefix),
    }


def _install_conda(prefix: Path, plan: CondaPlan, request: BuildRequest) -> None:
    if isinstance(plan.installer, CondaProgram):
        doing = f"building {request.spec.file} with {plan.installer.name}"
        plan.installer.create(plan.asked, prefix, doing)
    else:
        plan.installer.install(plan.asked.packages, prefix)


def _install_pip(plan: CondaPlan, served: list[str], python: Path, uv: Uv) -> Iterator[Finding]:
    """The list that the file nests for pip. What conda installed already is kept where it fits."""
    pip = plan.pip
    lines = (*pip.options, *served)
    (uv.folder / "pip.txt").write_text("".join(f"{line}\n" for line in lines))
    (uv.folder / "constraints.txt").write_text("".join(f"{line}\n" for line in pip.constraints))
    arguments = ["--break-system-packages", "-r", "pip.txt", *plan.pip.index_arguments]
    arguments += ["--constraints", "constraints.txt"] if pip.constraints else []
    arguments += ["--no-deps"] if pip.complete else own_wheel.overriding(uv.folder)
    arguments += ["--require-hashes"] if pip.hashed else []
    doing = f"installing {len(served)} packages of pip's"

    def install(cutoff: Cutoff) -> None:
        pip_install(uv, python, *arguments, *cutoff.arguments, doing=doing)

    try:
        if pip.complete:
            install(plan.cutoff)
        else:
            yield from attempted(install, plan.cutoff).findings("the list for pip")
    except UvError as error:
        if not pip.complete or error.cause not in (Cause.CUTOFF, Cause.LATER):
            raise
        pip_install(uv, python, *arguments, doing=doing)
        yield note(
            "later-than-run",
            "some packages that pip installs are newer than the run's start, or the index does not "
            "say when they were published; they were installed all the same",
            "check the recorded start time and where the lock comes from",
        )


def _freeze(python: Path, uv: Uv) -> list[str]:
    return uv.read("pip", "freeze", "-q", "--python", str(python)).decode().splitlines()


def _listed(prefix: Path, python: Path, uv: Uv) -> list[list[str]]:
    """All that is installed: by pip's names, and what pip does not know by conda's."""
    known = packages(python, uv)
    names = {canonicalize_name(name) for name, _ in known}
    parts = [file_parts(package.url) for package in conda_program.installed(prefix)]
    others = [[name, version] for name, version, _ in parts if canonicalize_name(name) not in names]
    return sorted([*known, *others])


def _activation(prefix: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that the activation scripts of the packages set."""
    if not any((prefix / "etc/conda/activate.d").glob("*.sh")):
        return {}
    given = {**interpreters.bare(env), "CONDA_PREFIX": str(prefix)}
    given["PATH"] = f"{prefix / 'bin'}:{given.get('PATH', os.defpath)}"
    # Some of them need bash, which conda's own shell integration brings about.
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    call = process.Call(argv=(shell, "-c", _ACTIVATE), cwd=Path("/"), env=given, timeout_s=60)
    printed = process.run(call).stdout.decode(errors="replace")
    pairs = (item.partition("=") for item in printed.split("\0") if "=" in item)
    return _allowed({name: value for name, _, value in pairs if given.get(name) != value})


def _allowed(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in _NOT_OURS}


def _healthy(env: Mapping[str, str]) -> Callable[[Path, dict[str, Any]], bool]:
    """A check that a prefix still runs and that nothing was written into it."""

    def check(folder: Path, state: dict[str, Any]) -> bool:
        try:
            version, _ = probe(folder / "env/bin/python", env)
        except RebuildError:
            return False
        unchanged = state.get("fingerprint") == cache.fingerprint(folder / "env")
        return unchanged and version == state.get("python")

    return check


# --- what is told -------------------------------------------------------------------------


def _built(
    plan: CondaPlan, entry: cache.Entry, spec: EnvironmentSpec, isolation: Isolation
) -> BuiltEnvironment:
    name = PurePosixPath(spec.directory or ".", spec.file).as_posix()
    return BuiltEnvironment(
        kind=EnvironmentKind.CONDA,
        digest=plan.digest,
        python=str(entry.state["python"]),
        asked=f"{name} {WHERE.get(spec.origin.kind, 'recorded with the run')}",
        lock=_lock(plan, entry.state),
        packages=tuple(
            Package(name=name, version=version) for name, version in entry.state["packages"]
        ),
        isolation=isolation.told,
        cached=entry.cached,
    )


def _lock(plan: CondaPlan, state: Mapping[str, Any]) -> str:
    # The same packages may have come from another place for whoever built them first.
    return lock_text(plan.asked.packages, state["pip"]) if plan.asked.packages else state["lock"]


def _findings(state: Mapping[str, Any], spec: EnvironmentSpec) -> Iterator[Finding]:
    for code, message, hint in state["findings"]:
        yield note(code, message, hint)
    asked, landed = (spec.python or "").lstrip("= ").split("=")[0], str(state["python"])
    exact = asked.replace(".", "").isdigit()
    if exact and not f"{landed}.".startswith(f"{asked}."):
        yield note(
            "python-patch",
            f"python {landed} instead of {asked}",
            "name a channel that has it, or another file, in reprocheck.yaml",
            severity=Severity.WARNING,
        )
