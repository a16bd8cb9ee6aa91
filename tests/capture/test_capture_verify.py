"""A captured run is verified with nothing said in a reprocheck.yaml."""

import importlib.metadata
import os
import subprocess

from tests.conftest import absent
from tests.lab import Lab

TRAIN = """\
import argparse, random
import mlflow
from model import noise, SCALE

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
args = parser.parse_args()
random.seed(args.seed)
with mlflow.start_run() as run:
    mlflow.log_params(vars(args))
    for step in range(3):
        mlflow.log_metric("accuracy", SCALE * args.lr + noise(), step=step)
"""
MODEL = "from extra import noise\nSCALE = 1.0\n"
EXTRA = "import random\ndef noise():\n    return random.gauss(0, 0.01)\n"


def test_a_run_captured_without_code_is_verified(installed, python_with, tmp_path, repo):
    try:
        importlib.metadata.distribution("reprocheck-capture")  # which the rebuild takes
    except importlib.metadata.PackageNotFoundError:
        absent("reprocheck-capture is not installed beside reprocheck")
    python = python_with("2.22.0")
    lab = Lab.at(tmp_path)
    repo.commit({"src/train.py": TRAIN, "src/model.py": MODEL.replace("1.0", "0.5")})
    repo.write({"src/model.py": MODEL, "src/extra.py": EXTRA})
    env = {**os.environ, "MLFLOW_TRACKING_URI": lab.uri, "PYTHONPATH": str(installed)}
    argv = [python, "train.py", "--lr", "0.75", "--seed", "7"]
    done = subprocess.run(argv, cwd=repo.path / "src", env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    (run_id,) = lab.runs()
    result = lab.verify(run_id, "--reruns", "1")
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    assert result.report["record"]["code"]["tree"] == "dirty"
    told = [each["code"] for each in result.report["findings"] if each["severity"] != "note"]
    assert set(told) <= {"untracked-conflict"}, told
