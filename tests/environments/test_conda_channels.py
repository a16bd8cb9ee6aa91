"""conda_channels: where channels are."""

from __future__ import annotations

import pytest

from reprocheck.environments.conda_channels import Channels
from reprocheck.environments.conda_files import CondaAsked, CondaPackage

MIRRORS = {"conda-forge": "https://mirror.invalid/cf/", "own": "file:///srv/own"}


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("conda-forge", ("https://mirror.invalid/cf",)),
        ("https://elsewhere.invalid/conda-forge/", ("https://mirror.invalid/cf",)),
        ("https://elsewhere.invalid/other/", ("https://elsewhere.invalid/other",)),
        ("pytorch", ("pytorch",)),
        ("defaults", ("main", "r")),
        ("pkgs/main", ("main",)),
    ],
)
def test_a_channel_is_where_the_config_says_or_left_to_conda(name, places):
    assert Channels(mirrors=MIRRORS).places(name) == places


def test_the_alias_is_the_place_of_channels_with_only_a_name():
    channels = Channels(mirrors=MIRRORS, alias="https://alias.invalid/")
    assert channels.places("pytorch") == ("https://alias.invalid/pytorch",)
    assert channels.places("own") == ("file:///srv/own",)


def test_a_conda_of_the_machine_knows_its_own_default_channels():
    assert Channels(mirrors={}, program=True).places("defaults") == ("defaults",)
    mirrored = Channels(mirrors={"defaults": "file:///d"}, program=True)
    assert mirrored.places("defaults") == ("file:///d",)


def test_the_channel_that_a_package_names_is_found_too():
    asked = CondaAsked(channels=("pytorch",), specs=("own::a>=1", "defaults::b", "c"))
    found = Channels(mirrors=MIRRORS).located(asked)
    assert found.specs == ("file:///srv/own::a>=1", "b", "c")
    assert found.channels == ("pytorch", "file:///srv/own", "main", "r")


def test_a_locks_packages_come_from_the_mirror_too():
    packages = (
        CondaPackage(url="https://conda.invalid/conda-forge/noarch/a-1-0.conda", md5="0"),
        CondaPackage(url="https://conda.invalid/pytorch/noarch/b-1-0.conda"),
    )
    found = Channels(mirrors=MIRRORS).located(CondaAsked(packages=packages))
    assert found.packages[0].url == "https://mirror.invalid/cf/noarch/a-1-0.conda"
    assert found.packages[1] == packages[1]
