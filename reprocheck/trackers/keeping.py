"""Keeps in a bundle what is asked of a tracker: what is never asked for is not kept."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck import bundle_records, hostile
from reprocheck.bundle_records import Packed
from reprocheck.bundle_writing import BundleWriter
from reprocheck.bundles import BundledRun
from reprocheck.errors import ReadError
from reprocheck.model import Finding, ModelVersion, Product, RunRecord
from reprocheck.progress import Progress
from reprocheck.trackers.base import Fetched, Found, Redirection, Search, Tracker


@dataclass(kw_only=True, slots=True)
class KeptRun:
    """A run that was read, and what was asked of it since."""

    record: RunRecord
    packed: Packed
    asked: list[str] = field(default_factory=list)
    baseline: bool = True  # until it is said to be one that is verified
    artifacts: dict[str, str] = field(default_factory=dict)
    products: tuple[Product, ...] = ()
    kept: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class KeepingTracker:
    """A tracker that hands everything on, and keeps it. Runs may be of several such."""

    def __init__(self, tracker: Tracker, writer: BundleWriter, runs: dict[str, KeptRun]) -> None:
        self._tracker, self._writer, self._runs = tracker, writer, runs

    def read(self, asked: str, *, finished: bool = True) -> RunRecord:
        """See `Tracker`. Raises `ReadError` also for a record that cannot do without a secret."""
        record = self._tracker.read(asked, finished=finished)
        if record.ref.run_id not in self._runs:
            packed = bundle_records.pack(record)
            self._runs[record.ref.run_id] = KeptRun(record=record, packed=packed)
        self._runs[record.ref.run_id].asked.append(asked)
        return record

    def search(self, wanted: Search) -> Found:
        """See `Tracker`; nothing of it is kept."""
        return self._tracker.search(wanted)

    def versions(
        self, names: Sequence[str], *, alias: str = "", stage: str = ""
    ) -> tuple[ModelVersion, ...]:
        """See `Tracker`; nothing of it is kept."""
        return self._tracker.versions(names, alias=alias, stage=stage)

    def products(self, record: RunRecord, folder: Path, progress: Progress) -> Fetched:
        """See `Tracker`. Of a file that shows a secret the digest is kept alone."""
        fetched = self._tracker.products(record, folder, progress)
        kept = self._runs[record.ref.run_id]
        kept.products = tuple(
            dataclasses.replace(each, content=None, opaque="") for each in fetched.products
        )
        kept.findings = fetched.findings
        for path, file in fetched.files.items():
            if not self._exposes(record, file):
                kept.kept[path] = self._writer.add_file(file)
        return fetched

    def file(self, record: RunRecord, path: str, folder: Path) -> Path:
        """See `Tracker`."""
        return self._keep(record, {path: self._tracker.file(record, path, folder)})[path]

    def files(self, record: RunRecord, paths: Sequence[str], folder: Path) -> Mapping[str, Path]:
        """See `Tracker`. Raises `ReadError` also for a file that shows a secret."""
        return self._keep(record, self._tracker.files(record, paths, folder))

    def redirect(self, folder: Path) -> Redirection:
        """See `Tracker`."""
        return self._tracker.redirect(folder)

    def close(self) -> None:
        """See `Tracker`."""
        self._tracker.close()

    def _keep(self, record: RunRecord, files: Mapping[str, Path]) -> Mapping[str, Path]:
        kept = self._runs[record.ref.run_id]
        for path, file in files.items():
            if self._exposes(record, file):
                raise ReadError(
                    f"bundling run {record.ref.run_id}: {path} shows a login or a key, which "
                    "everyone who may read the bundle would see",
                    "take it out of what runs log, and train anew; or verify the run where the "
                    "tracker can be reached, without a bundle",
                )
            kept.artifacts[path] = self._writer.add_file(file)
        return files

    def _exposes(self, record: RunRecord, file: Path) -> bool:
        if file.stat().st_size > bundle_records.LARGEST_TEXT:
            return False
        return bundle_records.exposes(file.read_bytes(), hostile.record_secrets(record))


def bundled(runs: Mapping[str, KeptRun], writer: BundleWriter) -> tuple[BundledRun, ...]:
    """The runs as a bundle lists them, their records written."""
    return tuple(_bundled(run_id, kept, writer) for run_id, kept in runs.items())


def _bundled(run_id: str, kept: KeptRun, writer: BundleWriter) -> BundledRun:
    packed = kept.packed
    return BundledRun(
        run_id=run_id,
        asked=tuple(dict.fromkeys(hostile.redact(each) for each in kept.asked)),
        baseline=kept.baseline,
        record=writer.add(bundle_records.dump(packed.document)),
        contents={place: writer.add(content) for place, content in packed.contents.items()},
        artifacts=kept.artifacts,
        products=kept.products,
        kept=kept.kept,
        findings=kept.findings,
        hidden=packed.hidden,
    )


def keep_quietly(tracker: Tracker, record: RunRecord, paths: Sequence[str], folder: Path) -> None:
    """Keeps artifacts that a verification may ask for; what cannot be had is left out."""
    for path in paths:
        with contextlib.suppress(ReadError):
            tracker.files(record, (path,), folder)
