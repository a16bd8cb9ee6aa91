"""DVC and the remotes of this repository."""

from __future__ import annotations

import threading
import time
from importlib import metadata

from reprocheck.datastores import dvc_remotes
from reprocheck.datastores.dvc_remotes import Reached, Remote
from reprocheck.doctor.base import Check, Kind, Request, Status, reason, which
from reprocheck.errors import RestoreError

_LIMIT_S = 15.0
_NOWHERE = "dvc remote add --default NAME URL && dvc push"


def check_dvc(request: Request) -> tuple[Check, ...]:
    """DVC itself, and each remote of the repository."""
    try:
        version = metadata.version("dvc")
    except metadata.PackageNotFoundError:
        return (_dvc(Status.ERROR, "not installed", "pip install --force-reinstall dvc"),)
    beside = which("dvc", request.env)
    told = f"{version}{f', and {beside}' if beside else ''}"
    if not dvc_remotes.repositories(request.root):
        return (_dvc(Status.OK, f"{told}; this is no DVC repository"),)
    return _in_repository(request, told)


def _in_repository(request: Request, told: str) -> tuple[Check, ...]:
    try:
        found = dvc_remotes.remotes(request.root)
    except ImportError as error:
        told = f"{told} cannot be imported: {reason(error)}"
        return (_dvc(Status.ERROR, told, "pip install --force-reinstall dvc"),)
    except RestoreError as error:
        return (_dvc(Status.ERROR, error.message, error.hint),)
    if not found:
        lacks = f"{told}; no remote: the data is in this machine's cache at most"
        return (_dvc(Status.WARNING, lacks, _NOWHERE),)

    defaults = {remote.folder for remote in found if remote.default}
    reached = _reached(found, request)
    lines = [
        _line(remote, reached.get(remote.path), remote.folder not in defaults) for remote in found
    ]
    return (_dvc(Status.OK, told), *lines)


def _reached(found: tuple[Remote, ...], request: Request) -> dict[str, Reached]:
    """What each remote that answers in time was found to be, by its path."""
    reached: dict[str, Reached] = {}

    def look(remote: Remote) -> None:
        reached[remote.path] = dvc_remotes.reach(remote, request.root, request.env)

    jobs = [threading.Thread(target=look, args=(remote,), daemon=True) for remote in found]
    deadline = time.monotonic() + _LIMIT_S
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(max(0.0, deadline - time.monotonic()))
    return reached


def _line(remote: Remote, reached: Reached | None, alone: bool) -> Check:
    """The default remote is needed; the others are asked only for what it lacks."""
    if reached is None:
        reached = Reached(
            usable=False, told="it did not answer in time", mend=f"dvc status -r {remote.name}"
        )
    needed = Status.ERROR if remote.default or alone else Status.WARNING
    default = " (default)" if remote.default else ""
    return Check(
        kind=Kind.DVC_REMOTE,
        name=f"DVC remote {remote.path}",
        status=Status.OK if reached.usable else needed,
        told=f"{remote.url}{default}: {reached.told}",
        mend=reached.mend,
    )


def _dvc(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.DVC, name="DVC", status=status, told=told, mend=mend)
