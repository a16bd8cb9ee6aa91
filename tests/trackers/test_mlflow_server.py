"""Servers that are not there, say no, or are something else: told within seconds."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reprocheck.errors import ReadError, ReprocheckError


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def failure(store, uri: str) -> ReprocheckError:
    store.uri, start = uri, time.monotonic()
    with pytest.raises(ReadError) as caught:
        store.read("0" * 32)
    assert time.monotonic() - start < 15
    return caught.value


def test_a_refused_connection_is_told_without_the_password(database):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    error = failure(database, f"http://ann:s3cret@{address}")
    assert error.message == f"The MLflow server http://{address} cannot be reached."


def test_a_server_that_never_answers_is_told(database):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = failure(database, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "did not answer within 8 seconds" in error.message


def test_an_unknown_host_is_told(database):
    assert "cannot be reached" in failure(database, "http://mlflow.invalid:5000").message


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_variables_and_no_secret(database, monkeypatch, status):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken")
    with answering(status, b'{"error_code": "PERMISSION_DENIED", "message": "t0ken"}') as address:
        error = failure(database, f"http://ann:s3cret@{address}")
    assert f"HTTP {status}" in error.message
    assert "MLFLOW_TRACKING_USERNAME" in error.hint
    assert "MLFLOW_TRACKING_TOKEN" in error.hint
    assert "t0ken" not in error.message + error.hint
    assert "s3cret" not in error.message + error.hint


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>Sign in</html>"), (404, b"not found"), (200, b"[]"), (200, b"\xff\x00")],
)
def test_an_answer_that_is_not_mlflows_is_told(database, status, body):
    with answering(status, body) as address:
        assert "is not an MLflow server" in failure(database, f"http://{address}").message


def test_a_failing_server_is_told(database):
    with answering(503, b"busy") as address:
        assert "failed (HTTP 503)" in failure(database, f"http://{address}").message
