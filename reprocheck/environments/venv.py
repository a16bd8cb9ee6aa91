"""Virtual environments, built by uv and kept by digest."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.version import Version

from reprocheck import process
from reprocheck.environments import asked as asking
from reprocheck.environments import cache, editable, interpreters, local, own_wheel
from reprocheck.environments.asked import Format
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.editable import Overlay
from reprocheck.environments.isolation import Isolation, chosen
from reprocheck.environments.plan import BUILDER, Plan, plan_for, write
from reprocheck.environments.sandbox import VenvSandbox
from reprocheck.environments.uv_program import Cause, Uv, UvError
from reprocheck.errors import RebuildError
from reprocheck.model import (
    BuiltEnvironment,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    OriginKind,
    Package,
    Severity,
)
from reprocheck.temporary import temporary_folder

# Single lines, since site.py runs a .pth line by line, and Python 3.6 must understand them.
# They cover commands that overwrite PYTHONPATH, and do nothing without the variables.
REDIRECT = (
    "import os, sys; p = os.environ.get('REPROCHECK_REDIRECT'); "
    "'reprocheck_redirect' in sys.modules or not p or not os.path.isdir(p) or "
    "(sys.path.insert(0, p), __import__('reprocheck_redirect'))\n"
    # Editable projects, where pip's own .pth would put them: behind everything else.
    "import os, sys; sys.path += [p for p in os.environ.get('REPROCHECK_PATHS', '').split(':') "
    "if p and p not in sys.path]\n"
)
WHERE = {
    OriginKind.FILE: "at the commit",
    OriginKind.MODEL: "of the logged model",
    OriginKind.CONFIG: "named by reprocheck.yaml",
}
_LATE = "later-than-run"
_BUILD_TOOLS = ("setuptools", "wheel", "cython")
_PROBE = """
import json, platform, sysconfig
print(json.dumps([platform.python_version(), sysconfig.get_paths()["purelib"]]))
"""
_BUNDLED = (
    "import ensurepip, os; print(os.path.join(os.path.dirname(ensurepip.__file__), '_bundled'))"
)


class VenvEnvironment:
    """Builds virtual environments, also for conda files that ask conda for nothing but Python."""

    def accepts(self, spec: EnvironmentSpec) -> bool:
        """Whether pip alone can install what the spec asks for."""
        if spec.kind in (EnvironmentKind.DOCKER, EnvironmentKind.SCRIPT):
            return False
        try:
            kind = asking.format_of(spec.file, spec.content)
            if kind is Format.CONDA:
                return not asking.read_conda(spec.file, spec.content).packages
        except RebuildError:
            return True  # `build` says what is wrong with the file
        return kind not in (Format.DOCKERFILE, Format.EXPLICIT, Format.FOREIGN_LOCK)

    @contextlib.contextmanager
    def build(self, request: BuildRequest) -> Iterator[VenvSandbox]:
        """Resolves, then installs; either is taken from the cache where it was done before.

        Raises `RebuildError` with the likely cause and the last lines of uv's output.
        """
        with temporary_folder() as work:
            uv = Uv(folder=work, env=request.env, progress=request.progress)
            plan = plan_for(request, uv)
            cached = cache.Cache(root=request.cache / "venv", progress=request.progress)
            with (
                cached.entry(
                    plan.digest,
                    lambda folder: _install(folder, plan, request, uv),
                    _healthy(plan, request.env),
                ) as entry,
                editable.overlays(plan, entry.folder / "env", request, uv) as overlays,
            ):
                isolation = chosen(request.env, request.limits)
                projects = [finding for each in overlays for finding in each.findings]
                yield VenvSandbox(
                    built=_built(plan, entry, request.spec, overlays, isolation),
                    findings=(
                        *plan.findings,
                        *_findings(entry.state, plan),
                        *projects,
                        *isolation.findings,
                    ),
                    folder=entry.folder / "env",
                    env=request.env,
                    fingerprint=entry.state["fingerprint"],
                    isolation=isolation,
                    overlays=overlays,
                )


# --- install ------------------------------------------------------------------------------


def _install(folder: Path, plan: Plan, request: BuildRequest, uv: Uv) -> dict[str, Any]:
    """Makes the environment in a folder, and returns the state to keep with it."""
    env = folder / "env"
    python = env / "bin/python"
    uv(
        *("venv", "--no-project", "--python", str(plan.interpreter.path), str(env)),
        doing=f"making an environment of Python {plan.interpreter.version}",
    )
    if plan.asked.places:
        local.copy_of(request.tree, uv.folder)
    served, ours = own_wheel.split(plan.lock.splitlines())
    findings = [*_install_pip(plan, python, uv), *_install_lock(plan, served, python, uv)]
    install_own(uv, python, ours)
    version, purelib = probe(python, uv.env)
    (Path(purelib) / "reprocheck_redirect.pth").write_text(REDIRECT)
    return {
        "builder": BUILDER,
        "python": version,
        "packages": packages(python, uv),
        "findings": [[item.code, item.message, item.hint] for item in findings],
        "cutoff": plan.cutoff.moment,
        "fingerprint": cache.fingerprint(env),
    }


def _install_pip(plan: Plan, python: Path, uv: Uv) -> Iterator[Finding]:
    # Freezes leave out pip, and before 3.12 setuptools, which every environment has, and which
    # old packages import (pkg_resources). Python brings its own along; Debian's does not.
    call = process.Call(
        argv=(str(plan.interpreter.path), "-I", "-c", _BUNDLED),
        cwd=uv.folder,
        env=interpreters.bare(uv.env),
        timeout_s=60,
    )
    bundled = Path(process.run(call).stdout.decode().strip() or "/nonexistent")
    names = [name for name in ("pip", "setuptools") if any(bundled.glob(f"{name}-*.whl"))]
    if names:
        where = ("--no-index", "--find-links", str(bundled))
        pip_install(uv, python, *where, *names, doing="installing what Python brings along")
        return
    old = Version(plan.interpreter.version) < Version("3.12")
    try:
        names = ["pip", *(["setuptools<81"] if old else [])]
        pip_install(uv, python, *plan.cutoff.arguments, *names, doing="installing pip")
    except UvError:
        message = f"{' and '.join(names)} could not be installed, and this Python brings none along"
        yield _note("no-pip", message)


def _install_lock(plan: Plan, lines: list[str], python: Path, uv: Uv) -> Iterator[Finding]:
    if not lines:
        return
    write(uv.folder / "install.txt", *plan.asked.options, *lines)
    arguments = ["--no-deps", "-r", "install.txt", *plan.asked.index_arguments]
    arguments += ["--require-hashes"] if plan.asked.complete and plan.asked.hashed else []
    # The cut-off also holds for what builds a source package: today's setuptools breaks old ones.
    cutoff = plan.cutoff.arguments
    doing = f"installing {len(lines)} packages"
    try:
        pip_install(uv, python, *arguments, *cutoff, doing=doing)
    except UvError as error:
        if error.cause not in (Cause.CUTOFF, Cause.LATER):
            raise
        _install_late(plan, python, arguments, uv)
        yield _note(
            _LATE,
            "some pinned packages are newer than the run's start, or the index does not say when "
            "they were published; they were installed all the same",
            "check the recorded start time and where the freeze comes from",
        )


def _install_late(plan: Plan, python: Path, arguments: list[str], uv: Uv) -> None:
    """Installs pins whatever their date, but builds with the tools of the run's time."""
    doing = "installing packages that are newer than the run"
    pins = {line.partition("==")[0] for line in plan.lock.splitlines()}
    tools = [name for name in _BUILD_TOOLS if name not in pins]
    dated = [
        word
        for name in tools
        for word in ("--exclude-newer-package", f"{name}={plan.cutoff.moment}")
    ]
    try:
        pip_install(uv, python, *arguments, *dated, doing=doing)
    except UvError as error:
        if error.cause not in (Cause.CUTOFF, Cause.LATER):
            raise
        pip_install(uv, python, *arguments, doing=doing)  # the index tells no dates at all


