"""Where labels go, so that none lies on another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LETTER = 7.4
"""Units of a letter, on average, at most: no font is asked, so that none decides on a figure."""


def width(text: str) -> float:
    """About how many units a text takes."""
    return LETTER * sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def swarm(places: Sequence[float], size: float) -> list[float]:
    """How far each mark of this size moves up or down so that few lie on one another."""
    steps = [0.0, -0.9 * size, 0.9 * size, -1.8 * size, 1.8 * size]
    done: list[tuple[float, float]] = []
    moved = [0.0] * len(places)
    for place in sorted(range(len(places)), key=places.__getitem__):
        taken = {up for x, up in done[-2 * len(steps) :] if places[place] - x < 0.9 * size}
        moved[place] = next((step for step in steps if step not in taken), 0.0)
        done.append((places[place], moved[place]))
    return moved


def apart(places: Sequence[float], least: float, ends: tuple[float, float]) -> list[float]:
    """The places, moved as little as it takes to be `least` from one another and within the ends.

    Their order stays; of places that are the same the first one given stays first.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    groups: list[list[int]] = []
    for place in order:
        groups.append([place])
        while len(groups) > 1 and _start(places, groups[-1], least) < _end(places, groups, least):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = [
        _start(places, group, least) + at * least for group in groups for at in range(len(group))
    ]
    held = _held(moved, least, ends)
    return [held[order.index(place)] for place in range(len(places))]


def _held(places: list[float], least: float, ends: tuple[float, float]) -> list[float]:
    """Places in ascending order within the ends; the lower end counts more."""
    last = len(places) - 1
    lower = [min(place, ends[1] - (last - at) * least) for at, place in enumerate(places)]
    return [max(place, ends[0] + at * least) for at, place in enumerate(lower)]


def _start(places: Sequence[float], group: list[int], least: float) -> float:
    """Of a group around the middle of its places."""
    middle = sum(places[place] for place in group) / len(group)
    return middle - (len(group) - 1) * least / 2


def _end(places: Sequence[float], groups: list[list[int]], least: float) -> float:
    """Where a group may begin after the one before the last."""
    before = groups[-2]
    return _start(places, before, least) + len(before) * least
