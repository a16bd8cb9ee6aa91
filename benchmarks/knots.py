"""Regenerates reprocheck/compare/knots.py: how small p-values get when one looks several times.

One simulation of honest reruns gives, for every most number of reruns K from 4 to 20, quantiles
of w_K = min over the looks j = 3..K of p_j·K/j. Neither mean nor spread of the runs matters, so
that standard normal numbers serve. About a minute and a half, and 2 GB of memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

TARGET = Path(__file__).parents[1] / "reprocheck" / "compare" / "knots.py"
SEED = 20261121
RUNS = 10_000_000
CHUNK = 100_000
FIRST_LOOK = 3
MOST = 20
# STATISTICS, "Sequential"; the levels above 0.2 let p-values run on to 1 without a jump.
LEVELS = (1e-4, 1e-3, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)

SPECIFIED = {
    "E": {
        5: "4.2e-5 4.7e-4 .00253 .0052 .0140 .0300 .0652 .145",
        8: "2.8e-5 3.2e-4 .00179 .0038 .0105 .0232 .0520 .121",
        10: "2.6e-5 2.7e-4 .00157 .0034 .0095 .0210 .0479 .113",
    },
    "D": {
        5: "4.3e-5 4.6e-4 .00253 .0053 .0142 .0306 .0671 .149",
        8: "3.0e-5 3.5e-4 .00193 .0041 .0117 .0261 .0594 .138",
        10: "2.4e-5 3.1e-4 .00181 .0039 .0112 .0252 .0581 .137",
    },
}
"""The specification's quantiles of w at the first eight levels, by test and K."""

SPECIFIED_LEVELS = {
    0.01: {4: ".0065", 5: ".0052", 6: ".0045", 8: ".0039", 10: ".0034", 12: ".0031"},
    0.05: {4: ".0358", 5: ".0300", 6: ".0270", 8: ".0233", 10: ".0212", 12: ".0197"},
    0.10: {4: ".0762", 5: ".0653", 6: ".0594", 8: ".0523", 10: ".0482", 12: ".0451"},
}
"""The specification's alpha* (of test E) by alpha and K."""

Floats = NDArray[np.floating]
Knots = Mapping[int, Sequence[float]]

HEADER = '''\
"""Quantiles of the smallest weighted p-value of several looks. Generated; do not edit.

By `python benchmarks/knots.py`: {runs:,} simulated series, seed {seed}.
"""

# fmt: off
LEVELS = ({levels})

# For each most number of reruns K, the quantiles at LEVELS of w = min p_j·K/j over the looks
# j = 3..K, where p_j is the p-value of the equivalence test at the margin's end.
KNOTS = {{
'''


def smallest(runs: int, seed: int, most: int = MOST) -> tuple[dict[int, Floats], dict[int, Floats]]:
    """For E and for D: w_K of each simulated series, by K."""
    chunks = [_chunk(chunk) for chunk in _drawn(runs, seed, most)]
    return _joined([e for e, _ in chunks]), _joined([d for _, d in chunks])


def _drawn(runs: int, seed: int, most: int) -> Iterator[tuple[Floats, Floats]]:
    """Originals and reruns of an honest process, in chunks with a random stream each."""
    for index, start in enumerate(range(0, runs, CHUNK)):
        generator = np.random.default_rng([seed, index])
        size = min(CHUNK, runs - start)
        yield generator.standard_normal(size), generator.standard_normal((most, size))


def _chunk(drawn: tuple[Floats, Floats]) -> tuple[dict[int, Floats], dict[int, Floats]]:
    originals, reruns = drawn
    mean, squares = reruns[0].copy(), np.zeros_like(originals)
    weighted_e, weighted_d = np.full_like(originals, np.inf), np.full_like(originals, np.inf)
    smallest_e, smallest_d = {}, {}
    for j in range(2, len(reruns) + 1):  # Welford's update of mean and squares
        delta = reruns[j - 1] - mean
        mean = mean + delta / j
        squares = squares + delta * (reruns[j - 1] - mean)
        if j >= FIRST_LOOK:
            sd = np.sqrt(squares / (j - 1))
            p_e = stdtr(j - 1, -mean * np.sqrt(j) / sd)
            p_d = 2 * stdtr(j - 1, -np.abs(mean - originals) / (sd * np.sqrt(1 + 1 / j)))
            weighted_e = np.minimum(weighted_e, p_e / j)
            weighted_d = np.minimum(weighted_d, p_d / j)
            smallest_e[j] = (j * weighted_e).astype(np.float32)
            smallest_d[j] = (j * weighted_d).astype(np.float32)
    return smallest_e, smallest_d


def _joined(chunks: Sequence[Mapping[int, Floats]]) -> dict[int, Floats]:
    return {most: np.concatenate([chunk[most] for chunk in chunks]) for most in chunks[0]}


def quantiles(smallest_by_most: Mapping[int, Floats]) -> dict[int, tuple[float, ...]]:
    """The knots; K = 3 is one look, whose w is its p-value and needs none."""
    return {
        most: tuple(float(f"{x:.4g}") for x in np.quantile(w, LEVELS))
        for most, w in smallest_by_most.items()
        if most > FIRST_LOOK
    }


def render(knots: Knots) -> str:
    """The text of the generated module."""
    levels = ", ".join(map(str, LEVELS))
    lines = [HEADER.format(runs=RUNS, seed=SEED, levels=levels)]
    for most, row in knots.items():
        low, high = row[:7], row[7:]
        lines.append(f"    {most}: ({', '.join(map(str, low))},\n")
        lines.append(f"        {', '.join(map(str, high))}),\n")
    return "".join(lines) + "}\n"


def _compare(test: str, knots: Knots) -> None:
    for most, row in SPECIFIED[test].items():
        for level, told, found in zip(LEVELS, row.split(), knots[most], strict=False):
            ratio = found / float(told)
            print(
                f"{test} K={most:<2} {level:<6g} specified {told:<7} found {found:<9g} {ratio:.3f}"
            )


def _compare_levels(knots: Knots) -> None:
    for alpha, by_most in SPECIFIED_LEVELS.items():
        for most, told in by_most.items():
            found = knots[most][LEVELS.index(alpha)]
            print(f"alpha* K={most:<2} {alpha:<6g} specified {told} found {found:g}")


def main() -> None:
    started = time.perf_counter()
    smallest_e, smallest_d = smallest(RUNS, SEED)
    knots = quantiles(smallest_e)
    _compare("E", knots)
    _compare("D", quantiles(smallest_d))
    _compare_levels(knots)
    TARGET.write_text(render(knots), encoding="utf-8")
    print(f"{RUNS:,} series in {time.perf_counter() - started:.0f} s; wrote {TARGET.name}")


if __name__ == "__main__":
    main()
