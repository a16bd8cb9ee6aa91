"""Notebooks: executed from top to bottom by what the run's environment has for it.

A command that executes a notebook becomes one of a small program of ours, which is beside every
trial and takes papermill or nbclient (nbconvert's own), whichever is there.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from reprocheck.command.base import CommandFound, Search, as_typed, find_in_tree, tool_words
from reprocheck.errors import SourceError
from reprocheck.model import Argv, Command, Finding, Origin, OriginKind, RunRecord, Severity, Step
from reprocheck.placeholders import parameters_given

RUNNER = "reprocheck_notebook"
"""The program's module; the tracker's redirection puts it on the trial's PYTHONPATH."""

_HEADER = re.compile(r"^#\s+(jupytext:|formats:)", re.MULTILINE)
_HEADER_LINES = 30
_MOST_BYTES = 50_000_000
# Options of papermill with as many values as they take; the notebook's kernel is the environment's.
_PAPERMILL = {
    **dict.fromkeys(("-p", "--parameters", "-r", "--parameters_raw"), 2),
    **dict.fromkeys(("-f", "--parameters_file", "-y", "--parameters_yaml"), 1),
    **dict.fromkeys(("-b", "--parameters_base64", "-k", "--kernel", "-l", "--language"), 1),
    **dict.fromkeys(("--engine", "--request-save-on-cell-execute", "--autosave-cell-every"), 1),
    **dict.fromkeys(("--start-timeout", "--start_timeout", "--execution-timeout", "--cwd"), 1),
    **dict.fromkeys(("--execution_timeout", "--stdout-file", "--stderr-file"), 1),
}


def is_notebook(word: str) -> bool:
    """Whether a word names a notebook."""
    return word.endswith(".ipynb") and not word.startswith("-")


def executed(step: Step, tree: Path) -> Step:
    """The step with our program in place of what executes a notebook; any other as it is.

    Raises `SourceError` for parameters of papermill that cannot be read.
    """
    words = tool_words(step)
    rest = words[1:]
    if words[:1] == ("papermill",):
        return _of_papermill(step, rest, tree)
    if isinstance(step.run, Argv) and step.run.args[:1] and is_notebook(step.run.args[0]):
        return _of_papermill(step, step.run.args, tree, own_folder=step.cwd == ".")
    if words[:1] == ("jupyter",):
        words, rest = (f"jupyter-{rest[0]}" if rest else "", *rest[1:]), rest[1:]
    converts = words[:1] == ("jupyter-nbconvert",) and "--execute" in rest
    if converts or words[:1] == ("jupyter-execute",):
        return _of_jupyter(step, rest, tree)
    return step


def _of_papermill(
    step: Step, words: Sequence[str], tree: Path, *, own_folder: bool = False
) -> Step:
    """A notebook that papermill runs where it was started, or as Jupyter does in its folder."""
    parameters: dict[str, Any] = {}
    files: list[str] = []
    cwd = step.cwd
    left = list(words)
    while left:
        name, equals, value = left.pop(0).partition("=")
        if not name.startswith("-"):
            files.append(name + equals + value)
            continue
        count = _PAPERMILL.get(name, 0) - bool(equals)
        values = [*([value] if equals else []), *left[: max(0, count)]]
        del left[: max(0, count)]
        if name == "--cwd":
            cwd = str(PurePosixPath(cwd, *values))
        parameters |= _given(name, values, step.cwd, tree)
    output = files[1] if len(files) > 1 and _is_plain(files[1]) else ""
    if not files:
        raise SourceError("papermill was run without a notebook", "write the command down")
    name = _found(files[0], step, tree)
    cwd = str(PurePosixPath(cwd, name).parent) if own_folder else cwd
    return _step(step, name, parameters, cwd=cwd, output=output)


