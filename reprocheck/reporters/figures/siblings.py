"""Where the original stands among the runs of its kind: was it the best of many?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from reprocheck.compare.names import usual_direction
from reprocheck.model import Comparison, Direction, Report, RunRecord, Scale
from reprocheck.model import Sibling as Run
from reprocheck.numbers import counted, format_value
from reprocheck.reporters import base
from reprocheck.reporters.figures.base import Figure, finite, plain
from reprocheck.reporters.figures.canvas import LINE, WIDTH, Box, Panel, canvas
from reprocheck.reporters.figures.scales import Scale as Axis
from reprocheck.reporters.figures.scales import scale_of

_GUTTER = 142.0
_ROW = 40.0
_DOTS = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """Values of other runs: what they are, and whether the original was chosen among them."""

    name: str
    noun: str  # in a sentence
    values: tuple[float, ...]


def siblings(report: Report, metric: str) -> Figure | None:
    """The other runs' values with their quartiles, the original's, and the reruns' mean.

    Those of the same sweep, and those of the same code, data and parameters. None where the
    original has no finite value, or no other run has one.
    """
    record = report.record
    groups = _groups(record, metric) if record else ()
    comparison = next((each for each in report.comparisons if each.metric == metric), None)
    original = _original(record, metric, comparison) if record else None
    if record is None or original is None or not groups:
        return None
    mean = comparison.mean if comparison and comparison.mean is not None else None
    marked = finite([original, *([] if mean is None else [mean])])
    log = comparison is not None and comparison.scale is Scale.LOG
    axis = scale_of([*marked, *(value for group in groups for value in group.values)], log=log)
    alt = _told(metric, original, groups, _direction(record, metric), comparison)
    rows = len(groups) + len(marked)
    with canvas(6 + _ROW * rows + 2 * LINE + 6) as paper:
        box = Box(left=_GUTTER, top=6, width=WIDTH - _GUTTER - 14, height=_ROW * rows)
        panel = paper.panel(box, axis, Axis(low=0.0, high=float(rows)))
        panel.line([original, original], [0.0, rows], "centre")
        panel.ruler(plain(metric, 40))
        _draw_ours(panel, original, mean, comparison)
        for place, group in enumerate(groups, start=len(marked)):
            _draw_group(panel, group, rows - place - 0.5)
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def _groups(record: RunRecord, metric: str) -> tuple[_Group, ...]:
    found = (
        ("other runs of its sweep", "of its sweep", record.peers),
        ("runs of the same recipe", "of the same recipe", record.siblings),
    )
    groups = (_Group(name=n, noun=noun, values=_values(runs, metric)) for n, noun, runs in found)
    return tuple(group for group in groups if group.values)


def _values(runs: Sequence[Run], metric: str) -> tuple[float, ...]:
    return finite(run.metrics[metric] for run in runs if metric in run.metrics)


def _original(record: RunRecord, metric: str, comparison: Comparison | None) -> float | None:
    if comparison and comparison.baseline:
        known = finite(comparison.baseline[:1])
    else:
        known = finite([record.metrics[metric].value] if metric in record.metrics else [])
    return known[0] if known else None


def _direction(record: RunRecord, metric: str) -> Direction:
    rule = record.definition.rules.get(metric) if record.definition else None
    if rule and rule.direction is not Direction.UNKNOWN:
        return rule.direction
    return usual_direction(metric)


# --- the drawing --------------------------------------------------------------------------


def _draw_ours(
    panel: Panel, original: float, mean: float | None, comparison: Comparison | None
) -> None:
    rows = panel.y.high
    _name(panel, rows - 0.5, "original", format_value(original))
    panel.marks([original], [rows - 0.5], "original", "D")
    if mean is not None and comparison is not None and finite([mean]):
        _name(panel, rows - 1.5, "mean of reruns", base.mean(comparison))
        panel.marks([mean], [rows - 1.5], "mean")


def _draw_group(panel: Panel, group: _Group, at: float) -> None:
    _name(panel, at, counted(len(group.values), "run"), group.noun)
    values = sorted(group.values)
    if len(values) >= 4:
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        panel.block((low, high), (at - 0.3, at + 0.3), "quartiles")
        panel.line([middle, middle], [at - 0.3, at + 0.3], "median")
    shown = values[:: max(1, -(-len(values) // _DOTS))]
    panel.swarm(shown, at, "sibling", size=6)


def _name(panel: Panel, at: float, name: str, told: str) -> None:
    _, y = panel.place(panel.x.low, at)
    panel.write(8, y - 3, name)
    panel.write(8, y + 13, told, "number quiet")


# --- the words ----------------------------------------------------------------------------


def _told(
    metric: str,
    original: float,
    groups: tuple[_Group, ...],
    direction: Direction,
    comparison: Comparison | None,
) -> str:
    parts = [_rank(group, original, direction) for group in groups]
    text = f"{plain(metric)}: the original, {format_value(original)}, is {', and '.join(parts)}."
    if comparison and comparison.best_of:
        text += (
            f" It was chosen as the best of {comparison.best_of}, so reruns are expected to fall "
            "short of it."
        )
    if comparison and comparison.mean is not None:
        text += f" The reruns average {base.mean(comparison)}."
    return text


def _rank(group: _Group, original: float, direction: Direction) -> str:
    among = f"{len(group.values) + 1} runs {group.noun}"
    if direction is Direction.UNKNOWN:
        below = sum(value < original for value in group.values)
        return f"above {below} of {counted(len(group.values), 'other run')} {group.noun}"
    sign = 1 if direction is Direction.HIGHER else -1
    better = sum(sign * value > sign * original for value in group.values)
    tied = " equal" if original in group.values else ""
    return f"the{tied} {_ordinal(better + 1)} of {among}"


def _ordinal(rank: int) -> str:
    """In words: best, 2nd best, 11th best."""
    if rank == 1:
        return "best"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th") if rank % 100 // 10 != 1 else "th"
    return f"{rank}{ending} best"
