"""Larger files of a run's record that another run of the same process keeps for it.

reprocheck-capture stores them once for all runs of a process; each run has their digests.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reprocheck.errors import UnknownRunError
from reprocheck.model import (
    Artifact,
    Finding,
    Origin,
    OriginKind,
    RecordedFile,
    RunRecord,
    Severity,
)
from reprocheck.trackers.mlflow_artifacts import ArtifactRoot, RootFinder, UnreachableError
from reprocheck.trackers.mlflow_products import Root
from reprocheck.trackers.mlflow_recorded_files import OWN, UNTRACKED, Kept, limit_of, skipped
from reprocheck.trackers.mlflow_store import MlflowStore

RECORD = f"{OWN}record.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Another run, and the files of it that belong to a record: SHA-256 by path."""

    run_id: str
    files: Mapping[str, str]


def held(files: Sequence[RecordedFile]) -> Held | None:
    """What the record among a run's files says that another run keeps; None for nothing."""
    content = next((file.content for file in files if file.path == RECORD), b"{}")
    try:
        found: Any = json.loads(content)["capture"]["held"]
        digests = {str(path): str(sha256) for path, sha256 in found["files"].items()}
        run_id = str(found["run_id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # the record's own schema is judged elsewhere
    own = {path: sha256 for path, sha256 in digests.items() if path.startswith(OWN)}
    return Held(run_id=run_id, files=own) if own and run_id else None


def with_held(store: MlflowStore, kept: Kept, finder: RootFinder) -> Kept:
    """What a run kept together with what another run keeps for it. Raises `ReadError`."""
    wanted = held(kept.files)
    if wanted is None:
        return kept
    try:
        holder = _Holder(wanted, finder.open(store.run(wanted.run_id).artifact_uri))
        artifacts = holder.artifacts({artifact.path for artifact in kept.artifacts})
        found = tuple(holder.files(artifacts))
    except (UnknownRunError, UnreachableError) as error:
        return dataclasses.replace(kept, findings=(*kept.findings, _gone(wanted, str(error))))
    every = sorted((*kept.artifacts, *artifacts), key=lambda artifact: artifact.path)
    return Kept(
        artifacts=tuple(every),
        files=(*kept.files, *(each for each in found if isinstance(each, RecordedFile))),
        findings=(*kept.findings, *(each for each in found if isinstance(each, Finding))),
    )


def held_roots(store: MlflowStore, record: RunRecord) -> tuple[Root, ...]:
    """Where the files are that another run keeps for a record. Raises `ReadError`."""
    wanted = held(record.files)
    if wanted is None:
        return ()
    try:
        uri = store.run(wanted.run_id).artifact_uri
    except UnknownRunError:
        return ()  # a finding said so when the record was read
    return (Root(folder="", uri=uri, only=frozenset(wanted.files)),)


@dataclass(frozen=True, slots=True)
class _Holder:
    """The run that keeps the files. Methods raise `UnreachableError`."""

    wanted: Held
    root: ArtifactRoot

    def artifacts(self, own: Collection[str]) -> list[Artifact]:
        """The wanted files but those that the run has itself."""
        wanted = self.wanted.files.keys() - set(own)
        return [artifact for artifact in self.root.files() if artifact.path in wanted]

    def files(self, artifacts: Sequence[Artifact]) -> Iterator[RecordedFile | Finding]:
        for artifact in artifacts:
            path = artifact.path
            if path.startswith(UNTRACKED):
                continue  # they are fetched when the code is restored
            limit = limit_of(path)
            content = b"" if (artifact.size or 0) > limit else self.root.read(path)
            if not content or len(content) > limit:
                yield skipped(path)
            elif hashlib.sha256(content).hexdigest() != self.wanted.files[path].lower():
                yield _changed(self.wanted, path)
            else:
                where = f"{path} of run {self.wanted.run_id}"
                origin = Origin(kind=OriginKind.ARTIFACT, where=where)
                yield RecordedFile(path=path, content=content, origin=origin)


def _gone(wanted: Held, why: str) -> Finding:
    return Finding(
        code="holder-unreachable",
        severity=Severity.WARNING,
        message=f"{len(wanted.files)} files of this run's record are kept by run {wanted.run_id} "
        f"of the same process, which cannot be read: {why}",
        hint="restore that run, if it was deleted, or put its folder reprocheck/ back",
        fix=f"mlflow runs restore --run-id {wanted.run_id}" if wanted.run_id.isalnum() else "",
        pointer="/files",
    )


def _changed(wanted: Held, path: str) -> Finding:
    return Finding(
        code="holder-changed",
        severity=Severity.WARNING,
        message=f"{path}, which run {wanted.run_id} keeps for this one, is not the recorded file: "
        "its SHA-256 is another; it does not count",
        hint=f"put the file of that run back as it was, or log it as {path} of this run",
        pointer="/files",
    )
