"""capacity: too little memory, disk or too few GPUs, told before the build."""

import dataclasses
import shutil

import pytest

from reprocheck.capacity import Demand, Places, check_gpus, environment_size, shortages
from reprocheck.errors import RebuildError
from reprocheck.machine import Machine
from reprocheck.model import Artifact, EnvironmentKind, Hardware, Limits
from tests.environments.samples import docker_spec, record, spec
from tests.reporters.builders import make_metric

GB = 10**9
MACHINE = Machine(
    hardware=Hardware(memory_bytes=24 * GB, gpu_count=1, gpus=("L4",), gpu_memory_bytes=24 * GB),
    memory_available=20 * GB,
    identity="",
)


def used(**megabytes: float):
    """A record with system metrics."""
    metrics = {f"system/{name}": make_metric(f"system/{name}", x) for name, x in megabytes.items()}
    return record(metrics=metrics)


def gpus(busy: int, memory: float = 1_000.0):
    told = {f"gpu_{i}_utilization_percentage": 50.0 for i in range(busy)}
    return used(**told, **{f"gpu_{i}_memory_usage_megabytes": memory for i in range(busy)})


@pytest.fixture
def short(tmp_path):
    def found(made, limits=None, environment=None, machine=MACHINE, reruns=1):
        demand = Demand(
            record=made, limits=limits or Limits(), reruns=reruns, environment=environment
        )
        places = Places(work=tmp_path, environments=tmp_path / "not/made/yet")
        return [(each.code, each.message) for each in shortages(demand, machine, places)]

    return found


def test_a_run_that_fits_or_tells_nothing_is_not_short(short):
    assert short(record()) == []
    assert short(used(system_memory_usage_megabytes=19_000)) == []
    assert short(gpus(1)) == []


def test_more_memory_than_there_is_is_told_with_what_a_trial_may_use(short):
    ((code, told),) = short(used(system_memory_usage_megabytes=61_000), Limits(memory=8 * 2**30))
    assert code == "little-memory"
    assert told == (
        "the run's machine used up to 61 GB of memory; this one has 24 GB in all and 20 GB free, "
        "of which a trial may use 8 GiB (limits.memory)"
    )


def test_a_limit_counts_where_it_is_kept(short):
    made, limits = used(system_memory_usage_megabytes=10_000), Limits(memory=8 * 2**30)
    assert short(made, limits, docker_spec())
    assert short(made, limits, spec("six\n")) == []


def test_fewer_gpus_than_the_run_kept_busy_are_told(short):
    ((code, told),) = short(gpus(4))
    assert (code, "4 busy GPUs; this one has 1" in told) == ("few-gpus", True)
    ((_, told),) = short(record(hardware={"gpus": "L4, L4"}))
    assert "had 2 GPUs; this one has 1" in told
    ((code, told),) = short(gpus(1), environment=docker_spec())
    assert (code, "a trial in a container gets none" in told) == ("few-gpus", True)
    assert short(gpus(1), Limits(gpus=1), docker_spec()) == []
    ((code, told),) = short(gpus(1, memory=40_000.0))
    assert (code, "40 GB" in told) == ("little-gpu-memory", True)
    unknown = dataclasses.replace(MACHINE, hardware=Hardware())
    assert short(gpus(4), machine=unknown) == []


def test_places_on_one_disk_share_what_is_free(short, tmp_path):
    free = shutil.disk_usage(tmp_path).free
    half = record(artifacts=(Artifact(path="model", size=free * 2 // 3),))
    assert short(half) == []
    ((code, told),) = short(half, reruns=2)
    assert (code, "artifacts of the reruns" in told) == ("little-disk", True)
    most = record(artifacts=(Artifact(path="model", size=free - GB),))
    ((_, told),) = short(most, environment=spec("torch==2.1.0\n"))
    assert "6.3 GB for the environment, roughly" in told


@pytest.mark.parametrize(
    ("content", "size"),
    [
        *(("six\n", 0.3), ("torch==2.1\ntorchvision\n", 6.3), ("torch==2.1+cpu\n", 0.3)),
        *(("tensorflow>=2\njax[cuda12]==0.4\n", 7.3), ("pytorch-lightning\nmy_torch\n", 0.3)),
    ],
)
def test_an_environments_size_is_guessed_by_its_large_packages(content, size):
    assert environment_size(spec(content)) == pytest.approx(size * GB)


def test_gpus_that_the_config_asks_for_and_are_not_there_are_refused():
    docker = EnvironmentKind.DOCKER
    check_gpus(Limits(gpus=1), docker, MACHINE)
    check_gpus(Limits(gpus=2), EnvironmentKind.VENV, MACHINE)
    check_gpus(Limits(gpus=2), docker, dataclasses.replace(MACHINE, hardware=Hardware()))
    with pytest.raises(RebuildError, match="asks for 2 GPUs, and this machine has 1") as caught:
        check_gpus(Limits(gpus=2), docker, MACHINE)
    assert "limits.gpus" in caught.value.hint
