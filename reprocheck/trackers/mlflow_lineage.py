"""A run's place among the runs that its command logged, its peers there, and its siblings."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reprocheck.errors import UnknownRunError
from reprocheck.model import Lineage, RunStatus, Sibling
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_store import MlflowStore

PARENT_TAG = "mlflow.parentRunId"
_COMMIT_TAG = "mlflow.source.git.commit"
_SAME_TAGS = (_COMMIT_TAG, "reprocheck.tree", "reprocheck.data", "reprocheck.environment.sha256")
# By which the command of a run is known; a step that a project starts has its own.
_START_TAGS = (
    *("mlflow.source.name", "mlflow.source.type", "mlflow.project.entryPoint"),
    *("reprocheck.argv", "reprocheck.cwd"),
)
_FINISHED = RunStatus.FINISHED.name
_DEEPEST = 20  # tags are free text: parents may form a circle
_MOST_PARENTS = 200  # one request each


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What the runs with the same top run say about one of them."""

    lineage: Lineage
    peers: tuple[Sibling, ...] = ()
    start: Mapping[str, str] = field(default_factory=dict)
    """Tags of the run that the command logged first: a child is made by its parent's command."""


def read_family(store: MlflowStore, run: FoundRun) -> Family:
    """The run's place among the runs of its experiment that have the same top run, and its peers:
    the other finished runs of its parent, with the last values of the run's own metrics."""
    if PARENT_TAG not in run.tags:
        return Family(lineage=Lineage(parent=None, depth=0, place=0), start=_start(run))
    above = _ancestors(store.run, run)
    tree = {found.run_id: found for found in (run, *above, *_below(store, above[-1:], above))}
    ordered = sorted(tree.values(), key=_order)
    lineages = place_runs(
        {found.run_id: found.tags.get(PARENT_TAG) for found in ordered},
        {found.run_id: found.parameters for found in ordered},
    )
    return Family(
        lineage=lineages[run.run_id],
        peers=tuple(_peer(run, found) for found in ordered if _is_peer(run, found)),
        start=_start(_first(run, above)),
    )


def read_start(ask: Callable[[str], FoundRun], run: FoundRun) -> Family:
    """What `as_started` needs of the family, and the parent; `ask` reads a run by its id."""
    above = _ancestors(ask, run)
    lineage = Lineage(
        parent=run.tags.get(PARENT_TAG),
        depth=len(above),
        place=0,
        parent_parameters=above[0].parameters if above else None,
    )
    return Family(lineage=lineage, start=_start(_first(run, above)))


def _first(run: FoundRun, above: Iterable[FoundRun]) -> FoundRun:
    """The run that the command logged first: the topmost one of the same commit."""
    known = [each for each in above if each.tags.get(_COMMIT_TAG) == run.tags.get(_COMMIT_TAG)]
    return known[-1] if known else run


def _start(run: FoundRun) -> Mapping[str, str]:
    return {name: run.tags[name] for name in _START_TAGS if name in run.tags}


def as_started(run: FoundRun, family: Family) -> FoundRun:
    """The run with the tags of the one that its command logged first."""
    own = {name: text for name, text in run.tags.items() if name not in _START_TAGS}
    return dataclasses.replace(run, tags={**own, **family.start})


def _is_peer(run: FoundRun, other: FoundRun) -> bool:
    if other.run_id == run.run_id or other.deleted or other.status != _FINISHED:
        return False
    return other.tags.get(PARENT_TAG) == run.tags[PARENT_TAG]


def _peer(run: FoundRun, other: FoundRun) -> Sibling:
    metrics = {name: value for name, value in other.last.items() if name in run.last}
    return Sibling(run_id=other.run_id, metrics=metrics)


def _order(run: FoundRun) -> tuple[float, bool, list[tuple[str, str]], str]:
    start = run.started_at.timestamp() if run.started_at else 0.0
    return by_start(start, run.tags, run.parameters, run.run_id)


def _ancestors(ask: Callable[[str], FoundRun], run: FoundRun) -> list[FoundRun]:
    """The runs above this one, nearest first."""
    above: list[FoundRun] = []
    parent = run.tags.get(PARENT_TAG)
    while parent and len(above) < _DEEPEST:
        try:
            above.append(ask(parent))
        except UnknownRunError:
            break  # the parent was deleted for good
        parent = above[-1].tags.get(PARENT_TAG)
    return above


def _below(
    store: MlflowStore, tops: Iterable[FoundRun], path: Iterable[FoundRun]
) -> Iterable[FoundRun]:
    """The runs below `tops`, as deep as `path` goes."""
    level = list(tops)
    for _ in path:
        level = [
            child
            for parent in level[:_MOST_PARENTS]
            for child in store.search(
                [parent.experiment_id], f"tags.`{PARENT_TAG}` = '{parent.run_id}'"
            )
        ]
        yield from level


def by_start(
    start: float, tags: Mapping[str, str], parameters: Mapping[str, str], run_id: str
) -> tuple[float, bool, list[tuple[str, str]], str]:
    """A key that sorts runs by start time; of equal ones the parameters decide, as in a rerun.

    The runs of a grid search, logged by autologging, all have the start of their parent.
    """
    return start, PARENT_TAG in tags, sorted(parameters.items()), run_id


def place_runs(
    parents: Mapping[str, str | None], parameters: Mapping[str, Mapping[str, str]]
) -> Mapping[str, Lineage]:
    """The lineage of each run: `parents` maps runs, in the order of their starts, to parents."""
    seen: Counter[tuple[str, int]] = Counter()
    lineages = {}
    for run_id, parent in parents.items():
        root, depth = _climb(run_id, parents)
        lineages[run_id] = Lineage(
            parent=parent,
            depth=depth,
            place=seen[root, depth],
            parent_parameters=parameters.get(parent) if parent else None,
        )
        seen[root, depth] += 1
    return lineages


def _climb(run_id: str, parents: Mapping[str, str | None]) -> tuple[str, int]:
    """The run at the top of the run's tree, and how far above the run it is."""
    for depth in range(_DEEPEST):
        above = parents.get(run_id)
        if not above:
            return run_id, depth
        run_id = above
    return run_id, _DEEPEST


def read_siblings(store: MlflowStore, run: FoundRun, seeds: Iterable[str]) -> tuple[Sibling, ...]:
    """Other finished runs of the same commit, clean tree, data, environment and parameters.

    Seeds, named by `seeds`, may differ. What is not recorded is not known to be the same: no
    sibling.
    """
    if run.tags.get("reprocheck.tree") != "clean" or not all(map(run.tags.get, _SAME_TAGS)):
        return ()
    where = f"attributes.status = 'FINISHED' and tags.`{_COMMIT_TAG}` = '{run.tags[_COMMIT_TAG]}'"
    found = store.search([run.experiment_id], where)
    return tuple(
        Sibling(run_id=other.run_id, metrics=other.last)
        for other in found
        if other.run_id != run.run_id and _same(run, other, frozenset(seeds))
    )


def _same(run: FoundRun, other: FoundRun, seeds: frozenset[str]) -> bool:
    if any(run.tags.get(tag) != other.tags.get(tag) for tag in _SAME_TAGS):
        return False
    if (PARENT_TAG in run.tags) != (PARENT_TAG in other.tags):
        return False
    return _without(run.parameters, seeds) == _without(other.parameters, seeds)


def _without(parameters: Mapping[str, str], names: frozenset[str]) -> Mapping[str, str]:
    return {name: value for name, value in parameters.items() if name not in names}
