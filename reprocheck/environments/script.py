"""A recorded setup, run once in a copy of the tree; what it makes is carried into each trial.

What it leaves in the tree and in its HOME is kept by the digest of the command and of all files of
the tree. Each trial gets a copy, in which the paths of the setup's tree and HOME are replaced by
the trial's own: in text files and links, so virtual environments and editable packages work; not
in binaries, which still find the kept folder. What it writes elsewhere is not kept, and what it
deletes from the tree comes back.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import process
from reprocheck.environments import cache, interpreters, local
from reprocheck.environments.base import BuildRequest, TrialRun
from reprocheck.environments.interpreters import Interpreter
from reprocheck.environments.plan import rfc3339
from reprocheck.environments.sandbox import ISOLATION, VenvSandbox
from reprocheck.environments.uv_program import (
    TIMEOUT_S,
    Cause,
    Uv,
    classify,
    environment,
    index_settings,
    without_secrets,
)
from reprocheck.environments.venv import REDIRECT, probe
from reprocheck.errors import RebuildError
from reprocheck.git import last_lines
from reprocheck.model import (
    BuiltEnvironment,
    EnvironmentKind,
    EnvironmentSpec,
    Finding,
    Package,
    Severity,
)
from reprocheck.numbers import counted
from reprocheck.temporary import temporary_folder

BUILDER = "script 2"
VENV = ".venv"
"""The virtual environment that is there before the setup, in its HOME: it installs into this one,
never into an interpreter of the machine."""

_TEXT = 4_000_000  # bytes: larger files are no scripts, and are not searched for paths


class ScriptEnvironment:
    """Runs what `environment.run` names."""

    def accepts(self, spec: EnvironmentSpec) -> bool:
        """Whether the spec is a setup."""
        return spec.kind is EnvironmentKind.SCRIPT

    @contextlib.contextmanager
    def build(self, request: BuildRequest) -> Iterator[ScriptSandbox]:
        """Runs the setup, unless the same one has run in the same tree before.

        Raises `RebuildError` with the likely cause and the last lines of its output.
        """
        with temporary_folder() as work:
            uv = Uv(folder=work, env=request.env, progress=request.progress)
            interpreter, findings = interpreters.find(
                request.spec.python, request.env, request.started_at
            )
            setup = _Setup(request=request, interpreter=interpreter, uv=uv)
            kept = cache.Cache(root=request.cache / "script", progress=request.progress)
            with kept.entry(setup.digest, setup, _healthy) as entry:
                yield ScriptSandbox(
                    built=_built(setup, entry),
                    findings=(*findings, *_findings(entry.state)),
                    kept=entry.folder,
                    state=entry.state,
                    env=request.env,
                )


# --- the setup ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Setup:
    """Fills the folder of a setup."""

    request: BuildRequest
    interpreter: Interpreter
    uv: Uv

    @property
    def cutoff(self) -> str | None:
        started = self.request.started_at
        return None if started is None else rfc3339(started)

    @property
    def digest(self) -> str:
        # Whatever the setup can see of the tree counts, and where packages come from.
        return cache.digest(
            BUILDER,
            self.request.spec.content.decode(),
            local.digest_of(self.request.tree),
            f"{self.interpreter.identity} {self.interpreter.path}",
            str(self.cutoff),
            index_settings(self.request.env),
        )

    def __call__(self, folder: Path) -> dict[str, Any]:
        try:
            return self._make(folder, dated=self.cutoff is not None) | {"dated": True}
        except _UndatedError:
            for name in ("tree", "home"):
                shutil.rmtree(folder / name)
            return self._make(folder, dated=False) | {"dated": False}

    def _make(self, folder: Path, *, dated: bool) -> dict[str, Any]:
        tree, home = folder / "tree", folder / "home"
        shutil.copytree(self.request.tree, tree, symlinks=True)
        home.mkdir()
        self.uv(
            *("venv", "--no-project", "--clear", "--seed", "--python", str(self.interpreter.path)),
            str(home / VENV),
            doing=f"making an environment of Python {self.interpreter.version}",
        )
        for step in json.loads(self.request.spec.content):
            self._run(step, tree, self._env(home, dated=dated))
        made = _made(tree, self.request.tree)
        prefixes = [*_prefixes(tree, made), home / VENV]
        prefix = prefixes[0]
        version, purelib = probe(prefix / "bin/python", self.uv.env)
        (Path(purelib) / "reprocheck_redirect.pth").write_text(REDIRECT)
        listed = self.uv.read(
            *("pip", "list", "--format", "json", "-q", "--python", str(prefix / "bin/python"))
        )
        return {
            "python": version,
            "packages": [[item["name"], item["version"]] for item in json.loads(listed)],
            "prefix": str(prefix.relative_to(folder)),
            "others": [str(path.relative_to(tree)) for path in prefixes[1:-1]],
            "made": made,
            "rewritten": _naming(folder, [*(f"tree/{name}" for name in made), *_all(home, folder)]),
            "fingerprint": _fingerprint(folder),
        }

    def _run(self, step: Mapping[str, Any], tree: Path, env: Mapping[str, str]) -> None:
        argv, line = tuple(step["argv"]), " ".join(step["argv"])
        doing, log = f"running {line}", self.uv.folder / "setup.log"
        call = process.Call(
            argv=argv, cwd=_folder(tree, step["cwd"], doing), env=env, timeout_s=TIMEOUT_S
        )
        self.request.progress.update(doing)
        try:
            done = process.supervise(call, log=log)
        except OSError as error:
            message = f"{doing}: {error.strerror}: {error.filename}"
            raise RebuildError(message, "install it, or mend  environment.run") from error
        if done.timed_out or done.exit_code != 0:
            undated = _UNDATED.search(done.stdout.decode(errors="replace"))
            failed = _failed(doing, done)
            raise _UndatedError(failed.message) if undated and "UV_EXCLUDE_NEWER" in env else failed

    def _env(self, home: Path, *, dated: bool) -> dict[str, str]:
        work, programs = self.uv.folder, home / VENV / "bin"
        caches = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip", "XDG_CACHE_HOME": "xdg"}
        pip = {key: text for key, text in self.uv.env.items() if key in _PIP}
        cutoff = dict.fromkeys(("UV_EXCLUDE_NEWER", "PIP_UPLOADED_PRIOR_TO"), str(self.cutoff))
        inherited = environment(self.uv.env)
        return {
            **inherited,
            **pip,
            **(cutoff if dated else {}),
            **{key: str(work / name) for key, name in caches.items()},
            "PATH": f"{programs}:{inherited.get('PATH', os.defpath)}",
            "VIRTUAL_ENV": str(home / VENV),
            "PIP_REQUIRE_VIRTUALENV": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "HOME": str(home),
            "TMPDIR": str(work),
        }


# What pip and uv say of an index that tells no dates, and of one whose packages are all newer.
_UNDATED = re.compile(r"upload-time metadata|missing an upload date|filtered by `?exclude-newer")
_PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_NO_INDEX", "PIP_FIND_LINKS")


class _UndatedError(RebuildError):
    """What the setup installs cannot be had as of the run's date."""


