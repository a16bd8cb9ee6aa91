"""Where the reruns of a metric lie beside its original: one row for each thing to compare."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from reprocheck.model import Comparison, Interval, Margin, Scale
from reprocheck.numbers import counted, format_percent, format_value, format_width
from reprocheck.reporters import base
from reprocheck.reporters.figures.base import Figure, average, finite, named, plain
from reprocheck.reporters.figures.canvas import LINE, Box, Panel, canvas
from reprocheck.reporters.figures.labels import width
from reprocheck.reporters.figures.scales import Scale as Axis
from reprocheck.reporters.figures.scales import scale_of

_GUTTER = 142.0
_ROW = 40.0
_WIDEST = 12
"""A margin so many times as wide as all else is drawn to the edge: else nothing could be seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """One line of the figure: what it is, in numbers, and what is drawn."""

    name: str
    told: str
    values: tuple[float, ...] = ()
    ends: tuple[float, float] | None = None
    role: str
    shape: str = "o"


def interval(comparison: Comparison, against: str = "original") -> Figure | None:
    """The original, the reruns, their mean with its interval, the prediction and the margin.

    `against` is what the values are called that the reruns are compared with.

    None where there is no finite rerun.
    """
    if not finite(comparison.reruns):
        return None
    rows = tuple(_rows(comparison, against))
    axis = _axis(comparison, rows)
    alt = _told(comparison, against)
    top = LINE + 7 if comparison.margin else 6.0
    height = top + _ROW * len(rows) + 2 * LINE + 6
    with canvas(height) as paper:
        box = Box(left=_GUTTER, top=top, width=paper.width - _GUTTER - 14, height=_ROW * len(rows))
        panel = paper.panel(box, axis, Axis(low=0.0, high=float(len(rows))))
        _draw_margin(panel, comparison)
        panel.ruler(_title(comparison, axis), most=6)
        for place, row in enumerate(reversed(rows)):
            _draw(panel, row, place + 0.5)
        return Figure(svg=paper.svg(alt), alt=alt, caption=_caption(comparison, against))


# --- the rows -----------------------------------------------------------------------------


def _rows(comparison: Comparison, against: str) -> Iterator[_Row]:
    if comparison.baseline:
        yield _Row(
            name=against,
            told=base.original(comparison),
            values=finite(comparison.baseline),
            role="original",
            shape="D",
        )
    yield _Row(
        name=counted(len(comparison.reruns), "rerun"),
        told=_range(comparison.reruns),
        values=finite(comparison.reruns),
        role="rerun",
    )
    mean = _mean(comparison)
    ends = _placed(comparison, comparison.interval)
    if mean is not None and (len(comparison.reruns) > 1 or ends):
        yield _Row(
            name=f"mean, {_level(comparison.interval)} CI" if comparison.interval else "mean",
            told=base.mean(comparison),
            values=finite((mean,)),
            ends=ends,
            role="mean",
        )
    prediction = comparison.prediction
    if prediction and len(finite((prediction.low, prediction.high))) == 2:
        yield _Row(
            name=f"{_level(prediction)} prediction",
            told=_range((prediction.low, prediction.high)),
            ends=(prediction.low, prediction.high),
            role="prediction",
        )


def _mean(comparison: Comparison) -> float | None:
    """What the other reports call the mean; None where a rerun is not finite."""
    if comparison.mean is not None or not all(map(math.isfinite, comparison.reruns)):
        return comparison.mean
    return average(comparison.reruns)


def _fitting(text: str, values: tuple[float, ...]) -> str:
    """The text beside a row, in fewer digits where it has no room."""
    if width(text) <= _GUTTER - 8:
        return text
    short = list(dict.fromkeys(format_value(value) for value in (min(values), max(values))))
    return "…".join(short) if len(short) > 1 else f"≈ {short[0]}"


def _range(values: tuple[float, ...]) -> str:
    known = finite(values)
    low, high = min(known), max(known)
    if low == high:
        return format_value(low)
    return f"{format_value(low, high - low)}…{format_value(high, high - low)}"


def _level(found: Interval) -> str:
    return format_percent(found.level)


def _centre(comparison: Comparison) -> float | None:
    """The value that differences are from."""
    known = finite(comparison.baseline)
    if not known:
        return None
    if comparison.scale is Scale.LOG and min(known) > 0:
        return math.exp(average(tuple(map(math.log, known))))
    return average(known)


