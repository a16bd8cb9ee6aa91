"""A Python that has imported MLflow and DVC, and runs scripts in forks of itself.

Run as a program. On stdin, each line is a request in JSON: `argv` as after `python`, `cwd`, `env`,
and the files for `stdout` and `stderr`; for each, a line on stdout is the exit code.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

# Each is imported once, for all forks.
IMPORTED = (
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.tracking.file_store"),
    *("alembic.command", "dulwich.porcelain", "rich.live", "networkx"),
    *("dvc.cli.parser", "dvc.analytics", "dvc.repo.index", "dvc.repo.reproduce"),
    *("dvc.cachemgr", "dvc.data_cloud", "dvc_data.index.push", "dvc_data.hashfile.build"),
)


def main() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else the forks' collections write to all of its memory, which is then copied
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    while line := requests.readline():
        child = os.fork()
        if child == 0:
            end(run, json.loads(line))
        status = os.waitpid(child, 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)


def end(work: Callable[..., object], request: dict[str, Any]) -> NoReturn:
    """Ends as Python does, but for freeing each object: that takes as long as a script."""
    code: object = 0
    try:
        work(**request)
    except SystemExit as asked:
        code = asked.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def run(argv: list[str], cwd: str, env: dict[str, str], **outputs: str) -> None:
    import numpy as np

    for number, name in enumerate((os.devnull, outputs["stdout"], outputs["stderr"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    np.random.seed()
    execute(argv)


def execute(argv: list[str]) -> object:
    module = argv[0] == "-m"
    place = Path.cwd() if module else Path(argv[0]).resolve().parent
    given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:1] = [str(place), *given]  # as a Python that starts has them
    if module:
        sys.argv = argv[1:]
        return runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    sys.argv = argv
    return runpy.run_path(argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
