"""Which interpreter a command trains with, and which scripts it runs."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PYTHON = re.compile(r"(python|pypy)[0-9.]*")
_STARTERS = frozenset(
    {
        *("uv", "poetry", "pdm", "pipenv", "hatch", "rye", "pixi", "conda", "mamba", "micromamba"),
        *("env", "nohup", "nice", "time", "timeout", "stdbuf", "taskset", "numactl", "xvfb-run"),
    }
)
"""Programs that only start the one that their arguments name."""
_TOOLS = frozenset({"dvc", "mlflow"})
"""Programs of Python that start others of the PATH: their own interpreter is none of a training."""
ELSEWHERE = frozenset(
    {
        *("docker", "podman", "nerdctl", "apptainer", "singularity", "enroot", "kubectl", "ssh"),
        *("srun", "sbatch", "qsub", "bsub", "gcloud", "aws", "sky", "modal", "az"),
    }
)
"""Programs that start others in a container or on another machine."""
_WITH_VALUE = ("-X", "-W", "--check-hash-based-pycs")
_TEXTS = {"dvc": "dvc.yaml", "make": "Makefile", "mlflow": "MLproject"}
"""Files in which programs look up what to run."""
_NAMED = re.compile(r"[\w./-]+\.(?:py|ipynb|sh|bash)\b|-m[ \t]+([A-Za-z_][\w.]*)")
_SHELL = (".sh", ".bash")
_SCRIPTS = (".py", ".ipynb", *_SHELL)
_LARGEST = 1_000_000
_MOST = 200


def interpreter(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[str, ...] | None:
    """The beginning of a command that runs the training's Python; None where none is found."""
    name = Path(argv[0]).name
    if _PYTHON.fullmatch(name):
        return (argv[0],)
    if name in _STARTERS:
        started = _started(argv)
        if started:
            return started
    if name not in _TOOLS and (own := _interpreter_of(argv[0], cwd, env)):
        return (own,)
    found = next((each for each in ("python", "python3") if _which(each, cwd, env)), None)
    return (found,) if found else None


def _started(argv: Sequence[str]) -> tuple[str, ...]:
    for place, word in enumerate(argv[1:], 1):
        if _PYTHON.fullmatch(Path(word).name):
            return tuple(argv[: place + 1])
        if word.endswith(".py"):  # uv run train.py
            return (*argv[:place], "python")
    return ()


def _which(program: str, cwd: Path, env: Mapping[str, str]) -> Path | None:
    found = shutil.which(program, path=env.get("PATH", os.defpath))
    return cwd / found if found else None


def _interpreter_of(program: str, cwd: Path, env: Mapping[str, str]) -> str:
    """What a script that a package installed, as torchrun, runs under."""
    path = cwd / program if os.sep in program else _which(program, cwd, env)
    try:
        with path.open("rb") if path else open(os.devnull, "rb") as file:  # noqa: PTH123
            line = file.readline(500).decode(errors="replace")
    except OSError:
        return ""
    words = line.removeprefix("#!").split() if line.startswith("#!") else []
    named = [word for word in words[:2] if _PYTHON.fullmatch(Path(word).name)]
    return named[0] if named else ""


def ignores_variables(argv: Sequence[str]) -> bool:
    """Whether Python is told to ignore PYTHONPATH (-I, -E)."""
    if not _PYTHON.fullmatch(Path(argv[0]).name):
        return False
    for before, word in itertools.pairwise(argv):
        if before in _WITH_VALUE:
            continue
        if not word.startswith("-") or word.startswith("--") or word in ("-", "-m", "-c"):
            return False
        if re.fullmatch(r"-[A-Za-z]*[IE][A-Za-z]*", word):
            return True
    return False


def has_cwd_in_path(argv: Sequence[str], found: Sequence[Path]) -> bool:
    """Whether Python may look for modules in the working directory: not where it runs a script."""
    plain = _PYTHON.fullmatch(Path(argv[0]).name) and not {"-m", "-c"} & set(argv)
    return not plain or any(script.suffix == ".ipynb" for script in found)


def scripts(argv: Sequence[str], cwd: Path) -> tuple[Path, ...]:
    """The files of Python and notebooks that a command names, also in scripts of a shell."""
    files = _mentioned(argv, cwd).files
    return tuple(path for path in files if path.suffix in (".py", ".ipynb"))


def lines(argv: Sequence[str], cwd: Path) -> tuple[str, ...]:
    """What the command hands to a shell, and the texts of scripts and pipelines that it runs."""
    inline = (word for word in argv if " " in word)
    return (*inline, *_mentioned(argv, cwd).texts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mentioned:
    files: dict[Path, None] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)


def _mentioned(argv: Sequence[str], cwd: Path) -> _Mentioned:
    found = _Mentioned()
    text = _TEXTS.get(Path(argv[0]).name)
    for path in _named(argv, cwd):
        _add(path, cwd, found)
    if text:
        _read(cwd / text, cwd, found)
    return found


def _named(argv: Sequence[str], cwd: Path) -> Iterator[Path]:
    for before, word in zip(["", *argv], argv, strict=False):
        value = word.partition("=")[2] or word
        if before == "-m" and (module := _module(word, cwd)):
            yield module
        elif " " in word:  # sh -c 'python train.py'
            yield from _named_in(word, cwd)
        elif value.endswith(_SCRIPTS):
            yield cwd / value


def _module(name: str, cwd: Path) -> Path | None:
    place = cwd.joinpath(*name.split("."))
    options = (place.with_suffix(".py"), place / "__main__.py")
    return next((path for path in options if path.is_file()), None)


def _add(path: Path, cwd: Path, found: _Mentioned) -> None:
    path = Path(os.path.normpath(path))
    if path in found.files or len(found.files) >= _MOST or not path.is_file():
        return
    found.files[path] = None
    if path.suffix in _SHELL:
        _read(path, cwd, found)


def _read(path: Path, cwd: Path, found: _Mentioned) -> None:
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    found.texts[path] = text
    for named in _named_in(text, cwd):
        _add(named, cwd, found)


def _named_in(text: str, cwd: Path) -> Iterator[Path]:
    for match in _NAMED.finditer(text):
        named = _module(match[1], cwd) if match[1] else cwd / match[0]
        if named:
            yield named
