"""How a metric went, step by step: the original's history over those of the reruns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from reprocheck.model import Metric, Report, Scale
from reprocheck.numbers import counted, format_value
from reprocheck.reporters.figures.base import Figure, plain
from reprocheck.reporters.figures.canvas import LINE, WIDTH, Box, Panel, canvas
from reprocheck.reporters.figures.labels import apart, width
from reprocheck.reporters.figures.scales import scale_of, ticks

_HEIGHT = 260.0
_POINTS = 120
"""Of a curve that is drawn, at most: no more can be told apart."""
_RERUNS = 10

_Curve = dict[int, float]


def histories(report: Report, metric: str) -> Figure | None:
    """The original's history over the band of the reruns', and where they part.

    None where the original has fewer than two finite points.
    """
    found = report.record.metrics.get(metric) if report.record else None
    ours = _by_step(found)
    if len(ours) < 2:
        return None
    theirs = [_by_step(trial.metrics.get(metric)) for trial in report.trials]
    theirs = [curve for curve in theirs if curve]
    parted = _parted(report, metric)
    alt = _told(plain(metric), ours, theirs, parted)
    values = [value for curve in (ours, *theirs) for value in curve.values()]
    steps = [step for curve in (ours, *theirs) for step in curve]
    y = scale_of(values, log=_is_log(report, metric), pad=0.04)
    left = min(130.0, max(width(each.text) for each in ticks(y, 4)) + 12)
    right = width(f"{len(theirs)} reruns") + 16
    box = Box(left=left, top=LINE + 8, width=WIDTH - left - right, height=_HEIGHT - 3 * LINE - 12)
    with canvas(_HEIGHT) as paper:
        panel = paper.panel(box, scale_of([float(step) for step in steps], pad=0.0), y)
        panel.scale()
        panel.ruler("step", whole=True)
        _draw(panel, ours, theirs)
        _mark_parting(panel, parted)
        _name_ends(panel, ours, theirs)
        return Figure(svg=paper.svg(alt), alt=alt, caption=alt)


def _by_step(metric: Metric | None) -> _Curve:
    """The last finite value of each step."""
    points = metric.history if metric else ()
    known = {p.step: p.value for p in points if math.isfinite(p.value)}
    return dict(sorted(known.items()))


def _parted(report: Report, metric: str) -> int | None:
    found = (each.history for each in report.comparisons if each.metric == metric)
    return next((history.parted_at for history in found if history), None)


def _is_log(report: Report, metric: str) -> bool:
    return any(each.metric == metric and each.scale is Scale.LOG for each in report.comparisons)


def _draw(panel: Panel, ours: _Curve, theirs: Sequence[_Curve]) -> None:
    shared = sorted(set.intersection(*map(set, theirs))) if theirs else []
    if len(theirs) > 1 and len(shared) > 1:
        lows = {step: min(curve[step] for curve in theirs) for step in shared}
        highs = {step: max(curve[step] for curve in theirs) for step in shared}
        _draw_band(panel, thinned(lows), thinned(highs))
    for curve in theirs[:_RERUNS]:
        _draw_curve(panel, curve, "rerun")
    _draw_curve(panel, ours, "original")


def _draw_band(panel: Panel, lows: _Curve, highs: _Curve) -> None:
    steps = [*lows, *reversed(highs)]
    panel.area(list(map(float, steps)), [*lows.values(), *reversed(highs.values())], "band")


def _draw_curve(panel: Panel, curve: _Curve, name: str) -> None:
    drawn = thinned(curve)
    panel.line(list(map(float, drawn)), list(drawn.values()), f"{name} curve")
    if len(drawn) == 1:
        panel.marks(list(map(float, drawn)), list(drawn.values()), name, size=4)


def thinned(curve: Mapping[int, float], most: int = _POINTS) -> _Curve:
    """At most about so many points: the first, the last, and the extremes between."""
    steps = list(curve)
    if len(steps) <= most:
        return dict(curve)
    size = math.ceil(2 * len(steps) / most)
    groups = [steps[at : at + size] for at in range(0, len(steps), size)]
    kept = {steps[0], steps[-1]}
    for group in groups:
        kept.update((min(group, key=curve.__getitem__), max(group, key=curve.__getitem__)))
    return {step: curve[step] for step in sorted(kept)}


def _mark_parting(panel: Panel, parted: int | None) -> None:
    if parted is None or not panel.x.low <= parted <= panel.x.high:
        return
    panel.line([parted, parted], [panel.y.low, panel.y.high], "parting")
    text = f"part at step {parted}"
    panel.write_within(panel.across(parted), panel.box.top - 7, text, "parting")


def _name_ends(panel: Panel, ours: _Curve, theirs: Sequence[_Curve]) -> None:
    """The names of the curves where they end, one below the other where they are close."""
    ends = [("original", "original", _last(ours))]
    if theirs:
        lasts = [_last(curve) for curve in theirs]
        middle = sorted(lasts)[len(lasts) // 2]
        ends.append((counted(len(theirs), "rerun"), "rerun", middle))
    ys = [panel.place(panel.x.high, value)[1] + 4.5 for _, _, value in ends]
    for (text, name, _), y in zip(ends, apart(ys, LINE, (LINE, _HEIGHT)), strict=True):
        panel.write(panel.box.right + 8, y, text, name)


def _last(curve: _Curve) -> float:
    return next(reversed(curve.values()))


def _told(name: str, ours: _Curve, theirs: Sequence[_Curve], parted: int | None) -> str:
    first, last = next(iter(ours.values())), _last(ours)
    text = (
        f"{name} of the original over {counted(len(ours), 'step')}, "
        f"from {format_value(first)} to {format_value(last)}"
    )
    if not theirs:
        return f"{text}; no rerun logged it."
    text += f", with {counted(len(theirs), 'rerun')} that end at {_ends(map(_last, theirs))}"
    if len(theirs) > _RERUNS:
        text += f" ({_RERUNS} are drawn)"
    if parted is None:
        return f"{text}."
    return f"{text}; the curves part at step {parted}."


def _ends(values: Iterable[float]) -> str:
    known = sorted(values)
    if known[0] == known[-1]:
        return format_value(known[0])
    return f"{format_value(known[0])} to {format_value(known[-1])}"
