"""The code that was stored with the run, where its commit cannot be had."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reprocheck.errors import ReadError, SourceError
from reprocheck.git import Git
from reprocheck.model import Artifact, Finding, Severity
from reprocheck.progress import Progress
from reprocheck.source import untracked
from reprocheck.source.base import Checkout, CheckoutRequest, NotHereError
from reprocheck.source.places import local_path, repository_root
from reprocheck.stored_code import results, sources, stored_code
from reprocheck.tree_paths import inside

MOST_FILES = 2_000
MOST_BYTES = 200_000_000
_TOLD = 5
_AUTHOR = ("-c", "user.name=reprocheck", "-c", "user.email=reprocheck@localhost")


def check_out(
    request: CheckoutRequest, answers: Sequence[NotHereError], progress: Progress
) -> Checkout | None:
    """A tree of the run's own artifacts in a new repository; None where they hold no code.

    Raises `SourceError` when they cannot be had, are too many, or lead out of the tree.
    """
    chosen = stored_code(request.kept.artifacts, request.code.script)
    if not chosen:
        return None
    _check_size(len(chosen), sum(artifact.size or 0 for artifact in chosen.values()))
    progress.update("reading the code that was stored with the run")
    _write(request, chosen)
    put_back = untracked.put_back(request)
    _commit(Git(request.tree, request.env))
    told = sources(chosen.values())
    return Checkout(
        tree=request.tree,
        commit=request.code.commit,
        repository=_home(request),
        place=f"the run's artifacts ({', '.join(told)})",
        findings=(_finding(request, told, answers), *_left_out(request), *put_back),
        stored=told,
    )


def _home(request: CheckoutRequest) -> Path | None:
    """The user's repository: it has not got the commit, but may know where the data is kept."""
    named = request.cwd if request.repo is None else local_path(request.repo)
    return repository_root(named, request.env)


def _check_size(count: int, size: int) -> None:
    if count > MOST_FILES or size > MOST_BYTES:
        raise SourceError(
            f"the code stored with the run is {count} files of {size // 10**6} MB in all; "
            f"{MOST_FILES} of {MOST_BYTES // 10**6} MB are read at most",
            "give a repository that has the commit with --repo PATH_OR_URL",
        )


def _write(request: CheckoutRequest, chosen: Mapping[str, Artifact]) -> None:
    request.tree.mkdir(parents=True)
    places = {path: inside(request.tree, path, "the stored file") for path in chosen}
    try:
        folder = request.tree.parent / "stored"
        files = request.kept.fetch([each.path for each in chosen.values()], folder)
    except ReadError as error:
        raise SourceError(f"the code stored with the run: {error.message}", error.hint) from error
    _check_size(len(files), sum(file.stat().st_size for file in files.values()))  # not all tell it
    for path, place in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[chosen[path].path], place)


def _commit(git: Git) -> None:
    git("init", "--quiet", "--template=", "--initial-branch=main")
    git("add", "--all", "--force")
    git(*_AUTHOR, "commit", "--quiet", "--message", "The code stored with the run")


def _finding(
    request: CheckoutRequest, told: Sequence[str], answers: Sequence[NotHereError]
) -> Finding:
    commit = request.code.commit
    wanted = f"of commit {commit[:12]}" if commit else "of a commit, for the run records none"
    unasked = [error.message for error in answers if not error.asked]
    message = f"the code is what the run stored in {', '.join(told)}, instead {wanted}; "
    message += "nothing proves that it is all of the run's code"
    if not request.kept.whole:
        message += "; the list of the run's artifacts is not complete"
    if unasked:
        message += f". The commit may be where it could not be asked for: {'; '.join(unasked)}"
    elif answers:
        message += f". Asked for it: {'; '.join(error.message for error in answers)}"
    return Finding(
        code="code-from-artifacts",
        severity=Severity.WARNING,
        message=message,
        hint=next_step(request),
        pointer="/code/commit",
    )


def _left_out(request: CheckoutRequest) -> Iterator[Finding]:
    paths = results(request.kept.artifacts)
    if paths:
        more = f" and {len(paths) - _TOLD} more" if len(paths) > _TOLD else ""
        yield Finding(
            code="stored-results",
            severity=Severity.WARNING,
            message=f"the run may have made what lies beside its stored code: "
            f"{', '.join(paths[:_TOLD])}{more}; the reruns start without",
            hint="if the run read it, track it with DVC, or list it with its hash under data",
            pointer="/artifacts",
        )


def next_step(request: CheckoutRequest) -> str:
    """What to do about a commit that was found nowhere."""
    commit = request.code.commit
    if not commit:
        return "start runs in a git repository, with GitPython installed"
    return (
        f"fetch it (git fetch --all; git fetch origin {commit}), give a repository that has it "
        "with --repo PATH_OR_URL, or let whoever started the run push it: "
        f"git push origin {commit}:refs/reprocheck/{request.run_id}"
    )
