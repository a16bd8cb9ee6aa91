"""What a run used of its machine, by MLflow's system metrics."""

import dataclasses
import math

import pytest

from reprocheck.model import Artifact, Metric
from reprocheck.resources import Resources, resources_of
from tests.reporters.builders import make_metric, make_record


def used(artifacts: tuple[Artifact, ...] = (), **system: list[float]) -> Resources:
    metrics: dict[str, Metric] = {"accuracy": make_metric("accuracy", 0.9)}
    for key, values in system.items():
        name = f"system/{key.replace('__', '/')}"
        metrics[name] = make_metric(name, *values)
    return resources_of(make_record(metrics=metrics, artifacts=artifacts, data=()))


def test_without_system_metrics_nothing_is_known() -> None:
    assert used() == Resources()


def test_memory_is_the_peak_and_disk_the_growth() -> None:
    found = used(
        system_memory_usage_megabytes=[8_000, 9_500, 9_000],
        disk_usage_megabytes=[70_000, 70_250, 70_200],
        cpu_utilization_percentage=[99],
    )
    assert (found.memory, found.disk, found.gpus) == (9.5e9, 2.5e8, None)


def test_a_gpu_that_computed_nothing_is_not_busy() -> None:
    found = used(
        gpu_0_memory_usage_megabytes=[100, 14_000],
        gpu_0_utilization_percentage=[0, 80],
        gpu_1_memory_usage_megabytes=[3],
        gpu_1_utilization_percentage=[0],
    )
    assert (found.gpus, found.gpus_busy, found.gpu_memory) == (2, 1, 1.4e10)


def test_amds_gigabytes_count_as_such() -> None:
    assert used(gpu_0_memory_usage_gigabytes=[14.0]).gpu_memory == 1.4e10


def test_machines_are_counted_and_the_fullest_is_told() -> None:
    found = used(
        node_0__system_memory_usage_megabytes=[1_000],
        node_1__system_memory_usage_megabytes=[3_000],
        node_0__gpu_0_memory_usage_megabytes=[10],
        node_1__gpu_0_memory_usage_megabytes=[20],
    )
    assert (found.machines, found.memory, found.gpus, found.gpu_memory) == (2, 3e9, 2, 2e7)


def test_values_that_are_no_numbers_do_not_count() -> None:
    assert used(system_memory_usage_megabytes=[math.nan, 5.0]).memory == 5e6
    assert used(system_memory_usage_megabytes=[math.nan]).memory is None


@pytest.mark.parametrize(("sizes", "total"), [((1, 2), 3), ((1, None), None), ((), None)])
def test_a_size_that_is_not_known_makes_no_sum(
    sizes: tuple[int | None, ...], total: int | None
) -> None:
    artifacts = tuple(Artifact(path=f"a{size}", size=size) for size in sizes)
    assert used(artifacts).artifacts == total
    assert dataclasses.replace(used(artifacts), artifacts=None) == Resources()
