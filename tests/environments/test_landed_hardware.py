"""landed_hardware: what computes in a built environment, asked inside of it."""

import dataclasses
import json
import os
import time
from datetime import UTC, datetime

import pytest

from reprocheck.environments.landed_hardware import Probing, landed_of, modules_of
from reprocheck.machine import read_machine
from reprocheck.model import EnvironmentKind, Limits, Package
from tests.environments.images import base_image
from tests.environments.samples import command, docker_spec, spec
from tests.test_hardware_probe import SMI, program

RUN = command(("python", "train.py"))


@pytest.fixture
def probing(tmp_path):
    """What is asked, with answers kept for this test alone."""
    numbers = iter(range(9))

    def make(**fields) -> Probing:
        given = {
            "command": RUN,
            "env": {},
            "caller": dict(os.environ),
            "frameworks": (),
            "limits": Limits(),
            "machine": read_machine(os.environ, tmp_path),
            "folder": tmp_path / f"probe-{next(numbers)}",
            "kept": tmp_path / "kept",
        }
        return Probing(**(given | fields))

    return make


@pytest.fixture
def numeric(build):
    """An environment with numpy, and no threadpoolctl."""
    return build(spec("numpy==2.1.3\n"), started_at=datetime(2025, 1, 1, tzinfo=UTC))


def test_the_blas_that_computes_in_an_environment_is_found(numeric, probing):
    found = landed_of(numeric, probing())
    assert found.blas == ("openblas 0.3.27",)
    assert len(found.blas_core or ()) == 1
    assert found.threads == {"blas": len(os.sched_getaffinity(0))}
    assert found.cpu_count == probing().machine.hardware.cpu_count


def test_the_gpus_that_a_trial_sees_are_found(build, probing, tmp_path):
    program(tmp_path, "nvidia-smi", SMI)
    env = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}", CUDA_VISIBLE_DEVICES="1")
    found = landed_of(build(spec("six\n"), env=env), probing(caller=env))
    assert (found.gpus, found.gpu_driver) == (("NVIDIA A100-SXM4-40GB",), "535.161.08")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="core types of x86")
def test_restored_settings_change_what_lands(numeric, probing):
    env = {"OPENBLAS_CORETYPE": "Sandybridge", "OPENBLAS_NUM_THREADS": "1"}
    found = landed_of(numeric, probing(env=env))
    assert (found.blas_core, found.threads) == (("Sandybridge",), {"blas": 1})
    free = landed_of(numeric, probing())
    assert free.blas_core != ("Sandybridge",)  # an answer is kept for its settings only


def test_an_answer_is_kept_until_something_it_depends_on_changes(numeric, probing):
    first = landed_of(numeric, probing())
    (kept,) = probing().kept.iterdir()
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "cpu_count": 77}))
    assert landed_of(numeric, probing()).cpu_count == 77
    other = dataclasses.replace(probing().machine, identity="another")
    assert landed_of(numeric, probing(machine=other)) == first
    kept.write_text("broken")
    assert landed_of(numeric, probing()) == first


def test_asking_what_computes_nothing_is_quick(build, probing):
    plain, asked = build(spec("six\n")), probing()
    started = time.monotonic()
    found = landed_of(plain, asked)
    assert time.monotonic() - started < 3.0  # 0.2 s where nothing else runs
    assert (found.blas, found.blas_core, found.threads) == ((), (), {})
    assert found.cpu_model


def test_an_environment_that_does_not_answer_has_the_machines_processor(build, probing):
    broken = build(spec("six\n"))
    folder = broken.folder / "absent"
    silent = dataclasses.replace(broken, folder=folder)
    asked = probing()
    found = landed_of(silent, asked)
    assert found.cpu_model == asked.machine.hardware.cpu_model
    assert (found.blas, found.threads, found.gpus) == (None, None, None)
    assert not asked.kept.exists()


def test_a_container_is_asked_inside(build, probing):
    install = "RUN uv pip install --system --break-system-packages numpy==2.1.3"
    sandbox = build(docker_spec(install, base=base_image()), limits=Limits(memory=2**29, cpus=1))
    found = landed_of(sandbox, probing(env={"OMP_NUM_THREADS": "1"}))
    assert (found.blas, found.threads) == (("openblas 0.3.27",), {"blas": 1})
    assert (found.gpus, found.memory_bytes, found.cpu_count) == ((), 2**29, 1)
    assert found.os is None  # of the image


def test_only_what_is_installed_and_imported_is_asked(build):
    def modules(*frameworks, installed):
        packages = tuple(Package(name=name, version="1") for name in installed)
        built = dataclasses.replace(sample, packages=packages)
        return modules_of(built, frameworks)

    sample = build(spec("six\n")).built
    assert sample.kind is EnvironmentKind.VENV
    every = ("NumPy", "scipy", "scikit_learn", "torch", "xgboost")
    assert modules(installed=every) == ("numpy", "scipy.linalg")
    assert modules("scikit-learn", installed=every) == ("numpy", "scipy.linalg", "sklearn")
    assert modules("transformers", installed=every)[-1] == "torch"
    assert modules("torch", installed=()) == ()
