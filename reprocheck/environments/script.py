"""A recorded setup, run once in a copy of the tree; what it makes is carried into each trial.

What it leaves in the tree and in its HOME is kept by the digest of the command and of all files of
the tree. Each trial gets a copy, in which the paths of the setup's tree and HOME are replaced by
the trial's own: in text files and links, so virtual environments and editable packages work; not
in binaries, which still find the kept folder. What it writes elsewhere is not kept, and what it
deletes from the tree comes back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import process
from reprocheck.environments import cache, carried, interpreters, local
from reprocheck.environments import reach as reaching
from reprocheck.environments.base import BuildRequest, Observed, TrialRun
from reprocheck.environments.interpreters import Interpreter
from reprocheck.environments.isolation import Isolation, chosen
from reprocheck.environments.logins import without_secrets
from reprocheck.environments.plan import rfc3339
from reprocheck.environments.reach import Reach
from reprocheck.environments.sandbox import VenvSandbox
from reprocheck.environments.uv_program import (
    TIMEOUT_S,
    Cause,
    Uv,
    classify,
    environment,
    find_uv,
    index_settings,
)
from reprocheck.environments.venv import REDIRECT, packages, probe
from reprocheck.errors import RebuildError, RerunError
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
            isolation = chosen(request.env, request.limits)
            setup = _Setup(request=request, interpreter=interpreter, uv=uv, isolation=isolation)
            kept = cache.Cache(root=request.cache / "script", progress=request.progress)
            with kept.entry(setup.digest, setup, _healthy) as entry:
                yield ScriptSandbox(
                    built=_built(setup, entry),
                    findings=(
                        *findings,
                        *_findings(entry.state),
                        *isolation.findings,
                        *isolation.findings_of_setup(network=request.network),
                    ),
                    kept=entry.folder,
                    state=entry.state,
                    env=request.env,
                    isolation=isolation,
                )


# --- the setup ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Setup:
    """Fills the folder of a setup."""

    request: BuildRequest
    interpreter: Interpreter
    uv: Uv
    isolation: Isolation

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
            for name in ("tree", "home", reaching.TEMPORARY):
                shutil.rmtree(folder / name)
            return self._make(folder, dated=False) | {"dated": False}

    def _make(self, folder: Path, *, dated: bool) -> dict[str, Any]:
        tree, home = folder / "tree", folder / "home"
        shutil.copytree(self.request.tree, tree, symlinks=True)
        home.mkdir()
        (folder / reaching.TEMPORARY).mkdir()
        self.uv(
            *("venv", "--no-project", "--clear", "--seed", "--python", str(self.interpreter.path)),
            str(home / VENV),
            doing=f"making an environment of Python {self.interpreter.version}",
        )
        for step in json.loads(self.request.spec.content):
            self._run(step, tree, self._env(home, dated=dated))
        made = carried.made_in(tree, self.request.tree)
        prefixes = [*_prefixes(tree, made), home / VENV]
        prefix = prefixes[0]
        python = prefix / "bin/python"
        version, purelib = probe(python, self.uv.env, self._inside(folder))
        _put_hook(Path(purelib), folder)
        listed = packages(python, dataclasses.replace(self.uv, run=self._inside(folder)))
        shutil.rmtree(folder / reaching.TEMPORARY)
        made = carried.made_in(tree, self.request.tree)  # with the hook
        names = [*(f"tree/{name}" for name in made), *carried.names_below(home, folder)]
        return {
            "python": version,
            "packages": listed,
            "prefix": str(prefix.relative_to(folder)),
            "others": [str(path.relative_to(tree)) for path in prefixes[1:-1]],
            "made": made,
            "rewritten": carried.naming(folder, names),
            "fingerprint": carried.fingerprint(folder),
        }

    def _run(self, step: Mapping[str, Any], tree: Path, env: Mapping[str, str]) -> None:
        argv, line = tuple(step["argv"]), " ".join(step["argv"])
        doing, log = f"running {line}", self.uv.folder / "setup.log"
        call = process.Call(
            argv=argv, cwd=_folder(tree, step["cwd"], doing), env=env, timeout_s=TIMEOUT_S
        )
        reach = self._reach(tree.parent, env)
        self.request.progress.update(doing)
        try:
            done = self.isolation.run(call, reach, lambda it: process.supervise(it, log=log))
        except OSError as error:
            message = f"{doing}: {error.strerror}: {error.filename}"
            raise RebuildError(message, "install it, or mend  environment.run") from error
        except RerunError as error:
            raise RebuildError(error.message, error.hint) from error
        if done.timed_out or done.exit_code != 0:
            undated = _UNDATED.search(done.stdout.decode(errors="replace"))
            failed = _failed(doing, done, self.isolation, reach)
            raise _UndatedError(failed.message) if undated and "UV_EXCLUDE_NEWER" in env else failed

    def _inside(self, folder: Path) -> Callable[[process.Call], process.Completed]:
        """Runs a call in the setup's sandbox: what it made there runs nowhere else."""
        return lambda call: self.isolation.run(call, self._reach(folder, call.env), process.run)

    def _reach(self, folder: Path, env: Mapping[str, str]) -> Reach:
        named = {name: text for name, text in env.items() if name != "XDG_CONFIG_HOME"}
        settings = Path(env.get("XDG_CONFIG_HOME", "/nonexistent"))
        return Reach(
            writable=(folder, self.uv.folder),
            readable=(
                *reaching.interpreter(self.interpreter.path),
                *reaching.programs(self.request.env),
                *reaching.named_in(named),
                *(settings / name for name in ("pip", "uv")),
                Path(find_uv()),
            ),
            temporary=folder / reaching.TEMPORARY,
            network=self.request.network,
        )

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


