import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def install(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": os.devnull}
    script = ROOT / "install-action.sh"
    return subprocess.run(
        ["bash", script], env=env | inputs, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"INPUT_EXTRAS": "s3, --index-url"}, "::input extras: there is no extra of that name"),
        ({"INPUT_PYTHON_VERSION": "3.12 --clear"}, "::input python-version: write a version"),
        ({"RUNNER_OS": "Windows"}, "::reprocheck runs under Linux and macOS"),
    ],
)
def test_what_cannot_be_installed_is_told(
    inputs: dict[str, str], message: str, tmp_path: Path
) -> None:
    done = install(tmp_path, **inputs)
    assert done.returncode == 1
    assert message in done.stdout
    assert not list(tmp_path.iterdir())


def test_every_extra_can_be_installed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    script = (ROOT / "install-action.sh").read_text()
    (offered,) = re.findall(r"choose from ([\w, ]+)", script)
    assert set(offered.split(", ")) == set(extras) - {"gitlab"}
    locked = (ROOT / "requirements-extras.lock").read_text()
    for package in re.findall(r"package=([\w-]+)", script):
        assert re.search(rf"^{package}==", locked, re.M)


@pytest.mark.parametrize("lock", ["extras", "build"])
def test_the_locks_agree_on_the_packages_that_they_share(lock: str) -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==[^ ;]+)", (ROOT / name).read_text(), re.M))

    def names(found: set[str]) -> set[str]:
        return {pin.partition("==")[0] for pin in found}

    main, other = pins("requirements.lock"), pins(f"requirements-{lock}.lock")
    assert names(main - other) & names(other) == set()
