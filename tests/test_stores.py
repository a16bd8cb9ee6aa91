"""End to end against every kind of tracker: what it is kept in must not matter."""

import contextlib
import http.server
import os
import re
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
    return {item["code"] for item in result.report["findings"]}


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

        do_POST = do_GET  # noqa: N815 - the base class calls it so

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
    if how == "hangs":  # found out by asking it once more, not by each request's own timeout
        assert "did not answer within" in " ".join(result.stdout.split())
    assert address in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


# --- secrets ------------------------------------------------------------------------------

SECRETS = ("t0ken-of-ann", "s3cret-of-ann")


def everything(lab: Lab, result: Result, *files: Path) -> str:
    texts = [path.read_text() for path in (lab.root / "report.json", *files)]
    return "".join([result.stdout, result.stderr, *texts])


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_and_never_shown(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    lab, page = copy_of(lab, tmp_path), tmp_path / "report.md"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRETS[0])
    with answering(lambda handler: send(handler, status, SECRETS[0].encode())) as address:
        uri = f"http://ann:{SECRETS[1]}@{address}"
        result = lab.verify("1" * 32, "--markdown", str(page), uri=uri)
    assert (result.exit_code, result.report["failed_stage"]) == (3, "read")
    assert f"HTTP {status}" in result.stdout
    assert "MLFLOW_TRACKING_TOKEN" in result.stdout
    assert not any(secret in everything(lab, result, page) for secret in SECRETS)


def test_a_password_in_a_pages_address_signs_in_and_is_never_shown(
    served: tuple[Lab, str], server: str, tmp_path: Path
) -> None:
    lab, run_id = served
    page = tmp_path / "report.md"

    def handle(handler: http.server.BaseHTTPRequestHandler) -> None:
        if "Basic" in handler.headers.get("Authorization", ""):
            forward(handler, server)
        else:
            send(handler, 401, b"{}")

    with answering(handle) as address:
        asked = f"http://ann:{SECRETS[1]}@{address}/#/experiments/1/runs/{run_id}"
        files = ("--json", str(lab.root / "report.json"), "--markdown", str(page))
        result = lab.reprocheck("verify", asked, *files, "-v")
    assert result.exit_code == 0, result.stdout
    assert address in (lab.root / "report.json").read_text()
    assert SECRETS[1] not in everything(lab, result, page)


# --- files and folders --------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, str]:
    """A run in a file store, in `mlruns` of the repository."""
    lab = copy_of(lab, tmp_path_factory.mktemp("folder"))
    with client_settings():
        lab.python("train.py", "--seed", "5", uri=(lab.repo.path / "mlruns").as_uri())
    (run,) = (lab.repo.path / "mlruns").glob("*/*/params")
    return lab, run.parent.name


@pytest.mark.parametrize("form", ["uri", "path", "relative"])
def test_a_run_in_a_folder_is_verified_and_the_folder_stays(
    folder: tuple[Lab, str], form: str
) -> None:
    lab, run_id = folder
    mlruns = lab.repo.path / "mlruns"
    before = snapshot(lab.repo.path)
    uri = {"uri": mlruns.as_uri(), "path": str(mlruns), "relative": "mlruns"}[form]
    assert is_identical(lab.verify(run_id[:8], uri=uri))
    assert snapshot(lab.repo.path) == before


def test_a_registered_model_in_a_folder_makes_no_other_store(folder: tuple[Lab, str]) -> None:
    lab, run_id = folder
    uri = (lab.repo.path / "mlruns").as_uri()
    with client_settings(uri):
        client = client_of(uri)
        client.create_registered_model("tiny")
        client.create_model_version("tiny", f"runs:/{run_id}/model", run_id)
    before = snapshot(lab.repo.path)
    elsewhere = lab.repo.path / "data"  # MLflow's default store would be made where we are
    assert is_identical(lab.verify("models:/tiny/1", uri=uri, cwd=elsewhere))
    assert snapshot(lab.repo.path) == before


# --- older MLflow -------------------------------------------------------------------------

OLDER = {"1.30.1": "3.8", "2.22.0": "3.11"}


@pytest.mark.parametrize("kind", ["database", "folder"])
@pytest.mark.parametrize("version", list(OLDER))
def test_a_run_of_an_older_mlflow_is_rebuilt_with_it_and_its_store_stays(
    lab: Lab, tmp_path: Path, python_with: Callable[[str], Path], version: str, kind: str
) -> None:
    python = python_with(version)
    lab = copy_of(lab, tmp_path)
    shim = "setuptools<81\n" if version < "2" else ""
    lab.repo.commit(
        {
            "requirements.txt": f"mlflow-skinny=={version}\n{shim}",
            ".python-version": OLDER[version] + "\n",
        }
    )
    store = tmp_path / "store"
    store.mkdir()
    uri = f"sqlite:///{store}/mlflow.db" if kind == "database" else (store / "mlruns").as_uri()
    env = {"PATH": os.environ["PATH"], "HOME": str(store), "MLFLOW_TRACKING_URI": uri}
    run_id = trained(python, lab, env)
    before = snapshot(tmp_path / "store")
    result = lab.verify(run_id, uri=uri)
    assert is_identical(result)
    assert result.report["environment"]["python"].startswith(OLDER[version])
    assert f"mlflow-skinny=={version}" in result.report["environment"]["lock"]
    assert snapshot(tmp_path / "store") == before


