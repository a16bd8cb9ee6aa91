"""Figures for tests, one of each kind, and how to look into them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from reprocheck.model import Grid, Metric, Report, Sibling, Verdict, Verification
from reprocheck.reporters.figures import curves, grids, intervals, siblings, timeline, trends
from reprocheck.reporters.figures.base import Figure
from tests.reporters.builders import (
    make_comparison,
    make_history,
    make_metric,
    make_record,
    make_report,
    make_trial,
)

SVG = "{http://www.w3.org/2000/svg}"


def run_report(metric: str = "accuracy", points: int = 40, reruns: int = 3) -> Report:
    """A report of a run with histories, siblings and peers."""
    near = [{metric: 0.96 + 0.001 * i} for i in range(-5, 6)]
    trials = (
        make_trial(i, metrics={metric: learned(metric, points, i)}, exit_code=int(i == 2))
        for i in range(1, reruns + 1)
    )
    return make_report(
        record=make_record(
            metrics={metric: learned(metric, points, 0)},
            peers=tuple(Sibling(run_id=f"{i:032}", metrics=each) for i, each in enumerate(near)),
        ),
        trials=tuple(trials),
        comparisons=(make_comparison(metric=metric, history=make_history(parted_at=3)),),
    )


def learned(metric: str, points: int, seed: int) -> Metric:
    """A history that rises, with a noise of its own."""
    values = (1 - math.exp(-i / 8) + 0.01 * math.sin(i * (seed + 1)) for i in range(points))
    return make_metric(metric, *values)


def verifications(count: int, metric: str = "accuracy") -> tuple[Verification, ...]:
    """One a day; every fifth one did not reproduce."""
    return tuple(
        Verification(
            at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=i),
            verdict=Verdict.REPRODUCED if i % 5 else Verdict.NOT_REPRODUCED,
            failed_stage=None,
            subject="",
            exit_code=0,
            means={metric: 0.96 + 0.001 * i},
        )
        for i in range(count)
    )


def table(*rows: tuple[float, ...], name: str = "class") -> Grid:
    """A grid whose rows and columns have names."""
    return Grid(
        columns=tuple(f"{name} {j}" for j in range(len(rows[0]))),
        rows=tuple(f"{name} {i}" for i in range(len(rows))),
        values=rows,
    )


def curve(power: float, points: int = 20, name: str = "tpr") -> Grid:
    """A curve from (0, 0) to (1, 1)."""
    last = points - 1
    values = tuple((i / last, (i / last) ** power) for i in range(points))
    return Grid(columns=(f"x of {name}", name), rows=(), values=values)


def each_kind(name: str = "accuracy") -> dict[str, Figure]:
    """A figure of each kind, all their texts with the given one in them."""
    report = run_report(name)
    square = table((3.0, 1.0), (0.0, 4.0), name=name)
    other = table((2.0, 2.0), (0.0, 4.0), name=name)
    dense = table(*(tuple(float(i == j) for j in range(20)) for i in range(20)), name=name)
    days = verifications(12, name)
    found: Mapping[str, Figure | None] = {
        "interval": intervals.interval(report.comparisons[0]),
        "histories": curves.histories(report, name),
        "timeline": timeline.timeline(report),
        "siblings": siblings.siblings(report, name),
        "matrix": grids.matrix(square, name),
        "dense": grids.matrix(dense, name),
        "difference": grids.difference(square, other),
        "curves": grids.curves(curve(0.5, name=name), curve(0.6, name=name)),
        "trend": trends.trend(days, name),
        "share": trends.reproduced_share({name: days, "b": days[3:]}),
    }
    return {kind: figure for kind, figure in found.items() if figure}


def across(svg: str, role: str) -> list[float]:
    """Where the marks of a role are."""
    found = [each for each in ElementTree.fromstring(svg).iter() if each.get("class") == role]
    moved = [re.match(r"translate\(([-0-9.]+) ", each.get("transform", "")) for each in found]
    places = [move[1] if move else each.get("cx") for move, each in zip(moved, found, strict=True)]
    return [float(place) for place in places if place]


def shapes(svg: str, role: str) -> list[list[tuple[float, float]]]:
    """The corners of the paths of a role."""
    paths = [each.get("d", "") for each in ElementTree.fromstring(svg).iter(f"{SVG}path")
             if each.get("class") == role]  # fmt: skip
    return [_corners(part) for path in paths for part in re.findall("M[^M]+", path)]


def _corners(path: str) -> list[tuple[float, float]]:
    """The points of a path; of a rectangle two opposite ones."""
    found = [(float(x), float(y)) for x, y in re.findall(r"[ML]([-0-9.]+) ?(-?[0-9.]+)", path)]
    if side := re.search(r"h(-?[0-9.]+)v(-?[0-9.]+)h", path):
        found.append((found[0][0] + float(side[1]), found[0][1] + float(side[2])))
    return found


def words(svg: str) -> list[str]:
    """All texts, as they are read."""
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def classes(svg: str) -> Iterator[str]:
    """All classes."""
    for each in ElementTree.fromstring(svg).iter():
        yield from each.get("class", "").split()