def _failed(doing: str, done: process.Completed) -> RebuildError:
    output = without_secrets(done.stdout.decode(errors="replace"))
    how = "took too long" if done.timed_out else f"exited with {done.exit_code}"
    cause = classify(output)
    likely = "" if cause is Cause.OTHER else f"; {cause.value}"
    failed = RebuildError(
        f"{doing}: it {how}{likely}\n{last_lines(output.encode(), 15)}",
        "run the same in a fresh clone; what it needs besides the tree must be installed here",
    )
    failed.disk_full = cause is Cause.DISK_FULL
    return failed


def _folder(tree: Path, cwd: str, doing: str) -> Path:
    """Where a step runs: below the tree."""
    folder = (tree / cwd).resolve()
    if not folder.is_relative_to(tree.resolve()) or not folder.is_dir():
        raise RebuildError(
            f"{doing}: there is no directory '{cwd}' in the tree",
            "mend  environment.run: its cwd is relative to the repository's root",
        )
    return folder


def _prefixes(tree: Path, made: list[str]) -> list[Path]:
    """The environments that the setup made in the tree, virtual or conda's, the highest first."""
    signs = (Path(name) for name in made)
    found = {path.parent for path in signs if path.name == "pyvenv.cfg"}
    found |= {path.parent.parent for path in map(Path, made) if path.match("conda-meta/history")}
    ordered = sorted(found, key=lambda path: (len(path.parts), str(path)))
    return [tree / path for path in ordered if (tree / path / "bin/python").exists()]


def _made(tree: Path, original: Path) -> list[str]:
    """Files that the setup added or changed."""
    names = _all(tree, tree)
    return sorted(name for name in names if not _same(tree / name, original / name))


def _all(folder: Path, start: Path) -> list[str]:
    return sorted(os.path.relpath(path, start) for path in local.files(folder))


def _same(path: Path, other: Path) -> bool:
    if not os.path.lexists(other) or path.is_symlink() != other.is_symlink():
        return False
    if path.is_symlink():
        return path.readlink() == other.readlink()
    return path.stat().st_mode == other.stat().st_mode and path.read_bytes() == other.read_bytes()


