"""The code of a run, from MLflow's tags and reprocheck's own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reprocheck.model import CodeState, Finding, Origin, OriginKind, TreeState
from reprocheck.trackers.mlflow_patches import PatchReader
from reprocheck.trackers.mlflow_recorded_files import Kept
from reprocheck.trackers.mlflow_run import FoundRun

COMMIT_TAGS = ("mlflow.source.git.commit", "mlflow.databricks.gitRepoCommit", "git_commit")
_REPOSITORY_TAGS = (
    "mlflow.source.git.repoURL",
    "mlflow.databricks.gitRepoUrl",
    "mlflow.gitRepoURL",
)
_BRANCH_TAGS = (
    "mlflow.source.git.branch",
    "mlflow.databricks.gitRepoReference",
    "mlflow.gitBranch",
)
_TREE_TAGS = ("reprocheck.tree", "mlflow.source.git.dirty")
_TREES = {
    "clean": TreeState.CLEAN,
    "dirty": TreeState.DIRTY,
    "false": TreeState.CLEAN,
    "true": TreeState.DIRTY,
}


def read_code(
    run: FoundRun, kept: Kept
) -> tuple[CodeState, Mapping[str, Origin], tuple[Finding, ...]]:
    """The code's state; by JSON pointer, where its parts were found; what was not clear."""
    origins: dict[str, Origin] = {}
    commit = _first(run.tags, COMMIT_TAGS, "/code/commit", origins)
    if not commit and run.parameters.get("git_commit"):
        commit = run.parameters["git_commit"]
        origins["/code/commit"] = Origin(kind=OriginKind.TRACKER, where="parameter git_commit")
    told = _first(run.tags, _TREE_TAGS, "/code/tree", origins) or ""
    tree = _TREES.get(told.strip().lower(), TreeState.UNKNOWN)
    repository, subdirectory = _repository(run.tags, origins)
    patches = PatchReader(run=run, kept=kept, tree=tree, origins=origins)
    patch = patches.patch()
    if tree is TreeState.UNKNOWN and patch is not None and patch.content.strip():
        tree, origins["/code/tree"] = TreeState.DIRTY, origins["/code/patch"]
    code = CodeState(
        commit=(commit or "").strip(),
        repository=repository,
        branch=_first(run.tags, _BRANCH_TAGS, "/code/branch", origins),
        script=_first(run.tags, ("mlflow.source.name",), "/code/script", origins),
        entry_point=_first(run.tags, ("mlflow.project.entryPoint",), "/code/entry_point", origins),
        patch=patch,
        tree=tree,
        subdirectory=subdirectory,
        upstream=patches.upstream(),
        untracked=patches.untracked(),
    )
    return code, origins, tuple(patches.findings)


def without_credentials(url: str) -> str:
    """The URL without the user and password that older MLflow versions left in it."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", url)


def _first(
    tags: Mapping[str, str], names: tuple[str, ...], pointer: str, origins: dict[str, Origin]
) -> str | None:
    for name in names:
        if tags.get(name):
            origins[pointer] = Origin(kind=OriginKind.TAG, where=name)
            return tags[name]
    return None


def _repository(tags: Mapping[str, str], origins: dict[str, Origin]) -> tuple[str | None, str]:
    """The repository and, of an MLproject, its folder there."""
    pointer = "/code/repository"
    is_project = tags.get("mlflow.source.type") == "PROJECT" or "mlflow.project.entryPoint" in tags
    source, _, subdirectory = tags.get("mlflow.source.name", "").partition("#")
    found = _first(tags, _REPOSITORY_TAGS, pointer, origins)
    if found is None and is_project and source:
        origins[pointer] = Origin(kind=OriginKind.TAG, where="mlflow.source.name")
        found = source
    if found is None:
        return None, "."
    return without_credentials(found), (subdirectory if is_project and subdirectory else ".")
