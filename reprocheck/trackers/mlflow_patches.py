"""Changes that were never committed, and files that git did not know, as runs keep them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from reprocheck import mending
from reprocheck.model import (
    Finding,
    Origin,
    OriginKind,
    Patch,
    RecordedFile,
    Severity,
    TreeState,
    UntrackedFile,
)
from reprocheck.trackers.mlflow_recorded_files import OWN, PATCH, PATCHES, UNTRACKED, Kept
from reprocheck.trackers.mlflow_run import FoundRun

_DIFF_TAG = "mlflow.source.git.diff"
GIT_STATE = ("mlflow.source.git.dirty", _DIFF_TAG)
"""What MLflow's git versioning of models says about a tree."""
_CUT_AT = {500, 5000, 8000}  # characters: where versions of MLflow cut a tag
_HALVES = ("staged.patch", "unstaged.patch")
_UPSTREAM = re.compile(r"diff_([0-9a-f]{7,64})\.patch")  # as W&B names it


@dataclass(kw_only=True, slots=True)
class PatchReader:
    """Reads a run's patches; one of which several differ, or that was cut, becomes a finding."""

    run: FoundRun
    kept: Kept
    tree: TreeState
    origins: dict[str, Origin] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def patch(self) -> Patch | None:
        """The changes on top of the run's commit, or of the one that `reprocheck.patch.base` names.

        What is not reprocheck's own only counts where the run does not say that its tree was clean.
        """
        tags = self.run.tags
        found = self._own() or (None if self.tree is TreeState.CLEAN else self._habitual())
        if found is None:
            return None
        parts, origin = found
        self.origins["/code/patch"] = origin
        return Patch(
            content=b"".join(parts),
            sha256=tags.get("reprocheck.patch.sha256"),
            base=tags.get("reprocheck.patch.base"),
            parts=parts if len(parts) > 1 else (),
        )

    def upstream(self) -> Patch | None:
        """All changes since a commit that was pushed, where the record names it."""
        base = self.run.tags.get("reprocheck.upstream")
        content = self.kept.content(f"{OWN}upstream.patch")
        if base and content is not None:
            self.origins["/code/upstream"] = _artifact(f"{OWN}upstream.patch")
            sha256 = self.run.tags.get("reprocheck.upstream.sha256")
            return Patch(content=content, sha256=sha256, base=base)
        named = [file for file in self._plain() if _UPSTREAM.fullmatch(_name(file))]
        file = self._only(named)
        match = _UPSTREAM.fullmatch(_name(file)) if file else None
        if file is None or match is None:
            return None
        self.origins["/code/upstream"] = _artifact(file.path)
        return Patch(content=file.content, sha256=None, base=match[1])

    def untracked(self) -> tuple[UntrackedFile, ...]:
        """Those that the record lists, and those that it keeps."""
        stored = {
            artifact.path.removeprefix(UNTRACKED): artifact.path
            for artifact in self.kept.artifacts
            if artifact.path.startswith(UNTRACKED)
        }
        listed = _listed(self.kept.content(f"{OWN}record.json"))
        return tuple(
            UntrackedFile(path=path, sha256=listed.get(path), artifact=stored.get(path))
            for path in sorted({*stored, *listed})
        )

    def _own(self) -> tuple[tuple[bytes, ...], Origin] | None:
        content = self.kept.content(PATCH)
        if content is not None:
            return (content,), _artifact(PATCH)
        return self._halves([file for file in self.kept.files if file.path.startswith(OWN)])

    def _habitual(self) -> tuple[tuple[bytes, ...], Origin] | None:
        """What teams and other tools keep: two patches, one, or MLflow's tag."""
        plain = self._plain()
        if halves := self._halves(plain):
            return halves
        whole = [f for f in plain if _name(f) not in _HALVES and not _UPSTREAM.fullmatch(_name(f))]
        file = self._only(whole)
        if file is not None:
            return (file.content,), _artifact(file.path)
        text = self.run.tags.get(_DIFF_TAG, "")
        if len(text) in _CUT_AT:
            self.findings.append(_cut(len(text)))
            return None
        origin = Origin(kind=OriginKind.TAG, where=_DIFF_TAG)
        return ((text.encode(errors="surrogateescape"),), origin) if text else None

    def _halves(self, files: Iterable[RecordedFile]) -> tuple[tuple[bytes, ...], Origin] | None:
        """Staged changes, then the unstaged ones on top of them."""
        named = [self._only([f for f in files if _name(f) == name]) for name in _HALVES]
        found = [file for file in named if file is not None]
        if not found:
            return None
        return tuple(file.content for file in found), _artifact(", ".join(f.path for f in found))

    def _plain(self) -> list[RecordedFile]:
        return [
            file
            for file in self.kept.files
            if file.origin.kind is OriginKind.ARTIFACT
            and not file.path.startswith(OWN)
            and is_patch(file.path)
        ]

    def _only(self, files: list[RecordedFile]) -> RecordedFile | None:
        if len({file.content for file in files}) > 1:
            self.findings.append(_several(files))
            return None
        return files[0] if files else None


def is_patch(path: str) -> bool:
    """Whether an artifact's name is one that patches are kept under."""
    name = PurePosixPath(path).name
    return name in PATCHES or _UPSTREAM.fullmatch(name) is not None


def _name(file: RecordedFile) -> str:
    return PurePosixPath(file.path).name


def _artifact(path: str) -> Origin:
    return Origin(kind=OriginKind.ARTIFACT, where=path)


def _listed(record: bytes | None) -> Mapping[str, str | None]:
    """The untracked files that reprocheck's own record names, with their digests."""
    try:
        entries: Any = json.loads(record or b"{}")["code"]["untracked"]
        return {str(each["path"]): each.get("sha256") for each in entries}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # the record's own schema is judged elsewhere


def _several(files: list[RecordedFile]) -> Finding:
    return Finding(
        code="ambiguous-patch",
        severity=Severity.WARNING,
        message="the run keeps several different patches, none of which is used: "
        + ", ".join(file.path for file in files),
        hint="log the one that belongs to the commit as the artifact reprocheck/source.patch",
        pointer="/code/patch",
        fix=mending.CAPTURE,
    )


def _cut(length: int) -> Finding:
    return Finding(
        code="truncated-patch",
        severity=Severity.WARNING,
        message=f"the tag {_DIFF_TAG} has {length} characters, where MLflow cuts a tag: the patch "
        "is not whole, and not used",
        hint="log the output of `git diff HEAD --binary` as the artifact reprocheck/source.patch",
        pointer="/code/patch",
        fix=mending.CAPTURE,
    )
