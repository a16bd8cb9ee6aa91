"""The reports of earlier verifications on this machine, each run's in a folder of its own.

`<folder>/<run id>/<UTC time>-<digits>.json`: the digits, microseconds and the
beginning of the content's digest, keep two of one second apart. A file is
there whole or not at all. Of each run the newest `MOST` stay.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from reprocheck.detail import dump
from reprocheck.documents import report_document
from reprocheck.errors import ReportFileError, UnknownRunError
from reprocheck.hostile import printable
from reprocheck.model import Report
from reprocheck.report_reading import read_report

MOST = 200
"""Reports of a run that are kept."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{12}\.json")
_SHOWN = 8
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptReport:
    """A report of the store, not yet read."""

    run_id: str
    at: datetime  # UTC, to the second
    path: Path


def default_folder() -> Path:
    """Where reports are kept without `--reports`. Raises `ReportFileError` for a user without a
    home: the folder would lie in the current directory.
    """
    with contextlib.suppress(RuntimeError):  # of a new platformdirs
        folder = platformdirs.user_state_path("reprocheck") / "reports"
        if folder.is_absolute():
            return folder
    raise ReportFileError(
        "finding a place to keep reports: this user has no home directory",
        "set HOME or XDG_STATE_HOME to an absolute path, or name a folder with --reports",
    )


class ReportStore:
    """The reports in a folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, report: Report) -> Path:
        """Writes the report of a run that was read; returns its file.

        The same report has the same file. Raises `ReportFileError` for a report without a run,
        with an id that is no name of a folder, or where nothing can be written.
        """
        run_id = report.record.ref.run_id if report.record else ""
        if not _RUN_ID.fullmatch(run_id):
            raise ReportFileError(
                f"keeping the report of run {printable(run_id[:40])!r}: its id is no name of a "
                "folder",
                "write the report to a file of its own, with --json FILE",
            )
        content = dump(report_document(report)).encode()
        at = report.created_at.astimezone(UTC)
        digits = f"{at.microsecond:06d}{hashlib.sha256(content).hexdigest()[:6]}"
        path = self.folder / run_id / f"{at.strftime(_TIME)}-{digits}.json"
        with self._reached("keeping a report in"):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, content)
            for old in self.kept(run_id)[:-MOST]:
                old.path.unlink(missing_ok=True)
        return path

    def kept(self, run_id: str | None = None) -> tuple[KeptReport, ...]:
        """The reports of a run, or of all, oldest first; other files are passed over.

        Raises `ReportFileError` where a folder cannot be listed.
        """
        with self._reached("listing the reports in"):
            found = list(self._found(run_id))
        return tuple(sorted(found, key=lambda each: (each.at, each.path.name, each.run_id)))

    def run_named(self, asked: str) -> str:
        """The id of the run with kept reports that is meant: its id, or an unambiguous beginning.

        Raises `UnknownRunError` with the ids that are known, or `ReportFileError`.
        """
        begins = asked.strip().removeprefix("runs:/").lower()
        latest = {each.run_id: each.at for each in self.kept()}  # oldest first
        found = [run for run in latest if begins and run.lower().startswith(begins)]
        exact = [run for run in found if run.lower() == begins]
        if len(exact or found) == 1:
            return (exact or found)[0]
        shown = sorted(found) or sorted(latest, key=lambda run: latest[run], reverse=True)
        if not shown:
            raise UnknownRunError(
                f"{self.folder} holds no report of any run", "verify one: reprocheck verify RUN_ID"
            )
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        known = f"{', '.join(shown[:_SHOWN])}{more}"
        name = printable(asked[:60])
        if found:
            raise UnknownRunError(f"{len(found)} runs begin with {name!r}: {known}", "name more")
        raise UnknownRunError(
            f"no report of a run {name!r} is kept in {self.folder}",
            f"verify it first, or name one of these: {known}",
        )

    def newest(self, run_id: str) -> Report:
        """The last report of a run that has some. Raises `ReportFileError`."""
        return self.read(self.kept(run_id)[-1])

    def read(self, kept: KeptReport) -> Report:
        """The report. Raises `ReportFileError`, also for one of another run."""
        report = read_report(kept.path)
        if report.record is None or report.record.ref.run_id != kept.run_id:
            raise ReportFileError(
                f"{kept.path} is no report of run {kept.run_id}", "remove the file"
            )
        return report

    def reports(
        self, run_id: str | None, notice: Callable[[str], None]
    ) -> Iterator[tuple[KeptReport, Report]]:
        """The reports of a run, or of all, oldest first, read one by one.

        One that cannot be read is passed over, and `notice` told why.
        """
        for kept in self.kept(run_id):
            try:
                yield kept, self.read(kept)
            except ReportFileError as error:
                notice(f"passed over a kept report: {error.message}")

    @contextlib.contextmanager
    def _reached(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ReportFileError(
                f"{doing} {self.folder}: {error.strerror or error}",
                "name another folder, with --reports DIR",
            ) from error

    def _found(self, run_id: str | None) -> Iterator[KeptReport]:
        if self.folder.is_file():  # reports of earlier runs must not be missed quietly
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        names = [each.name for each in _listed(self.folder)] if run_id is None else [run_id]
        for name in filter(_RUN_ID.fullmatch, names):
            folder = self.folder / name
            if folder.is_symlink() or not folder.is_dir():
                continue
            for path in _listed(folder):
                told = _NAME.fullmatch(path.name)
                at = _instant(told[1]) if told else None
                if at is not None:
                    yield KeptReport(run_id=name, at=at, path=path)


def _write(path: Path, content: bytes) -> None:
    """Makes the file whole: nobody sees a part of it."""
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _instant(told: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        return datetime.strptime(told, _TIME).replace(tzinfo=UTC)
    return None