def _placed(comparison: Comparison, found: Interval | None) -> tuple[float, float] | None:
    """The interval of the difference, as values of the metric."""
    centre = _centre(comparison)
    if found is None or centre is None:
        return None
    low, high = (_moved(comparison, centre, by) for by in (found.low, found.high))
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _moved(comparison: Comparison, centre: float, by: float) -> float:
    if comparison.scale is Scale.LOG:
        return centre * math.exp(min(700.0, by))
    return centre + by


def _axis(comparison: Comparison, rows: tuple[_Row, ...]) -> Axis:
    shown = [value for row in rows for value in (*row.values, *(row.ends or ()))]
    log = comparison.scale is Scale.LOG
    band = _band(comparison)
    if band is None:
        return scale_of(shown, log=log)
    seen, wide = max(shown) / 2 - min(shown) / 2, band[1] / 2 - band[0] / 2
    return scale_of(shown if 0 < seen * _WIDEST < wide else [*shown, *band], log=log)


def _band(comparison: Comparison) -> tuple[float, float] | None:
    found = comparison.margin
    if found is None:
        return None
    return _placed(comparison, Interval(low=-found.low, high=found.high, level=0.0))


# --- the drawing --------------------------------------------------------------------------


def _draw(panel: Panel, row: _Row, at: float) -> None:
    _, y = panel.place(panel.x.low, at)
    panel.write(8, y - 3, row.name)
    panel.write(8, y + 13, _fitting(row.told, (*row.values, *(row.ends or ()))), "number quiet")
    if row.ends:
        low, high = row.ends
        panel.line([low, high], [at, at], row.role)
        panel.marks([low, high], [at, at], f"{row.role} end", "|", 13)
    if row.values:
        panel.swarm(row.values, at, row.role, row.shape)


def _draw_margin(panel: Panel, comparison: Comparison) -> None:
    """The band from top to bottom, its dashed edges where they are not beyond the axis."""
    band, margin, centre = _band(comparison), comparison.margin, _centre(comparison)
    rows = (panel.y.low, panel.y.high)
    if centre is not None:
        panel.line([centre, centre], rows, "centre")
    if band is None or margin is None:
        return
    held = (max(band[0], panel.x.low), min(band[1], panel.x.high))
    panel.block(held, rows, "margin")
    for end in band:
        if panel.x.low <= end <= panel.x.high:
            panel.line([end, end], rows, "margin edge")
    _write_margin(panel, margin, comparison.scale, held, beyond=held != band)


def _write_margin(
    panel: Panel, margin: Margin, scale: Scale, held: tuple[float, float], *, beyond: bool
) -> None:
    text = f"margin {format_width(margin.low, margin.high, scale)}"
    if beyond:
        text += ", wider than drawn"
    middle = (panel.across(held[0]) + panel.across(held[1])) / 2
    panel.write_within(middle, panel.box.top - 7, text, "margin")


def _title(comparison: Comparison, axis: Axis) -> str:
    name = named(comparison.metric, 40)
    return f"{name} (logarithmic)" if axis.log else name


# --- the words ----------------------------------------------------------------------------


def _told(comparison: Comparison, against: str) -> str:
    """All that is drawn, in sentences."""
    name, row = plain(comparison.metric), base.row_of(comparison)
    text = f"{name}: the {against} is {row.original}, {_given(comparison)}."
    if comparison.margin:
        text += f" The margin is {row.margin}."
    if comparison.prediction:
        ends = _range((comparison.prediction.low, comparison.prediction.high))
        text += f" One more rerun is predicted in {ends} ({_level(comparison.prediction)})."
    return f"{text} {_caption(comparison, against)}"


def _given(comparison: Comparison) -> str:
    count = len(comparison.reruns)
    text = f"{counted(count, 'rerun')} gave {_range(comparison.reruns)}"
    lost = count - len(finite(comparison.reruns))
    return f"{text} and {counted(lost, 'value')} that cannot be drawn" if lost else text


def _caption(comparison: Comparison, against: str) -> str:
    row = base.row_of(comparison)
    if _mean(comparison) is None:
        text = _given(comparison)
    elif len(comparison.reruns) > 1:
        text = f"The reruns average {row.reruns}"
    else:
        text = f"The rerun gave {row.reruns}"
    if comparison.difference is not None:
        text += f", a difference of {row.difference} from the {against}"
    if row.interval and comparison.interval:
        text += f" ({_level(comparison.interval)} CI {'…'.join(row.interval)})"
    if not comparison.margin:
        return f"{text}; no margin applies."
    return f"{text}; the margin is {row.margin}, {comparison.margin.source.value}."
