"""Files of the run's tree that git did not know, put back from the run's artifacts."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from reprocheck.errors import ReadError, SourceError
from reprocheck.model import Finding, Severity, UntrackedFile
from reprocheck.source.base import CheckoutRequest
from reprocheck.tree_paths import inside

MOST_FILES = 2_000
MOST_BYTES = 500_000_000
_TOLD = 5


def put_back(request: CheckoutRequest) -> tuple[Finding, ...]:
    """Writes the recorded untracked files to their places; never over a file of the commit.

    Raises `SourceError` for a path out of the tree, for another digest than the recorded one, and
    where they cannot be had.
    """
    files = request.code.untracked
    kept = [file for file in files if file.artifact is not None]
    _check_size(request, kept)
    places = {file.path: inside(request.tree, file.path, "the untracked file") for file in files}
    fetched = _fetched(request, kept)
    there, made = [], []
    for file in kept:
        source, place = fetched[file.artifact or ""], places[file.path]
        _check_digest(file, source)
        if place.is_symlink() or place.exists():
            there += [] if _is_same(source, place) else [file.path]
            continue
        _copy(file, source, place)
        made.append(file.path)
    listed = [
        file.path for file in files if file.artifact is None and not places[file.path].exists()
    ]
    return tuple(_findings(made, there, listed))


def _fetched(request: CheckoutRequest, files: Sequence[UntrackedFile]) -> dict[str, Path]:
    if not files:
        return {}
    try:
        folder = request.tree.parent / "untracked"
        return dict(request.kept.fetch([file.artifact or "" for file in files], folder))
    except ReadError as error:
        raise SourceError(f"the run's untracked files: {error.message}", error.hint) from error


def _check_size(request: CheckoutRequest, files: Sequence[UntrackedFile]) -> None:
    names = {file.artifact for file in files}
    size = sum(each.size or 0 for each in request.kept.artifacts if each.path in names)
    if len(files) > MOST_FILES or size > MOST_BYTES:
        raise SourceError(
            f"the run keeps {len(files)} untracked files of {size // 10**6} MB in all; "
            f"{MOST_FILES} of {MOST_BYTES // 10**6} MB are put back at most",
            "keep data in DVC or under data in reprocheck.yaml",
        )


def _check_digest(file: UntrackedFile, source: Path) -> None:
    with source.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if file.sha256 is not None and file.sha256.lower() != found:
        raise SourceError(
            f"the untracked file {file.path} has sha256 {found[:12]}…, the record says "
            f"{file.sha256[:12]}…",
            f"the artifact {file.artifact} was changed after the run; put the original back",
        )


def _is_same(source: Path, place: Path) -> bool:
    return place.is_file() and source.read_bytes() == place.read_bytes()


def _copy(file: UntrackedFile, source: Path, place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    except (FileExistsError, NotADirectoryError) as error:
        raise SourceError(
            f"the untracked file {file.path} lies below a file of the commit",
            "the record's commit is not the run's, or its list of untracked files is not",
        ) from error


def _findings(
    made: Sequence[str], there: Sequence[str], listed: Sequence[str]
) -> Iterator[Finding]:
    if made:
        yield _finding(
            "untracked-files",
            Severity.NOTE,
            f"the run's untracked files were put back: {_names(made)}",
        )
    if there:
        yield _finding(
            "untracked-conflict",
            Severity.WARNING,
            f"the record has {_names(there)} as untracked, and the commit has other files there; "
            "the commit's are used",
        )
    if listed:
        yield _finding(
            "untracked-missing",
            Severity.WARNING,
            f"the run's tree had untracked files which its record only names: {_names(listed)}",
        )


def _names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _TOLD} more" if len(paths) > _TOLD else ""
    return ", ".join(paths[:_TOLD]) + more


def _finding(code: str, severity: Severity, message: str) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=message,
        hint="commit every file that a run reads, or keep it in DVC",
        pointer="/code/untracked",
    )
