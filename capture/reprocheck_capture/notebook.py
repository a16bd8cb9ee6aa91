"""The notebook that this process is the kernel of: its file, and whether its cells ran in order."""

import json
import os
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from reprocheck_capture.failures import guarded, lacks
from reprocheck_capture.system_files import parent_of, words_of

_EXECUTORS = {"papermill", "nbconvert", "jupyter-nbconvert", "jupyter-execute", "execute"}
_EXECUTORS |= {"reprocheck_notebook", "nbclient", "jupyter-run", "runipy", "ploomber"}
_SERVERS = ("jupyter", "ipykernel", "notebook", "code", "node", "pycharm", "spyder", "hub")
_LARGEST = 5000000

Cell = Tuple[str, Optional[int]]  # its source, and the count that the file has


class Place(NamedTuple):
    """A notebook, and how it is run again."""

    path: str = ""  # absolute; "" where only a command is known
    argv: Tuple[str, ...] = ()  # of what executes it from top to bottom; () for a person's
    cwd: str = ""  # of that, else of the kernel
    made: str = ""  # the notebook that papermill writes while it runs: no source of the run


def shell() -> Any:  # noqa: ANN401  (IPython's)
    """IPython's shell, where this process is a notebook's kernel; else None."""
    module = sys.modules.get("IPython")
    found = module.get_ipython() if module is not None else None
    return found if getattr(found, "kernel", None) is not None else None


@guarded("notebook", Place)
def place() -> Place:
    """Where the notebook is, as far as its kernel is told.

    1. By the command that started the kernel, where that executes notebooks from top to bottom
    (papermill, nbconvert, `jupyter execute`, a script with nbclient).
    2. By VS Code's `__vsc_ipynb_file__`. 3. By JPY_SESSION_NAME of Jupyter Server 2.
    """
    kernel = shell()
    if kernel is None:
        return Place()
    path = _told(kernel)
    started = _starter()
    words = words_of(started) if started else []
    if _executes(words) or (words and not path and _is_script(words)):
        cwd = os.readlink("/proc/{}/cwd".format(started))
        named = _named(words, cwd)
        made = named[1] if len(named) > 1 and any("papermill" in word for word in words[:3]) else ""
        return Place(named[0] if named else path, tuple(words), cwd, made)
    if not path:
        lacks("notebook", "nothing tells the kernel which notebook it runs")
    return Place(path, (), os.getcwd())


def _told(kernel: Any) -> str:  # noqa: ANN401
    names = (kernel.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"))
    for name in names:
        path = os.path.abspath(str(name)) if name else ""
        if path.endswith(".ipynb") and os.path.isfile(path):
            return path
    return ""


def _starter() -> str:
    told = os.environ.get("JPY_PARENT_PID", "")
    found = told if told.isdigit() else str(os.getppid())
    return found if int(found) > 1 and parent_of(os.getpid()) else ""


def _executes(words: Sequence[str]) -> bool:
    names = [os.path.basename(word) for word in words[:4]]
    if names[1:2] == ["__main__.py"]:  # of python -m
        names.append(os.path.basename(os.path.dirname(words[1])))
    return bool(_EXECUTORS.intersection(names))


def _is_script(words: Sequence[str]) -> bool:
    """Whether a script of the team's started the kernel, and no server that a person uses."""
    scripts = [word for word in words[1:3] if word.endswith(".py")]
    if not scripts or "site-packages" in scripts[0]:
        return False
    return not any(name in os.path.basename(scripts[0]) for name in _SERVERS)


def _named(words: Sequence[str], cwd: str) -> List[str]:
    paths = [os.path.join(cwd, word) for word in words if word.endswith(".ipynb")]
    return [path for path in paths if os.path.isfile(path)]


def command(found: Place) -> List[str]:
    """The arguments that run a person's notebook again, from the kernel's folder."""
    path = os.path.relpath(os.path.realpath(found.path), os.path.realpath(found.cwd))
    if os.sep in path:  # the kernel does not run in the notebook's own folder
        return ["papermill", path, "--cwd", "."]
    return [path]


# --- the file, and the order of its cells ---------------------------------------------------


@guarded("notebook", dict)
def kept(found: Place) -> Dict[str, bytes]:
    """The file as an artifact; a very large one without what its cells printed."""
    if not found.path:
        return {}
    with open(found.path, "rb") as file:
        content = file.read()
    if len(content) > _LARGEST:
        document = json.loads(content.decode("utf-8"))
        for cell in document.get("cells", ()):
            if "outputs" in cell:
                cell["outputs"] = []
        content = json.dumps(document, indent=1).encode()
    return {"notebook.ipynb": content} if len(content) <= _LARGEST else {}


@guarded("notebook", dict)
def order(found: Place) -> Dict[str, Any]:
    """How the saved notebook's cells ran so far; cells are counted from 1, code alone.

    Empty where they are executed from top to bottom anyway, or nothing is known.
    """
    kernel = shell()
    if kernel is None or not found.path or found.argv:
        return {}
    with open(found.path, encoding="utf-8") as file:
        cells = _cells(json.load(file))
    ran = dict(enumerate(kernel.history_manager.input_hist_raw))
    return judged(cells, {count: text for count, text in ran.items() if count and text.strip()})


def _cells(document: Dict[str, Any]) -> List[Cell]:
    found = []
    for cell in document.get("cells", ()):
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        if cell.get("cell_type") == "code" and text.strip():
            found.append((text, cell.get("execution_count")))
    return found


def judged(cells: Sequence[Cell], ran: Dict[int, str]) -> Dict[str, Any]:
    """What differs from a run of the cells from top to bottom; `ran` are sources by count.

    `order`: the count at which each cell ran last, None of one that did not. `late`: cells that
    ran before one above them. `skipped`: cells that did not run, above one that did. `again`: those
    that ran more than once. `unknown`: how many runs were of no cell that the file has.
    """
    counts = _last_runs(cells, ran)
    done = [count for count in counts if count is not None]
    late = [
        i + 1
        for i, count in enumerate(counts)
        if count is not None and any(c is not None and c > count for c in counts[:i])
    ]
    last = max((i for i, count in enumerate(counts) if count is not None), default=-1)
    texts = [text.strip() for text, _ in cells]
    times = [text.strip() for text in ran.values()]
    return {
        "order": counts,
        "late": late,
        "skipped": [i + 1 for i, count in enumerate(counts[: last + 1]) if count is None],
        "again": [i + 1 for i, text in enumerate(texts) if times.count(text) > texts.count(text)],
        "unknown": sum(text not in texts for text in times),
        "in_order": not late and len(done) == len(times) and last + 1 == len(done),
    }


def _last_runs(cells: Sequence[Cell], ran: Dict[int, str]) -> List[Optional[int]]:
    """Of several cells with one source, each has the run that the file says, else the next."""
    free: Dict[str, List[int]] = {}
    for number in sorted(ran):
        free.setdefault(ran[number].strip(), []).append(number)
    found: List[Optional[int]] = []
    texts = [text.strip() for text, _ in cells]
    for i, (_, count) in enumerate(cells):
        mine = free.get(texts[i], [])
        others = texts.count(texts[i]) > 1
        taken = count if others and count in mine else None
        if taken is None and mine:
            taken = mine[0] if others else mine[-1]
        if taken is not None and others:
            mine.remove(taken)
        found.append(taken)
    return found