def install_own(uv: Uv, python: Path, lines: list[str]) -> None:
    """Installs our own reprocheck-capture where lines of a lock ask for it.

    Raises `RebuildError`.
    """
    if lines:
        # A distribution's Python in a conda environment may be marked as managed; ours it is.
        arguments = ("--break-system-packages", *own_wheel.requirements_file(lines, uv.folder))
        pip_install(uv, python, *arguments, doing=f"installing {own_wheel.NAME}")


def pip_install(uv: Uv, python: Path, *arguments: str, doing: str) -> None:
    """Installs into the environment of a Python.

    Raises `UvError`.
    """
    # Copies: uv's default, hard links, would let a training that writes into its site-packages
    # change uv's cache and every other environment (1.4 s more for 240 MB). Byte code now, not at
    # the first trial (1.5 s, which the first import wins back): trials leave the folder unchanged.
    uv(
        *("pip", "install", "--python", str(python), "--link-mode", "copy", "--compile-bytecode"),
        *arguments,
        doing=doing,
    )


def packages(python: Path, uv: Uv) -> list[list[str]]:
    """Name and version of all that pip knows in the environment of a Python."""
    listed = json.loads(uv.read("pip", "list", "--format", "json", "-q", "--python", str(python)))
    return [[str(item["name"]), str(item["version"])] for item in listed]


