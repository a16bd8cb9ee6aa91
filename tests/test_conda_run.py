"""End to end: a training whose packages come from a conda channel, rebuilt and rerun."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprocheck.environments.uv_program import find_uv
from tests.environments.channels import PYTHON, Channel
from tests.lab import Lab

SLOPE = """
def loss(weight):
    return (weight - 2.0) ** 2

def improved(weight, rate):
    return weight - rate * 2 * (weight - 2.0)
"""


@pytest.fixture
def conda_lab(tmp_path, monkeypatch) -> Lab:
    channel = Channel(tmp_path / "channel")
    channel.add_python()
    channel.add_module("slope", "1.0", text=SLOPE)
    channel.add_module("slope", "2.0", built=datetime(2100, 1, 1, tzinfo=UTC))
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed/slope.py").write_text(SLOPE)
    # The team's own environment: the tests' one, with the package.
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    monkeypatch.setenv("RATE", "0.05")
    lab = Lab(tmp_path, "conda", dvc=False)
    lab.seeded = lab.train()
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.delenv("RATE")
    return lab


def test_a_training_with_condas_packages_reproduces(conda_lab, monkeypatch, tmp_path):
    # A cache of its own, since every session makes another channel; but uv's stays warm.
    kept = subprocess.run([find_uv(), "cache", "dir"], capture_output=True, check=True).stdout
    monkeypatch.setenv("UV_CACHE_DIR", kept.decode().strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = conda_lab.verify(conda_lab.seeded, "--reruns", "3")
    environment = result.report["environment"]
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    assert (environment["kind"], environment["python"]) == ("conda", PYTHON)
    assert f"{Path(tmp_path / 'channel').as_uri()}/noarch/slope-1.0-0" in environment["lock"]
    assert "# pip mlflow-skinny==3.17.2" in environment["lock"]
    packages = {item["name"]: item["version"] for item in environment["packages"]}
    assert packages["slope"] == "1.0"
    assert packages["mlflow-skinny"] == "3.17.2"