def _given(name: str, values: list[str], cwd: str, tree: Path) -> Mapping[str, Any]:
    """The parameters that an option of papermill gives."""
    try:
        match name, values:
            case "-p" | "--parameters", [key, value]:
                return {key: typed(value)}
            case "-r" | "--parameters_raw", [key, value]:
                return {key: value}
            case "-y" | "--parameters_yaml", [text]:
                return dict(yaml.safe_load(text))
            case "-b" | "--parameters_base64", [text]:
                return dict(yaml.safe_load(base64.b64decode(text)))
            case "-f" | "--parameters_file", [path]:
                if not _is_file(tree, cwd, path):
                    raise ValueError(f"{path} is no file of the repository")
                return dict(yaml.safe_load((tree / cwd / path).read_text()))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise SourceError(
            f"reading papermill's parameters ({name}): {error}",
            "write the notebook and its parameters as command into reprocheck.yaml",
        ) from error
    return {}


def typed(text: str) -> str | int | float | bool | None:
    """A value as `papermill -p` reads it."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _is_plain(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return not path.startswith(("/", "-")) and "://" not in path and ".." not in parts


def _of_jupyter(step: Step, words: Sequence[str], tree: Path) -> Step:
    """A notebook that `jupyter nbconvert --execute` or `jupyter execute` runs in its folder."""
    after = {i + 1 for i, word in enumerate(words) if word in ("--output", "--output-dir", "--to")}
    names = [word for i, word in enumerate(words) if is_notebook(word) and i not in after]
    if len(names) != 1:
        raise SourceError(
            f"the recorded command executes {len(names)} notebooks: {' '.join(words)[:200]}",
            "write a list of steps into reprocheck.yaml under command, a notebook each",
        )
    found = PurePosixPath(_found(names[0], step, tree))
    return _step(step, str(found), {}, cwd=str(PurePosixPath(step.cwd, found.parent)))


def _found(name: str, step: Step, tree: Path) -> str:
    """A notebook's path from the step's directory; a recorded absolute path is another machine's.

    Where only its paired script is in the tree, that one's.
    """
    if PurePosixPath(name).is_absolute():
        found = find_in_tree(name, tree)
        name = _relative(found, step.cwd) if found else name
    if name.startswith("-") or not _is_file(tree, step.cwd, name):
        paired = _paired(str(PurePosixPath(step.cwd, name)), tree)
        return _relative(paired, step.cwd) if paired else name
    return name


def _is_file(tree: Path, cwd: str, name: str) -> bool:
    place = tree / cwd / name
    return place.is_file() and place.resolve().is_relative_to(tree.resolve())


def _relative(path: str, cwd: str) -> str:
    up = PurePosixPath(cwd)
    inside = PurePosixPath(path)
    if inside.is_relative_to(up):
        return str(inside.relative_to(up))
    return str(PurePosixPath(*[".."] * len(up.parts), inside))


def _step(
    step: Step, name: str, parameters: Mapping[str, Any], *, cwd: str, output: str = ""
) -> Step:
    words = ["python", "-m", RUNNER, _relative(str(PurePosixPath(step.cwd, name)), cwd)]
    if output:
        words += ["--output", output]
    if parameters:
        words += ["--parameters", json.dumps(parameters, default=str)]
    return Step(run=Argv(args=tuple(words)), cwd=cwd, name=step.name)


# --- the recorded source ------------------------------------------------------------------


def from_source(search: Search) -> CommandFound | None:
    """The notebook that the record names as its source, or the script that is paired with it."""
    script = search.record.code.script or ""
    found = find_in_tree(script, search.tree) if script.endswith((".ipynb", ".py")) else None
    if found is None and script:
        found = _paired(script, search.tree)
    if found is None or (script.endswith(".py") and found.endswith(".py")):
        return None
    name, cwd = as_typed(script, found) if found.endswith(PurePosixPath(script).name) else ("", "")
    if not name or is_notebook(name):  # Jupyter starts a kernel in the notebook's folder
        name, cwd = PurePosixPath(found).name, str(PurePosixPath(found).parent)
    parameters = dict(_taken(search.tree / found, search.record))
    step = _step(Step(run=Argv(args=()), cwd=cwd), name, parameters, cwd=cwd)
    unproved = "" if search.record.parameters else "the run logged no parameter"
    paired = "" if found.endswith(PurePosixPath(script).name) else f" ({found} is paired with it)"
    return CommandFound(
        command=Command(steps=(step,)),
        origin=Origin(kind=OriginKind.INFERRED, where=f"the recorded source '{script}'{paired}"),
        unproved=unproved,
        findings=(_inferred(search, found, parameters, paired),),
    )


def _inferred(search: Search, found: str, parameters: Mapping[str, Any], paired: str) -> Finding:
    given = ", ".join(parameters) or "none"
    named = f"{found}, which is paired with it," if paired else found
    return Finding(
        code="inferred-command",
        severity=Severity.WARNING,
        message=f"only the notebook's name was recorded; {named} is executed from top to bottom, "
        f"with these of the run's parameters in its cell tagged parameters: {given}",
        hint=f"write the notebook into {search.config.name}, with its parameters: "
        f'command: "{search.record.code.script} -p lr {{params.lr}}"',
        pointer="/command",
    )


def _paired(name: str, tree: Path) -> str | None:
    """The file that jupytext pairs with one that the tree lacks: its script or its notebook."""
    path = PurePosixPath(name.removeprefix("file://"))
    other = path.with_suffix(".py" if path.suffix == ".ipynb" else ".ipynb")
    found = find_in_tree(str(other), tree)
    return found if found and _is_paired(tree / found) else None


def _is_paired(file: Path) -> bool:
    if file.suffix == ".ipynb":
        return "jupytext" in _notebook(file).get("metadata", {})
    with file.open(encoding="utf-8", errors="replace") as lines:
        head = "".join(line for line, _ in zip(lines, range(_HEADER_LINES), strict=False))
    return bool(_HEADER.search(head))


def _notebook(file: Path) -> Mapping[str, Any]:
    try:
        size = file.stat().st_size
        found = json.loads(file.read_bytes()) if size <= _MOST_BYTES else {}
    except (OSError, ValueError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}


def _taken(file: Path, record: RunRecord) -> Iterator[tuple[str, Any]]:
    """Those of the run's parameters that the cell tagged `parameters` gives a default."""
    logged = parameters_given(record)
    for name, default in _defaults(_parameters_cell(file)):
        if name in logged and name not in record.truncated:
            yield name, _as_default(logged[name], default)


def _parameters_cell(file: Path) -> str:
    if file.suffix != ".ipynb":
        text = file.read_text(encoding="utf-8", errors="replace")
        parts = re.split(r"^# %%", text, flags=re.MULTILINE)
        tagged = (cell for cell in parts if re.match(r".*tags=\[.*\"parameters\"", cell))
        return next(tagged, "").partition("\n")[2]
    cells = _notebook(file).get("cells")
    for cell in cells if isinstance(cells, list) else []:
        metadata = cell.get("metadata") if isinstance(cell, dict) else None
        tags = metadata.get("tags") if isinstance(metadata, dict) else None
        if isinstance(tags, list) and "parameters" in tags:
            source = cell.get("source", "")
            return "".join(map(str, source)) if isinstance(source, list) else str(source)
    return ""


def _defaults(source: str) -> Iterator[tuple[str, ast.expr]]:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return
    for line in body:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _as_default(logged: str, default: ast.expr) -> Any:  # noqa: ANN401  (a parameter's value)
    """A logged value as the notebook has it: a text where its default is one."""
    if isinstance(default, ast.Constant) and isinstance(default.value, str):
        return logged
    try:
        value = ast.literal_eval(logged)
        json.dumps(value, allow_nan=False)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return logged
    return value
