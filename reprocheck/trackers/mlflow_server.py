"""Asks an MLflow server one question, so that a wrong address is told within seconds."""

from __future__ import annotations

import json
from typing import Any

from reprocheck.errors import ReadError
from reprocheck.trackers.mlflow_store import SIGN_IN, first_line

_CONNECT_S, _ANSWER_S = 4.0, 8.0
_NO_RUN = "0" * 32


def check_server(uri: str, shown: str) -> None:
    """Raises `ReadError` unless an MLflow server answers at `uri`; takes at most 12 seconds."""
    response = _ask(uri, shown)
    if response.status_code in {401, 403}:
        raise ReadError(
            f"The MLflow server {shown} refused to answer (HTTP {response.status_code}).",
            SIGN_IN
            if response.status_code == 401
            else f"{SIGN_IN} A server may also refuse unknown host names (--allowed-hosts).",
        )
    if response.status_code >= 500:
        raise ReadError(
            f"The MLflow server {shown} failed (HTTP {response.status_code}).",
            "Look at the server's log, or try again later.",
        )
    if not _is_mlflow(response.text):
        raise ReadError(
            f"What answers at {shown} is not an MLflow server "
            f"(HTTP {response.status_code}, not MLflow's JSON).",
            "Check the address: the part before /#/experiments in the browser, "
            "not behind a sign-in page.",
        )


def _is_mlflow(text: str) -> bool:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and bool({"error_code", "run"} & answer.keys())


def _ask(uri: str, shown: str) -> Any:  # noqa: ANN401  (requests.Response)
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request
    from requests.exceptions import RequestException

    try:
        return http_request(
            get_default_host_creds(uri),
            "/api/2.0/mlflow/runs/get",
            "GET",
            max_retries=0,
            timeout=(_CONNECT_S, _ANSWER_S),
            raise_on_status=False,
            params={"run_id": _NO_RUN},
        )
    except (MlflowException, RequestException) as error:
        raise _no_answer(shown, error) from error


def _no_answer(shown: str, error: Exception) -> ReadError:
    from requests.exceptions import ConnectionError as NoConnection
    from requests.exceptions import SSLError, Timeout

    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, SSLError):
        return ReadError(
            f"The certificate of the MLflow server {shown} was not accepted.",
            "Set MLFLOW_TRACKING_SERVER_CERT_PATH to the CA's certificate.",
        )
    if isinstance(cause, Timeout) or "timed out" in str(cause):
        what = f"did not answer within {_ANSWER_S:.0f} seconds"
    elif isinstance(cause, NoConnection):
        what = "cannot be reached"
    else:
        what = f"did not answer: {first_line(error)}"
    return ReadError(
        f"The MLflow server {shown} {what}.",
        "Check the address, that the server runs, and that this machine may reach it.",
    )
