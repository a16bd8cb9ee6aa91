"""Writes verdicts into MLflow, and keeps reruns there as runs.

This is the only place that opens a team's store for writing, and only when it was asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reprocheck.detail import time
from reprocheck.errors import MissingStoreError, WriteBackError
from reprocheck.hostile import cut, redacted_report
from reprocheck.model import Report, RunRecord, Verdict
from reprocheck.temporary import temporary_folder
from reprocheck.trackers.base import WriteBack, WrittenBack
from reprocheck.trackers.mlflow_kept import Original, keep_reruns
from reprocheck.trackers.mlflow_open import local_path, sqlite_file
from reprocheck.trackers.mlflow_run import FoundRun, parse_run
from reprocheck.trackers.mlflow_server import check_server
from reprocheck.trackers.mlflow_settings import client_settings
from reprocheck.trackers.mlflow_sqlite import client_version, latest_revision, peek
from reprocheck.trackers.mlflow_store import first_line, without_secrets

VERDICT, VERIFIED_AT, TOOL, REPORT = (
    f"reprocheck.{name}" for name in ("verdict", "verified_at", "tool", "report")
)
_SCOPE = "use an account that may edit the run; reading needs less"


class MlflowWriter:
    """An MLflow store that verdicts are written into: a server, a sqlite file, or a folder."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def write_back(self, report: Report, wanted: WriteBack) -> WrittenBack:
        """Tags the run and its models' versions, and keeps the reruns as `trackers.base` says."""
        record = _written(report)
        clean = redacted_report(report)
        with client_settings(), _translated(record.ref.run_id, without_secrets(self._uri)):
            client = _client(self._uri)
            run = parse_run(client.get_run(record.ref.run_id))
            tags = _tags(report, wanted)
            if _is_newer(run, report.created_at):
                newer = f"run {run.run_id} has the verdict of a newer verification, which was kept"
                return WrittenBack(tags={}, versions=(), experiment="", runs=(), notices=(newer,))
            notices: list[str] = []
            _set(client, run, tags)
            versions = _tag_versions(client, run, tags, notices)
            original = Original(run=run, report=clean, local=_is_local(self._uri))
            kept = wanted.reruns and bool(report.trials)
            experiment, runs = keep_reruns(client, original, notices) if kept else ("", ())
        return WrittenBack(
            tags=tags,
            versions=versions,
            experiment=experiment,
            runs=runs,
            notices=tuple(notices),
        )


def _written(report: Report) -> RunRecord:
    """The record of a report that can be written back. Raises `WriteBackError`."""
    if report.record is None:
        raise WriteBackError(
            f"writing the verdict back: the report of {report.asked} names no run",
            "verify the run until it can be read, then write back",
        )
    if report.dry_run:
        raise WriteBackError(
            "writing the verdict back: the report is of a dry run, which has none",
            "verify the run without --dry-run",
        )
    if _is_of_the_future(report.created_at):
        raise WriteBackError(
            f"writing the verdict back: the report's date, {time(report.created_at)}, is to come",
            "set the clock of the machine that verified, and verify again",
        )
    return report.record


def _is_of_the_future(at: datetime) -> bool:
    """Clocks differ, but a verdict of the future could never be replaced."""
    return at > datetime.now(UTC) + timedelta(days=1)


def _tags(report: Report, wanted: WriteBack) -> dict[str, str]:
    failed = report.failed_stage
    verdict = report.verdict.value
    if report.verdict is Verdict.NOT_VERIFIED and failed is not None:
        verdict += f"({failed.value})"
    elif report.acceptance is not None:
        verdict += "(accepted)"
    return {
        VERDICT: verdict,
        VERIFIED_AT: str(time(report.created_at)),
        TOOL: f"reprocheck {cut(report.tool_version, 40)}",
        REPORT: wanted.link,
    }


def _is_newer(run: FoundRun, at: datetime) -> bool:
    """Whether the run tells of a verification after this one."""
    with contextlib.suppress(ValueError, TypeError):
        found = datetime.fromisoformat(run.tags.get(VERIFIED_AT, ""))
        return found > at and not _is_of_the_future(found)
    return False


def _set(client: Any, run: FoundRun, tags: dict[str, str]) -> None:  # noqa: ANN401
    for name, text in tags.items():
        if run.tags.get(name, "") != text:  # an empty link replaces that of another report only
            client.set_tag(run.run_id, name, text)


def _tag_versions(
    client: Any,  # noqa: ANN401
    run: FoundRun,
    tags: dict[str, str],
    notices: list[str],
) -> tuple[str, ...]:
    """The versions that have the tags now; a registry that refuses is told, and nothing more."""
    from mlflow.exceptions import MlflowException

    tagged: list[str] = []
    try:
        for version in client.search_model_versions(f"run_id='{run.run_id}'"):
            for name, text in tags.items():
                if (version.tags or {}).get(name, "") != text:
                    client.set_model_version_tag(version.name, version.version, name, text)
            tagged.append(f"{version.name} {version.version}")
    except MlflowException as error:
        notices.append(f"the run's registered models were not all tagged: {first_line(error)}")
    return tuple(tagged)


def _is_local(uri: str) -> bool:
    return urlsplit(uri).scheme.lower() in {"", "file"} or uri.startswith("sqlite:")


def _client(uri: str) -> Any:  # noqa: ANN401  (MlflowClient)
    from mlflow import MlflowClient

    _check(uri)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _check(uri: str) -> None:
    """Refuses what opening for writing would create or migrate."""
    if urlsplit(uri).scheme in {"http", "https"}:
        check_server(uri, without_secrets(uri))
        return
    database = sqlite_file(uri)
    if database is not None:
        _check_sqlite(database)
    elif _is_local(uri):
        folder = local_path(uri)
        if not any(folder.glob("*/meta.yaml")):
            raise MissingStoreError(
                f"{folder} is not an MLflow store: no folder in it has a meta.yaml.",
                "Name the folder that MLflow logs into, often mlruns.",
            )
    elif not uri.startswith("databricks"):
        raise WriteBackError(
            f"writing into {without_secrets(uri)}: a database is not opened for writing, as "
            "MLflow's client would migrate it",
            "name the team's MLflow server instead",
        )


def _check_sqlite(database: Path) -> None:
    with temporary_folder() as scratch:
        revision = peek(database, scratch).revision
    if revision != latest_revision():
        raise WriteBackError(
            f"writing into {database}: it has the schema of another MLflow ({revision}) than "
            f"MLflow {client_version()}, which would migrate it",
            "write back through an MLflow server, or run `mlflow db upgrade` on the store first",
        )


@contextlib.contextmanager
def _translated(run_id: str, shown: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        raise WriteBackError(
            f"writing the verdict of run {run_id} into {shown}: {first_line(error)}", _SCOPE
        ) from error
    except (SQLAlchemyError, OSError, KeyError, ValueError) as error:
        raise WriteBackError(
            f"writing the verdict of run {run_id} into {shown}: {first_line(error)}",
            "check that the store is whole, and that it may be written to",
        ) from error
