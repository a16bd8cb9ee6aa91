"""Searches an MLflow store: every run of some experiments, page by page, each with its record."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reprocheck.errors import ReadError, UnknownExperimentError, UnknownRunError, UsageError
from reprocheck.model import DatasetUse, RunRef, RunStatus, RunSummary
from reprocheck.trackers.base import Search, SearchedRun
from reprocheck.trackers.mlflow_artifacts import RootFinder
from reprocheck.trackers.mlflow_code import COMMIT_TAGS, without_credentials
from reprocheck.trackers.mlflow_light import LightReader
from reprocheck.trackers.mlflow_run import DatasetInput, FoundRun
from reprocheck.trackers.mlflow_settings import client_settings
from reprocheck.trackers.mlflow_sql import count_runs
from reprocheck.trackers.mlflow_store import FoundExperiment, MlflowStore
from reprocheck.trackers.mlflow_tags import dataset_source

PAGE = 250
"""Runs: what MLflow's client makes of one, it makes of all of a page at once."""

_PAGE_OF_FILES = 1_000  # a file store is read anew for each page
_PAGE_OF_SUMMARIES = 1_000
_NEAR = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRuns:
    """The runs of a search; see `trackers.base.Found`."""

    store: MlflowStore
    wanted: Search
    finder: RootFinder
    searched: tuple[FoundExperiment, ...]
    total: int | None

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of the experiments that are searched."""
        return tuple(experiment.name for experiment in self.searched)

    def __iter__(self) -> Iterator[SearchedRun]:
        """Each run once, by start. Raises `ReadError`, and `UsageError` for a bad filter."""
        names = {each.experiment_id: each.name for each in self.searched}
        reader = LightReader(store=self.store, finder=self.finder, remote=self.wanted.remote)
        left = self.wanted.limit
        for found in self._pages():
            page = found[:left]
            # The settings are the process's: they hold while we work, not while our caller does.
            with client_settings(self.store.uri):
                records = reader.read(page, names)
            for run, record in zip(page, records, strict=True):
                summary = dataclasses.replace(
                    _summary(run, record.experiment), commit=record.code.commit, tags=record.tags
                )
                yield SearchedRun(summary=summary, record=record)
            left = None if left is None else left - len(page)
            if left == 0:
                return

    def summaries(self) -> Iterator[RunSummary]:
        """Each run once, by start, without its record: no artifact is looked at.

        Raises `ReadError`, and `UsageError` for a bad filter.
        """
        names = {each.experiment_id: each.name for each in self.searched}
        left = self.wanted.limit
        for found in self._pages(_PAGE_OF_SUMMARIES):
            page = found[:left]
            yield from (_summary(run, names[run.experiment_id]) for run in page)
            left = None if left is None else left - len(page)
            if left == 0:
                return

    def _pages(self, size: int = PAGE) -> Iterator[tuple[FoundRun, ...]]:
        if self.wanted.run_ids:
            named = self._named()
            while block := tuple(itertools.islice(named, PAGE)):
                yield block
            return
        size = size if self.store.folder is None else _PAGE_OF_FILES
        ids = [experiment.experiment_id for experiment in self.searched]
        limit = self.wanted.limit
        pages = self.store.run_pages(ids, self.wanted.filter, min(size, limit or size))
        while ids:
            try:
                with client_settings(self.store.uri):
                    page = next(pages, None)
            except ReadError as error:
                raise _bad_filter(self.wanted.filter, error) from error
            if page is None:
                return
            yield page

    def _named(self) -> Iterator[FoundRun]:
        """One by one: not every version of a server understands a list of ids in a filter."""
        searched = {each.experiment_id for each in self.searched}
        for run_id in dict.fromkeys(self.wanted.run_ids):
            try:
                with client_settings(self.store.uri):
                    run = self.store.run(run_id)
            except UnknownRunError:
                continue
            if not run.deleted and run.experiment_id in searched:
                yield run


def find_runs(store: MlflowStore, wanted: Search, finder: RootFinder) -> FoundRuns:
    """The search, ready to be read. Raises `UnknownExperimentError` or `ReadError`."""
    known = store.experiments()
    if wanted.experiments:
        chosen = tuple(dict.fromkeys(_named(name, known, store) for name in wanted.experiments))
    else:
        chosen = tuple(each for each in known if not each.deleted)
    untold = wanted.filter or wanted.run_ids
    total = None if untold else count_runs(store, [each.experiment_id for each in chosen])
    return FoundRuns(
        store=store,
        wanted=wanted,
        finder=finder,
        searched=chosen,
        total=total if total is None or wanted.limit is None else min(total, wanted.limit),
    )


def _named(name: str, known: tuple[FoundExperiment, ...], store: MlflowStore) -> FoundExperiment:
    """The experiment of that name, else of that id."""
    for found in (*_by(known, name=name), *_by(known, experiment_id=name)):
        if found.deleted:
            raise UnknownExperimentError(
                f"The experiment {found.name} of {store.shown} was deleted.",
                "Restore it with `mlflow experiments restore --experiment-id "
                f"{found.experiment_id}`, or name another one.",
            )
        return found
    raise UnknownExperimentError(f"{store.shown} has no experiment {name!r}.", _near(name, known))


def _by(known: tuple[FoundExperiment, ...], **wanted: str) -> Iterator[FoundExperiment]:
    for each in known:
        if all(getattr(each, field) == value for field, value in wanted.items()):
            yield each


def _near(name: str, known: tuple[FoundExperiment, ...]) -> str:
    names = [each.name for each in known if not each.deleted]
    folded = {each.casefold(): each for each in names}
    near = difflib.get_close_matches(name.casefold(), folded, _NEAR, 0.5)
    told = [folded[each] for each in near] or names[:_NEAR]
    if not told:
        return "Check the tracker's address: it has no experiments."
    return f"{'Near it' if near else 'It has'}: {', '.join(told)}."


def _bad_filter(where: str, error: ReadError) -> ReadError | UsageError:
    """MLflow's own words on a filter that it does not understand; else the error as it is."""
    code = getattr(error.__cause__, "error_code", "")
    if not where or code not in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}:
        return error
    _, _, said = error.message.partition(" failed: ")
    return UsageError(
        f"MLflow does not understand the filter {where!r}: {said}",
        "See MLflow's search syntax, for example: metrics.accuracy > 0.9 and params.lr = '0.1'",
    )


def _summary(run: FoundRun, experiment: str) -> RunSummary:
    return RunSummary(
        ref=RunRef(tracker="mlflow", run_id=run.run_id),
        name=run.name,
        experiment=experiment,
        status=RunStatus(run.status.lower()),
        started_at=run.started_at,
        ended_at=run.ended_at,
        parameters=run.parameters,
        metrics=run.last,
        tags={name: without_credentials(text) for name, text in run.tags.items()},
        datasets=tuple(map(_dataset, run.datasets)),
        artifact_uri=run.artifact_uri,
        commit=next((run.tags[tag].strip() for tag in COMMIT_TAGS if run.tags.get(tag)), ""),
    )


def _dataset(dataset: DatasetInput) -> DatasetUse:
    tags: Mapping[str, str] = dataset.tags
    return DatasetUse(
        name=dataset.name,
        digest=dataset.digest,
        context=tags.get("mlflow.data.context", ""),
        source=dataset_source(dataset),
    )
