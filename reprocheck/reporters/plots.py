"""Plots made of characters, and of numbers for Mermaid: none is the only carrier of a fact."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reprocheck.model import Comparison

CELLS = 13
LEGEND = "○ original, ● mean of the reruns, ◉ both, ├─┤ interval of the difference, │ margin"
POINTS = 32

_BLOCKS = "▁▂▃▄▅▆▇█"
_FLAT = "─"
_LARGEST = 10**9


def interval_bar(comparison: Comparison, cells: int = CELLS) -> str:
    """Where the reruns' mean and its interval lie beside the original and the margin.

    In so many characters of one width; "" where there is no interval.
    """
    found, mean = comparison.interval, comparison.difference
    if found is None or mean is None:
        return ""
    margin = comparison.margin
    ends = [-margin.low, margin.high] if margin else []
    marks = [0.0, mean, found.low, found.high, *ends]
    if not all(map(math.isfinite, marks)):
        return ""
    return _drawn(marks, cells) if max(marks) / 2 > min(marks) / 2 else ""


def _drawn(marks: Sequence[float], cells: int) -> str:
    origin, mean, low, high, *ends = _places(marks, cells)
    bar = ["·"] * cells
    for end in ends:
        bar[end] = "│"
    bar[low : high + 1] = "─" * (high - low + 1)
    bar[low], bar[high] = "├", "┤"
    bar[origin] = "○"
    bar[mean] = "◉" if mean == origin else "●"
    return "".join(bar)


def _places(marks: Sequence[float], cells: int) -> list[int]:
    """The cell of each mark, when all of them just fit."""
    low, high = min(marks), max(marks)
    # Halves, so that the width of the widest range is still a number.
    width = high / 2 - low / 2
    return [round((cells - 1) * ((mark / 2 - low / 2) / width)) for mark in marks]


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """The values as bars between two ends; a value that is not finite is a gap."""
    return "".join(_bar(value, low, high) for value in thinned(values))


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return " "
    if high / 2 <= low / 2:
        return _FLAT
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return _BLOCKS[min(len(_BLOCKS) - 1, max(0, int(share * len(_BLOCKS))))]


def thinned(values: Sequence[float], most: int = POINTS) -> list[float]:
    """At most so many of the values, evenly, with the first and the last."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def chart(curves: Sequence[Sequence[float]], first: int, last: int) -> tuple[str, ...]:
    """Curves over the steps from first to last as lines of Mermaid's xychart.

    Numbers and words of ours only; () where it cannot show such numbers.
    """
    values = [value for curve in curves for value in curve]
    if not values or not all(map(_is_plain, values)) or not 0 <= first < last < _LARGEST:
        return ()
    low, high = min(values), max(values)
    if low == high or any(len(curve) < 2 for curve in curves):
        return ()
    lines = [f"  line [{', '.join(map(_number, thinned(curve)))}]" for curve in curves]
    return (
        "xychart-beta",
        f'  x-axis "step" {first} --> {last}',
        f"  y-axis {_number(low)} --> {_number(high)}",
        *lines,
    )


def _is_plain(value: float) -> bool:
    """Whether it can be written without an exponent, which Mermaid does not read."""
    return value == 0 or 1e-4 <= abs(value) < _LARGEST


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