def _naming(folder: Path, names: list[str]) -> list[str]:
    """The text files that hold a path of the setup's folder."""
    sign = str(folder).encode()
    return [name for name in names if _is_small(folder / name) and _names(folder / name, sign)]


def _is_small(path: Path) -> bool:
    return not path.is_symlink() and path.suffix != ".pyc" and path.stat().st_size <= _TEXT


def _names(path: Path, sign: bytes) -> bool:
    content = path.read_bytes()
    return sign in content and b"\0" not in content


def _fingerprint(folder: Path) -> str:
    return cache.digest(*(cache.fingerprint(folder / name) for name in ("tree", "home")))


def _healthy(folder: Path, state: dict[str, Any]) -> bool:
    return bool(state.get("fingerprint") == _fingerprint(folder))


# --- the trials ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptSandbox:
    """What a setup made, ready to be carried into trials."""

    built: BuiltEnvironment
    findings: tuple[Finding, ...]
    kept: Path  # tree and home as the setup left them
    state: Mapping[str, Any]
    env: Mapping[str, str]

    def changed(self) -> bool:
        """Whether a trial wrote into what is kept; it has copies of its own."""
        return _fingerprint(self.kept) != str(self.state["fingerprint"])

    def run(self, trial: TrialRun) -> process.Completed:
        """Carries over what the setup made, then runs the steps as `VenvSandbox` does."""
        _carry(self.kept, self.state, trial)
        place, _, below = str(self.state["prefix"]).partition("/")
        inner = VenvSandbox(
            built=self.built,
            findings=(),
            folder=(trial.tree if place == "tree" else trial.home).resolve() / below,
            env=self.env,
            fingerprint="",  # a copy: the trial may write into it
        )
        return inner.run(trial)


def _carry(kept: Path, state: Mapping[str, Any], trial: TrialRun) -> None:
    # A trial's tree may hold other content under the same name: an input, restored since.
    rewritten = set(state["rewritten"])
    moved = {
        str(kept / "tree"): str(trial.tree.resolve()),
        str(kept / "home"): str(trial.home.resolve()),
    }
    for name in (*(f"tree/{each}" for each in state["made"]), *_all(kept / "home", kept)):
        place, _, below = name.partition("/")
        target = (trial.tree if place == "tree" else trial.home) / below
        _put(kept / name, target, moved, name in rewritten)


def _put(source: Path, target: Path, moved: Mapping[str, str], rewritten: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if source.is_symlink():
        target.symlink_to(_replaced(str(source.readlink()).encode(), moved).decode())
        return
    shutil.copy2(source, target)
    if rewritten:
        target.write_bytes(_replaced(source.read_bytes(), moved))


def _replaced(content: bytes, moved: Mapping[str, str]) -> bytes:
    for old, new in moved.items():
        content = content.replace(old.encode(), new.encode())
    return content


# --- what is told -------------------------------------------------------------------------


def _built(setup: _Setup, entry: cache.Entry) -> BuiltEnvironment:
    spec, packages = setup.request.spec, entry.state["packages"]
    return BuiltEnvironment(
        kind=EnvironmentKind.SCRIPT,
        digest=setup.digest,
        python=str(entry.state["python"]),
        asked=f"{spec.file} ({spec.origin.where})",
        lock="".join(f"{name}=={version}\n" for name, version in packages),
        packages=tuple(Package(name=name, version=version) for name, version in packages),
        isolation=ISOLATION,
        cached=entry.cached,
    )


def _findings(state: Mapping[str, Any]) -> Iterator[Finding]:
    yield _finding(
        "setup-files",
        Severity.NOTE,
        f"{counted(len(state['made']), 'file')} that the setup made in the tree are copied into "
        "each trial's; what it writes outside of the tree and its HOME is not kept",
        "nothing to do if the trials run",
    )
    if state["others"]:
        yield _finding(
            "several-environments",
            Severity.WARNING,
            f"the setup made several environments in the tree; the trials run in "
            f"{state['prefix'].partition('/')[2]}, not in {', '.join(state['others'])}",
            "name the program of the right one in the command, as  tools/env/bin/python train.py",
        )
    if not state["dated"]:
        yield _finding(
            "undated-setup",
            Severity.WARNING,
            "the setup was run as of now, not as of the run's date: its package index tells no "
            "upload times, or its packages are newer",
            "pin what the setup installs",
        )


def _finding(code: str, severity: Severity, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, message=message, hint=hint, pointer="/environment")
