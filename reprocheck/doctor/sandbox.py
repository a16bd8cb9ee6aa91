"""bubblewrap, which keeps trials outside of containers from the network and from other files."""

from __future__ import annotations

from collections.abc import Mapping

from reprocheck.doctor.base import (
    Check,
    Kind,
    Request,
    Status,
    by_root,
    install,
    said,
    version_of,
    which,
)

_NAMESPACES = "kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"


def check_bubblewrap(request: Request) -> tuple[Check, ...]:
    """Whether bubblewrap is there, and may do here what it is for."""
    program = which("bwrap", request.env)
    if program is None:
        told = "not on PATH: trials outside of containers are isolated less"
        return (_bubblewrap(Status.MISSING, told, install("bubblewrap", request.env)),)
    version = version_of(program, request.env).removeprefix("bubblewrap ")
    refusal = refused(program, request.env)
    if refusal:
        mend = by_root(f"sysctl -e -w {_NAMESPACES}")
        return (_bubblewrap(Status.WARNING, f"{version} cannot isolate here: {refusal}", mend),)
    return (_bubblewrap(Status.OK, f"{version}, its namespaces work"),)


def refused(program: str, env: Mapping[str, str]) -> str:
    """Why bubblewrap cannot make its namespaces here; "" where it can."""
    isolated = ("--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc")
    done = said((program, *isolated, "--dev", "/dev", "true"), env)
    if done is not None and done.exit_code == 0:
        return ""
    lines = done.stderr.decode(errors="replace").strip().splitlines() if done else []
    return lines[-1].removeprefix("bwrap: ") if lines else "it does not run"


def _bubblewrap(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.SANDBOX, name="bubblewrap", status=status, told=told, mend=mend)
