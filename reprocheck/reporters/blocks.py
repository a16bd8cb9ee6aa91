"""Parts of a page, and how many of them a page of a given size holds.

Parts are left out whole, and of those with rows, rows: nothing is ever cut inside of a table's
row, a fence or a fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BETWEEN = "\n\n"
_LEFT_OUT = 1_000
"""Bytes kept for what says what was left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A part of a page, as Markdown."""

    rank: int  # what has a higher one is left out first
    title: str  # what it is called where it is left out; of a fold also its summary
    before: str = ""  # above the rows, with its line's end
    rows: tuple[str, ...] = ()  # lines of which the first ones may do
    after: str = ""  # right below the rows, with the line's end before it
    folded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How large a page may be."""

    most_bytes: int
    rows: int  # of one block
    sections: int  # runs that are told of beyond their verdict
    unfolded: bool = False


def page(blocks: Sequence[Block], size: Size) -> str:
    """The blocks in their order, as far as there is room, with what was left out at the end."""
    left = size.most_bytes - _LEFT_OUT
    texts: dict[int, str] = {}
    omitted: list[str] = []
    for rank in sorted({block.rank for block in blocks}):
        same = [i for i, block in enumerate(blocks) if block.rank == rank]
        kept = left * 2 // 5 if rank else 0  # for what is of a higher rank
        for place, i in enumerate(same):
            # Those at the front, the worst ones, leave what they do not need to the others.
            share = (left - kept) // (len(same) - place)
            text = _fitting(blocks[i], share - len(BETWEEN), size)
            if text:
                texts[i] = text
                left -= len(text.encode()) + len(BETWEEN)
            else:
                omitted.append(blocks[i].title)
    parts = [texts[i] for i in sorted(texts)]
    return BETWEEN.join([*parts, *_told(omitted)]) + "\n"


def _told(omitted: Iterable[str]) -> list[str]:
    """What was left out, by titles that are our own words."""
    titles = list(dict.fromkeys(title for title in omitted if title))
    if not titles:
        return []
    named = "; ".join(titles)
    named = named if len(named.encode()) < _LEFT_OUT - 100 else f"{len(titles)} parts"
    return [f"Left out here for its length, but in the report: {named}."]


def _fitting(block: Block, most: int, size: Size) -> str:
    """The block with as many rows as so many bytes hold; "" where not even one does."""
    shown = len(block.rows[: size.rows])
    while True:
        text = _text(block, shown, unfolded=size.unfolded)
        over = len(text.encode()) - most
        if over <= 0:
            return text
        if shown <= 1:
            return ""
        shown = _fewer(block.rows, shown, over)


def _fewer(rows: tuple[str, ...], shown: int, over: int) -> int:
    """How many rows are left without the last ones that make up so many bytes."""
    while over > 0 and shown > 1:
        shown -= 1
        over -= len(rows[shown].encode()) + 1
    return shown


def _text(block: Block, shown: int, *, unfolded: bool) -> str:
    text = block.before + "\n".join(block.rows[:shown]) + block.after
    if shown < len(block.rows):
        text += f"{BETWEEN}{len(block.rows) - shown} more in the report"
    if not block.folded:
        return text
    opened = " open" if unfolded else ""
    return f"<details{opened}><summary>{block.title}</summary>\n\n{text}\n\n</details>"
