"""Whether the data of runs can be had: what DVC's files at their commits name, and their records.

Distinct commits have few distinct sets of DVC's files, and these few distinct objects.
"""

from __future__ import annotations

import enum
import posixpath
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files
from reprocheck.audit.base import AuditRequest, Kept
from reprocheck.audit.commits import Commits
from reprocheck.audit.objects import Stored, stored
from reprocheck.audit.trees import Files, Trees
from reprocheck.datastores import dvc_config
from reprocheck.datastores.base import Around
from reprocheck.datastores.dvc_config import Remotes
from reprocheck.datastores.dvc_objects import Unusable
from reprocheck.errors import ReprocheckError
from reprocheck.git import Git
from reprocheck.model import Finding, Material, MaterialPlace, Severity

_SHOWN = 3
_DVC = ("md5", "md5-dos2unix")
_POINTER = "/data"
_PUSH = "dvc push --all-commits"


class _State(enum.StrEnum):
    """What is wrong with an input."""

    FINE = ""
    NOWHERE = "nowhere"
    ONLY_CACHED = "only cached"
    CACHED = "cached"  # and remotes could not be asked
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Set:
    """DVC's files as they stand at one commit or more."""

    tree: Path
    configs: Files  # of them, those that name remotes
    materials: Mapping[str, Material] = field(default_factory=dict)  # by path
    imported: frozenset[str] = frozenset()  # paths of what comes from where no push is needed
    problem: str = ""


@dataclass(kw_only=True, slots=True)
class Data:
    """The data of all runs of an audit."""

    request: AuditRequest
    commits: Commits
    scratch: Path
    trees: Trees
    sets: dict[Files, _Set] = field(default_factory=dict)
    by_commit: dict[str, _Set] = field(default_factory=dict)
    remotes: dict[tuple[object, ...], Remotes] = field(default_factory=dict)
    wanted: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    found: dict[int, Mapping[str, Stored]] = field(default_factory=dict)

    def ask(self, runs: Iterable[Kept]) -> None:
        """Looks for all objects that the runs need, each once."""
        for kept in runs:
            chosen = self._set(kept)
            if chosen is None or chosen.problem:
                continue
            for material in self._materials(kept, chosen):
                if material.algorithm in _DVC:
                    self.wanted[id(self._remotes(chosen, material))].add(material.digest)
        for remotes in self.remotes.values():
            self.found[id(remotes)] = stored(
                remotes, sorted(self.wanted[id(remotes)]), offline=self.request.offline
            )

    def findings(self, kept: Kept) -> Iterator[Finding]:
        """What there is to say about a run's data; nothing where all of it is in a remote."""
        chosen = self._set(kept)
        if chosen is None:
            if kept.commits:
                yield _unread(kept)
            return
        if chosen.problem:
            said = f"which data the run needs is not known: {chosen.problem}"
            yield _unchecked(Severity.WARNING, said)
            return
        told: dict[tuple[_State, str], list[Material]] = defaultdict(list)
        for material in self._materials(kept, chosen):
            state, said = self._judged(kept, chosen, material)
            if state is not _State.FINE:
                told[state, said].append(material)
        for (state, said), materials in told.items():
            yield _finding(state, said, materials)

    def _judged(self, kept: Kept, chosen: _Set, material: Material) -> tuple[_State, str]:
        """What is wrong with an input, and why."""
        if material.place is not MaterialPlace.TREE:
            return _State.UNKNOWN, "the Hugging Face hub and caches are not asked"
        found = Stored()
        if material.algorithm in _DVC:
            found = self.found[id(self._remotes(chosen, material))][material.digest]
        if found.remote or (found.cached and material.path in chosen.imported):
            return _State.FINE, ""
        said = "; ".join(found.unasked)
        if found.cached:
            return (_State.CACHED, said) if said else (_State.ONLY_CACHED, "")
        return self._missing(kept, chosen, material, said)

    def _missing(
        self, kept: Kept, chosen: _Set, material: Material, said: str
    ) -> tuple[_State, str]:
        if material.path in chosen.imported:
            return _State.UNKNOWN, "it was imported, and its source is not asked"
        if material.path in chosen.materials:
            return (_State.UNKNOWN, said) if said else (_State.NOWHERE, "")
        in_git = self.trees.has(self._full(kept), posixpath.normpath(material.path))
        return (
            (_State.FINE, "")
            if in_git
            else (_State.UNKNOWN, "no file of DVC's at the commit names it")
        )

    def _materials(self, kept: Kept, chosen: _Set) -> list[Material]:
        """DVC's at the commit, with what the run recorded in their place."""
        materials = dict(chosen.materials)
        same = {item.digest: path for path, item in materials.items()}
        for material in kept.data:
            ends = [p for p in materials if material.path == p or material.path.endswith(f"/{p}")]
            if material.digest not in same:
                materials[ends[0] if ends else material.path] = material
        return list(materials.values())

    def _full(self, kept: Kept) -> str:
        """The run's commit, in full, where the repository here has it."""
        known = (self.commits.full.get(each.lower(), "") for each in kept.commits)
        return next(filter(None, known), "")

    def _set(self, kept: Kept) -> _Set | None:
        full = self._full(kept)
        if full and full not in self.by_commit:
            files = self.trees.dvc_files(full)
            if files is None:
                return None
            if files not in self.sets:
                self.sets[files] = self._written(full, files)
            self.by_commit[full] = self.sets[files]
        return self.by_commit.get(full)

    def _written(self, commit: str, files: Files) -> _Set:
        """The set of files as a tree that DVC's readers take."""
        tree = Path(tempfile.mkdtemp(dir=self.scratch))
        contents = self.trees.contents({name for _, name in files})
        for path, name in files:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(contents.get(name, b""))
        configs = tuple(each for each in files if each[0].endswith(".dvc/config"))
        try:
            at_commit, kept = dvc_files.at_commit(tree), dvc_files.kept(tree)
        except ReprocheckError as error:
            return _Set(tree=tree, configs=configs, problem=error.message)
        return _Set(
            tree=tree,
            configs=configs,
            materials={
                path: item
                for path, item in at_commit.items()
                if item.digest and not self.trees.has(commit, path)
            },
            imported=frozenset(
                path for path, each in kept.items() if each.repository or each.source
            ),
        )

    def _remotes(self, chosen: _Set, material: Material) -> Remotes:
        """What may have an input; sets of files with the same configs share it."""
        around = Around(
            tree=chosen.tree,
            repository=self.commits.home,
            folder=self.commits.home or self.request.cwd,
            env=self.request.env,
        )
        folder = dvc_config.nearest(material.path, around)
        key = (folder, material.remote, chosen.configs)
        if key not in self.remotes:
            self.remotes[key] = _remotes_for(folder, around, material.remote)
        return self.remotes[key]


