"""Restores several inputs at a time, and tells all failures together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import PurePosixPath

from reprocheck.datastores.base import Around, StoppedError
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material

WORKERS = 4
"""Inputs at a time: a directory is fetched by several threads of its own."""
MOST = 5
"""Failures that are told."""
GRACE_S = 2.0
"""For those that run when one fails: more than one may be gone."""

Restore = Callable[[Material], tuple[Finding, ...]]


class Several:
    """Restores inputs by a function that may be called from several threads."""

    def __init__(self, restore: Restore, around: Around) -> None:
        self._restore = restore
        self._around = around
        self._begun = self._count = 0
        self._failed = False
        self._errors: list[BaseException] = []

    def restore(self, materials: tuple[Material, ...]) -> tuple[Finding, ...]:
        """The findings, in the order of the inputs, each once.

        After a failure none is begun, and what runs is soon told to stop. Raises `RestoreError`
        for the failures until then, `OSError` as the system does.
        """
        self._count = len(materials)
        groups = _apart(materials)
        if len(groups) < 2:
            return tuple(dict.fromkeys(self._group([*materials])))
        with ThreadPoolExecutor(WORKERS) as pool:
            tasks = [pool.submit(self._group, group) for group in groups]
            try:
                _, left = wait(tasks, return_when=FIRST_EXCEPTION)
                self._failed = bool(left)
                wait([task for task in left if task.running()], timeout=GRACE_S)
            finally:  # also when interrupted
                if not all(task.done() for task in tasks):
                    self._around.stop.set()
                pool.shutdown(cancel_futures=True)
        _refuse([error for each in tasks if (error := self._error_of(each))])
        return tuple(dict.fromkeys(finding for task in tasks for finding in task.result()))

    def _error_of(self, task: Future[list[Finding]]) -> BaseException | None:
        error = None if task.cancelled() else task.exception()
        return error if any(error is each for each in self._errors) else None

    def _group(self, materials: list[Material]) -> list[Finding]:
        try:
            return self._one_by_one(materials)
        except BaseException as error:
            # What was stopped because another failed has nothing to tell.
            if not isinstance(error, StoppedError) and not self._around.stop.is_set():
                self._errors.append(error)
            raise

    def _one_by_one(self, materials: list[Material]) -> list[Finding]:
        findings: list[Finding] = []
        for material in materials:
            if not self._failed and not self._around.stop.is_set():
                self._begun += 1
                told = f"{material.path} ({self._begun} of {self._count})"
                self._around.progress.update(told)
                findings.extend(self._restore(material))
        return findings


def _apart(materials: tuple[Material, ...]) -> list[list[Material]]:
    """Groups of inputs; what lies inside of another is in its group, and comes in its turn."""
    groups: list[list[int]] = []
    top = PurePosixPath()
    paths = [PurePosixPath(material.path) for material in materials]
    for index in sorted(range(len(paths)), key=lambda index: paths[index].parts):
        if groups and paths[index].is_relative_to(top):
            groups[-1].append(index)
        else:
            top = paths[index]
            groups.append([index])
    ordered = sorted(sorted(group) for group in groups)
    return [[materials[index] for index in group] for group in ordered]


def _refuse(errors: list[BaseException]) -> None:
    ours = [error for error in errors if isinstance(error, RestoreError)]
    if len(ours) < len(errors):
        raise next(error for error in errors if not isinstance(error, RestoreError))
    messages = list(dict.fromkeys(error.message for error in ours))
    if len(messages) == 1:
        raise ours[0]
    if ours:
        more = f"; and {len(messages) - MOST} more" if len(messages) > MOST else ""
        told = "; ".join(messages[:MOST])
        raise RestoreError(f"{len(ours)} inputs: {told}{more}", ours[0].hint)
