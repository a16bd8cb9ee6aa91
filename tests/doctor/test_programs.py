"""uv, Pythons, conda, bubblewrap, GPUs and disks."""

import dataclasses
import os
import shutil
import sys

import pytest

from reprocheck.config import Config
from reprocheck.doctor import Status, conda, disk, hardware, needs, pythons, sandbox, uv
from reprocheck.doctor.base import Needs
from reprocheck.environments import conda_rattler
from reprocheck.environments.isolation import offered
from reprocheck.model import Limits
from tests.conftest import need


def with_needs(request):
    return dataclasses.replace(request, needs=needs.needs_of(request))


# --- uv -----------------------------------------------------------------------------------


def test_uv_tells_its_version_and_its_cache(about, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/wheel").write_bytes(b"x" * 1500)
    (check,) = uv.check_uv(about({"UV_CACHE_DIR": str(tmp_path / "cache")}))
    assert check.status is Status.OK
    assert f"cache 1.5 kB in {tmp_path}/cache" in check.told


def test_an_absent_cache_is_not_made(about, tmp_path):
    (check,) = uv.check_uv(about({"UV_CACHE_DIR": str(tmp_path / "absent")}))
    assert check.status is Status.OK
    assert not (tmp_path / "absent").exists()


def test_a_cache_that_cannot_be_written_is_an_error(about, tmp_path, monkeypatch):
    monkeypatch.setattr(uv, "writable", lambda folder: False)  # root may write everywhere
    (check,) = uv.check_uv(about({"UV_CACHE_DIR": str(tmp_path / "cache")}))
    assert check.status is Status.ERROR
    assert f"{tmp_path}/cache cannot be written" in check.told
    assert "UV_CACHE_DIR" in check.mend


# --- Python -------------------------------------------------------------------------------


def test_a_python_that_the_repository_asks_for_is_looked_for(about, repo):
    repo.write({".python-version": "3.99.1\n", "requirements.txt": "six==1.16.0\n"})
    (check,) = pythons.check_pythons(with_needs(about()))
    assert check.status is Status.ERROR
    assert "the repository asks for 3.99.1" in check.told
    assert check.mend == "uv python install 3.99.1"


def test_another_patch_is_a_warning(about, repo):
    version = "{}.{}.99".format(*sys.version_info[:2])
    repo.write({".python-version": version, "requirements.txt": "six==1.16.0\n"})
    (check,) = pythons.check_pythons(with_needs(about()))
    assert check.status is Status.WARNING
    assert check.mend == f"uv python install {version}"


def test_a_python_that_may_be_downloaded_is_no_error(about, repo):
    repo.write({"requirements.txt": "six==1.16.0\n"})
    config = Config(environment_python="3.99.1", download_python=True)
    (check,) = pythons.check_pythons(with_needs(about(config=config)))
    assert check.status is Status.OK
    assert "3.99.1 would be downloaded" in check.told


# --- conda --------------------------------------------------------------------------------


def test_a_conda_on_path_is_told_with_its_version(about, program):
    folder = program("micromamba", "echo 2.0.5")
    (check,) = conda.check_conda(about({"PATH": f"{folder}:/usr/bin:/bin"}))
    assert check.status is Status.OK
    assert check.told.startswith(f"micromamba 2.0.5 ({folder}/micromamba)")


def test_conda_is_an_error_only_where_the_project_asks_for_it(about, tmp_path, monkeypatch):
    monkeypatch.setattr(conda_rattler, "is_installed", lambda: False)
    bare = {"PATH": str(tmp_path)}
    assert conda.check_conda(about(bare))[0].status is Status.MISSING
    (check,) = conda.check_conda(about(bare, needs=Needs(conda="environment.yml")))
    assert check.status is Status.ERROR
    assert check.mend == "pip install 'reprocheck[conda]'"
    assert "environment.yml needs it" in check.told


# --- what the project needs ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "engine", "conda_by"),
    [
        ({}, "", ""),
        ({"requirements.txt": "six\n"}, "", ""),
        ({"Dockerfile": "FROM scratch\n"}, "Dockerfile", ""),
        ({"environment.yml": "dependencies: [numpy, python=3.11]\n"}, "", "environment.yml"),
        ({"environment.yml": "dependencies: [python=3.11, {pip: [six]}]\n"}, "", ""),
    ],
)
def test_the_repositorys_files_say_what_a_rebuild_needs(about, repo, files, engine, conda_by):
    repo.write(files)
    found = needs.needs_of(about())
    assert (found.engine, found.conda) == (engine, conda_by)


