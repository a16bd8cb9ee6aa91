"""Executes a notebook from top to bottom: python -m reprocheck_notebook NOTEBOOK [options].

Runs inside the rerun training's Python (3.8 and up), with the papermill or nbclient that is there;
nbconvert brings nbclient along. The kernel is always this Python's own, whatever name of one the
notebook has. A script that jupytext pairs with a notebook is run as plain Python.
"""

# ruff: noqa: ANN401  (notebooks, and the messages of kernels)

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

KERNEL = "python3"
NO_NOTEBOOK, NOT_PYTHON, NOTHING_EXECUTES, A_CELL_FAILED = 3, 4, 5, 1
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)


def main() -> int:
    """Executes what the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="reprocheck_notebook", description=__doc__)
    parser.add_argument("notebook")
    parser.add_argument("--parameters", default="{}", help="a JSON object")
    parser.add_argument("--output", help="where the executed notebook is written")
    given = parser.parse_args()
    parameters = json.loads(given.parameters)
    if not Path(given.notebook).is_file():
        return _refuse(NO_NOTEBOOK, "there is no notebook " + given.notebook + " at the commit")
    if given.notebook.endswith(".py"):
        _run_script(given.notebook, parameters)
        return 0
    return _execute(given.notebook, parameters, given.output)


def _refuse(code: int, said: str) -> int:
    print("reprocheck: " + said, file=sys.stderr, flush=True)  # noqa: T201
    return code


def _execute(path: str, parameters: dict[str, Any], output: str | None) -> int:
    language = _language(json.loads(Path(path).read_text(encoding="utf-8")))
    if language != "python":
        said = "the notebook is written in " + language + ": only Python's can be executed"
        return _refuse(NOT_PYTHON, said)
    lacking = [name for name in ("ipykernel", "nbclient") if not _has(name)]
    if lacking:
        return _refuse(
            NOTHING_EXECUTES,
            "the environment cannot execute a notebook, it lacks " + " and ".join(lacking) + ": "
            "install papermill or nbconvert, and ipykernel, into the run's environment",
        )
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # without it, a warning
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    execute = _by_papermill if _has("papermill") else _by_nbclient
    return execute(path, parameters, output)


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _language(notebook: Any) -> str:
    metadata = notebook.get("metadata", {})
    kernel, language = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    return str(language.get("name") or kernel.get("language") or "python").lower()


def _by_papermill(path: str, parameters: dict[str, Any], output: str | None) -> int:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            path,
            output,
            parameters=parameters,
            kernel_name=KERNEL,
            language="python",
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
        )
    except PapermillExecutionError as error:
        return _failed(str(error))
    return 0


def _by_nbclient(path: str, parameters: dict[str, Any], output: str | None) -> int:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    class Client(NotebookClient):  # type: ignore[misc]
        """Tells what cells print while they run."""

        def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
            content = msg["content"]
            if msg["msg_type"] == "stream":
                out = sys.stderr if content.get("name") == "stderr" else sys.stdout
                out.write(content["text"])
                out.flush()
            return super().output(outs, msg, display_id, cell_index)

    notebook = nbformat.read(path, as_version=4)
    _inject(notebook, parameters)
    client = Client(notebook, timeout=None, kernel_name=KERNEL)
    try:
        client.execute()
    except CellExecutionError as error:
        return _failed(str(error))
    finally:
        if output:
            nbformat.write(notebook, output)
    return 0


def _failed(said: str) -> int:
    print(_ANSI.sub("", said), file=sys.stderr, flush=True)  # noqa: T201
    return A_CELL_FAILED


def _inject(notebook: Any, parameters: dict[str, Any]) -> None:
    """Puts a cell with the parameters where papermill would."""
    import nbformat

    if not parameters:
        return
    cell = nbformat.v4.new_code_cell("# Parameters\n" + _assignments(parameters))
    cell.metadata["tags"] = ["injected-parameters"]
    if notebook.get("nbformat_minor", 0) < 5:
        cell.pop("id", None)
    tagged = [_index(notebook.cells, tag) for tag in ("injected-parameters", "parameters")]
    if tagged[0] is not None:
        notebook.cells[tagged[0]] = cell
    else:
        notebook.cells.insert(0 if tagged[1] is None else tagged[1] + 1, cell)


def _index(cells: Any, tag: str) -> int | None:
    tags = [cell.metadata.get("tags", []) for cell in cells]
    return next((index for index, named in enumerate(tags) if tag in named), None)


def _assignments(parameters: dict[str, Any]) -> str:
    # JSON's values as Python writes them; a name that is none would be code.
    named = {name: value for name, value in parameters.items() if name.isidentifier()}
    return "".join(f"{name} = {_written(value)}\n" for name, value in named.items())


def _written(value: Any) -> str:
    finite = not isinstance(value, float) or value - value == 0
    return repr(value) if finite else f"float({str(value)!r})"


def _run_script(path: str, parameters: dict[str, Any]) -> None:
    """Runs a paired script, with the parameters after its cell tagged `parameters`."""
    source = Path(path).read_text(encoding="utf-8")
    cells = list(_CELL.finditer(source))
    for index, cell in enumerate(cells):
        if parameters and re.search(r"tags=\[.*\"parameters\"", cell.group(1)):
            end = cells[index + 1].start() if index + 1 < len(cells) else len(source)
            source = source[:end] + "\n" + _assignments(parameters) + source[end:]
            break
    sys.argv = [path]
    sys.path[0] = str(Path(path).absolute().parent)
    names = {"__name__": "__main__", "__file__": path, "__builtins__": __builtins__}
    exec(compile(source, path, "exec"), names)  # noqa: S102 - the training


if __name__ == "__main__":
    sys.exit(main())
