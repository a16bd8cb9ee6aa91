"""Copies an MLflow store in sqlite, so that MLflow's client never opens the original.

MLflow's client creates a missing database and migrates any older one that it opens.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reprocheck.errors import MissingStoreError, ReadError
from reprocheck.trackers.mlflow_store import first_line

_MAGIC = b"SQLite format 3\0"
_WAL = b"\x02\x02"  # bytes 18 and 19 of the header: the file format of write-ahead logging
_BUSY_S = 3.0
_TRIES = 5


def copy_database(original: Path, folder: Path) -> Path:
    """A copy of the database in `folder`, with the schema of our MLflow client.

    Raises `MissingStoreError` when there is no MLflow database, `ReadError` when it is in use,
    damaged, or newer than our client.
    """
    header = _read_header(original)
    copy = folder / "mlflow.db"
    try:
        if header[18:20] == _WAL:
            _copy_files(original, copy)
        else:
            _back_up(original, copy)
        revision = _revision(copy, original)
    except sqlite3.Error as error:
        raise _unreadable(original, error) from error
    _migrate(copy, revision, original)
    return copy


@dataclass(frozen=True, kw_only=True, slots=True)
class Peek:
    """What a database says of itself."""

    revision: str  # of its schema
    experiments: int


def peek(original: Path, scratch: Path) -> Peek:
    """The schema of a database and how many experiments it has; nothing is written to it.

    Raises as `copy_database` does, but for a schema that is newer than our client's.
    """
    header = _read_header(original)
    try:
        if header[18:20] == _WAL:
            copy = scratch / "peek.db"
            _copy_files(original, copy)
            return _peek(str(copy), original)
        return _peek(f"{original.absolute().as_uri()}?mode=ro", original)
    except sqlite3.Error as error:
        raise _unreadable(original, error) from error


def _peek(database: str, original: Path) -> Peek:
    with closing(sqlite3.connect(database, uri=True, timeout=_BUSY_S)) as connection:
        revision = _revision_of(connection, original)
        (count,) = connection.execute("SELECT count(*) FROM experiments").fetchone()
    return Peek(revision=revision, experiments=int(count))


def _read_header(original: Path) -> bytes:
    try:
        with original.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError as error:
        raise MissingStoreError(
            f"There is no MLflow store at {original}.",
            "Check the path; three slashes begin a relative one (sqlite:///mlflow.db), "
            "four an absolute one.",
        ) from error
    except OSError as error:
        raise ReadError(
            f"Opening the MLflow store {original} failed: {error.strerror}.",
            "Check that it is a file that you may read.",
        ) from error
    if not header.startswith(_MAGIC):
        raise MissingStoreError(
            f"{original} is not a sqlite database.", "Name the file that MLflow logs into."
        )
    return header


def _back_up(original: Path, copy: Path) -> None:
    """A consistent copy also while others write; takes no more than a shared lock."""
    uri = f"{original.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target)


def _copy_files(original: Path, copy: Path) -> None:
    # Even a read-only connection would create the log's two files beside the original. So the
    # bytes are copied, again when they changed meanwhile, and the copy recovers its own log.
    log = original.with_name(original.name + "-wal")
    for _ in range(_TRIES):
        before = _fingerprint(original), _fingerprint(log)
        shutil.copyfile(original, copy)
        if before[1]:
            shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        if before == (_fingerprint(original), _fingerprint(log)):
            return
    raise sqlite3.OperationalError("database is locked")


def _fingerprint(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns


def _revision(copy: Path, original: Path) -> str:
    with closing(sqlite3.connect(copy)) as connection:
        return _revision_of(connection, original)


def _revision_of(connection: sqlite3.Connection, original: Path) -> str:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    if not {"runs", "experiments", "alembic_version"} <= {name for (name,) in names}:
        raise MissingStoreError(
            f"{original} is a sqlite database, but no MLflow store.",
            "Name the file that MLflow logs into, often mlflow.db.",
        )
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else ""


def _migrate(copy: Path, revision: str, original: Path) -> None:
    import sqlalchemy
    from mlflow.exceptions import MlflowException
    from mlflow.store.db.utils import _upgrade_db

    if revision == latest_revision():
        return
    check_known(revision, str(original))
    engine = sqlalchemy.create_engine(f"sqlite:///{copy}")
    try:
        _upgrade_db(engine)
    except (sqlalchemy.exc.SQLAlchemyError, MlflowException) as error:
        raise ReadError(
            f"Bringing a copy of {original} to the schema of MLflow {client_version()} failed: "
            f"{first_line(error)}",
            "The store may be damaged; try `mlflow db upgrade` on a copy of your own.",
        ) from error
    finally:
        engine.dispose()


def latest_revision() -> str:
    """The schema of our MLflow client."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    return str(_get_latest_schema_revision())


def check_known(revision: str, shown: str) -> None:
    """Raises `ReadError` for a schema that our MLflow client has never heard of."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError
    from mlflow.store.db.utils import _get_alembic_config

    try:
        ScriptDirectory.from_config(_get_alembic_config("")).get_revision(revision)
    except CommandError as error:
        raise ReadError(
            f"{shown} was written by a newer MLflow (schema {revision}) than reprocheck's "
            f"client, MLflow {client_version()}.",
            "Upgrade reprocheck, or read the run through an MLflow server.",
        ) from error


def client_version() -> str:
    """The version of our MLflow client."""
    from mlflow.version import VERSION

    return str(VERSION)


def _unreadable(original: Path, error: sqlite3.Error) -> ReadError:
    journal = original.with_name(original.name + "-journal")
    if error.sqlite_errorname == "SQLITE_FULL":
        return ReadError(
            f"Copying the MLflow store {original}: no space is left for the copy.",
            "Free some space, or set TMPDIR to a directory that has more.",
        )
    if error.sqlite_errorname == "SQLITE_BUSY" or "locked" in str(error):
        return ReadError(
            f"The MLflow store {original} is locked by another process.",
            "Try again when it has finished writing.",
        )
    if journal.exists():
        return ReadError(
            f"The MLflow store {original} was left in the middle of a write: {journal.name} "
            "holds what must be undone first.",
            "Open the store once with MLflow, which repairs it, and try again.",
        )
    return ReadError(
        f"Reading the MLflow store {original} failed: {error}.",
        "The database may be damaged; try `PRAGMA integrity_check` on it.",
    )
