"""What trials read that nothing declares, in words."""

from __future__ import annotations

from reprocheck.model import Report, UndeclaredInput
from reprocheck.numbers import counted
from reprocheck.reporters.base import Fact

UNVERSIONED = "read, but versioned nowhere"
FIRST = 5
"""Files that are named without --verbose."""


def undeclared(report: Report, *, every: bool) -> list[Fact]:
    """A fact for each file; one that says so where there are none; none where nobody looked."""
    if report.undeclared is None:
        return []
    if not report.undeclared:
        return [Fact(label="Trace", text="traced, nothing undeclared was read")]
    told = [f"{name}: {UNVERSIONED}" for name in names(report)]
    shown = told if every else told[:FIRST]
    more = [f"and {len(told) - len(shown)} more"] if len(told) > len(shown) else []
    return [Fact(label="Undeclared", text=text) for text in (*shown, *more)]


def names(report: Report) -> list[str]:
    """The files, each with its size and digest as far as they are known."""
    return [_name(each) for each in report.undeclared or ()]


def _name(each: UndeclaredInput) -> str:
    size = counted(each.size, "byte") if each.size is not None else ""
    digest = f"sha256 {each.sha256[:12]}…" if each.sha256 else ""
    known = ", ".join(filter(None, (size, digest)))
    return f"{each.path} ({known})" if known else each.path
