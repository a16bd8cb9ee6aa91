"""git, git-lfs and the repository whose runs are verified."""

from __future__ import annotations

import re
from pathlib import Path

from reprocheck.doctor.base import (
    Check,
    Kind,
    Request,
    Status,
    absent,
    install,
    version_of,
    which,
)
from reprocheck.git import Git, last_lines
from reprocheck.numbers import counted
from reprocheck.source import local_path

_ASKING_S = 12.0


def check_git(request: Request) -> tuple[Check, ...]:
    """Git's version; every verification needs it."""
    version = version_of("git", request.env)
    if not version:
        return (_git(Status.ERROR, "not on PATH", install("git", request.env)),)
    return (_git(Status.OK, version.removeprefix("git version ")),)


def _git(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.GIT, name="git", status=status, told=told, mend=mend)


def check_lfs(request: Request) -> tuple[Check, ...]:
    """git-lfs, which only repositories with LFS files need."""
    version = version_of("git-lfs", request.env)
    needed = _uses_lfs(request.root)
    if version:
        told = version.split()[0].removeprefix("git-lfs/")
        return (Check(kind=Kind.GIT_LFS, name="git-lfs", status=Status.OK, told=told),)
    told = f"not on PATH{', and .gitattributes names files of LFS' if needed else ''}"
    return (
        Check(
            kind=Kind.GIT_LFS,
            name="git-lfs",
            status=absent(needed),
            told=told,
            mend=install("git-lfs", request.env),
        ),
    )


def _uses_lfs(root: Path) -> bool:
    try:
        text = (root / ".gitattributes").read_text(errors="replace")
    except OSError:
        return False
    return re.search(r"(?m)^[^#\n]*\bfilter=lfs\b", text) is not None


def check_repository(request: Request) -> tuple[Check, ...]:
    """Whether there is a repository, and whether it has its whole history."""
    git = Git(request.root, request.env, timeout_s=_ASKING_S)
    if which("git", request.env) is None:
        told = "cannot be told without git"
        return (_repository(Status.MISSING, told, install("git", request.env)),)
    if request.repo and not local_path(request.repo).is_dir():
        return (_elsewhere(request.repo, git),)
    if not git.text("rev-parse", "--show-toplevel"):
        return (_outside(request, git),)
    head = git.text("rev-parse", "--short", "HEAD")
    where = f"{request.root}, {f'at {head}' if head else 'no commit yet'}"
    if git.text("rev-parse", "--is-shallow-repository") == "true":
        told = f"{where}: a shallow clone lacks the commits of older runs"
        return (_repository(Status.WARNING, told, "git fetch --unshallow"),)
    count = git.text("rev-list", "--count", "HEAD") if head else ""
    history = f", {counted(int(count), 'commit')}" if count.isdigit() else ""
    return (_repository(Status.OK, where + history),)


def _outside(request: Request, git: Git) -> Check:
    refused = git("rev-parse", "--show-toplevel", check=False).stderr
    if b"dubious ownership" in refused:
        told = f"{request.root} belongs to another user, and git refuses it"
        mend = f"git config --global --add safe.directory {request.root}"
        return _repository(Status.ERROR, told, mend)
    told = f"{request.root} is in no git repository"
    mend = "cd into the repository whose code the runs used, or name it with --repo"
    return _repository(Status.MISSING, told, mend)


def _elsewhere(repo: str, git: Git) -> Check:
    done = git("ls-remote", "--", repo, "HEAD", trusting=True, check=False)
    if done.exit_code == 0:
        return _repository(Status.OK, f"{repo} answers")
    told = f"{repo} does not answer: {last_lines(done.stderr, 1)}"
    mend = f"check the address and the credentials:  git ls-remote {repo}"
    return _repository(Status.ERROR, told, mend)


def _repository(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.REPOSITORY, name="repository", status=status, told=told, mend=mend)
