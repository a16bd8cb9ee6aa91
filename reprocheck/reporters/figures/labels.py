"""Where labels go, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence


def apart(places: Sequence[float], least: float) -> list[float]:
    """The places in their order, moved as little as it takes to be `least` from one another.

    Of places that are the same the first one given stays first.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    groups: list[list[int]] = []
    for place in order:
        groups.append([place])
        while len(groups) > 1 and _start(places, groups[-1], least) < _end(places, groups, least):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = list(places)
    for group in groups:
        for at, place in enumerate(group):
            moved[place] = _start(places, group, least) + at * least
    return moved


def _start(places: Sequence[float], group: list[int], least: float) -> float:
    """Of a group around the middle of its places."""
    middle = sum(places[place] for place in group) / len(group)
    return middle - (len(group) - 1) * least / 2


def _end(places: Sequence[float], groups: list[list[int]], least: float) -> float:
    """Where a group may begin after the one before the last."""
    before = groups[-2]
    return _start(places, before, least) + len(before) * least
