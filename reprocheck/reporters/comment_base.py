"""In a comment: the run beside the last verified one of its experiment on the base branch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reprocheck.compare.margins import on_scale
from reprocheck.compare.sample import summarise
from reprocheck.model import Comparison, Report
from reprocheck.numbers import counted, format_change, format_percent
from reprocheck.reporters import base, checked
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import code, head, row

LEVEL = 95.0
"""Percent."""
NAME = 80
DIGEST = 20
"""Characters of a digest and its algorithm."""
FEW = 8
"""Changes that are shown unfolded."""

_ASIDE = "no part of the verdict"


def against_base(report: Report, other: Report) -> Iterator[Block]:
    """The reruns of both runs beside each other, and what the runs had otherwise."""
    rows = tuple(_rows(report, other))
    run = code(checked.run_id(other), NAME)
    intro = f"**Against the base branch** (run {run}; {_ASIDE})"
    if rows:
        heads = ("Metric", "Base", "Here", f"Difference ({format_percent(LEVEL)} interval)")
        yield Block(
            rank=3,
            title="the base branch",
            before=f"{intro}\n\n{head(heads)}",
            rows=rows,
            after=f"\n\n<sub>{_caveat(report, other)}</sub>",
        )
    changed = tuple(_changed(report, other))
    if changed:
        yield Block(
            rank=4,
            title=f"Changed against the base branch: {_counts(changed)}",
            before=head(("Changed", "", "Base", "Here")),
            rows=tuple(map(row, changed)),
            folded=len(changed) > FEW,
        )


def _caveat(report: Report, other: Report) -> str:
    told = "Means of the reruns of both runs, and how far these alone tell them apart."
    same = [each.plan is not None and each.plan.seeds.value == "same" for each in (report, other)]
    if any(same):
        told += " With one seed each, another seed may differ by more."
    return told


def _rows(report: Report, other: Report) -> Iterator[str]:
    theirs = {each.metric: each for each in other.comparisons}
    for ours in sorted(report.comparisons, key=_not_gated):
        there = theirs.get(ours.metric)
        if there is None or not ours.gated or ours.scale is not there.scale:
            continue
        cells = _difference(ours, there)
        if cells:
            yield row((code(ours.metric), base.mean(there), base.mean(ours), cells))


def _not_gated(comparison: Comparison) -> bool:
    return not comparison.gated


def _difference(ours: Comparison, theirs: Comparison) -> str:
    here, there = (
        [x for x in on_scale(each.reruns, each.scale) if math.isfinite(x)]
        for each in (ours, theirs)
    )
    if not here or not there:
        return ""
    sample = summarise(there, here)
    told = format_change(sample.difference, ours.scale)
    # One rerun on a side varies as the other does only by assumption.
    found = sample.interval((1 - LEVEL / 100) / 2) if min(len(here), len(there)) > 1 else None
    if found is None or found.low == found.high:
        return told
    ends = [format_change(end, ours.scale) for end in (found.low, found.high)]
    return f"{told} ({' … '.join(ends)})"


# --- what the runs had otherwise ------------------------------------------------------------


def _counts(changed: Sequence[tuple[str, ...]]) -> str:
    """How many of each kind."""
    kinds = Counter(what for what, *_ in changed)
    return ", ".join(counted(count, what) for what, count in kinds.items())


def _changed(report: Report, other: Report) -> Iterator[tuple[str, ...]]:
    for what, ours, theirs, most in (
        ("parameter", _parameters(report), _parameters(other), NAME),
        ("material", _data(report), _data(other), DIGEST),
        ("package", _packages(report), _packages(other), NAME),
    ):
        if what == "package" and not (ours and theirs):
            continue  # an environment that was not built has none that changed
        for name in _differing(ours, theirs):
            yield what, code(name), *(_value(each.get(name), most) for each in (theirs, ours))


def _differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterable[str]:
    names = dict.fromkeys((*ours, *theirs))
    return (name for name in names if ours.get(name) != theirs.get(name))


def _value(text: str | None, most: int) -> str:
    return base.NOTHING if text is None else code(text, most)


def _parameters(report: Report) -> Mapping[str, str]:
    return report.record.parameters if report.record else {}


def _data(report: Report) -> dict[str, str]:
    materials = report.record.data if report.record else ()
    return {each.label: f"{each.algorithm} {each.digest}" for each in materials}


def _packages(report: Report) -> dict[str, str]:
    built = report.environment.packages if report.environment else ()
    return {each.name: each.version for each in built}