def test_the_configs_kind_of_environment_is_needed(about):
    found = needs.needs_of(about(config=Config(environment_kind="docker")))
    assert found.engine == "environment.kind in reprocheck.yaml"


def test_a_file_that_the_config_names_in_vain_is_an_error(about):
    request = with_needs(about(config=Config(environment_file="absent.txt")))
    (check,) = needs.check_environment(request)
    assert check.status is Status.ERROR
    assert "absent.txt" in check.told


# --- bubblewrap ---------------------------------------------------------------------------


def test_bubblewrap_really_makes_its_namespaces(about):
    need("bwrap")
    (check,) = sandbox.check_bubblewrap(about())
    if offered(os.environ).reason:
        assert check.status is Status.WARNING
    else:
        assert check.told.endswith("its namespaces work")


def test_a_bubblewrap_that_the_kernel_refuses_is_a_warning_with_the_setting(about, program):
    refusal = "bwrap: No permissions to create new namespace"
    folder = program(
        "bwrap", f'[ "$1" = --version ] && exec echo bubblewrap 0.8.0\necho "{refusal}" >&2; exit 1'
    )
    (check,) = sandbox.check_bubblewrap(about({"PATH": f"{folder}:/usr/bin:/bin"}))
    assert check.status is Status.WARNING
    assert check.told == "0.8.0 does not work here: No permissions to create new namespace"
    assert "userns" in check.mend


# --- hardware -----------------------------------------------------------------------------


def test_the_processor_and_the_memory_are_told(about):
    (cpu,) = hardware.check_cpu(about())
    (memory,) = hardware.check_memory(about())
    assert "core" in cpu.told
    assert memory.told.endswith("GB available")


def test_a_limit_that_the_machine_does_not_have_is_a_warning(about):
    config = Config(limits=Limits(memory=10**15))
    (check,) = hardware.check_memory(about(config=config))
    assert check.status is Status.WARNING
    assert "limits.memory in reprocheck.yaml is 1000 TB" in check.told


def test_no_gpu_is_an_error_only_where_the_config_wants_one(about, tmp_path):
    bare = {"PATH": str(tmp_path)}
    (check,) = hardware.check_gpu(about(bare))
    assert (check.status, check.told) == (Status.OK, "none found")
    (check,) = hardware.check_gpu(about(bare, config=Config(limits=Limits(gpus=2))))
    assert check.status is Status.ERROR
    assert "limits.gpus in reprocheck.yaml is 2" in check.told


def test_gpus_are_told_as_their_programs_tell_them(about, program, tmp_path):
    folder = program("nvidia-smi", "echo 'NVIDIA A100-SXM4-40GB, 535.129.03, 40960'")
    env = {"PATH": folder, "DOCKER_HOST": f"unix://{tmp_path}/absent.sock"}
    (check,) = hardware.check_gpu(about(env, config=Config(limits=Limits(gpus=1))))
    assert check.status is Status.OK
    assert check.told == "NVIDIA A100-SXM4-40GB, 42.9 GB, driver 535.129.03"
    card = '{"card0": {"Card Series": "MI250X", "VRAM Total Memory (B)": "68702699520"}}'
    (tmp_path / "programs/nvidia-smi").unlink()
    program("rocm-smi", f"echo '{card}'")
    assert hardware.check_gpu(about(env))[0].told == "MI250X, 68.7 GB"


def test_a_driver_that_does_not_answer_is_a_warning(about, program):
    (check,) = hardware.check_gpu(about({"PATH": program("nvidia-smi", "exit 9")}))
    assert check.status is Status.WARNING
    assert check.mend


# --- disks --------------------------------------------------------------------------------


def test_little_room_is_a_warning_and_none_an_error(tmp_path, monkeypatch):
    folder = tmp_path / "absent/cache"
    assert disk.disk("cache", folder).status is Status.OK
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(disk, "LITTLE", 2 * free)
    assert disk.disk("cache", folder, "XDG_CACHE_HOME").status is Status.WARNING
    monkeypatch.setattr(disk, "NOTHING", 2 * free)
    check = disk.disk("cache", folder, "XDG_CACHE_HOME")
    assert check.status is Status.ERROR
    assert "export XDG_CACHE_HOME" in check.mend
    assert not folder.exists()


def test_a_user_without_a_home_has_no_place_for_environments(about, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "relative")
    monkeypatch.setattr("os.getuid", lambda: 987_654)  # in no password file
    cache = disk.check_disks(about())[0]
    assert cache.status is Status.ERROR
    assert "XDG_CACHE_HOME" in cache.mend
