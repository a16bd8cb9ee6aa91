"""What a record lacks that no file at its commit can add: `verify` would stop at the checkout."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from reprocheck.config import Config
from reprocheck.errors import ReprocheckError
from reprocheck.git import Git
from reprocheck.launchers import EXAMPLE, KERNEL_LAUNCHER, is_launched, is_launcher
from reprocheck.mending import CAPTURE, line
from reprocheck.metadata import UNSEEN
from reprocheck.model import Finding, RecordedFile, RunRecord, Severity
from reprocheck.record_template import FILE
from reprocheck.required import Around
from reprocheck.stored_code import code_of

ENVIRONMENT = "missing-environment"
_OF_HYDRA = "overrides.yaml"


def command_finding(record: RunRecord, config: Config) -> Finding | None:
    """An error where nothing names what was run; None where something does, or may.

    Files at the commit are searched for the run's script, its entry point or its notebook: where
    the record has none of them, no file helps.
    """
    script = record.code.script or ""
    launched = is_launcher(script) or (record.command is not None and is_launched(record.command))
    known = record.command is not None and not is_launched(record.command)
    named = bool(script) and not is_launcher(script)
    hydra = any(PurePosixPath(each.path).name == _OF_HYDRA for each in record.files)
    if record.ref.tracker == FILE:  # an extract: the run itself may say more
        return None
    if config.command or known or named or hydra or record.code.entry_point is not None:
        return None
    return _notebook() if launched else _nothing()


def _notebook() -> Finding:
    return Finding(
        code=KERNEL_LAUNCHER,
        severity=Severity.ERROR,
        message="the record names only what started a notebook's kernel, not the notebook: no file "
        "at the commit tells what was run",
        hint="name the notebook under `command` in reprocheck.yaml",
        pointer="/command",
        fix=line("command: {}", EXAMPLE),
    )


def _nothing() -> Finding:
    return Finding(
        code="missing-command",
        severity=Severity.ERROR,
        message="the record names no command, script or entry point: no file at the commit tells "
        "what was run",
        hint="give `command` in reprocheck.yaml; later runs record it with reprocheck-capture",
        pointer="/command",
        fix=line("command: {}", "python train.py"),
    )


def environment_finding(record: RunRecord, config: Config) -> Finding | None:
    """A note where no file that the run holds defines an environment; None where one does."""
    from reprocheck.environments.choice import choose

    if record.environment is not None or any(map(_is_unread, record.files)):
        return None
    with tempfile.TemporaryDirectory() as empty:  # only what the run itself holds
        try:
            choose(record, Path(empty), config)
        except ReprocheckError:
            return _no_environment()
    return None


def _is_unread(file: RecordedFile) -> bool:
    """Whether only the digest of a file is at hand that may define an environment."""
    return (
        not file.content and bool(file.size) and defines_environment(PurePosixPath(file.path).name)
    )


def _no_environment() -> Finding:
    return Finding(
        code=ENVIRONMENT,
        severity=Severity.NOTE,
        message="the files that the run holds define no environment; it is sought in the files at "
        "the commit",
        hint="log the output of `pip freeze` as the artifact requirements.txt, or commit a lock "
        "file",
        pointer="/environment",
        fix=CAPTURE,
    )


def defines_environment(name: str) -> bool:
    """Whether a file of this name may define an environment, wherever it lies."""
    from reprocheck.environments.candidates import rank

    return name == "MLproject" or rank(name) is not None


def adds_files(record: RunRecord) -> bool:
    """Whether the run's code is more than what its commit has."""
    return bool(record.code.patch or record.code.upstream or code_of(record))


def settled(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, where the commit is known to hold no file that defines an environment; the run
    may have one where its artifacts were not read."""
    if any(each.code in UNSEEN for each in findings):
        return findings
    return tuple(_without() if each.code == ENVIRONMENT else each for each in findings)


def _without() -> Finding:
    return Finding(
        code=ENVIRONMENT,
        severity=Severity.ERROR,
        message="neither the run nor any file at its commit defines an environment",
        hint="log what `pip freeze` prints, where the training's environment is still there, as "
        "the run's artifact requirements.txt; later runs record it with reprocheck-capture",
        pointer="/environment",
        fix=CAPTURE,
    )


def lacks_environment(record: RunRecord, around: Around) -> bool:
    """Whether the repository here has the run's commit, and no file there may define one."""
    commit = record.code.commit
    if around.root is None or adds_files(record) or not commit.isalnum():
        return False
    listed = Git(around.root, around.env)(
        *("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit), trusting=True, check=False
    )
    paths = listed.stdout.decode(errors="replace").split("\0")
    names = (path.rpartition("/")[2] for path in paths)
    return listed.exit_code == 0 and not any(map(defines_environment, names))
