"""Of a page of many runs: the bar that tells how many there are of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

_WIDTH = 1000  # units, as templates/many.html has them


def bar(counts: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    """The parts of the bar, of looks and how many there are of each."""
    total = max(1, sum(count for _, count in counts))
    ends = [round(_WIDTH * end / total) for end in accumulate(count for _, count in counts)]
    return [
        {"look": look, "start": start, "width": end - start}
        for (look, _), start, end in zip(counts, [0, *ends], ends, strict=False)
    ]
