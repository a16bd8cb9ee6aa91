"""Finds an installed Python of the recorded version. Nothing is downloaded here."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reprocheck import process
from reprocheck.errors import RebuildError
from reprocheck.model import Finding, Severity

OLDEST = Version("3.6")  # that uv can make environments for
_POINTER = "/environment/python"
_INSPECT = """
import json, os, platform, sys, sysconfig
base = getattr(sys, "_base_executable", None) or os.path.realpath(sys.executable)
abi = sysconfig.get_config_var("SOABI") or ""
libc = " ".join(platform.libc_ver())
print(json.dumps([base, platform.python_version(), sys.implementation.name,
                  " ".join([sysconfig.get_platform(), abi, libc]).strip()]))
"""


class MissingPythonError(RebuildError):
    """No Python of a version is installed."""

    def __init__(self, version: str, found: str) -> None:
        super().__init__(
            f"the run asks for Python {version}, which is not installed here; found: {found}",
            f"install it, for example with  uv python install {version}  or  pyenv install "
            f"{version}; or allow it:  environment: {{download_python: true}}",
        )
        self.version = version


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """An installed Python. Everything but its path goes into an environment's digest."""

    path: Path
    version: str  # "3.11.7"
    implementation: str  # "cpython"
    platform: str  # platform tag, ABI and C library

    @property
    def identity(self) -> str:
        """What must be equal for an environment to be the same, wherever Python is installed."""
        return f"{self.implementation} {self.version} {self.platform}"


def find(
    asked: str | None, env: Mapping[str, str], started_at: datetime | None
) -> tuple[Interpreter, tuple[Finding, ...]]:
    """The interpreter that a run asks for: the exact version, else another patch of its minor
    version, with a warning. Where the record leaves the minor version open, the Python that runs
    reprocheck or else the newest, of those that existed when the run started.

    Raises `RebuildError` that lists the versions found here.
    """
    wanted = _specifiers(asked) if asked and asked.strip() else SpecifierSet()
    found = [item for item in _candidates(env) if item.hint >= OLDEST]
    matching = [item for item in found if wanted.contains(item.hint, prereleases=True)]
    interpreter = _first_that_works(_existing(matching, started_at) or matching, env)
    if interpreter is not None:
        known = re.search(r"==\d+\.\d+", str(wanted))
        return interpreter, () if known else (_unknown(asked, interpreter),)
    interpreter = _first_that_works(_same_minor(found, wanted), env)
    if interpreter is None:
        raise _missing(str(asked), found)
    return interpreter, (_other_patch(interpreter, str(asked).lstrip("= ")),)


def installed(env: Mapping[str, str]) -> tuple[Version, ...]:
    """The versions that `find` chooses from."""
    return tuple(item.hint for item in _candidates(env) if item.hint >= OLDEST)