def _put_hook(purelib: Path, folder: Path) -> None:
    # The setup's own Python says where its packages are.
    if not purelib.resolve().is_relative_to(folder.resolve()):
        raise RebuildError(
            f"preparing what the setup made: its Python keeps packages in {purelib}",
            "let the setup make a virtual environment in the tree, or use the given one",
        )
    hook = purelib / "reprocheck_redirect.pth"
    hook.unlink(missing_ok=True)
    hook.write_text(REDIRECT)


# What pip and uv say of an index that tells no dates, of one whose packages are all newer, and of a
# setuptools of the run's date that knows less than today's pip asks of it.
_UNDATED = re.compile(
    r"upload-time metadata|missing an upload date|filtered by `?exclude-newer"
    r"|missing the 'build_editable' hook"
)
_PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_NO_INDEX", "PIP_FIND_LINKS")


class _UndatedError(RebuildError):
    """What the setup installs cannot be had as of the run's date."""


def _failed(
    doing: str, done: process.Completed, isolation: Isolation, reach: Reach
) -> RebuildError:
    output = without_secrets(done.stdout.decode(errors="replace"))
    how = "took too long" if done.timed_out else f"exited with {done.exit_code}"
    cause = classify(output)
    likely = "" if cause is Cause.OTHER else f"; {cause.value}"
    why = isolation.explanation(output, reach, "the setup")
    failed = RebuildError(
        f"{doing}: it {how}{likely}\n{last_lines(output.encode(), 15)}",
        why
        or "run the same in a fresh clone; what it needs besides the tree must be installed here",
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


def _healthy(folder: Path, state: dict[str, Any]) -> bool:
    return bool(state.get("fingerprint") == carried.fingerprint(folder))


# --- the trials ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptSandbox:
    """What a setup made, ready to be carried into trials."""

    built: BuiltEnvironment
    findings: tuple[Finding, ...]
    kept: Path  # tree and home as the setup left them
    state: Mapping[str, Any]
    env: Mapping[str, str]
    isolation: Isolation

    @property
    def shows(self) -> bool:
        """Whether trials find what `TrialRun.shown` names: with bubblewrap."""
        return self.isolation.way is not None

    def changed(self) -> bool:
        """Whether a trial wrote into what is kept; it has copies of its own."""
        return carried.fingerprint(self.kept) != str(self.state["fingerprint"])

    def run(self, trial: TrialRun) -> process.Completed:
        """Carries over what the setup made, then runs the steps as `VenvSandbox` does."""
        carried.carry(self.kept, self.state, trial)
        return self._inner(trial).run(trial)

    def observed(self, trial: TrialRun) -> Observed:
        """What the trial read besides its folders and what it was given."""
        return self._inner(trial).observed(trial)

    def _inner(self, trial: TrialRun) -> VenvSandbox:
        place, _, below = str(self.state["prefix"]).partition("/")
        return VenvSandbox(
            built=self.built,
            findings=(),
            folder=(trial.tree if place == "tree" else trial.home).resolve() / below,
            env=self.env,
            fingerprint="",  # a copy: the trial may write into it
            isolation=self.isolation,
            needed=(self.kept,),
        )


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
        isolation=setup.isolation.told,
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
            "upload times, its packages are newer, or what builds them was too old for today's pip",
            "pin what the setup installs",
        )


def _finding(code: str, severity: Severity, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, message=message, hint=hint, pointer="/environment")
