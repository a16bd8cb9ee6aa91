"""The code of a run as JSON, by schemas/run.schema.json."""

from __future__ import annotations

from reprocheck.detail import Document
from reprocheck.model import CodeState, Patch


def code(state: CodeState) -> Document:
    """What ran, without the content of its patches."""
    return {
        "commit": state.commit or None,
        "repository": state.repository,
        "branch": state.branch,
        "script": state.script,
        "entry_point": state.entry_point,
        "subdirectory": state.subdirectory,
        "tree": state.tree.value,
        "patch": state.patch and _patch(state.patch),
        "upstream": state.upstream and _patch(state.upstream),
        "untracked": [
            {"path": each.path, "sha256": each.sha256, "artifact": each.artifact}
            for each in state.untracked
        ],
        "stored": list(state.stored),
    }


def _patch(patch: Patch) -> Document:
    size = len(patch.content) if patch.size is None else patch.size
    return {"sha256": patch.sha256, "size": size, "base": patch.base}