def _remotes_for(folder: PurePosixPath | None, around: Around, only: str | None) -> Remotes:
    try:
        return dvc_config.remotes_for(folder, around, only)
    except ReprocheckError as error:
        broken = Unusable(words="DVC's config", error=error)
        return Remotes(places=(broken,), versioned=(), cache=None, root="", secrets=frozenset())


def trees_of(runs: list[Kept], request: AuditRequest, commits: Commits, scratch: Path) -> Trees:
    """The trees of the runs' commits that the repository here has."""
    trees = Trees(git=Git(commits.home or scratch, request.env))
    if commits.home is not None:
        named = {commits.full.get(each.lower(), "") for kept in runs for each in kept.commits}
        trees.read(sorted(filter(None, named)))
    return trees


def look(
    runs: list[Kept], request: AuditRequest, commits: Commits, scratch: Path, trees: Trees
) -> Data:
    """Asks caches and remotes for the data of all runs, without a download."""
    data = Data(request=request, commits=commits, scratch=scratch, trees=trees)
    data.ask(runs)
    return data


def _finding(state: _State, said: str, materials: list[Material]) -> Finding:
    names = ", ".join(item.label for item in materials[:_SHOWN])
    what = f"{names} and {len(materials) - _SHOWN} more" if len(materials) > _SHOWN else names
    match state:
        case _State.NOWHERE:
            return Finding(
                code="data-unreachable",
                severity=Severity.ERROR,
                message=f"no DVC remote and no cache here has {what}",
                hint="push it from the machine that trained, if its cache still has it",
                pointer=_POINTER,
                fix=_PUSH,
            )
        case _State.ONLY_CACHED:
            return Finding(
                code="data-only-in-cache",
                severity=Severity.WARNING,
                message=f"{what}: in no DVC remote, only in this machine's DVC cache",
                hint="push it, so that others can verify the run",
                pointer=_POINTER,
                fix=_PUSH,
            )
        case _State.CACHED:
            said = (
                f"{what}: in this machine's DVC cache; whether a remote has it is not known: {said}"
            )
            return _unchecked(Severity.NOTE, said)
    return _unchecked(Severity.WARNING, f"whether {what} can be had is not known: {said}")


def _unchecked(severity: Severity, said: str) -> Finding:
    return Finding(
        code="data-unchecked",
        severity=severity,
        message=said,
        hint="see what the remotes say: dvc status --cloud; or name the data in reprocheck.yaml",
        pointer=_POINTER,
    )


def _unread(kept: Kept) -> Finding:
    commit = kept.commits[0]
    return Finding(
        code="data-unchecked",
        severity=Severity.NOTE,
        message=f"the data that DVC's files at commit {commit[:12]} name was not looked for: the "
        "commit is not in the repository here",
        hint="fetch the commit, and audit again",
        pointer=_POINTER,
    )
