"""bubblewrap, which keeps trials outside of containers from the network and from other files."""

from __future__ import annotations

from reprocheck.doctor.base import Check, Kind, Request, Status, by_root, install
from reprocheck.environments.isolation import offered

_NAMESPACES = "kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"


def check_bubblewrap(request: Request) -> tuple[Check, ...]:
    """Whether bubblewrap is there, and can do here all that trials want of it."""
    offer = offered(request.env)
    if not offer.version:
        told = "not on PATH: trials outside of containers are isolated less"
        return (_bubblewrap(Status.MISSING, told, install("bubblewrap", request.env)),)
    if offer.reason:
        told = f"{offer.version} {offer.reason.removeprefix('bubblewrap ')}"
        return (_bubblewrap(Status.WARNING, told, by_root(f"sysctl -e -w {_NAMESPACES}")),)
    return (_bubblewrap(Status.OK, f"{offer.version}, its namespaces work"),)


def _bubblewrap(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.SANDBOX, name="bubblewrap", status=status, told=told, mend=mend)
