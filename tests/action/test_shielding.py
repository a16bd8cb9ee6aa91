"""What a training, which runs as the same user, can read of the step that started it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_STEP = """
import ctypes, subprocess, sys
from reprocheck.action.shielding import shield
readable = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
shield()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
subprocess.run([sys.executable, "-c", readable], check=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has /proc")
def test_no_other_process_reads_the_token_of_the_step() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STEP], check=True, capture_output=True, text=True, timeout=30
    )
    before, after, started = done.stdout.split()
    assert (before, after) == ("1", "0")
    assert started == "1", "what is started is as other processes are"
