"""What trials did besides computing: inputs that they changed, files they read that nothing
declares.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck.config import Config
from reprocheck.datastores.inputs import OwnCopies
from reprocheck.environments.base import Observed, Sandbox, TrialRun
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace, Severity, UndeclaredInput
from reprocheck.numbers import counted
from reprocheck.process import Completed

NAMED = 3
"""Files that a finding names."""
LISTED = 1000
"""Files that a report lists."""
HASHED = 8 * 2**30
"""Bytes of undeclared files that are read for their digests; those after them have none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """One execution of the command that has ended."""

    number: int  # among all of them
    trial: TrialRun
    copies: OwnCopies
    completed: Completed

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return not self.completed.timed_out and self.completed.exit_code == 0


class Watch:
    """Looks at each trial before its tree is removed; never fails where a trial did not."""

    def __init__(
        self,
        *,
        trace: bool = False,
        known: Callable[[str], bool] = lambda _: False,
        unlisted: Sequence[str] = (),
    ) -> None:
        """`known` tells which paths are inputs, besides what a sandbox itself knows as its own;
        `unlisted` are inputs that a list under data in the config would have to name as well.
        """
        self.undeclared: tuple[UndeclaredInput, ...] | None = None
        self._trace = trace
        self._known = known
        self._unlisted = unlisted
        self._changed: dict[str, tuple[str, list[int]]] = {}
        self._more = 0
        self._added: tuple[int, list[str]] | None = None
        self._traced: list[Finding] = []

    @property
    def traces(self) -> bool:
        """Whether the next trial is observed."""
        return self._trace

    def trace_folder(self, trial: Path) -> Path | None:
        """An empty folder for what a trial opens, if that is to be observed. One that finished is
        enough: all run the same command.
        """
        if not self._trace:
            return None
        folder = trial / "trace"
        folder.mkdir()
        return folder

    def look(self, ran: Ran, sandbox: Sandbox) -> None:
        """Keeps what is to be told of a trial that has ended."""
        with contextlib.suppress(OSError, RestoreError):
            self._look_at_inputs(ran)
        if ran.trial.trace is None:
            return
        self._trace = False
        self._take(_observed(ran, sandbox), ran.number)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is to be told of all trials."""
        return (*self._told_changes(), *self._told_added(), *self._traced)

    def _look_at_inputs(self, ran: Ran) -> None:
        told, count = ran.copies.changed(NAMED)
        self._more = max(self._more, count - len(told))
        for each in told:
            text = f"{each.path}: expected {each.expected}, found {each.found}"
            self._changed.setdefault(each.path, (text, []))[1].append(ran.number)
        added = ran.copies.added()
        if added and self._added is None:
            self._added = ran.number, added

    def _told_changes(self) -> Iterator[Finding]:
        if not self._changed:
            return
        told = [
            f"{text} ({_trials(numbers)})"
            for text, numbers in list(self._changed.values())[: 2 * NAMED]
        ]
        more = f"; and {counted(self._more, 'file')} more" if self._more else ""
        yield Finding(
            code="changed-input",
            severity=Severity.WARNING,
            message=f"the training changed its own input: {'; '.join(told)}{more}",
            hint="let it write elsewhere: what it reads after that is not the recorded input; each "
            "trial began with an intact copy",
            pointer="/data",
        )

    def _told_added(self) -> Iterator[Finding]:
        if self._added is None:
            return
        number, names = self._added
        yield Finding(
            code="added-to-input",
            severity=Severity.NOTE,
            message=f"trial {number} put {counted(len(names), 'file')} into a directory that is an "
            f"input: {_first(names)}",
            hint="nothing to do if these are caches; results belong elsewhere",
            pointer="/data",
        )

    def _take(self, seen: Observed, number: int) -> None:
        if seen.missing:
            self._traced.append(
                Finding(
                    code="not-traced",
                    severity=Severity.WARNING,
                    message=f"which files the training reads was not observed: {seen.missing}",
                    hint=seen.hint or "run it again without --trace if it disturbs the training",
                    pointer="/data",
                )
            )
            return
        files = [path for path in seen.files if not self._known(path)]
        found = _in_image(files) if seen.image else _on_machine(files)
        self.undeclared = tuple(found)
        self._traced.extend(_told_trace(found, seen, number, self._unlisted))


def _observed(ran: Ran, sandbox: Sandbox) -> Observed:
    if not ran.finished:
        return Observed(missing=f"trial {ran.number} failed while it was observed")
    try:
        return sandbox.observed(ran.trial)
    except OSError as error:
        return Observed(missing=f"reading what strace wrote: {error.strerror or error}")


def _trials(numbers: list[int]) -> str:
    return f"trial{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _first(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def unlisted(config: Config, materials: Sequence[Material]) -> tuple[str, ...]:
    """The inputs of the tree that no list of the config names: one that it gets is the whole."""
    inside = (each.path for each in materials if each.place is MaterialPlace.TREE)
    return () if config.data else tuple(inside)


def _told_trace(
    found: list[UndeclaredInput], seen: Observed, number: int, others: Sequence[str]
) -> Iterator[Finding]:
    beside = "".join(f"; - {{path: {json.dumps(path, ensure_ascii=False)}}}" for path in others)
    beside = f"; and the run's other inputs, for that list is the whole one{beside}"
    where = " of the image" if seen.image else ""
    yield Finding(
        code="traced",
        severity=Severity.NOTE,
        message=f"{seen.by} observed the files that trial {number} opened; other trials ran "
        "unobserved, and what is read from the network is not seen",
        hint="nothing to do",
        pointer="/data",
    )
    if found:
        yield Finding(
            code="undeclared-input",
            severity=Severity.WARNING,
            message=f"the training read {counted(len(found), 'file')}{where} that nothing "
            f"versions: {_first([each.path for each in found])}",
            hint=f"declare {'it' if len(found) == 1 else 'them'}: {found[0].hint}"
            f"{beside if others and not seen.image else ''}",
            pointer="/data",
        )


def _in_image(files: list[str]) -> list[UndeclaredInput]:
    hint = "COPY it into the image from the repository, or track it and read it from the tree"
    return [UndeclaredInput(path=path, sha256="", size=None, hint=hint) for path in files[:LISTED]]


def _on_machine(files: list[str]) -> list[UndeclaredInput]:
    """Those of the files that are there; what is gone was the trial's own."""
    found, left = [], HASHED
    for path in files:
        with contextlib.suppress(OSError, ValueError):
            size = _size(path)
            left -= size
            digest = _sha256(path) if left >= 0 else ""
            hint = _entry(path, digest)
            found.append(UndeclaredInput(path=path, sha256=digest, size=size, hint=hint))
        if len(found) == LISTED:
            break
    return found


def _size(path: str) -> int:
    """Of a regular file. Raises `OSError`."""
    looked = os.lstat(path)
    if not stat.S_ISREG(looked.st_mode):
        raise FileNotFoundError(path)
    return looked.st_size


def _sha256(path: str) -> str:
    with contextlib.suppress(OSError), Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""


def _entry(path: str, digest: str) -> str:
    """The line for reprocheck.yaml; JSON's strings are YAML's."""
    place = json.dumps(path, ensure_ascii=False)
    name = json.dumps(f"inputs/{Path(path).name}", ensure_ascii=False)
    proof = f", sha256: {digest}" if digest else ""
    entry = f"- {{path: {name}, url: {place}, seen_as: {place}{proof}}}"
    return f"under data in reprocheck.yaml, beside all other inputs: {entry}"
