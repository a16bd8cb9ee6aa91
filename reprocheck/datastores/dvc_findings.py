"""What should be known about an input that DVC brought back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from reprocheck.datastores.dvc_config import CACHE, Remotes
from reprocheck.model import Finding, Material, Severity

_MOST_ASKED = 200  # objects of a directory that a remote far away is asked for
_ASKERS = 16
_PATIENCE_S = 10.0
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """An input that is back, and where it came from."""

    material: Material
    remotes: Remotes
    files: int
    size: int  # bytes
    cached: tuple[str, ...]  # digests that this machine's cache had
    spoilt: tuple[tuple[str, str], ...]  # where an object had other content, and which
    elsewhere: Mapping[str, int]  # files by a source that is no remote
    imported: bool  # with `dvc import`, which no `dvc push` pushes


def found(restored: Restored) -> tuple[Finding, ...]:
    """All findings about it."""
    material = restored.material
    parts = (_only_in_cache, _spoilt, _elsewhere, _sizes)
    return tuple(
        Finding(
            code=code,
            severity=severity,
            message=f"{material.path} {said}",
            hint=hint,
            pointer="/data",
        )
        for part in parts
        for code, severity, said, hint in part(restored)
    )


_Said = tuple[str, Severity, str, str]


def _only_in_cache(restored: Restored) -> Iterator[_Said]:
    if restored.imported or restored.remotes.versioned or not restored.cached:
        return
    lacking = _lacking(restored.remotes, restored.cached)
    if lacking:
        most = f"has {lacking} objects that are" if len(restored.cached) > 1 else "is"
        yield (
            "data-only-in-cache",
            Severity.WARNING,
            f"{most} in no DVC remote, only in {CACHE}",
            "push it, so that others can verify the run: dvc push",
        )


def _spoilt(restored: Restored) -> Iterator[_Said]:
    """What another place had intact: else it would be an error."""
    for words in dict.fromkeys(words for words, _ in restored.spoilt):
        said = [problem for where, problem in restored.spoilt if where == words]
        is_cache = words == CACHE
        yield (
            "data-cache-corrupt" if is_cache else "data-remote-corrupt",
            Severity.WARNING,
            f"was not taken from {words}, where {len(said)} of its objects have other content: "
            f"{said[0]}",
            "remove the changed object and fetch it again: dvc fetch"
            if is_cache
            else "remove the changed object and push it again from a machine that has it intact",
        )


def _elsewhere(restored: Restored) -> Iterator[_Said]:
    for words, count in restored.elsewhere.items():
        what = "comes" if restored.files == 1 else f"({count} of {restored.files} files) comes"
        yield (
            "data-not-in-remote",
            Severity.NOTE,
            f"{what} from the {words}: no DVC remote of its own has it",
            "push a copy that lasts as long as the run's record: dvc push",
        )


def _sizes(restored: Restored) -> Iterator[_Said]:
    material = restored.material
    recorded = (
        ("bytes", material.size, restored.size),
        ("files", material.files, restored.files),
    )
    for unit, said, is_ in recorded:
        if said is not None and said != is_:
            yield (
                "data-size-differs",
                Severity.WARNING,
                f"has {is_} {unit}, and {material.origin.where} says {said}; its digest is right",
                "let DVC write the file again: dvc commit",
            )


def _lacking(remotes: Remotes, digests: tuple[str, ...]) -> int:
    """How many objects no remote has. A remote that does not answer may have them."""
    asked = digests
    if remotes.is_far and len(digests) > _MOST_ASKED:
        # The list is first; DVC pushes it last, when all its files are there.
        asked = (digests[0], *digests[1 :: len(digests) // _MOST_ASKED + 1])
    if not remotes.is_far:
        return sum(not any(place.has(digest) for place in remotes.places) for digest in asked)
    answers = answers_in_time(lambda digest: _is_lacking(remotes, digest), asked, _PATIENCE_S)
    return sum(answers.values())


def answers_in_time(
    ask: Callable[[str], _T], digests: Iterable[str], patience_s: float
) -> dict[str, _T]:
    """What `ask`, which must not raise, says of each digest, as far as it says so in time."""
    answers: dict[str, _T] = {}
    waiting = iter(digests)
    lock = threading.Lock()

    def work() -> None:
        while time.monotonic() < deadline:
            with lock:
                digest = next(waiting, None)
            if digest is None:
                return
            answers[digest] = ask(digest)

    # Daemons: a remote that hangs is not waited for, at the end of the program neither.
    askers = [threading.Thread(target=work, daemon=True) for _ in range(_ASKERS)]
    deadline = time.monotonic() + patience_s
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(max(0.0, deadline - time.monotonic()))
    return dict(answers)


def _is_lacking(remotes: Remotes, digest: str) -> bool:
    answered = True
    for place in remotes.places:
        try:
            if place.has(digest):
                return False
        except Exception:  # a remote that cannot be asked is not said to lack it
            answered = False
    return answered
