"""The settings under which MLflow's client works for us: quiet, impatient, telling nobody."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ALWAYS = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# MLflow's own defaults try a dead server for minutes; the user's values win.
_UNLESS_SET = {
    "AWS_MAX_ATTEMPTS": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0.2",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "6",  # twice, and a pause: under 15 s
}


@contextmanager
def client_settings(store: str | None = None) -> Iterator[None]:
    """Everything that MLflow's client does for us happens inside, its import included.

    MLflow takes these settings from `os.environ` only, at each call. So this is the one place
    that changes it; what was there comes back at the end. `store` is the address of an opened
    store: a client of a file store's models makes others at the default address, ./mlflow.db,
    which would be created or migrated.
    """
    missing = {name: value for name, value in _UNLESS_SET.items() if name not in os.environ}
    changed = {**_ALWAYS, **missing} | ({"MLFLOW_TRACKING_URI": store} if store else {})
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        with _quiet():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    # MLflow, alembic and urllib3 log to stderr; what matters of it becomes an error or a finding.
    threshold = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(threshold)
