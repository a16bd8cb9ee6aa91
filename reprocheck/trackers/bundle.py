"""A bundle in place of the tracker that its runs were read from: no network, no credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from reprocheck import bundle_records, bundles
from reprocheck.bundles import Bundle, BundledRun
from reprocheck.errors import BundleError, ReadError, UnknownRunError
from reprocheck.model import ModelVersion, RunRecord
from reprocheck.progress import Progress
from reprocheck.text_files import BrokenTextError, decode, parse_json
from reprocheck.trackers.base import Fetched, Found, Redirection, Search
from reprocheck.trackers.mlflow_redirect import redirect

_SHORTEST = 4  # characters of an id's beginning


class BundleTracker:
    """The runs of a bundle. `uri` is its folder; it is opened when it is first read."""

    def __init__(
        self, uri: str, artifact_roots: Mapping[str, str], scratch: Path, trusted: bool
    ) -> None:
        del artifact_roots, scratch, trusted  # everything is in the folder
        self._folder = Path(uri)
        self._bundle: Bundle | None = None

    def read(self, asked: str, *, finished: bool = True) -> RunRecord:
        """The record of the run that the user named. What was fetched had finished.

        Raises `UnknownRunError` or `BundleError`.
        """
        del finished
        bundle = self._opened()
        run = _find(bundle, asked.strip())
        content = bundle.content(run.record)
        try:
            document = parse_json(decode(content))
        except BrokenTextError as error:
            raise BundleError(f"a record of {bundle.path} is broken: {error}") from error
        if not isinstance(document, dict):
            raise BundleError(f"a record of {bundle.path} is broken", bundles.MAKE)
        record = bundle_records.unpack(document, run.contents, run.hidden, bundle.content)
        if record.ref.run_id != run.run_id:
            raise BundleError(
                f"the bundle {bundle.path} holds the record of run {record.ref.run_id} as that of "
                f"{run.run_id}",
                bundles.MAKE,
            )
        return record

    def search(self, wanted: Search) -> Found:
        """Raises `ReadError`: a bundle holds single runs."""
        raise ReadError(
            f"a bundle cannot be searched ({', '.join(wanted.experiments) or 'all experiments'})",
            "name the tracker with --tracking-uri",
        )

    def versions(
        self, names: Sequence[str], *, alias: str = "", stage: str = ""
    ) -> tuple[ModelVersion, ...]:
        """Raises `ReadError`: a bundle holds runs."""
        del alias, stage
        raise ReadError(
            f"a bundle has no registered models ({', '.join(names)})",
            "name the tracker with --tracking-uri",
        )

    def products(self, record: RunRecord, folder: Path, progress: Progress) -> Fetched:
        """What the run left, as the tracker told it when the bundle was made."""
        del folder, progress
        bundle = self._opened()
        run = _find(bundle, record.ref.run_id)
        files = {path: bundle.file(sha256) for path, sha256 in run.kept.items()}
        return Fetched(products=run.products, files=files, findings=run.findings)

    def file(self, record: RunRecord, path: str, folder: Path) -> Path:
        """One artifact of the record, by its own name. Raises `ReadError`."""
        return self.files(record, (path,), folder)[path]

    def files(self, record: RunRecord, paths: Sequence[str], folder: Path) -> Mapping[str, Path]:
        """Artifacts of the record, by path, each by its own name in `folder`. Raises `ReadError`
        for one that the bundle lacks."""
        bundle = self._opened()
        run = _find(bundle, record.ref.run_id)
        return {path: _laid(bundle, run, path, folder) for path in paths}

    def redirect(self, folder: Path) -> Redirection:
        """Prepares `folder` (made if absent) to receive what a trial logs, with MLflow."""
        return redirect(folder)

    def close(self) -> None:
        """Nothing was left."""

    def _opened(self) -> Bundle:
        if self._bundle is None:
            self._bundle = bundles.open_bundle(self._folder)
        return self._bundle


def _find(bundle: Bundle, asked: str) -> BundledRun:
    """The run that a name means: its id, the beginning of it, or a name that it was fetched by."""
    plain = asked.removeprefix("runs:/").strip("/").partition("/")[0]
    for run in bundle.runs:
        if asked in (run.run_id, *run.asked) or plain == run.run_id:
            return run
    started = [run for run in bundle.runs if run.run_id.startswith(plain.lower())]
    if len(started) == 1 and len(plain) >= _SHORTEST:
        return started[0]
    held = ", ".join(run.run_id for run in bundle.runs) or "none"
    said = "several runs that begin so" if len(started) > 1 else "no such run"
    raise UnknownRunError(
        f"the bundle {bundle.path} holds {said}: {asked[:200]!r}",
        f"it holds {held}; fetch another with reprocheck fetch",
    )


def _laid(bundle: Bundle, run: BundledRun, path: str, folder: Path) -> Path:
    """An artifact by its own name, which says how it is to be read."""
    sha256 = run.artifacts.get(path) or run.kept.get(path)
    if sha256 is None:
        raise ReadError(
            f"reading {path} of run {run.run_id}: the bundle {bundle.path} does not hold it",
            "fetch the run again with the config that this verification has: reprocheck fetch",
        )
    own = folder / sha256
    own.mkdir(parents=True, exist_ok=True)
    file = own / (PurePosixPath(path).name or "file")
    if not file.exists():
        file.write_bytes(bundle.content(sha256))
    return file
