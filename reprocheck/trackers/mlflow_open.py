"""Opens an MLflow store by its address, without ever writing to it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from reprocheck.errors import MissingStoreError, ReadError
from reprocheck.trackers.mlflow_server import check_server
from reprocheck.trackers.mlflow_sqlite import check_known, copy_database, latest_revision
from reprocheck.trackers.mlflow_store import MlflowStore, first_line, without_secrets

_DATABASES = ("postgresql", "mysql", "mssql")


def open_store(uri: str, scratch: Path) -> MlflowStore:
    """The store at an http, https, sqlite, file or database address, or at a plain path.

    Copies are made in `scratch`. Call it inside `client_settings`, like all of the store.
    Raises `MissingStoreError` or `ReadError`.
    """
    scheme = urlsplit(uri).scheme.lower().partition("+")[0]
    if scheme in {"http", "https"}:
        return _open_server(uri)
    if scheme == "sqlite":
        return _open_sqlite(_sqlite_path(uri), uri, scratch)
    if scheme in _DATABASES:
        return _open_database(uri)
    if scheme.startswith("databricks") or uri == "databricks":
        return MlflowStore(client=_client(uri), uri=uri, shown=uri)
    if scheme not in {"", "file"}:
        raise MissingStoreError(
            f"{without_secrets(uri)} is not the address of an MLflow tracker.",
            "Name an http(s):// server, sqlite:///path/to/mlflow.db, or a folder of runs.",
        )
    path = local_path(uri)
    if path.is_file():
        return _open_sqlite(path, str(path), scratch)
    return _open_folder(path, scratch)


def sqlite_file(uri: str) -> Path | None:
    """The database that an address names, if it names one in sqlite.

    Raises `MissingStoreError` for one that names no file.
    """
    scheme = urlsplit(uri).scheme.lower().partition("+")[0]
    if scheme == "sqlite":
        return _sqlite_path(uri)
    path = local_path(uri) if scheme in {"", "file"} else None
    return path if path and path.is_file() else None


def local_path(uri: str) -> Path:
    """The path that a file URI or a plain path names."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri).expanduser()


def _client(uri: str, registry_uri: str | None = None) -> Any:  # noqa: ANN401  (MlflowClient)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient(tracking_uri=uri, registry_uri=registry_uri or uri)
    except MlflowException as error:
        raise ReadError(
            f"MLflow's client cannot open {without_secrets(uri)}: {first_line(error)}",
            "Check the tracker's address; MLflow's own documentation explains the message.",
        ) from error


def _open_server(uri: str) -> MlflowStore:
    shown = without_secrets(uri).rstrip("/")
    check_server(uri, shown)
    # Registered models may be kept elsewhere; a database named there would be opened for writing.
    registry = os.environ.get("MLFLOW_REGISTRY_URI", "")
    registry = registry if registry.startswith(("http://", "https://", "databricks")) else uri
    return MlflowStore(client=_client(uri, registry), uri=uri, shown=shown, pages=shown)


def _sqlite_path(uri: str) -> Path:
    _, _, path = uri.partition(":///")
    path = unquote(path.partition("?")[0])
    if not path or path == ":memory:":
        raise MissingStoreError(
            f"{uri} names no file.", "Name one, for example sqlite:///mlflow.db."
        )
    return Path(path)


def _open_sqlite(path: Path, shown: str, scratch: Path) -> MlflowStore:
    with _new_folder(scratch) as folder:
        uri = f"sqlite:///{copy_database(path, folder)}"
        return MlflowStore(client=_client(uri), uri=uri, shown=shown, copy=folder)


def _open_folder(path: Path, scratch: Path) -> MlflowStore:
    # MLflow's client creates what it misses in a file store (.trash, models, the folder itself).
    # It gets a folder of links instead.
    if not path.is_dir():
        raise MissingStoreError(
            f"There is no MLflow store at {path}.", "Check the tracker's address."
        )
    if not any(path.glob("*/meta.yaml")):
        raise MissingStoreError(
            f"{path} is not an MLflow store: no folder in it has a meta.yaml.",
            "Name the folder that MLflow logs into, often mlruns.",
        )
    with _new_folder(scratch) as mirror:
        for entry in path.absolute().iterdir():
            (mirror / entry.name).symlink_to(entry)
        uri = mirror.as_uri()
        return MlflowStore(
            client=_client(uri), uri=uri, shown=str(path), folder=path.absolute(), copy=mirror
        )


@contextmanager
def _new_folder(scratch: Path) -> Iterator[Path]:
    """A folder that stays when the block succeeds."""
    folder = Path(tempfile.mkdtemp(prefix="mlflow-", dir=scratch.absolute()))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _open_database(uri: str) -> MlflowStore:
    # MLflow's client migrates an older database and fills an empty one. There is no copying
    # one that is on a server, so anything but our client's own schema is refused.
    shown = without_secrets(uri)
    revision = _database_revision(uri, shown)
    if revision != latest_revision():
        check_known(revision, shown)
        raise ReadError(
            f"{shown} has the schema of an older MLflow ({revision}), which reprocheck's client "
            "would migrate.",
            "Read the run through the team's MLflow server instead of its database.",
        )
    return MlflowStore(client=_client(uri), uri=uri, shown=shown)


def _database_revision(uri: str, shown: str) -> str:
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    # MLflow's client would also create a default experiment, number 0, that is missing.
    query = sqlalchemy.text(
        "SELECT version_num FROM alembic_version, experiments WHERE experiment_id = 0"
    )
    try:
        with sqlalchemy.create_engine(uri).connect() as connection:
            found = connection.execute(query).first()
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ReadError(
            f"Reading {shown} needs a database driver: {first_line(error)}",
            "Install it beside reprocheck (psycopg2-binary, pymysql), or name an MLflow server.",
        ) from error
    except (SQLAlchemyError, ArgumentError) as error:
        raise ReadError(
            f"Connecting to {shown} failed: {first_line(error)}",
            "Check the address and that the database is an MLflow store.",
        ) from error
    if found is None:
        raise MissingStoreError(
            f"{shown} has no default experiment.", "Read the run through an MLflow server instead."
        )
    return str(found[0])