def probe(
    python: Path,
    env: Mapping[str, str],
    run: Callable[[process.Call], process.Completed] = process.run,
) -> tuple[str, str]:
    """The version of an environment's Python, and the folder that packages are installed in.
    `run` runs its call, in a sandbox perhaps.

    Raises `RebuildError` when it does not run.
    """
    call = process.Call(
        argv=(str(python), "-I", "-c", _PROBE),
        cwd=Path("/"),
        env=interpreters.bare(env),
        timeout_s=60,
    )
    try:
        version, purelib = json.loads(run(call).stdout)
    except (OSError, ValueError) as error:
        raise RebuildError(
            f"checking the new environment: its Python does not run: {error}", ""
        ) from error
    return str(version), str(purelib)


def _healthy(plan: Plan, env: Mapping[str, str]) -> Callable[[Path, dict[str, Any]], bool]:
    """A check that an environment still runs and that nothing was written into it."""

    def check(folder: Path, state: dict[str, Any]) -> bool:
        try:
            version, _ = probe(folder / "env/bin/python", env)
        except RebuildError:
            return False
        unchanged = state.get("fingerprint") == cache.fingerprint(folder / "env")
        return unchanged and version == plan.interpreter.version

    return check


# --- what is told -------------------------------------------------------------------------


def _built(
    plan: Plan,
    entry: cache.Entry,
    spec: EnvironmentSpec,
    overlays: tuple[Overlay, ...],
    isolation: Isolation,
) -> BuiltEnvironment:
    digests = [each.digest for each in overlays]
    projects = [package for each in overlays for package in each.packages]
    return BuiltEnvironment(
        kind=EnvironmentKind.VENV,
        digest=cache.digest(plan.digest, *digests) if digests else plan.digest,
        python=str(entry.state["python"]),
        asked=f"{_name(spec)} {WHERE.get(spec.origin.kind, 'recorded with the run')}",
        lock=plan.lock,
        packages=(
            *(Package(name=name, version=version) for name, version in entry.state["packages"]),
            *projects,
        ),
        isolation=isolation.told,
        cached=entry.cached,
    )


def _name(spec: EnvironmentSpec) -> str:
    return PurePosixPath(spec.directory or ".", spec.file).as_posix()


def _findings(state: Mapping[str, Any], plan: Plan) -> tuple[Finding, ...]:
    # What was too late for the run that it was built for may not be for this, later one.
    earlier = (plan.cutoff.moment or "~") <= (state["cutoff"] or "")
    return tuple(
        _note(code, message, hint)
        for code, message, hint in state["findings"]
        if code != _LATE or earlier
    )


def _note(code: str, message: str, hint: str = "nothing to do if the trials run") -> Finding:
    return Finding(
        code=code, severity=Severity.NOTE, message=message, hint=hint, pointer="/environment"
    )
