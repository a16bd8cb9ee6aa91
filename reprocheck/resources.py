"""What a run used of its machine, from the system metrics that MLflow logs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reprocheck.model import Metric, RunRecord

# MLflow's names; a run on several machines has the machine's name in front of the metric's.
_SYSTEM = re.compile(r"system/(?:(?P<machine>.+)/)?(?P<metric>[^/]+)")
_GPU = re.compile(
    r"gpu_(?P<index>[0-9]+)_"
    r"(?P<what>memory_usage_megabytes|memory_usage_gigabytes|utilization_percentage)"
)
_MEGABYTE = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """What a run used, in bytes; None: not recorded. MLflow measures whole machines."""

    machines: int = 1
    memory: float | None = None  # the most in use on one of them
    disk: float | None = None  # by how much one's disk grew at most
    gpus: int | None = None  # on all of them
    gpus_busy: int | None = None  # of these, those that computed anything
    gpu_memory: float | None = None  # the most in use on one GPU
    artifacts: int | None = None
    data: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gpu:
    """What was logged about one GPU."""

    memory: float | None
    busiest: float | None  # percent


def resources_of(record: RunRecord) -> Resources:
    """What the run used; its system metrics are in record.metrics, as `system/...`."""
    machines = _by_machine(record.metrics)
    gpus = [gpu for metrics in machines.values() for gpu in _gpus(metrics)]
    busy = [gpu for gpu in gpus if gpu.busiest is None or gpu.busiest > 0]
    return Resources(
        machines=max(1, len(machines)),
        memory=_most(_peak(each, "system_memory_usage_megabytes") for each in machines.values()),
        disk=_most(_growth(each, "disk_usage_megabytes") for each in machines.values()),
        gpus=len(gpus) or None,
        gpus_busy=len(busy) if gpus else None,
        gpu_memory=_most(gpu.memory for gpu in gpus),
        artifacts=_total(artifact.size for artifact in record.artifacts),
        data=_total(material.size for material in record.data),
    )


def _by_machine(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Metric]]:
    machines: dict[str, dict[str, Metric]] = {}
    for name, metric in metrics.items():
        if match := _SYSTEM.fullmatch(name):
            machines.setdefault(match["machine"] or "", {})[match["metric"]] = metric
    return machines


def _gpus(metrics: Mapping[str, Metric]) -> list[_Gpu]:
    found: dict[str, dict[str, float]] = {}
    for name in metrics:
        peak = _values(metrics[name])
        if (match := _GPU.fullmatch(name)) and peak:
            found.setdefault(match["index"], {})[match["what"]] = max(peak)
    return [_gpu(peaks) for peaks in found.values()]


def _gpu(peaks: Mapping[str, float]) -> _Gpu:
    memory = peaks.get("memory_usage_megabytes")
    if "memory_usage_gigabytes" in peaks:  # AMD's
        memory = peaks["memory_usage_gigabytes"] * 1_000
    return _Gpu(
        memory=None if memory is None else memory * _MEGABYTE,
        busiest=peaks.get("utilization_percentage"),
    )


def _peak(metrics: Mapping[str, Metric], name: str) -> float | None:
    values = _values(metrics.get(name))
    return max(values) * _MEGABYTE if values else None


def _growth(metrics: Mapping[str, Metric], name: str) -> float | None:
    values = _values(metrics.get(name))
    return (max(values) - values[0]) * _MEGABYTE if values else None


def _values(metric: Metric | None) -> list[float]:
    history = metric.history if metric else ()
    return [point.value for point in history if math.isfinite(point.value)]


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _total(sizes: Iterable[int | None]) -> int | None:
    """The sum; None where there is nothing, or a size is not known."""
    known = list(sizes)
    return sum(size or 0 for size in known) if known and None not in known else None
