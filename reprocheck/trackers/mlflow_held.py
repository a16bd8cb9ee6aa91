"""Larger files of a run's record that another run of the same process keeps for it.

reprocheck-capture stores them once for all runs of a process; each run has their digests.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from reprocheck.trackers.mlflow_lineage import PARENT_TAG
from reprocheck.trackers.mlflow_products import Root
from reprocheck.trackers.mlflow_recorded_files import (
    OWN,
    UNTRACKED,
    Kept,
    gather,
    limit_of,
    skipped,
)
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_store import MlflowStore

RECORD = f"{OWN}record.json"
_OF_PROCESS = (
    *("reprocheck.schema", "reprocheck.argv", "reprocheck.cwd", "reprocheck.tree"),
    *("reprocheck.patch.sha256", "reprocheck.environment.sha256", "mlflow.source.git.commit"),
)


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


def with_held(store: MlflowStore, run: FoundRun, kept: Kept, finder: RootFinder) -> Kept:
    """What a run kept together with what other runs of its process keep for it.

    Raises `ReadError`.
    """
    if not any(artifact.path == RECORD for artifact in kept.artifacts):
        kept = _with_parents(store, run, kept, finder)
    wanted = held(kept.files)
    if wanted is None:
        return kept
    try:
        holder = _Holder(wanted, finder.open(store.run(wanted.run_id).artifact_uri))
        artifacts = holder.artifacts({artifact.path for artifact in kept.artifacts})
        found = tuple(holder.files(artifacts))
    except (UnknownRunError, UnreachableError) as error:
        return dataclasses.replace(kept, findings=(*kept.findings, _gone(wanted, str(error))))
    files = tuple(each for each in found if isinstance(each, RecordedFile))
    findings = tuple(each for each in found if isinstance(each, Finding))
    return _joined(kept, artifacts, files, findings)


def _with_parents(store: MlflowStore, run: FoundRun, kept: Kept, finder: RootFinder) -> Kept:
    """With the record of the parent, where that is of the same process: autologging gives the runs
    of a search our tags, and starts none of them."""
    parent = _parent(store, run)
    if parent is None:
        return kept
    above = gather(parent, (), finder, only=OWN)
    return _joined(kept, above.artifacts, above.files, above.findings)


def _parent(store: MlflowStore, run: FoundRun) -> FoundRun | None:
    if "reprocheck.schema" not in run.tags or not run.tags.get(PARENT_TAG):
        return None
    try:
        parent = store.run(run.tags[PARENT_TAG])
    except UnknownRunError:
        return None
    same = all(run.tags.get(name) == parent.tags.get(name) for name in _OF_PROCESS)
    return parent if same else None


def _joined(
    kept: Kept,
    artifacts: Iterable[Artifact],
    files: Iterable[RecordedFile],
    findings: Iterable[Finding],
) -> Kept:
    every = sorted((*kept.artifacts, *artifacts), key=lambda artifact: artifact.path)
    return Kept(
        artifacts=tuple(every),
        files=(*kept.files, *files),
        findings=(*kept.findings, *findings),
    )


def held_roots(store: MlflowStore, record: RunRecord) -> tuple[Root, ...]:
    """Where the files are that other runs keep for a record. Raises `ReadError`."""
    wanted, parent = held(record.files), record.tags.get(PARENT_TAG, "")
    names = {parent: frozenset({each.path for each in record.artifacts if _is_own(each.path)})}
    if not parent or _writer(record.files) != parent:
        names = {}
    if wanted is not None:
        names = {run_id: paths - wanted.files.keys() for run_id, paths in names.items()}
        names[wanted.run_id] = frozenset(wanted.files)
    return tuple(_roots(store, names))


def _roots(store: MlflowStore, names: Mapping[str, frozenset[str]]) -> Iterator[Root]:
    for run_id, paths in names.items():
        if not paths:
            continue
        try:
            yield Root(folder="", uri=store.run(run_id).artifact_uri, only=paths)
        except UnknownRunError:
            continue  # a finding said so when the record was read


def _is_own(path: str) -> bool:
    return path.startswith(OWN)


def _writer(files: Sequence[RecordedFile]) -> str:
    """The run that a record.json is of."""
    content = next((file.content for file in files if file.path == RECORD), b"{}")
    try:
        return str(json.loads(content).get("run_id"))
    except (ValueError, AttributeError, RecursionError):
        return ""


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
