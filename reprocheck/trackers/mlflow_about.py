"""What an MLflow store is, told without reading a run. Nothing of it is migrated or copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reprocheck.numbers import counted
from reprocheck.trackers.mlflow_open import open_store, sqlite_file
from reprocheck.trackers.mlflow_settings import client_settings
from reprocheck.trackers.mlflow_sqlite import check_known, client_version, latest_revision, peek
from reprocheck.trackers.mlflow_store import MlflowStore, without_secrets


def about(uri: str, scratch: Path) -> str:
    """What the store at an address is, in words without passwords: its version, its experiments.

    Raises `MissingStoreError` or `ReadError`.
    """
    with client_settings():
        file = sqlite_file(uri)
        if file is not None:
            return f"{without_secrets(uri)}, {_database(file, scratch)}"
        store = open_store(uri, scratch)
        with client_settings(store.uri):
            try:
                told = [store.shown, *_server(store)]
                told.append(counted(len(store.experiment_ids()), "experiment"))
            finally:
                store.close()
    return ", ".join(told)


def _database(file: Path, scratch: Path) -> str:
    found = peek(file, scratch)
    experiments = counted(found.experiments, "experiment")
    if found.revision == latest_revision():
        return f"schema of MLflow {client_version()}, {experiments}"
    check_known(found.revision, str(file))
    return f"an older MLflow's schema ({found.revision}; a copy of it is read), {experiments}"


def _server(store: MlflowStore) -> list[str]:
    """The server's version, where it tells one."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request
    from requests.exceptions import RequestException

    if store.pages is None:
        return []
    try:
        answer: Any = http_request(
            get_default_host_creds(store.uri),
            "/version",
            "GET",
            max_retries=0,
            timeout=(4.0, 4.0),
            raise_on_status=False,
        )
    except (MlflowException, RequestException):
        return []
    version = answer.text.strip()
    known = answer.status_code == 200 and version[:1].isdigit() and len(version) < 20
    return [f"MLflow {version}"] if known else []
