"""A verification in a container, from end to end."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.environments.images import base_image, engine
from tests.lab import Lab, copy_of

DOCKERFILE = """FROM {base}
COPY requirements.txt /
RUN uv pip install --system --break-system-packages -r /requirements.txt
"""
PINNED = "mlflow-skinny==3.17.2\n"
OWNER = "io.reprocheck.owner"


@pytest.fixture
def docker_lab(lab: Lab, tmp_path: Path) -> Lab:
    """The project, with a Dockerfile and today's MLflow at the commit."""
    lab = copy_of(lab, tmp_path)
    files = {"Dockerfile": DOCKERFILE.format(base=base_image()), "requirements.txt": PINNED}
    at_commit(lab, **files)
    return lab


def at_commit(lab: Lab, **files: str) -> None:
    lab.repo.write({name.replace("_", ".", 1): text for name, text in files.items()})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", lab.repo.commit())


def test_a_run_is_verified_in_a_container_without_network(docker_lab: Lab) -> None:
    text = (docker_lab.repo.path / "reprocheck.yaml").read_text()
    at_commit(docker_lab, reprocheck_yaml=text + "limits: {memory: 1GiB, cpus: 1, pids: 200}\n")
    result = docker_lab.verify(docker_lab.seeded)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    built = result.report["environment"]
    assert built["kind"] == "docker"
    assert "no network" in built["isolation"]
    assert "1 GiB" in built["isolation"]
    assert "mlflow-skinny==3.17.2" in built["lock"]
    assert docker_lab.leftovers == []


def test_a_failed_build_is_not_verified_and_shows_the_end_of_its_log(docker_lab: Lab) -> None:
    at_commit(docker_lab, Dockerfile=f"FROM {base_image()}\nRUN echo so far && exit 7\n")
    result = docker_lab.verify(docker_lab.seeded)
    assert (result.exit_code, result.verdict) == (3, "NOT_VERIFIED")
    assert "a step failed" in result.stdout
    assert "so far" in result.stdout


def test_what_a_killed_verification_left_is_removed_by_clean(docker_lab: Lab) -> None:
    verification = hanging(docker_lab)
    verification.send_signal(signal.SIGKILL)
    verification.communicate()
    assert containers(verification.pid)
    cleaned = docker_lab.reprocheck("clean")
    assert (cleaned.exit_code, "containers 0" in cleaned.stdout) == (0, False)
    assert "temporary folders" in cleaned.stdout
    assert containers(verification.pid) == []
    assert docker_lab.leftovers == []


def test_a_signal_removes_the_container(docker_lab: Lab) -> None:
    verification = hanging(docker_lab)
    verification.send_signal(signal.SIGTERM)
    output, _ = verification.communicate(timeout=60)
    assert verification.returncode == 143, output.decode()
    assert containers(verification.pid) == []
    assert docker_lab.leftovers == []


def hanging(lab: Lab) -> subprocess.Popen[bytes]:
    """A verification whose trial sleeps in its container."""
    lab.repo.write({"train.py": "import time\ntime.sleep(77)\n"})
    at_commit(lab)
    argv = lab.command("verify", lab.seeded, "--tracking-uri", lab.uri)
    verification = subprocess.Popen(
        argv, cwd=lab.repo.path, env=lab.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 60
    while not containers(verification.pid):
        if verification.poll() is not None or time.monotonic() > deadline:
            verification.kill()
            pytest.fail(verification.communicate()[0].decode())
        time.sleep(0.1)
    return verification


def containers(pid: int) -> list[object]:
    """Containers that run a trial for a process."""
    found = engine().containers.list(filters={"label": OWNER}, ignore_removed=True)
    return [
        item
        for item in found
        if f"|{pid}|" in item.labels[OWNER] and "train.py" in str(item.attrs["Args"])
    ]
