"""Sources that only start a notebook's kernel: they tell that there was a notebook, not which."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from reprocheck.model import Argv, Command

KERNEL_LAUNCHER = "kernel-launcher"
EXAMPLE = "notebooks/train.ipynb -p lr {params.lr}"

_LAUNCHER = re.compile(
    r"(ipykernel_launcher|colab_kernel_launcher|ipykernel|PythonShell|interactiveshell)(\.py)?"
    r"|<(stdin|string|ipython.*)>|-c|<ipython-input.*|vscode.*\.py|kernel-[-0-9a-f]+\.json"
)
_LAUNCHER_FOLDER = re.compile(r"ipykernel_\d+|ipykernel(_launcher)?|dbruntime.*|debugpy|colabtools")


def is_launcher(script: str) -> bool:
    """Whether a recorded script is only what starts a kernel: it tells of a notebook, not which."""
    path = PurePosixPath(script)
    folders = path.parts[:-1]
    return bool(_LAUNCHER.fullmatch(path.name)) or any(map(_LAUNCHER_FOLDER.fullmatch, folders))


def is_launched(command: Command) -> bool:
    """Whether a recorded command is a notebook's kernel, which anybody may have typed into."""
    words = [step.run.args for step in command.steps if isinstance(step.run, Argv)]
    return any(is_launcher(word) for args in words for word in args[:2])
