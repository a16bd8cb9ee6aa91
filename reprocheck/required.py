"""What the team requires of every run (`record.require`), asked of a run that was recorded."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import mending
from reprocheck.config import Config
from reprocheck.errors import ReprocheckError
from reprocheck.git import Git
from reprocheck.metadata import COMMIT
from reprocheck.model import Finding, Requirement, RunRecord, Severity, TreeState
from reprocheck.seeds import recorded_seeds

KEPT = "refs/reprocheck"
"""Where `record --keep-ref` pushes a run's commit, by the run's id."""

_SOURCES = (".py", ".ipynb", ".pyx", ".so", ".sh", ".R", ".r", ".jl")
_ANSWER_S = 20.0  # of a remote that is asked for one ref


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What a record is judged with: the team's config, and the repository where there is one."""

    config: Config
    root: Path | None
    env: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lack:
    """Why a requirement is not met, and what mends that."""

    told: str
    hint: str
    pointer: str
    fix: str
    known: bool = True  # False: it could not be found out


def findings(record: RunRecord, around: Around) -> Iterator[Finding]:
    """An error for each required thing that the run lacks; a warning where nobody can tell."""
    rules = around.config.record
    for requirement in rules.require:
        code, check = _CHECKS[requirement]
        lack = check(record, around)
        if lack is not None:
            yield Finding(
                code=code,
                severity=Severity.ERROR if lack.known else Severity.WARNING,
                message=f"{rules.place} requires {requirement.value}: {lack.told}",
                hint=lack.hint,
                pointer=lack.pointer,
                fix=lack.fix,
            )


def _clean_tree(record: RunRecord, _: Around) -> _Lack | None:
    if record.code.tree is TreeState.CLEAN:
        return None
    is_dirty = record.code.tree is TreeState.DIRTY
    return _Lack(
        told="the code had uncommitted changes"
        if is_dirty
        else "the run does not say whether its code had uncommitted changes",
        hint="commit before a run; `reprocheck record --strict` refuses to start otherwise",
        pointer="/code/tree",
        fix=mending.COMMIT if is_dirty else mending.CAPTURE,
    )


def _pushed_commit(record: RunRecord, around: Around) -> _Lack | None:
    commit = record.code.commit
    if not COMMIT.fullmatch(commit):
        told, known, fix = "the run records no commit", True, mending.CAPTURE
    elif around.root is None or not _has(Git(around.root, around.env), commit):
        told, known, fix = "no repository here has the run's commit", False, "git fetch --all"
    elif _is_pushed(Git(around.root, around.env, _ANSWER_S), commit, record.ref.run_id):
        return None
    else:
        told, known = f"commit {commit[:12]} is on no branch of a remote, as last fetched", True
        fix = mending.shell("git", "push", "origin", f"{commit}:{KEPT}/{record.ref.run_id}")
    hint = "push the commit; run reprocheck inside the repository, or name it by --repo"
    return _Lack(told=told, hint=hint, pointer="/code/commit", fix=fix, known=known)


def _has(git: Git, commit: str) -> bool:
    return git("cat-file", "-e", f"{commit}^{{commit}}", check=False).exit_code == 0


def _is_pushed(git: Git, commit: str, run_id: str) -> bool:
    if git.text("for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes", KEPT):
        return True
    if not re.fullmatch(r"\w[\w-]*", run_id):
        return False
    # A squash merge leaves the commit on no branch; what was kept for the run is asked for.
    kept = git.text("ls-remote", "--", "origin", f"{KEPT}/{run_id}", trusting=True)
    return kept.lower().startswith(commit.lower())


def _tracked_imports(record: RunRecord, _: Around) -> _Lack | None:
    untracked = [each.path for each in record.code.untracked if each.path.endswith(_SOURCES)]
    if record.code.tree is not TreeState.UNKNOWN and not untracked:
        return None
    more = f" and {len(untracked) - 1} more" if len(untracked) > 1 else ""
    return _Lack(
        told=f"git does not know {untracked[0]}{more}"
        if untracked
        else "the run does not say which files git did not know",
        hint="add the files that the training imports, and commit them before a run",
        pointer="/code/untracked" if untracked else "/code/tree",
        fix=mending.shell("git", "add", "--", *untracked) if untracked else mending.CAPTURE,
    )


def _pinned_environment(record: RunRecord, around: Around) -> _Lack | None:
    from reprocheck.environments.choice import choose

    hint = "record the environment with every run, or commit a lock file"
    with tempfile.TemporaryDirectory() as empty:  # only what the run itself holds
        try:
            _, told = choose(record, Path(empty), around.config)
        except ReprocheckError:
            lacking = "the run holds no environment"
        else:
            found = [each.message for each in told if each.code == "unpinned-environment"]
            if not found:
                return None
            lacking = found[0]
    return _Lack(told=lacking, hint=hint, pointer="/environment", fix=mending.CAPTURE)


def _data_hash(record: RunRecord, _: Around) -> _Lack | None:
    weak = [material.label for material in record.data if material.weak]
    if record.data and not weak:
        return None
    told = f"the digest of {weak[0]} does not cover its content" if weak else "the run has none"
    return _Lack(
        told=told,
        hint="track the data with DVC, or name it to reprocheck_capture.log_provenance",
        pointer="/data",
        fix=mending.line("reprocheck_capture.log_provenance(datasets=[{}])", weak[0])
        if weak
        else mending.CAPTURE,
    )


def _definition(record: RunRecord, _: Around) -> _Lack | None:
    if record.definition is not None:
        return None
    return _Lack(
        told="no experiment definition was recorded with the run",
        hint="write experiment.yaml before a run, and start it by `reprocheck record`",
        pointer="/definition",
        fix="reprocheck record --init",
    )


def _seed(record: RunRecord, _: Around) -> _Lack | None:
    if recorded_seeds(record):
        return None
    return _Lack(
        told="the run records none",
        hint="log the seed as a parameter named seed",
        pointer="/seeds",
        fix='mlflow.log_param("seed", seed)',
    )


Check = Callable[[RunRecord, Around], _Lack | None]

_CHECKS: Mapping[Requirement, tuple[str, Check]] = {
    Requirement.CLEAN_TREE: ("required-clean-tree", _clean_tree),
    Requirement.PUSHED_COMMIT: ("required-pushed-commit", _pushed_commit),
    Requirement.TRACKED_IMPORTS: ("required-tracked-imports", _tracked_imports),
    Requirement.PINNED_ENVIRONMENT: ("required-pinned-environment", _pinned_environment),
    Requirement.DATA_HASH: ("required-data-hash", _data_hash),
    Requirement.DEFINITION: ("required-definition", _definition),
    Requirement.SEED: ("required-seed", _seed),
}
