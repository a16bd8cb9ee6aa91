"""Signals in the middle of a trial, and two verifications at the same time."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, copy_of

HANGING = """
import os, time
if os.fork() == 0:
    os.setsid()
    os.execvp("sleep", ["sleep", "{mark}"])
time.sleep({mark})
"""


def processes(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"sleep {mark}" in line or f"train.py --mark {mark}" in line:
            found.append(line)
    return found


@pytest.fixture
def hanging(lab: Lab, tmp_path: Path) -> Iterator[tuple[Lab, str]]:
    """A project whose training hangs, with a child that left the session."""
    lab = copy_of(lab, tmp_path)
    mark = f"7{time.time_ns() % 10**8:08d}"
    lab.repo.write({"train.py": HANGING.replace("{mark}", mark)})
    lab.repo.write({"reprocheck.yaml": f"version: 1\ncommand: python train.py --mark {mark}\n"})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", lab.repo.commit())
    yield lab, mark


def start(lab: Lab) -> "subprocess.Popen[bytes]":
    argv = lab.command("verify", lab.seeded, "--tracking-uri", lab.uri)
    return subprocess.Popen(
        argv,
        cwd=lab.repo.path,
        env=lab.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_for(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_every_process_and_removes_the_workspace(
    hanging: tuple[Lab, str], signum: signal.Signals, code: int
) -> None:
    lab, mark = hanging
    verification = start(lab)
    wait_for(lambda: len(processes(mark)) >= 2)
    verification.send_signal(signum)
    output, _ = verification.communicate(timeout=30)
    assert verification.returncode == code, output.decode()
    assert b"Traceback" not in output
    assert processes(mark) == []
    assert lab.leftovers == []


def test_kill_9_ends_every_process_of_the_trial(hanging: tuple[Lab, str]) -> None:
    lab, mark = hanging
    verification = start(lab)
    wait_for(lambda: len(processes(mark)) >= 2)
    verification.kill()
    verification.communicate(timeout=30)
    wait_for(lambda: processes(mark) == [], seconds=15)


def test_two_verifications_of_one_run_at_the_same_time_both_work(lab: Lab) -> None:
    both = [start(lab), start(lab)]
    outputs = [verification.communicate(timeout=120)[0].decode() for verification in both]
    assert [verification.returncode for verification in both] == [0, 0], outputs
    assert all("IDENTICAL" in output for output in outputs)
    assert lab.leftovers == []
