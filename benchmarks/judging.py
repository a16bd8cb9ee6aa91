"""What judging costs, against statsmodels' `ttost_ind` on the same numbers in the same run.

The aims: 8 metrics after each of 8 looks in 50 ms, 1,000 metrics at one look in 2 s.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from statsmodels.stats.weightstats import ttost_ind

from reprocheck.compare import Question, judge
from reprocheck.model import (
    DeclaredMargin,
    Gates,
    Metric,
    MetricRule,
    Point,
    RerunPlan,
    Trial,
    Width,
)

ORIGINALS, RERUNS, MARGIN = 2, 8, 2.8


def drawn(metrics: int) -> dict[str, tuple[list[float], list[float]]]:
    """Originals and reruns by metric: honest runs of standard deviation 1."""
    generator = np.random.default_rng(20261121)
    return {
        f"m{i}": (
            generator.standard_normal(ORIGINALS).tolist(),
            generator.standard_normal(RERUNS).tolist(),
        )
        for i in range(metrics)
    }


def logged(name: str, value: float) -> Metric:
    return Metric(name=name, history=(Point(step=0, timestamp_ms=0, value=value),))


def asked(values: dict[str, tuple[list[float], list[float]]]) -> tuple[Question, tuple[Trial, ...]]:
    """All metrics gated, with a declared margin and two originals, under the default plan."""
    margin = DeclaredMargin(absolute=Width.both(MARGIN), source="--margin")
    runs = [
        {name: logged(name, originals[i]) for name, (originals, _) in values.items()}
        for i in range(ORIGINALS)
    ]
    question = Question(
        metrics=runs[0],
        baselines=tuple(runs[1:]),
        rules={name: MetricRule(metric=name, margin=margin) for name in values},
        gates=Gates(metrics=tuple(values), reason="named by --gate"),
        plan=RerunPlan(),
    )
    trials = tuple(
        Trial(
            index=i + 1,
            seed=None,
            metrics={name: logged(name, reruns[i]) for name, (_, reruns) in values.items()},
            parameters={},
            differences=(),
            exit_code=0,
            duration_s=1.0,
            log=Path("log"),
            log_tail="",
            products=(),
        )
        for i in range(RERUNS)
    )
    return question, trials


def median_s(repeats: int, *actions: Callable[[], object]) -> list[float]:
    """The median time of each action in seconds; they take turns, after one that is not timed."""
    times: list[list[float]] = [[] for _ in actions]
    for action in actions:
        action()
    for _ in range(repeats):
        for taken, action in zip(times, actions, strict=True):
            started = time.perf_counter()
            action()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in times]


def compare(told: str, metrics: int, looks: range, aim_s: float, repeats: int) -> None:
    """Prints the time of judging and that of as many single tests."""
    values = drawn(metrics)
    question, trials = asked(values)
    arrays = [(np.array(reruns), np.array(originals)) for originals, reruns in values.values()]

    def judging() -> None:
        for look in looks:
            judge(question, trials[:look])

    def testing() -> None:
        for _ in looks:
            for reruns, originals in arrays:
                ttost_ind(reruns, originals, -MARGIN, MARGIN)

    ours, theirs = median_s(repeats, judging, testing)
    print(
        f"{told}: {1000 * ours:.1f} ms (aim {1000 * aim_s:.0f} ms); {len(looks) * metrics} calls "
        f"of ttost_ind: {1000 * theirs:.1f} ms; ratio {ours / theirs:.2f}"
    )


def main() -> None:
    """Prints both ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    compare("8 metrics after each of 8 reruns", 8, range(1, RERUNS + 1), 0.05, repeats)
    compare("1,000 metrics after 8 reruns", 1000, range(RERUNS, RERUNS + 1), 2.0, repeats)


if __name__ == "__main__":
    main()
