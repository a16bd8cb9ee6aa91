"""Our own Python without its seconds of importing MLflow or DVC: a fork of one that has them."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PROGRAM = Path(__file__).with_name("warm_process.py")


def python(
    *argv: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs a script, or a module after `-m`, as `python` would."""
    process = _process()
    assert process.stdin
    assert process.stdout
    with tempfile.TemporaryDirectory() as folder:
        files = {name: str(Path(folder) / name) for name in ("stdout", "stderr")}
        asked = {"argv": argv, "cwd": str(cwd), "env": dict(env or os.environ), **files}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, "the Python that is kept warm has ended; what it printed says why"
        stdout, stderr = (Path(files[name]).read_bytes() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(argv, int(answer), stdout, stderr)


@cache
def _process() -> subprocess.Popen[bytes]:
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}
    process = subprocess.Popen(
        [sys.executable, PROGRAM], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(process.communicate)
    return process
