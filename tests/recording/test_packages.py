import pytest

from reprocheck.config import Config
from reprocheck.recording import packages
from reprocheck.recording.base import Foreseen

COMMIT = "0123456789" * 4
DIGEST = "a" * 64


@pytest.mark.parametrize(
    "line",
    [
        "numpy==1.26.4",
        "torch==2.1.0+cpu",
        f"lib @ git+https://example.com/lib.git@{COMMIT}",
        f"lib @ git+ssh://git@example.com/lib.git@{COMMIT}#subdirectory=a",
        "lib @ https://example.com/lib-1.0.whl",
        "-e .",
        "-e ./libs/own",
        f"-e git+https://example.com/lib.git@{COMMIT}#egg=lib",
    ],
)
def test_what_can_be_installed_again_is_pinned(line):
    assert packages.unpinned(Foreseen(freeze=(line,))) == []


@pytest.mark.parametrize("line", ["lib @ git+https://example.com/lib.git@main", "numpy", "a>=1"])
def test_what_may_be_another_next_time_is_not(line):
    assert packages.unpinned(Foreseen(freeze=(line,))) == [line]


def test_a_package_of_a_local_folder_is_told_unless_conda_pins_it(situate, repo):
    repo.commit()
    local = {"package numpy": "a local file", "package own==1.0": "a folder without a remote"}
    known = {"freeze": ("numpy==1.0", "own==1.0", "pip==24.0"), "missing": local}
    (lack,) = packages.check(situate(**known, from_conda=frozenset({"numpy"})))
    assert lack.finding.message.endswith("as it is: own==1.0")
    assert lack.finding.fix.endswith("pip install --force-reinstall --no-deps own==1.0")


def test_an_interpreter_that_told_nothing_is_not_called_pinned(situate, repo):
    repo.commit()
    (lack,) = packages.check(situate())
    assert (lack.finding.code, lack.unknown) == ("unknown-environment", True)


def test_a_dockerfile_of_digests_pins_what_is_in_it(situate, repo):
    text = f"FROM python:3.11@sha256:{DIGEST} AS base\nRUN true\nFROM base\n"
    repo.commit({"Dockerfile": text, "other.Dockerfile": "FROM python:3.11\n"})
    loose = {"freeze": ("lib @ git+https://example.com/lib.git@main",)}
    for name, pinned in (("Dockerfile", True), ("other.Dockerfile", False)):
        config = Config(environment_kind="docker", environment_file=name)
        assert (packages.check(situate(config=config, **loose)) == ()) is pinned


def test_an_environment_without_pip_is_mended_by_uv(situate, repo):
    repo.commit()
    (lack,) = packages.check(situate(freeze=("own",)))
    assert lack.finding.fix == "uv pip install --python python --reinstall --no-deps own"
