"""Packages as of a date, also from indexes that do not say when theirs were published.

uv leaves out every file without a date as soon as there is a cut-off. What is affected is exempted
from it by name; that is told, since a newer version than the run's may come of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Set
from dataclasses import dataclass

from reprocheck.environments.uv_program import Cause, UvError
from reprocheck.model import Finding, Severity

_ROUNDS = 5
"""How often further packages are exempted; one round finds those that the last one asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cutoff:
    """The moment that versions are chosen as of."""

    moment: str | None  # RFC 3339
    undated: tuple[str, ...] = ()  # packages that it cannot hold for
    void: bool = False  # it holds for none: too many are undated

    @property
    def arguments(self) -> tuple[str, ...]:
        """Of uv."""
        if self.moment is None or self.void:
            return ()
        exempt = (("--exclude-newer-package", f"{name}=false") for name in self.undated)
        return ("--exclude-newer", self.moment, *(word for pair in exempt for word in pair))

    def findings(self, file: str, pinned: Set[str] = frozenset()) -> tuple[Finding, ...]:
        """What the report says of packages whose date is not known, those that are pinned aside."""
        told = [name for name in self.undated if name not in pinned]
        if not told:
            return ()
        names = ", ".join(told[:5]) + (", …" if len(told) > 5 else "")
        more = "; nothing else was held to the run's date either" if self.void else ""
        return (
            Finding(
                code="undated-package",
                severity=Severity.WARNING,
                message=f"the package index does not say when {names} was published: what {file} "
                f"leaves open of it was resolved as of now, not of the run's date{more}",
                hint="pin these packages, or record a freeze of the environment with the run",
                pointer="/environment",
            ),
        )


def attempted(run: Callable[[Cutoff], None], cutoff: Cutoff) -> Cutoff:
    """Runs uv with a cut-off, and again with exemptions where an index tells no dates; returns the
    one that it succeeded with.

    Raises `UvError`.
    """
    for number in range(_ROUNDS + 1):
        try:
            run(cutoff)
        except UvError as error:
            more = error.undated - set(cutoff.undated)
            if cutoff.void or not more or error.cause not in (Cause.CUTOFF, Cause.BUILD):
                raise
            undated = tuple(sorted({*cutoff.undated, *more}))
            last = number == _ROUNDS - 1
            cutoff = dataclasses.replace(cutoff, undated=undated, void=last)
        else:
            break
    return cutoff