def trained(python: Path, lab: Lab, env: dict[str, str]) -> str:
    script = (
        "import atexit, mlflow, sys\nsys.argv = ['train.py', '--seed', '5']\n"
        "atexit.register(lambda: print(mlflow.last_active_run().info.run_id))\n"
        "exec(compile(open('train.py').read(), 'train.py', 'exec'))"
    )
    done = subprocess.run(
        [python, "-c", script], cwd=lab.repo.path, env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split()[-1]


# --- which tracker ------------------------------------------------------------------------


def test_the_tracker_is_the_variables_then_the_configs_then_a_database_here(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = copy_of(lab, tmp_path)
    config = config_of(lab)

    def plan() -> tuple[int, str]:
        result = lab.reprocheck("verify", lab.seeded, "--dry-run")
        return result.exit_code, "".join((result.stdout + result.stderr).split())

    code, said = plan()
    assert (code, "--tracking-uri" in said) == (2, True)
    (lab.repo.path / "mlflow.db").write_bytes((lab.root / "mlflow.db").read_bytes())
    assert plan()[0] == 0
    away = "tracker: {uri: 'sqlite:///../away.db'}\n"
    lab.repo.write({"reprocheck.yaml": config + away})
    code, said = plan()
    assert (code, "away.db" in said) == (2, True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", lab.uri)
    assert plan()[0] == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///gone.db")
    code, said = plan()
    assert (code, "gone.db" in said) == (2, True)
    assert lab.verify(lab.seeded, "--dry-run").exit_code == 0


def test_a_database_in_the_repositorys_root_is_found_from_a_subfolder(
    lab: Lab, tmp_path: Path
) -> None:
    lab = copy_of(lab, tmp_path)
    (lab.repo.path / "mlflow.db").write_bytes((lab.root / "mlflow.db").read_bytes())
    result = lab.reprocheck("verify", lab.seeded, "--dry-run", cwd=lab.repo.path / "data")
    assert result.exit_code == 0, result.stderr


# --- artifacts ----------------------------------------------------------------------------


def keep(lab: Lab, files: dict[str, str]) -> Path:
    """Gives the seeded run artifacts of its own."""
    root = lab.root / "artifacts"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    lab.sql("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", root.as_uri(), lab.seeded)
    return root


def test_a_vanished_artifact_root_is_a_finding_where_nothing_of_it_is_needed(
    lab: Lab, tmp_path: Path
) -> None:
    lab = copy_of(lab, tmp_path)
    lab.sql("UPDATE runs SET artifact_uri = 'file:///gone/away/mlruns/1/2/artifacts'")
    result = lab.verify(lab.seeded)
    assert is_identical(result)
    assert "artifacts-unreachable" in codes(result)
    assert "artifacts-unreachable" in result.stdout


CONDA = """dependencies:
  - python=3.11
  - pip
  - pip:
      - mlflow-skinny==3.17.2
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", PINNED),
        ("env/conda.yaml", CONDA),
        ("train/requirements-train.txt", PINNED),
    ],
)
def test_an_environment_file_kept_with_the_run_counts_before_the_commits(
    lab: Lab, tmp_path: Path, name: str, text: str
) -> None:
    lab = copy_of(lab, tmp_path)
    lab.repo.write({"requirements.txt": "no-such-package-at-all==0\n"})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", lab.repo.commit())
    keep(lab, {name: text})
    result = lab.verify(lab.seeded)
    assert is_identical(result)
    assert environment_of(result) == f"{Path(name).name} recorded with the run"
    assert result.report["record"]["origins"]["/environment"]["where"] == name


def spoil_pointer(lab: Lab) -> None:
    """The record's commit is one whose data is nowhere."""
    path = lab.repo.path / "data/train.csv.dvc"
    lab.repo.write({"data/train.csv.dvc": re.sub("[0-9a-f]{32}", "a" * 32, path.read_text())})
    lab.set_tag(lab.seeded, "mlflow.source.git.commit", lab.repo.commit())


def test_a_pointer_of_dvc_kept_with_the_run_counts_before_the_commits(
    lab: Lab, tmp_path: Path
) -> None:
    lab = copy_of(lab, tmp_path)
    pointer = (lab.repo.path / "data/train.csv.dvc").read_text()
    keep(lab, {"data/train.csv.dvc": pointer})
    spoil_pointer(lab)
    result = lab.verify(lab.seeded)
    assert is_identical(result)
    assert "file-from-record" in codes(result)


def test_a_pointer_of_dvc_kept_without_its_folder_is_its_namesakes(
    lab: Lab, tmp_path: Path
) -> None:
    lab = copy_of(lab, tmp_path)
    pointer = (lab.repo.path / "data/train.csv.dvc").read_text()
    keep(lab, {"train.csv.dvc": pointer})
    spoil_pointer(lab)
    assert is_identical(lab.verify(lab.seeded))


def test_two_environments_kept_with_the_run_are_a_finding_that_the_config_decides(
    lab: Lab, tmp_path: Path
) -> None:
    lab = copy_of(lab, tmp_path)
    keep(lab, {"a/requirements.txt": PINNED, "b/requirements.txt": PINNED + "colorama\n"})
    result = lab.verify(lab.seeded)
    assert is_identical(result)
    assert "ambiguous-environment" in codes(result)
    config = config_of(lab) + "environment: {file: requirements.txt}\n"
    lab.repo.write({"reprocheck.yaml": config})
    result = lab.verify(lab.seeded)
    assert is_identical(result)
    assert "ambiguous-environment" not in codes(result)
