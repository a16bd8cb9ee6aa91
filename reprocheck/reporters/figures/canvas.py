"""The paper that figures are drawn on: matplotlib's paths and marks, placed in panels."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reprocheck.reporters.figures import library
from reprocheck.reporters.figures.labels import swarm, width
from reprocheck.reporters.figures.markup import USUAL, Label, rewritten, role
from reprocheck.reporters.figures.scales import Scale, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = USUAL
LINE = 17.0
"""Units from one line of text to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A rectangle of a canvas in its units, y downwards."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(kw_only=True, slots=True)
class Panel:
    """A part of a canvas with an axis across and one upwards.

    Roles are classes of templates/figures.css. Values that cannot be drawn are left out.
    """

    box: Box
    x: Scale
    y: Scale
    axes: Axes
    labels: list[Label]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a value is, in units of the canvas."""
        return self.across(x), self.box.bottom - self.y.at(y) * self.box.height

    def across(self, x: float) -> float:
        """Where a value of the axis across is."""
        return self.box.left + self.x.at(x) * self.box.width

    def line(self, xs: Sequence[float], ys: Sequence[float], name: str) -> None:
        """A line through the points, with a gap where one cannot be drawn."""
        self.axes.plot(*self._inner(xs, ys), gid=role(name), clip_on=False)

    def area(self, xs: Sequence[float], ys: Sequence[float], name: str) -> None:
        """A closed shape."""
        self.axes.fill(*self._inner(xs, ys), gid=role(name), clip_on=False)

    def block(self, x: tuple[float, float], y: tuple[float, float], name: str) -> None:
        """A rectangle between two values on each axis."""
        self.area([x[0], x[1], x[1], x[0]], [y[0], y[0], y[1], y[1]], name)

    def marks(
        self, xs: Sequence[float], ys: Sequence[float], name: str, shape: str = "o", size: float = 8
    ) -> None:
        """A mark at each point, in matplotlib's word for its shape."""
        self._mark(*self._inner(xs, ys), name, shape, size)

    def swarm(
        self, xs: Sequence[float], y: float, name: str, shape: str = "o", size: float = 8
    ) -> None:
        """Marks in a row, those that would lie on one another moved up and down."""
        moved = swarm([self.across(x) for x in xs], size)
        unit = (self.y.high - self.y.low) / self.box.height
        self.marks(xs, [y + up * unit for up in moved], name, shape, size)

    def write(self, x: float, y: float, text: str, name: str = "", anchor: str = "start") -> None:
        """A text at a place of the canvas, in its units."""
        self.labels.append(Label(x=x, y=y, text=text, role=name, anchor=anchor))

    def write_upwards(self, x: float, y: float, text: str, name: str) -> None:
        """A text that begins at a place of the canvas and is read from below."""
        self.labels.append(Label(x=x, y=y, text=text, role=name, turned=True))

    def write_within(self, x: float, y: float, text: str, name: str) -> None:
        """A text around a place, moved to stay on the canvas of the usual width."""
        half = width(text) / 2
        self.write(min(max(x, half), WIDTH - half), y, text, name, "middle")

    def ruler(self, title: str, most: int = 5, *, whole: bool = False) -> None:
        """The axis across, below the panel, with its ticks and what it measures."""
        found = ticks(self.x, most, whole=whole)
        while most > 2 and sum(width(each.text) + 12 for each in found) > self.box.width:
            most -= 1
            found = ticks(self.x, most, whole=whole)
        self.axes.plot([0, 1], [0, 0], gid=role("axis"), clip_on=False)
        places = [self.x.at(each.value) for each in found]
        self._mark(places, [0.0] * len(found), "tick", "|", 7)
        for each in found:
            at = self.across(each.value)
            self.write(at, self.box.bottom + LINE, each.text, "number", self._anchor(at, each.text))
        if title:
            self.write(self.box.right, self.box.bottom + 2 * LINE, title, "quiet", "end")

    def scale(self, most: int = 4) -> None:
        """The axis upwards, left of the panel, with lines at its ticks."""
        for each in ticks(self.y, most):
            self.line([self.x.low, self.x.high], [each.value] * 2, "grid")
            at = self.place(self.x.low, each.value)
            self.write(at[0] - 7, at[1] + 4.5, each.text, "number", "end")

    def _anchor(self, at: float, text: str) -> str:
        """Such that a text below the axis stays beside the panel's edge."""
        half = width(text) / 2
        if at + half > self.box.right + 12:
            return "end"
        return "start" if at - half < 0 else "middle"

    def _mark(
        self, xs: Sequence[float], ys: Sequence[float], name: str, shape: str, size: float
    ) -> None:
        self.axes.plot(
            xs, ys, shape, markersize=size, markeredgewidth=0, gid=role(name), clip_on=False
        )

    def _inner(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
        return [self.x.at(x) for x in xs], [self.y.at(y) for y in ys]


@dataclass(kw_only=True, slots=True)
class Canvas:
    """A figure that is being drawn."""

    width: float
    height: float
    paper: Any  # matplotlib's figure
    labels: list[Label] = field(default_factory=list)

    def panel(self, box: Box, x: Scale, y: Scale) -> Panel:
        """A part of the canvas for values on these scales."""
        place = (
            box.left / self.width,
            1 - box.bottom / self.height,
            box.width / self.width,
            box.height / self.height,
        )
        axes = self.paper.add_axes(place)
        axes.set_axis_off()
        axes.set(xlim=(0, 1), ylim=(0, 1))
        return Panel(box=box, x=x, y=y, axes=axes, labels=self.labels)

    def svg(self, alt: str) -> str:
        """What was drawn."""
        drawn = io.StringIO()
        self.paper.savefig(drawn, format="svg", metadata={"Date": None})
        return rewritten(drawn.getvalue(), (self.width, self.height), self.labels, alt)


@contextmanager
def canvas(height: float, width: float = WIDTH) -> Iterator[Canvas]:
    """An empty canvas in units, drawn by matplotlib's own settings, whatever the user's are."""
    library.load()
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "reprocheck"
        paper = Figure(figsize=(width / 72, height / 72))
        FigureCanvasSVG(paper)
        paper.patch.set_visible(False)
        yield Canvas(width=width, height=height, paper=paper)
