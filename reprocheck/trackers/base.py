"""The seam to experiment trackers: read a run, redirect a rerun's logging, collect it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reprocheck.model import (
    Finding,
    Lineage,
    Metric,
    ModelVersion,
    Point,
    Product,
    Report,
    RunRecord,
    RunSummary,
)
from reprocheck.progress import Progress

RERUN_OF = "reprocheck.rerun_of"
"""The tag of a rerun that was written back, with the original's id: it is no run of the team's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedRun:
    """A run that a trial logged into its own folder."""

    run_id: str
    name: str
    finished: bool
    parameters: Mapping[str, str]
    metrics: Mapping[str, Metric]
    tags: Mapping[str, str]
    lineage: Lineage
    products: tuple[Product, ...]
    files: Mapping[str, Path] = field(default_factory=dict)  # of the products, by their paths


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """The products of a recorded run, as far as they could be read."""

    products: tuple[Product, ...]  # with an empty digest where not
    files: Mapping[str, Path]  # by path; of those whose content may tell more than the digest
    findings: tuple[Finding, ...]  # what was too large, or could not be reached


class Redirection(Protocol):
    """A trial's own tracker, in the trial's folder."""

    @property
    def env(self) -> Mapping[str, str]:
        """Variables to set in the trial. A value of "" means: unset it. PYTHONPATH is
        a folder to put in front of the trial's own PYTHONPATH."""

    def peek(self) -> Mapping[str, Point]:
        """The last point of each metric logged so far; cheap, called twice a second."""

    def collect(self) -> tuple[LoggedRun, ...]:
        """All runs that the trial logged, by start time.

        Raises `RerunError` when what the trial left cannot be read.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which runs to look for, and how far to look into each."""

    experiments: tuple[str, ...] = ()  # names or ids; (): all that are not deleted
    filter: str = ""  # in the tracker's own language
    limit: int | None = None  # runs
    run_ids: tuple[str, ...] = ()  # full ids: these alone, instead of what `filter` selects
    remote: bool = True
    """Whether artifacts that are not on this machine are read, too: a few requests each run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchedRun:
    """A run that a search found."""

    summary: RunSummary
    record: RunRecord
    """As `Tracker.read` gives it, whatever the run's status, without siblings and peers. A metric
    has its last point alone, unless its history is needed to judge the record."""


class Found(Protocol):
    """The runs of a search by start, read while they are asked for; no more than a page is held."""

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of the experiments that are searched."""

    @property
    def total(self) -> int | None:
        """How many runs there will be; None: the tracker does not tell."""

    def __iter__(self) -> Iterator[SearchedRun]:
        """Each run once. Raises `ReadError`, and `UsageError` for a filter that is none."""

    def summaries(self) -> Iterator[RunSummary]:
        """The same runs at a fraction of the price: no record is read. Raises as above."""


class Tracker(Protocol):
    """A kind of experiment tracker, opened at one address."""

    def read(self, asked: str, *, finished: bool = True) -> RunRecord:
        """The record of the run that the user named; nothing is written to the tracker.

        Without `finished`, also of a run that has no result: one that is not finished or was
        deleted. Its findings say so.

        Raises `UnknownRunError`, `UnfinishedRunError`, `MissingStoreError` or `ReadError`.
        """

    def search(self, wanted: Search) -> Found:
        """The runs that are wanted, without those that were deleted; nothing is written.

        Raises `UnknownExperimentError`, `MissingStoreError` or `ReadError`.
        """

    def versions(
        self, names: Sequence[str], *, alias: str = "", stage: str = ""
    ) -> tuple[ModelVersion, ...]:
        """Of each registered model the version of that alias, or all of that stage, else the
        newest one; nothing is written.

        Raises `UnknownModelError`, `MissingStoreError` or `ReadError`.
        """

    def products(self, record: RunRecord, folder: Path, progress: Progress) -> Fetched:
        """What the run of a record that was read here left, its logged models' files included.

        Paths are those of `LoggedRun.products`. Downloads go into `folder` and stay there. What
        cannot be read is a finding.
        """

    def file(self, record: RunRecord, path: str, folder: Path) -> Path:
        """One artifact of the record as a file on this machine, perhaps downloaded into `folder`.

        Raises `ReadError`.
        """

    def files(self, record: RunRecord, paths: Sequence[str], folder: Path) -> Mapping[str, Path]:
        """Artifacts of the record as files on this machine, by path, as `file` gives one.

        No name of an artifact leads out of `folder`. Raises `ReadError`.
        """

    def redirect(self, folder: Path) -> Redirection:
        """Prepares `folder` (made if absent) to receive what a trial logs."""

    def close(self) -> None:
        """Removes what `read` left on this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteBack:
    """What to write into a tracker besides the verdict."""

    link: str = ""  # to the report; "": there is none
    reruns: bool = True  # keep each trial as a run


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenBack:
    """What was written into a tracker."""

    tags: Mapping[str, str]  # of the run; empty: it has those of a newer verification
    versions: tuple[str, ...]  # of registered models that have the tags too, as "digits 3"
    experiment: str  # where the reruns are kept; "": none are
    runs: tuple[str, ...]  # ids of the reruns there, also those of an earlier call
    notices: tuple[str, ...] = ()  # what could not be written, in sentences


class Writer(Protocol):
    """A tracker that is written to. It is opened for this alone, and only when asked."""

    def write_back(self, report: Report, wanted: WriteBack) -> WrittenBack:
        """Tags the run and its registered models' versions with the verdict, and keeps the reruns.

        Doing it twice changes nothing more. Raises `WriteBackError`, `UnknownRunError`,
        `MissingStoreError` or `ReadError`.
        """
