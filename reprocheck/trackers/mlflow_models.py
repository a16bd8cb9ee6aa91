"""Where a run's logged models (MLflow 3) stand among its artifacts, on both sides."""

from __future__ import annotations

from collections.abc import Sequence


def model_folders(names: Sequence[str]) -> tuple[str, ...]:
    """A folder such as `models/net/` for each model, given in the order in which they were made.

    A training that logs checkpoints gives several models one name: the second is `models/net#2/`.
    """
    counts: dict[str, int] = {}
    folders = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        folders.append(f"models/{name}#{counts[name]}/" if counts[name] > 1 else f"models/{name}/")
    return tuple(folders)
