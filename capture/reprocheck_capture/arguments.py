"""The command of this process: its arguments, and the seeds among them."""

import os
import re
import sys
from typing import Dict, List, Optional, Sequence

from reprocheck_capture import variables
from reprocheck_capture.failures import guarded
from reprocheck_capture.hiding import HIDDEN, masked_arguments
from reprocheck_capture.system_files import parent_of, words_of

_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?")
_SEED = re.compile(r"(?i)([\w.-]*[._-])?(seed|random[-_]state)([-_](everything|value|\d+))?")
_LAUNCHERS = {"torchrun", "accelerate", "deepspeed", "mpirun", "mpiexec", "horovodrun", "srun"}
_LAUNCHERS |= {"torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch"}
_WORKER = re.compile(r"from (multiprocessing|billiard)\.(spawn|forkserver) import ")
_WORKER_MODULES = re.compile(r"(joblib\.externals\.)?loky\.backend\.\w+")
_HIGHEST = 4  # processes above this one that are looked at
_NUMBER = re.compile(r"[0-9]{1,20}|(?i:none|null)")


@guarded("command", list)
def argv(folder: str = "", given: Sequence[str] = (), cwd: str = "") -> List[str]:
    """The command as it can be typed again, without secrets; `given` where it is another's.

    Python's own path is left out: an environment has its own. A script below `folder`, the
    repository's root, is named relative to the working directory.
    """
    return masked_arguments(_typed(given or launcher() or original(), folder, cwd or os.getcwd()))


def original() -> List[str]:
    """The process's arguments, the interpreter and its options among them, as far as known.

    Of a worker that multiprocessing or joblib spawned, those of the process that did: its own are
    pipes, and run nothing again.
    """
    told = getattr(sys, "orig_argv", None) or words_of() or [sys.executable or "python", *sys.argv]
    words = [str(word) for word in told]
    return _of_workers() if _is_worker(words) else words


def _is_worker(words: Sequence[str]) -> bool:
    pairs = list(zip(words, words[1:]))[:_HIGHEST]
    return any(
        (option == "-c" and _WORKER.match(code))
        or (option == "-m" and _WORKER_MODULES.fullmatch(code))
        for option, code in pairs
    )


def _of_workers() -> List[str]:
    pid = os.getppid()
    for _ in range(_HIGHEST):
        words = words_of(str(pid)) if pid > 1 else []
        if not words or not _PYTHON.fullmatch(os.path.basename(words[0])):
            break
        if not _is_worker(words):
            return words
        pid = parent_of(pid)
    return ["python", *sys.argv]  # multiprocessing hands them on


def launcher() -> List[str]:
    """The arguments of what started this process as one of several; empty where it is alone.

    A worker's own command trains on one device: it is another experiment.
    """
    found: List[str] = []
    pid = os.getppid() if variables.world_size() else 0
    for _ in range(_HIGHEST):
        words = words_of(str(pid)) if pid > 1 else []
        if not words:
            break
        found = words if _is_launcher(words) else found
        pid = parent_of(pid)
    return found


def _is_launcher(words: Sequence[str]) -> bool:
    names = [os.path.basename(word) for word in words[:2]]
    modules = [after for word, after in zip(words, words[1:]) if word == "-m"]
    return bool(_LAUNCHERS.intersection([*names, *modules[:1]]))


def _typed(args: Sequence[str], folder: str, cwd: str) -> List[str]:
    found = list(args)
    if not found or not _PYTHON.fullmatch(os.path.basename(found[0])):
        return found
    found[0] = "python"
    place = _script(found)
    if place is None:
        return found
    script = found[place]
    if place == 1 and _is_program(script):
        return [os.path.basename(script), *found[2:]]
    if os.path.isabs(script) and folder and _is_below(script, folder):
        found[place] = os.path.relpath(os.path.realpath(script), os.path.realpath(cwd))
    return found


def _script(args: Sequence[str]) -> Optional[int]:
    """Where the script's name is; None for -m, -c and what is read from standard input."""
    place = 1
    while place < len(args) and args[place].startswith("-"):
        if args[place] == "-" or re.fullmatch(r"-[A-Za-z]*[mc].*", args[place]):
            return None
        place += 2 if args[place] in ("-X", "-W", "--check-hash-based-pycs") else 1
    return place if place < len(args) else None


def _is_program(script: str) -> bool:
    """Whether it is a program that a package installed, such as torchrun."""
    here = os.path.realpath(os.path.dirname(os.path.abspath(script)))
    return here == os.path.realpath(os.path.dirname(os.path.abspath(sys.executable or "/"))) and (
        not script.endswith(".py")
    )


def _is_below(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(folder).rstrip(os.sep) + os.sep)


@guarded("seeds", dict)
def seeds(args: Sequence[str]) -> Dict[str, str]:
    """The seeds among the arguments, by the parameter's name: --seed 7, --random-state=3, seed=1.

    PYTHONHASHSEED is none of the training's own and goes with the variables.
    """
    found: Dict[str, str] = {}
    for word, after in zip(args, [*args[1:], ""]):
        name, equals, value = word.partition("=")
        given = value if equals else after
        name = name.lstrip("+~") if equals else name
        if not (equals or name.startswith("-")) or not _SEED.fullmatch(name.lstrip("-")):
            continue
        if _NUMBER.fullmatch(given) and given != HIDDEN:
            found[name.lstrip("-").replace("-", "_")] = given
    return found
