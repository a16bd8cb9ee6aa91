"""What is said of a trial while it runs, and when it has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reprocheck.durations import format_duration
from reprocheck.hostile import cut, printable
from reprocheck.model import Comparison, Point, RunRecord, Trial
from reprocheck.numbers import format_size, format_value

_NAME = 24  # characters of a metric's name
_SHOWN = 3  # metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialWords:
    """Words about the trials of one verification."""

    record: RunRecord  # the original, which tells how long and how many steps a trial takes
    gated: tuple[str, ...]
    most: int  # trials

    def running(
        self, index: int, elapsed_s: float, points: Mapping[str, Point], ended: Sequence[Trial]
    ) -> str:
        """One line: which trial, how long of how long, and what it logged last."""
        parts = [
            f"trial {index} of at most {self.most}",
            f"{format_duration(elapsed_s)}{self._of_about(ended)}",
            "  ".join(self._values(points)) + self._step(points),
        ]
        return " · ".join(part for part in parts if part)

    def ended(self, trial: Trial, comparisons: Sequence[Comparison]) -> str:
        """One line: how long the trial took, and the values of the gated metrics."""
        logged = {name: metric.value for name, metric in trial.metrics.items()}
        derived = {each.metric: each.reruns[-1] for each in comparisons if each.reruns}
        values = derived | logged
        told = [
            f"{printable(name)} {format_value(values[name])}"
            for name in self.gated
            if name in values
        ]
        return ", ".join([f"trial {trial.index}: {format_duration(trial.duration_s)}", *told])

    def _of_about(self, ended: Sequence[Trial]) -> str:
        """How long it may take: as the last one here, else as the original."""
        expected_s = ended[-1].duration_s if ended else self.record.duration_s
        return f" of about {format_duration(expected_s)}" if expected_s else ""

    def _values(self, points: Mapping[str, Point]) -> Iterator[str]:
        """The metrics that are judged before the others."""
        names = sorted(points, key=lambda name: (name not in self.gated, name))
        for name in names[:_SHOWN]:
            yield f"{cut(printable(name), _NAME)} {format_size(points[name].value)}"

    def _step(self, points: Mapping[str, Point]) -> str:
        """How far the training is, by the metric that the original logged up to the latest step."""
        step, name = max(((point.step, name) for name, point in points.items()), default=(0, ""))
        if step <= 0:
            return ""
        original = self.record.metrics.get(name)
        last = original.history[-1].step if original else 0
        return f" (step {step} of {last})" if last >= step else f" (step {step})"
