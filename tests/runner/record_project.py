"""Prepares, commits and trains the demo's project, all in one process: imports take longest.

Arguments: the folder of its DVC remote, and a file with what its training does besides.
"""

import runpy
import subprocess
import sys
from pathlib import Path

from dvc.cli import main as dvc


def script(name: str, *args: str) -> None:
    sys.argv = [name, *args]
    runpy.run_path(name, run_name="__main__")


def commit(message: str) -> None:
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", "commit", "--quiet", "--message", message], check=True)


def tracked(*args: str) -> None:
    assert dvc([*args, "--quiet"]) == 0


if __name__ == "__main__":
    remote, besides = sys.argv[1:]
    Path("gitignore").rename(".gitignore")
    script("prepare.py")
    tracked("init")
    tracked("remote", "add", "--default", "storage", remote)
    tracked("add", "data/train.csv", "data/test.csv")
    tracked("push")
    commit("Digits, and how to classify them")
    subprocess.run(["git", "checkout", "--quiet", "-b", "topic"], check=True)
    with Path("train.py").open("a") as file:
        file.write(Path(besides).read_text())
    commit("Train, and look around")
    for seed in ("7", "13"):
        script("train.py", "--seed", seed)
