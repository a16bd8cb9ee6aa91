"""End to end against every kind of tracker: what it is kept in must not matter."""

import contextlib
import http.server
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reprocheck import schema
from reprocheck.trackers.mlflow_settings import client_settings
from tests.conftest import snapshot
from tests.lab import Lab, Result, copy_of

PINNED = "mlflow-skinny==3.17.2\n"


def is_identical(result: Result) -> bool:
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    assert not schema.check(result.report, "report")
    return True


def codes(result: Result) -> set[str]:
    return {item["code"] for stage in result.report["stages"] for item in stage["findings"]}


def environment_of(result: Result) -> str:
    return str(result.report["environment"]["asked"])


# --- a server -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(lab: Lab, server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, str]:
    """A run on a server, whose only environment file is an artifact that the server proxies."""
    lab = copy_of(lab, tmp_path_factory.mktemp("served"))
    (lab.repo.path / "requirements.txt").unlink()
    train = (lab.repo.path / "train.py").read_text()
    keep = f"    mlflow.log_text({PINNED!r}, 'requirements.txt')\n"
    train = train.replace("    mlflow.log_params", keep + "    mlflow.log_params")
    train = train.replace('"tiny"', repr(f"tiny {lab.root}"))
    lab.repo.commit({"train.py": train, "reprocheck.yaml": config_of(lab)})
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        lab.python("train.py", "--seed", "5", uri=server)
    with client_settings():
        client = client_of(server)
        experiment = client.get_experiment_by_name(f"tiny {lab.root}")
        (run,) = client.search_runs([experiment.experiment_id])
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    return lab, run.info.run_id


def config_of(lab: Lab) -> str:
    return (lab.repo.path / "reprocheck.yaml").read_text()


def client_of(uri: str):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.mark.parametrize("asked", ["{}", "runs:/{}", "runs:/{}/model"])
def test_a_run_on_a_server_is_verified(served: tuple[Lab, str], server: str, asked: str) -> None:
    lab, run_id = served
    result = lab.verify(asked.format(run_id), uri=server)
    assert is_identical(result)
    assert "requirements.txt" in environment_of(result)


def test_a_run_on_a_server_is_found_by_its_beginning(served: tuple[Lab, str], server: str) -> None:
    lab, run_id = served
    assert is_identical(lab.verify(run_id[:12], uri=server))


def test_a_runs_page_names_its_server(served: tuple[Lab, str], server: str) -> None:
    lab, run_id = served
    page = f"{server}/#/experiments/1/runs/{run_id}/artifacts"
    result = lab.reprocheck("verify", page)
    assert (result.exit_code, result.stdout[:9]) == (0, "IDENTICAL"), result.stdout


def test_a_registered_model_names_its_run(served: tuple[Lab, str], server: str) -> None:
    lab, run_id = served
    name = f"tiny-{run_id[:8]}"
    with client_settings(server):
        client = client_of(server)
        client.create_registered_model(name)
        client.create_model_version(name, f"runs:/{run_id}/model", run_id)
        client.set_registered_model_alias(name, "champion", "1")
    for asked in (f"models:/{name}/1", f"models:/{name}@champion"):
        result = lab.verify(asked, uri=server)
        assert is_identical(result)
        assert result.report["record"]["run_id"] == run_id


@contextlib.contextmanager
def answering(handle: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            handle(self)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()


def send(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def forward(handler: http.server.BaseHTTPRequestHandler, server: str) -> None:
    """Passes a request on to the real server."""
    length = int(handler.headers.get("Content-Length") or 0)
    body = handler.rfile.read(length) if length else None
    headers = {"Content-Type": handler.headers.get("Content-Type", "application/json")}
    request = urllib.request.Request(
        server + handler.path, data=body, headers=headers, method=handler.command
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            send(handler, answer.status, answer.read())
    except urllib.error.HTTPError as error:
        send(handler, error.code, error.read())


@pytest.mark.parametrize(
    ("how", "requests"),
    [("closes", 1), ("closes", 2), ("closes", 4), ("fails", 1), ("fails", 2), ("hangs", 2)],
)
def test_a_server_that_dies_is_told_in_time(
    served: tuple[Lab, str],
    server: str,
    how: str,
    requests: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab, run_id = served
    if how == "hangs":
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    left = iter(range(requests))
    over = threading.Event()

    def handle(handler: http.server.BaseHTTPRequestHandler) -> None:
        if next(left, None) is not None:
            forward(handler, server)
        elif how == "fails":
            send(handler, 503, b"busy")
        elif how == "hangs":
            over.wait(60)

    with answering(handle) as address:
        started = time.monotonic()
        result = lab.verify(run_id, uri=f"http://{address}")
        took_s = time.monotonic() - started
        over.set()
    assert (result.exit_code, result.report["failed_stage"]) == (3, "read"), result.stdout
    assert took_s < 15
    assert address in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
