"""Picks out the files kept with a run that count as its record, and downloads them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath

from reprocheck import mending
from reprocheck.definition import PATHS as DEFINITIONS
from reprocheck.model import (
    Artifact,
    Finding,
    Origin,
    OriginKind,
    RecordedFile,
    Severity,
)
from reprocheck.trackers.mlflow_artifacts import (
    MAX_ENTRIES,
    ArtifactRoot,
    RootFinder,
    UnreachableError,
)
from reprocheck.trackers.mlflow_models import model_folders
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_store import FoundModel

OWN = "reprocheck/"
PATCH = "reprocheck/source.patch"
UNTRACKED = "reprocheck/untracked/"
PATCHES = (
    "diff.patch",
    "git_diff.patch",
    "git.diff",
    "uncommitted.patch",
    "staged.patch",
    "unstaged.patch",
)
"""Names under which teams and other tools keep a run's uncommitted changes."""
_RUN = re.compile(r"/[^/]+/[0-9a-f]{32}/artifacts/?$")  # what every run has below the store's
_MOVED = "tracker: {{artifact_roots: {{{}: ./mlruns}}}}"
UNREACHABLE = "artifacts-unreachable"
_PATTERNS = (
    "requirements*.txt",
    "*freeze*.txt",
    "conda.yaml",
    "conda.yml",
    "environment.yaml",
    "environment.yml",
    "python_env.yaml",
    "Dockerfile*",
    "*.lock",
    "conda-lock.yml",
    "pyproject.toml",
    "MLproject",
    "*.dvc",
    "*SUMS*",  # manifests of data
    "manifest.json",
    "manifest.csv",
    "manifest.txt",
    "dvc.yaml",
    "params.yaml",
    "MLmodel",
    *PATCHES,
    "diff_*.patch",
)
_OF_HYDRA = ("overrides.yaml", "hydra.yaml")
_MAX_FILES = 50
_MAX_BYTES = 1_000_000
_MAX_PATCH_BYTES = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What a run kept: the list of its files, and the content of those that are its record."""

    artifacts: tuple[Artifact, ...] = ()
    files: tuple[RecordedFile, ...] = ()  # reprocheck's own, plain artifacts, models'
    findings: tuple[Finding, ...] = ()

    def content(self, path: str) -> bytes | None:
        """The content of a recorded file."""
        return next((file.content for file in self.files if file.path == path), None)


@dataclass(kw_only=True, slots=True)
class _Wanted:
    """Recorded files to download, in the order in which they matter."""

    kind: OriginKind  # TRACKER stands for reprocheck's own
    root: ArtifactRoot
    path: str  # inside the root
    name: str  # inside the record
    size: int | None


@dataclass(kw_only=True, slots=True)
class _Gathering:
    """Collects over several roots; a root that fails spoils only what is in it."""

    finder: RootFinder
    only: str = ""
    artifacts: list[Artifact] = field(default_factory=list)
    wanted: list[_Wanted] = field(default_factory=list)
    files: list[RecordedFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def list_root(self, uri: str, prefix: str, *, model: bool) -> None:
        if not uri:
            return
        try:
            root = self.finder.open(uri)
            counted = (file for file in root.files() if file.path.startswith(self.only))
            found = list(itertools.islice(counted, MAX_ENTRIES + 1))
        except UnreachableError as error:
            self.findings.append(unreachable(error))
            return
        if len(found) > MAX_ENTRIES:
            self.findings.append(_too_many(uri))
            found.pop()
        self.artifacts += (Artifact(path=prefix + a.path, size=a.size) for a in found)
        self.wanted += _wanted(root, found, prefix, model=model)

    def download(self) -> None:
        spoilt: set[int] = set()
        self.wanted.sort(key=_rank)
        for wanted in self.wanted:
            if id(wanted.root) in spoilt:
                continue
            try:
                self._download(wanted)
            except UnreachableError as error:
                spoilt.add(id(wanted.root))
                self.findings.append(unreachable(error))

    def _download(self, wanted: _Wanted) -> None:
        limit = limit_of(wanted.name)
        if len(self.files) >= _MAX_FILES or (wanted.size or 0) > limit:
            self.findings.append(skipped(wanted.name))
            return
        content = wanted.root.read(wanted.path)
        if len(content) > limit:
            self.findings.append(skipped(wanted.name))
            return
        kind = OriginKind.MODEL if wanted.kind is OriginKind.MODEL else OriginKind.ARTIFACT
        origin = Origin(kind=kind, where=wanted.name)
        self.files.append(RecordedFile(path=wanted.name, content=content, origin=origin))


def gather(run: FoundRun, models: Sequence[FoundModel], finder: RootFinder, only: str = "") -> Kept:
    """Lists the artifacts of the run and its models, and downloads what is its record.

    `only` is how all paths begin that count.
    """
    gathering = _Gathering(finder=finder, only=only)
    gathering.list_root(run.artifact_uri, "", model=False)
    for folder, model in zip(model_folders([m.name for m in models]), models, strict=True):
        gathering.list_root(model.artifact_uri, folder, model=True)
    gathering.download()
    return Kept(
        artifacts=tuple(sorted(gathering.artifacts, key=lambda artifact: artifact.path)),
        files=tuple(gathering.files),
        findings=tuple(gathering.findings),
    )


def _wanted(
    root: ArtifactRoot, found: list[Artifact], prefix: str, *, model: bool
) -> Iterator[_Wanted]:
    # Before MLflow 3 a model is a folder of the run's artifacts with an MLmodel in it.
    folders = {PurePosixPath(a.path).parent for a in found if a.path.endswith("MLmodel")}
    for artifact in found:
        path = PurePosixPath(artifact.path)
        if artifact.path.startswith(UNTRACKED) and not model:
            continue  # they are fetched when the code is restored
        if artifact.path.startswith(OWN) and not model:
            kind = OriginKind.TRACKER
        elif not _is_record(artifact.path, path.name, model=model):
            continue
        else:
            kind = OriginKind.MODEL if model or folders & {*path.parents} else OriginKind.ARTIFACT
        yield _Wanted(
            kind=kind,
            root=root,
            path=artifact.path,
            name=prefix + artifact.path,
            size=artifact.size,
        )


def _is_record(path: str, name: str, *, model: bool) -> bool:
    if path in DEFINITIONS and not model:
        return True
    if name in _OF_HYDRA and PurePosixPath(path).parent.name in (".hydra", "hydra"):
        return True
    return any(fnmatch(name, pattern) for pattern in _PATTERNS)


def _rank(wanted: _Wanted) -> tuple[int, int, str]:
    kinds = (OriginKind.TRACKER, OriginKind.ARTIFACT, OriginKind.MODEL)
    return kinds.index(wanted.kind), wanted.name.count("/"), wanted.name


def unreachable(error: UnreachableError) -> Finding:
    """What is told of a root that this machine cannot read."""
    return Finding(
        code=UNREACHABLE,
        severity=Severity.WARNING,
        message=f"The artifacts at {error.root} cannot be read: {error.reason}",
        hint="If they are elsewhere now, map the beginning of that address in reprocheck.yaml "
        "under tracker.artifact_roots; for cloud storage, install its driver beside reprocheck "
        "and set its credentials.",
        pointer="/artifacts",
        fix=mending.line(_MOVED, _RUN.sub("", error.root)),
    )


def _too_many(uri: str) -> Finding:
    return Finding(
        code="artifacts-truncated",
        severity=Severity.NOTE,
        message=f"There are more than {MAX_ENTRIES} files at {uri}; the rest was not looked at.",
        hint="Log what belongs to the record under reprocheck/, or fewer files.",
        pointer="/artifacts",
    )


def limit_of(name: str) -> int:
    """The most bytes of a recorded file that are read."""
    return _MAX_PATCH_BYTES if name.endswith((".patch", ".diff")) else _MAX_BYTES


def skipped(name: str) -> Finding:
    """What is told of a recorded file that is too large."""
    return Finding(
        code="recorded-file-skipped",
        severity=Severity.NOTE,
        message=f"{name} was not read: recorded files count up to {_MAX_FILES}, of 1 MB each.",
        hint="Log smaller environment files, under reprocheck/environment/.",
        pointer="/files",
    )
