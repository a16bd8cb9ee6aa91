"""Sources that only start a notebook's kernel: they tell that there was a notebook, not which."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

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
