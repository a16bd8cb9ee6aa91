"""Files of DVC and MLflow projects that the team logged with a run: they are the run's record.

A run's own params.yaml, MLproject or *.dvc tells more surely than the commit's what the run had, so
it is put back into the tree, at the one place where the commit has a file of that name.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from reprocheck.model import Finding, OriginKind, RecordedFile, Severity

PATTERNS = ("MLproject", "dvc.yaml", "dvc.lock", "params.yaml", "*.dvc")


def put_back(files: Iterable[RecordedFile], tree: Path) -> tuple[Finding, ...]:
    """Writes the run's own files over the commit's, and says which differed or were ambiguous."""
    findings = []
    for name, logged in _by_name(files).items():
        contents = {file.content for file in logged}
        place = place_of(logged[0].path, tree)
        if len(contents) > 1:
            findings.append(_ambiguous(name, logged))
        elif place is not None and (tree / place).read_bytes() != logged[0].content:
            (tree / place).write_bytes(logged[0].content)
            findings.append(_replaced(place, logged[0]))
    return tuple(findings)


def place_of(path: str, tree: Path) -> str | None:
    """Where the tree has the file that was logged as `path`: there, or at the only such name."""
    name = PurePosixPath(path).name
    there = [
        found.relative_to(tree).as_posix()
        for found in sorted(tree.rglob("*"))
        if found.name == name and found.is_file() and not found.is_symlink()
    ]
    there = [place for place in there if not place.startswith((".git/", ".dvc/"))]
    if path in there:
        return path
    return there[0] if len(there) == 1 else None


def settled(files: Iterable[RecordedFile]) -> tuple[RecordedFile, ...]:
    """The run's own files of which there is only one content, one for each name."""
    return tuple(
        logged[0]
        for logged in _by_name(files).values()
        if len({file.content for file in logged}) == 1
    )


def _by_name(files: Iterable[RecordedFile]) -> dict[str, list[RecordedFile]]:
    named: dict[str, list[RecordedFile]] = {}
    for file in files:
        name = PurePosixPath(file.path).name
        known = any(fnmatch.fnmatchcase(name, pattern) for pattern in PATTERNS)
        if known and file.origin.kind is OriginKind.ARTIFACT:
            named.setdefault(name, []).append(file)
    return named


def _ambiguous(name: str, logged: list[RecordedFile]) -> Finding:
    paths = ", ".join(file.path for file in logged)
    return Finding(
        code="ambiguous-file",
        severity=Severity.WARNING,
        message=f"the run logged several different {name} ({paths}); the commit's is used",
        hint="say in reprocheck.yaml what counts: data, command or environment.file",
        pointer="/artifacts",
    )


def _replaced(place: str, file: RecordedFile) -> Finding:
    return Finding(
        code="file-from-record",
        severity=Severity.NOTE,
        message=f"{place} at the commit differs from the one logged with the run ({file.path}); "
        "the run's is used",
        hint="commit before training, so that the commit has what the run had",
        pointer="/artifacts",
    )
