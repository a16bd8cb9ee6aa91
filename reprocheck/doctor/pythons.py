"""The Python interpreters that rebuilds may use."""

from __future__ import annotations

from reprocheck.doctor.base import Check, Kind, Request, Status
from reprocheck.environments import interpreters
from reprocheck.environments.interpreters import MissingPythonError
from reprocheck.errors import RebuildError


def check_pythons(request: Request) -> tuple[Check, ...]:
    """Every Python here, and whether the one that this project names is among them."""
    found = sorted(set(interpreters.installed(request.env)), reverse=True)
    told = ", ".join(map(str, found)) or "none"
    wanted, by = request.needs.python, request.needs.python_by
    if wanted is None:
        return (_python(Status.OK, told),)
    try:
        used, findings = interpreters.find(wanted, request.env, None)
    except MissingPythonError as error:
        mend = f"uv python install {error.version}"
        if request.config.download_python:
            return (_python(Status.OK, f"{told}; {error.version} would be downloaded"),)
        return (_python(Status.ERROR, f"{told}; {by} asks for {error.version}", mend),)
    except RebuildError as error:
        return (_python(Status.ERROR, error.message, error.hint),)
    if any(finding.code == "python-patch" for finding in findings):
        exact = wanted.lstrip("= ")
        told += f"; {by} asks for {exact}, {used.version} would be used"
        return (_python(Status.WARNING, told, f"uv python install {exact}"),)
    return (_python(Status.OK, told),)


def _python(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.PYTHON, name="Python", status=status, told=told, mend=mend)
