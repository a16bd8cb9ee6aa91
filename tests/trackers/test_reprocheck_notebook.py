"""The program that executes notebooks inside trials, where nothing is there to execute one.

tests/test_research.py executes them for real, with papermill and with nbclient.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reprocheck.trackers.mlflow_redirect import INJECTED

PAIRED = """
# %% tags=["parameters"]
rate, fast = 0.5, True
# %%
import sys
print(rate, fast, __name__, sys.argv, sys.path[0])
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-S", "-m", "reprocheck_notebook", *words]
    env = {**os.environ, "PYTHONPATH": str(INJECTED)}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


def notebook(**metadata: object) -> str:
    return json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 3, "there is no notebook a.ipynb at the commit"),
        (notebook(language_info={"name": "R"}), 4, "the notebook is written in r"),
        (notebook(kernelspec={"language": "julia"}), 4, "the notebook is written in julia"),
        (notebook(), 5, "install papermill or nbconvert, and ipykernel"),
    ],
)
def test_what_cannot_be_executed_is_told_without_a_traceback(
    tmp_path: Path, content: str | None, code: int, said: str
) -> None:
    if content is not None:
        (tmp_path / "a.ipynb").write_text(content)
    done = run(tmp_path, "a.ipynb")
    assert done.returncode == code
    assert done.stderr.startswith("reprocheck: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_paired_script_gets_its_parameters_after_their_cell(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_text(PAIRED)
    given = json.dumps({"rate": 2, "not a name": 1})
    done = run(tmp_path, "sub/a.py", "--parameters", given)
    assert done.stdout == f"2 True __main__ ['sub/a.py'] {tmp_path / 'sub'}\n", done.stderr
    assert run(tmp_path, "sub/a.py").stdout.startswith("0.5 True")
