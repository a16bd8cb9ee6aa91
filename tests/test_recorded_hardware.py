"""recorded_hardware: what a record tells of its machine, and where."""

import dataclasses

import pytest

from reprocheck.determinism import settings
from reprocheck.model import Command, Hardware, Origin, OriginKind
from reprocheck.recorded_hardware import asked_of, world_size
from tests.environments.samples import command, record
from tests.reporters.builders import make_metric

GPUS = {
    f"system/gpu_{index}_utilization_percentage": (
        f"system/gpu_{index}_utilization_percentage",
        busy,
    )
    for index, busy in ((0, 80.0), (1, 0.0))
}


def asked(**fields) -> tuple[Hardware, dict[str, str]]:
    made = record(**fields)
    found, origins = asked_of(made, settings(made))
    return found, {name: origin.where for name, origin in origins.items()}


def test_an_empty_record_tells_nothing():
    assert asked() == (Hardware(), {})


def test_the_records_own_hardware_counts_first():
    own = Origin(kind=OriginKind.ARTIFACT, where="reprocheck/record.json")
    found, where = asked(
        hardware={"world_size": "8", "gpus": "L4, L4"},
        parameters={"world_size": "2", "num_gpus": "4"},
        origins={"/hardware": own},
    )
    assert found == Hardware(world_size=8, gpus=("L4", "L4"), gpu_count=2)
    assert set(where.values()) == {"reprocheck/record.json"}


def test_tags_parameters_and_settings_tell_and_say_where():
    found, where = asked(
        tags={"hardware.cpu_model": "EPYC", "env.SLURM_NTASKS": "4", "env.OMP_NUM_THREADS": "6"},
        parameters={"trainer/num_gpus": "4", "OPENBLAS_NUM_THREADS": "3", "batch": "9"},
    )
    threads = {"blas": 3, "openmp": 6, "torch": 6}
    assert found == Hardware(cpu_model="EPYC", world_size=4, gpu_count=4, threads=threads)
    assert where["cpu_model"] == "hardware.cpu_model"
    assert where["gpu_count"] == "parameter trainer/num_gpus"
    assert where["world_size"] == "env.SLURM_NTASKS"


def test_system_metrics_tell_how_many_gpus_there_were_unless_all_were_idle():
    busy = {name: make_metric(*told) for name, told in GPUS.items()}
    assert asked(metrics=busy)[0].gpu_count == 2
    idle = {name: make_metric(name, 0.0) for name in GPUS}
    assert asked(metrics=idle) == (Hardware(), {})


@pytest.mark.parametrize(
    ("run", "count"),
    [
        (("torchrun", "--nproc_per_node=4", "train.py"), 4),
        (("torchrun", "--nnodes", "2", "--nproc-per-node", "4", "train.py"), 8),
        (("python", "-m", "torch.distributed.run", "--nproc_per_node=2", "t.py"), 2),
        (("torchrun", "--nproc_per_node=gpu", "train.py"), None),
        (("torchrun", "train.py", "--nproc_per_node=4"), None),
        ("accelerate launch --num_processes 3 train.py", 3),
        ("/opt/bin/mpirun -np 4 python train.py -n 9", 4),
        (("python", "train.py", "--np", "4"), None),
        ("python 'train.py", None),
    ],
)
def test_launchers_say_how_many_processes_they_start(run, count):
    assert world_size(command(run), {}) == count


def test_variables_say_how_many_processes_there_are_where_no_launcher_does():
    plain = Command(steps=command(("python", "train.py")).steps, env={"WORLD_SIZE": "4"})
    assert world_size(plain, {}) == 4
    assert world_size(plain, {"WORLD_SIZE": "2"}) == 2
    assert world_size(dataclasses.replace(plain, env={"WORLD_SIZE": "x"}), {}) is None
