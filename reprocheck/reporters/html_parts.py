"""What a report's page is made of: tables, folds and figures, as values of its templates.

The texts are as the run gave them: the template escapes them, and makes them printable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from reprocheck.hostile import cut, printable
from reprocheck.model import Outcome, Severity, Verdict
from reprocheck.reporters import base
from reprocheck.reporters.figures.base import Figure

LOOKS = {
    Verdict.IDENTICAL: "good",
    Verdict.NUMERICALLY_EQUAL: "good",
    Verdict.REPRODUCED: "good",
    Verdict.NOT_WORSE: "good",
    Verdict.CONSISTENT: "good",
    Verdict.INCONCLUSIVE: "fair",
    Verdict.NOT_COMPARABLE: "fair",
    Verdict.NOT_REPRODUCED: "bad",
    Verdict.NOT_VERIFIED: "fair",
    Verdict.INFORMATIONAL: "quiet",
}
"""Classes of the style sheet; the signs of `base.MARKS` say the same without color."""
OUTCOMES = {Outcome.MEETS: "good", Outcome.MISSES: "bad", Outcome.UNDECIDED: "fair"}
SEVERITIES = {Severity.ERROR: "bad", Severity.WARNING: "fair", Severity.NOTE: "quiet"}

LONGEST = 4_000
"""Characters of one text of a run; the JSON report has all of it."""
NAME = 200
_ADDRESS = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell of a table."""

    text: str
    kind: str = ""  # code, number, short, or "" for words
    look: str = ""  # good, fair, bad or quiet
    mark: str = ""  # a sign before the text, which says what the look does
    more: tuple[str, ...] = ()  # further lines, less strong
    href: str = ""

    @property
    def classes(self) -> str:
        """Of the style sheet."""
        return f"{self.kind} {self.look}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table whose rows begin with what they are about."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    name: str = ""  # of its class in the style sheet, where its columns have widths of their own

    @property
    def is_stacked(self) -> bool:
        """Whether narrow screens show a row as lines: not of numbers alone, which are scrolled."""
        return any(cell.kind != "number" for row in self.rows for cell in row[1:])

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of its columns: number where the first row's cell is one."""
        return tuple("number" if cell.kind == "number" else "" for cell in self.rows[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """What is folded away until it is asked for."""

    title: str
    table: Table | None = None
    facts: tuple[base.Fact, ...] = ()
    lines: tuple[str, ...] = ()  # of a text, as a log
    notes: tuple[str, ...] = ()
    is_long: bool = False  # stays folded on paper


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A figure and the same numbers as a table."""

    label: str
    figure: Figure
    numbers: Fold | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of the page with a heading of its own."""

    id: str
    title: str
    intro: str = ""
    tables: tuple[Table, ...] = ()
    items: tuple[Item, ...] = ()
    facts: tuple[base.Fact, ...] = ()
    folds: tuple[Fold, ...] = ()
    figures: tuple[Shown, ...] = ()
    level: int = 2  # of its heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An entry of a list: a sign, what it is, and what to do about it."""

    text: str
    look: str = ""
    mark: str = ""
    label: str = ""
    href: str = ""
    hint: str = ""
    fix: str = ""


def words(text: str, look: str = "", *more: str, mark: str = "") -> Cell:
    """A cell of prose."""
    return Cell(text=cut(text, LONGEST), look=look, mark=mark, more=more)


def code(text: str, most: int = LONGEST) -> Cell:
    """A cell with a name or a value as the run has it; nothing stands as a dash."""
    if text in ("", base.NOTHING):
        return Cell(text=base.NOTHING, look="quiet")
    return Cell(text=cut(text, most), kind="code")


def number(text: str, *more: str) -> Cell:
    """A cell with a number."""
    return Cell(text=text, kind="number", more=tuple(each for each in more if each))


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Iterable[Cell]], name: str = ""
) -> Table | None:
    """The table, or None where it would have no rows."""
    made = tuple(tuple(row) for row in rows)
    return Table(caption=caption, heads=tuple(heads), rows=made, name=name) if made else None


def fold(title: str, found: Table | None, *notes: str, is_long: bool = False) -> tuple[Fold, ...]:
    """A fold with the table, or none without one."""
    return (Fold(title=title, table=found, notes=notes, is_long=is_long),) if found else ()


def address(url: str | None) -> str:
    """The address where a link may lead there: a web page, without a user's name in it; else ""."""
    if not url or len(url) > _ADDRESS or printable(url) != url or set(url) & set(' "<>\\^`{|}'):
        return ""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        return ""
    return url if is_web and "@" not in parts.netloc else ""


def host(url: str) -> str:
    """Where an address leads, to be told beside a link."""
    return urlsplit(url).netloc