def inspect(path: Path, env: Mapping[str, str]) -> Interpreter | None:
    """What kind of Python a program is; None when it does not run."""
    call = process.Call(
        argv=(str(path), "-I", "-c", _INSPECT), cwd=Path("/"), env=bare(env), timeout_s=30
    )
    try:
        done = process.run(call)
        base, version, implementation, platform = json.loads(done.stdout)
    except (OSError, ValueError):
        return None
    return Interpreter(
        path=Path(base), version=version, implementation=implementation, platform=platform
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    path: Path
    hint: Version  # by its folder's name, or by asking it


def bare(env: Mapping[str, str]) -> dict[str, str]:
    """What a Python needs to start, and nothing else of the caller's environment."""
    # LD_LIBRARY_PATH: shared builds of Python without a run path need it (setup-python's do).
    return {name: env[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in env}


def _specifiers(asked: str) -> SpecifierSet:
    # Forms met: 3.11.7, 3.11, 3, 3.*, =3.8 (conda), 3.6.8=h0371630_0 (conda), ^3.8 and ~3.8
    # (Poetry, also as "^3.8,<3.11"), >=3.8
    text = asked.strip().strip("'\"").replace(" ", "").removeprefix("cpython-")
    text = re.sub(r"\^((\d+)(?:\.\d+)*)", lambda found: f">={found[1]},<{int(found[2]) + 1}", text)
    text = re.sub(r"(?<!\S)~(\d+\.\d+)(\.\d+)?", r"==\1.*", text)
    if plain := re.fullmatch(r"={0,2}(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)(\.\*)?(=\w*)?", text):
        full = plain[1].count(".") >= 2
        text = f"=={plain[1]}" if full else f"=={plain[1]}.*"
    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier as error:
        raise RebuildError(
            f"choosing Python: '{asked}' is not a version that we understand",
            "name one in reprocheck.yaml, for example  environment: {python: '3.11'}",
        ) from error
    if re.match(r"==(2|3\.[0-5])(\.|$)", text):
        raise RebuildError(
            f"the run asks for Python {asked}: environments can be built for {OLDEST} and later",
            "only a container image can hold so old a Python",
        )
    return wanted


def _existing(found: list[_Candidate], when: datetime | None) -> list[_Candidate]:
    # Python 3.8 came out in October 2019, and a minor version every October since.
    if when is None:
        return found
    newest = when.year - 2019 + 8 - (when.month < 10)
    return [item for item in found if item.hint.release[:2] <= (3, newest)]


def _same_minor(found: list[_Candidate], wanted: SpecifierSet) -> list[_Candidate]:
    exact = re.fullmatch(r"==(\d+)\.(\d+)\.(\d+)\w*", str(wanted))
    if exact is None:
        return []
    major, minor, patch = map(int, exact.groups())
    near = [item for item in found if item.hint.release[:2] == (major, minor)]
    # A later patch holds the fixes of the one asked for; an earlier one may lack some.
    return sorted(near, key=lambda item: (item.hint.micro < patch, abs(item.hint.micro - patch)))


def _first_that_works(candidates: list[_Candidate], env: Mapping[str, str]) -> Interpreter | None:
    for candidate in candidates:
        interpreter = inspect(candidate.path, env)
        if interpreter is not None and interpreter.version == str(candidate.hint):
            return interpreter
    return None


def _candidates(env: Mapping[str, str]) -> list[_Candidate]:
    """Every Python installed here: the running one first, then the newest first."""
    running = _Candidate(
        path=Path(sys.executable), hint=Version(".".join(map(str, sys.version_info[:3])))
    )
    others: dict[Path, _Candidate] = {}
    for path in (*_in_version_folders(env), *_on_path(env)):
        real = path.resolve()
        if real not in others and (hint := _version_of(path, env)) is not None:
            others[real] = _Candidate(path=path, hint=hint)
    return [running, *sorted(others.values(), key=lambda item: item.hint, reverse=True)]


def _version_of(path: Path, env: Mapping[str, str]) -> Version | None:
    folder = re.search(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?(?![\w.])", str(path.parent.parent))
    try:
        if folder:
            return Version(folder[0])
        interpreter = inspect(path, env)
        return Version(interpreter.version) if interpreter else None
    except InvalidVersion:
        return None


def _in_version_folders(env: Mapping[str, str]) -> Iterator[Path]:
    # pyenv's shims fail for every version that is not active, and uv trips over them: we look
    # into its folder ourselves. Likewise uv's own folder and the tool cache of GitHub's runners.
    home = Path(env.get("HOME", "/nonexistent"))
    data = Path(env.get("XDG_DATA_HOME") or home / ".local/share")
    roots = (
        (Path(env.get("PYENV_ROOT") or home / ".pyenv") / "versions", "*/bin/python"),
        (Path(env.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python"), "*/bin/python3"),
        (Path(env.get("RUNNER_TOOL_CACHE") or "/nonexistent") / "Python", "*/*/bin/python"),
        (Path("/Library/Frameworks/Python.framework/Versions"), "3.*/bin/python3"),
    )
    for root, pattern in roots:
        yield from sorted(root.glob(pattern))


def _on_path(env: Mapping[str, str]) -> Iterator[Path]:
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        if folder and Path(folder).name != "shims":
            for path in sorted(Path(folder).glob("python3*")):
                if re.fullmatch(r"python3(\.\d+)?", path.name):
                    yield path


def _unknown(asked: str | None, used: Interpreter) -> Finding:
    how = f"recorded only as '{asked}'" if asked else "not recorded"
    return Finding(
        code="python-unknown",
        severity=Severity.WARNING,
        message=f"the run's Python version is {how}; Python {used.version} is used",
        hint="name it in reprocheck.yaml, for example  environment: {python: '3.11.7'}",
        pointer=_POINTER,
    )


def _other_patch(interpreter: Interpreter, asked: str) -> Finding:
    return Finding(
        code="python-patch",
        severity=Severity.WARNING,
        message=f"python {interpreter.version} instead of {asked}",
        hint=f"install Python {asked} to rule out that the difference matters",
        pointer=_POINTER,
    )


def _missing(asked: str, found: list[_Candidate]) -> MissingPythonError:
    versions = sorted({item.hint for item in found})
    return MissingPythonError(asked.lstrip("="), ", ".join(map(str, versions)))
