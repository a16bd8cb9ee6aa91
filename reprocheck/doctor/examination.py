"""Looks at everything at once; a check that fails, or that hangs, is a line like the others."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import queue
import sysconfig
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reprocheck.doctor import (
    conda,
    data,
    disk,
    engine,
    hardware,
    needs,
    network,
    pythons,
    repository,
    sandbox,
    tracker,
    uv,
)
from reprocheck.doctor.base import Answer, Check, Kind, Request, Status, Work, reason
from reprocheck.errors import ReprocheckError
from reprocheck.hostile import redact, secret_values
from reprocheck.temporary import temporary_folder

LIMIT_S = 20.0
"""Seconds after which a check is given up."""

_TICK_S = 0.2
_NEEDED = (Kind.GIT, Kind.UV, Kind.TRACKER)
"""Looked at only where they are needed: one that does not answer is broken."""

CHECKS: tuple[tuple[Kind, str, Work], ...] = (
    (Kind.CONFIG, "reprocheck.yaml", needs.check_config),
    (Kind.ENVIRONMENT, "environment", needs.check_environment),
    (Kind.REPOSITORY, "repository", repository.check_repository),
    (Kind.TRACKER, "tracker", tracker.check_tracker),
    (Kind.MLFLOW, "MLflow client", tracker.check_client),
    (Kind.DVC, "DVC", data.check_dvc),
    (Kind.GIT, "git", repository.check_git),
    (Kind.GIT_LFS, "git-lfs", repository.check_lfs),
    (Kind.UV, "uv", uv.check_uv),
    (Kind.PACKAGE_INDEX, "package index", network.check_index),
    (Kind.PYTHON, "Python", pythons.check_pythons),
    (Kind.ENGINE, "container engine", engine.check_engine),
    (Kind.CONDA, "conda", conda.check_conda),
    (Kind.SANDBOX, "bubblewrap", sandbox.check_bubblewrap),
    (Kind.CPU, "CPU", hardware.check_cpu),
    (Kind.MEMORY, "memory", hardware.check_memory),
    (Kind.GPU, "GPU", hardware.check_gpu),
    (Kind.DISK, "disk", disk.check_disks),
)
"""Every check, in the order in which the lines are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Done:
    index: int
    checks: tuple[Check, ...]


def examine(
    request: Request,
    tell: Callable[[str], None] = lambda _: None,
    *,
    checks: Sequence[tuple[Kind, str, Work]] = CHECKS,
    limit_s: float = LIMIT_S,
) -> Answer:
    """Runs all checks at once. `tell` hears what is still waited for.

    Never raises for what a check meets; raises `ReprocheckError` where no temporary folder can be
    made.
    """
    with temporary_folder() as scratch:
        request = dataclasses.replace(request, scratch=scratch)
        request = dataclasses.replace(request, needs=needs.needs_of(request))
        _load(request)
        found = _together(request, checks, tell, limit_s)
    secrets = secret_values(request.env)
    return Answer(checks=tuple(_redacted(check, secrets) for check in found))


def _load(request: Request) -> None:
    """Imports what several checks use, before there are threads: of modules that import each
    other, one thread may see what another has half made; sysconfig is like that, too.
    """
    from reprocheck.trackers.mlflow_settings import client_settings

    with contextlib.suppress(Exception):  # a broken install: the check that needs it says so
        sysconfig.get_config_vars()
        importlib.import_module("docker")
        if (request.root / ".dvc").is_dir():
            importlib.import_module("dvc.fs")
    with contextlib.suppress(Exception), client_settings():
        if request.tracking_uri is not None:
            importlib.import_module("mlflow")


def _together(
    request: Request,
    checks: Sequence[tuple[Kind, str, Work]],
    tell: Callable[[str], None],
    limit_s: float,
) -> list[Check]:
    results: queue.SimpleQueue[_Done] = queue.SimpleQueue()
    for index in range(len(checks)):
        # A daemon: one that hangs must keep neither the others nor the process.
        job = threading.Thread(
            target=_run, args=(index, checks[index], request, results), daemon=True
        )
        job.start()
    found: dict[int, tuple[Check, ...]] = {}
    deadline = time.monotonic() + limit_s
    while len(found) < len(checks) and time.monotonic() < deadline:
        tell(", ".join(name for i, (_, name, _) in enumerate(checks) if i not in found))
        try:
            done = results.get(timeout=_TICK_S)
        except queue.Empty:
            continue
        found[done.index] = done.checks
    late = {i: (_late(checks[i], limit_s),) for i in range(len(checks)) if i not in found}
    return [check for i in range(len(checks)) for check in (found | late)[i]]


def _run(
    index: int,
    check: tuple[Kind, str, Work],
    request: Request,
    results: queue.SimpleQueue[_Done],
) -> None:
    kind, name, work = check
    try:
        checks = work(request)
    except ReprocheckError as error:
        checks = (_failed(kind, name, error.message, error.hint),)
    except Exception as error:  # a line, not a traceback: the other checks still count
        told = f"looking failed: {type(error).__name__}: {reason(error)}"
        checks = (_failed(kind, name, told, ""),)
    results.put(_Done(index=index, checks=checks))


def _failed(kind: Kind, name: str, told: str, mend: str) -> Check:
    mend = mend or "look at it by hand; if nothing is wrong there, this is a defect of reprocheck"
    status = Status.ERROR if kind in _NEEDED else Status.WARNING
    return Check(kind=kind, name=name, status=status, told=told, mend=mend)


def _late(check: tuple[Kind, str, Work], limit_s: float) -> Check:
    kind, name, _ = check
    told = f"no answer within {limit_s:g} s"
    return _failed(kind, name, told, "repeat, or look at it by hand")


def _redacted(check: Check, secrets: frozenset[str]) -> Check:
    return dataclasses.replace(
        check,
        name=redact(check.name, secrets),
        told=redact(check.told, secrets),
        mend=redact(check.mend, secrets),
    )
