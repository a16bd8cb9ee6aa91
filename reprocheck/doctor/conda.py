"""What installs conda's packages."""

from __future__ import annotations

from importlib import metadata

from reprocheck.doctor.base import Check, Kind, Request, Status, absent, version_of, which
from reprocheck.environments import conda_program, conda_rattler


def check_conda(request: Request) -> tuple[Check, ...]:
    """The programs on PATH, else py-rattler."""
    found = [path for name in conda_program.NAMES if (path := which(name, request.env))]
    versions = [(path, version_of(path, request.env)) for path in found]
    told = [f"{_named(path, version)} ({path})" for path, version in versions if version]
    if conda_rattler.is_installed():
        told.append(f"py-rattler {metadata.version('py-rattler')}")
    if told:
        return (_conda(Status.OK, ", ".join(told)),)
    needed = request.needs.conda
    broken = f"{found[0]} does not run" if found else "no micromamba, mamba, conda or py-rattler"
    words = f"{broken}, and {needed} needs it" if needed else broken
    return (_conda(absent(needed), words, "pip install 'reprocheck[conda]'"),)


def _named(path: str, version: str) -> str:
    name = path.rpartition("/")[2]
    return version if version.startswith(name) else f"{name} {version}"


def _conda(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.CONDA, name="conda", status=status, told=told, mend=mend)
