"""Fetching a run with logins, and verifying it without; and who may say where requests go."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reprocheck import bundles, schema
from reprocheck.bundles import open_bundle
from tests.conftest import Repo, need
from tests.datastores.servers import S3
from tests.lab import Lab, Result, copy_of
from tests.test_stores import served

__all__ = ["served"]

COMMIT = "mlflow.source.git.commit"
LOGIN = "ann:correct horse"


def fetch(lab: Lab, *args: str) -> Result:
    return lab.reprocheck("fetch", *args, "--bundle", str(lab.root / "bundle"))


def from_bundle(lab: Lab, *args: str) -> Result:
    out = lab.root / "from-bundle.json"
    result = lab.reprocheck(
        *("verify", "--bundle", str(lab.root / "bundle"), "--json", str(out), *args)
    )
    if out.exists():
        result.report = json.loads(out.read_text())
    return result


# --- private places -----------------------------------------------------------------------


@contextmanager
def behind_a_login(upstream: str) -> Iterator[str]:
    """A proxy of a server that wants a login."""
    host = upstream.removeprefix("http://")
    wanted = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body, kind = 401, b"who are you?", "text/plain"
            if self.headers.get("Authorization") == wanted:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {"Content-Type": self.headers.get("Content-Type") or "text/plain"}
                with closing(http.client.HTTPConnection(host)) as asked:
                    asked.request(self.command, self.path, content, headers)
                    answer = asked.getresponse()
                    status, body = answer.status, answer.read()
                kind = answer.getheader("Content-Type") or "text/plain"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def auth_from_now_on(server: S3, count: str) -> None:
    plain = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{server.url}/moto-api/reset-auth", count.encode(), plain)
    urllib.request.urlopen(request).close()


@contextmanager
def private_bucket(objects: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """An S3 that checks signatures, with a folder's files in a bucket; its reader's keys."""
    import boto3

    server = S3()
    try:
        server.client().create_bucket(Bucket="private")
        for path in objects.rglob("*"):
            if path.is_file():
                name = f"dvc/{path.relative_to(objects).as_posix()}"
                server.client().upload_file(str(path), "private", name)
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        iam = boto3.client("iam", endpoint_url=server.url, region_name="us-east-1", **keys)
        iam.create_user(UserName="reader")
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        rights = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
        iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
        auth_from_now_on(server, "0")
        yield (
            server.url,
            {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                "AWS_DEFAULT_REGION": "us-east-1",
            },
        )
    finally:
        auth_from_now_on(server, "inf")  # it is a setting of the process
        server.stop()


def told(report: dict[str, Any]) -> dict[str, Any]:
    """What must be the same wherever a verification had its inputs from."""
    times = {"at", "duration_s", "started_at", "ended_at"}
    return {
        "verdict": report["verdict"],
        "sentence": report["sentence"],
        "gates": report["gates"],
        "comparisons": report["comparisons"],
        "products": report["products"],
        "plan": report["plan"],
        "subject": report["subject"],
        "findings": [
            {key: value for key, value in each.items() if key not in times}
            for each in report["findings"]
        ],
        "record": {
            key: value for key, value in report["record"].items() if key not in ("url", "origins")
        },
    }


@pytest.fixture
def secretive(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any login."""
    for name in os.environ:
        if name.startswith(("AWS_", "MLFLOW_TRACKING", "HF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    return monkeypatch


def test_a_private_tracker_and_a_private_remote_need_no_login_after_the_fetch(
    served: tuple[Lab, str], server: str, tmp_path: Path, secretive: pytest.MonkeyPatch
) -> None:
    shared, run_id = served
    lab = copy_of(shared, tmp_path)
    shutil.rmtree(lab.repo.path / ".dvc/cache")
    with behind_a_login(server) as tracker, private_bucket(lab.root / "remote") as (s3, keys):
        remote = {"remote": "s3://private/dvc", "endpointurl": s3}
        text = "[core]\n    remote = storage\n['remote \"storage\"']\n"
        text += f"    url = {remote['remote']}\n    endpointurl = {s3}\n"
        lab.repo.write({".dvc/config": text})
        shutil.rmtree(lab.root / "remote")
        told_address = ("--tracking-uri", tracker)
        refused = fetch(lab, run_id, *told_address)
        assert (refused.exit_code, "HTTP 401" in refused.stderr) == (3, True), refused.stderr
        secretive.setenv("MLFLOW_TRACKING_USERNAME", LOGIN.partition(":")[0])
        secretive.setenv("MLFLOW_TRACKING_PASSWORD", LOGIN.partition(":")[2])
        for name, value in {**keys, "AWS_SECRET_ACCESS_KEY": "another"}.items():
            secretive.setenv(name, value)
        forged = fetch(lab, run_id, *told_address)
        assert (forged.exit_code, "data/train.csv" in forged.stderr) == (3, True), forged.stderr
        assert not (lab.root / "bundle").exists()
        secretive.setenv("AWS_SECRET_ACCESS_KEY", keys["AWS_SECRET_ACCESS_KEY"])
        fetched = fetch(lab, run_id, *told_address)
        assert fetched.exit_code == 0, fetched.stderr
        direct = lab.verify(run_id, uri=tracker)
    for name in (*keys, "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        secretive.delenv(name)
    result = from_bundle(lab)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout + result.stderr
    assert not schema.check(result.report, "report")
    assert told(result.report) == told(direct.report)
    assert "from a bundle of" in result.stderr
    written = b"".join(each.read_bytes() for each in files_of(lab.root / "bundle"))
    assert keys["AWS_SECRET_ACCESS_KEY"].encode() not in written
    assert b"correct horse" not in written


def files_of(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


# --- whose word counts --------------------------------------------------------------------


@pytest.fixture
def attacker() -> Iterator[str]:
    """Hangs up on whoever comes, and fails the test at its end when anybody has."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            while True:
                try:
                    connection, address = listening.accept()
                except OSError:  # it was closed
                    return
                came.append(address)
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    assert came == [], "somebody connected"


def config(url: str, *more: str) -> dict[str, str | bytes]:
    lines = ["[core]", "    remote = evil", "['remote \"evil\"']", f"    url = {url}", *more]
    return {".dvc/config": "\n".join(lines) + "\n"}


def imported(dep: str) -> dict[str, str | bytes]:
    text = f"deps:\n- {dep}\nouts:\n- md5: {'d' * 32}\n  hash: md5\n  path: train.csv\n"
    return {"data/train.csv.dvc": text}


HOSTILE: dict[str, Callable[[str], dict[str, str | bytes]]] = {
    "an S3 endpoint": lambda host: config("s3://mine/x", f"    endpointurl = http://{host}"),
    "a web server": lambda host: config(f"http://{host}/x"),
    "ssh": lambda host: config(f"ssh://me@{host}/x"),
    "a folder of this machine": lambda _: config("/etc"),
    "dvc import-url": lambda host: imported(f"path: http://{host}/x.csv"),
    "dvc import": lambda host: imported(
        f"path: x.csv\n  repo: {{url: 'http://{host}/x.git', rev_lock: {'a' * 40}}}"
    ),
}


def proposed(lab: Lab, files: dict[str, str | bytes], tmp_path: Path) -> Lab:
    """The lab with a run of a pull request's commit, whose data is nowhere to be had."""
    own = copy_of(lab, tmp_path)
    own.repo.git("checkout", "--quiet", "-b", "proposed")
    commit = own.repo.commit(files)
    own.repo.git("checkout", "--quiet", "main")
    own.set_tag(own.seeded, COMMIT, commit)
    shutil.rmtree(own.repo.path / ".dvc/cache", ignore_errors=True)
    shutil.rmtree(own.root / "remote")
    return own


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_commit_does_not_say_which_address_is_asked_for_data(
    lab: Lab, tmp_path: Path, attacker: str, kind: str
) -> None:
    own = proposed(lab, HOSTILE[kind](attacker), tmp_path)
    result = fetch(own, own.seeded, "--tracking-uri", own.uri)
    assert result.exit_code == 3, result.stderr
    assert "only the run or its commit names" in result.stderr
    assert "base branch" in result.stderr
    assert not (own.root / "bundle").exists()


def test_a_submodule_of_the_commit_is_asked_only_where_the_checkout_names_it(
    lab: Lab, tmp_path: Path, attacker: str
) -> None:
    text = f'[submodule "x"]\n\tpath = x\n\turl = http://{attacker}/x.git\n'
    own = proposed(lab, {".gitmodules": text}, tmp_path)
    own.repo.git("checkout", "--quiet", "proposed")
    own.repo.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},x")
    own.repo.git("commit", "--quiet", "--message", "A submodule")
    own.set_tag(own.seeded, COMMIT, own.repo.git("rev-parse", "HEAD"))
    own.repo.git("checkout", "--quiet", "--force", "main")
    result = fetch(own, own.seeded, "--tracking-uri", own.uri)
    assert result.exit_code == 3
    assert f"http://{attacker}/x.git" in result.stderr
    assert ".gitmodules" in result.stderr


@pytest.mark.parametrize("root", ["http://{}/x", "mlflow-artifacts://{}/x", "sftp://{}/x"])
def test_a_run_does_not_say_where_its_artifacts_are_asked_for(
    lab: Lab, tmp_path: Path, attacker: str, root: str
) -> None:
    own = copy_of(lab, tmp_path)
    own.sql("UPDATE runs SET artifact_uri = ?", root.format(attacker))
    result = fetch(own, own.seeded, "--tracking-uri", own.uri)
    assert result.exit_code == 3
    assert "an address that only the run names" in result.stderr
    assert "artifact_roots" in result.stderr


def test_neither_a_runs_page_nor_its_repository_says_who_is_asked(
    lab: Lab, tmp_path: Path, attacker: str
) -> None:
    own = copy_of(lab, tmp_path)
    address = f"http://{attacker}"
    own.set_tag(own.seeded, COMMIT, "a" * 40)
    own.set_tag(own.seeded, "mlflow.source.git.repoURL", f"{address}/x.git")
    page = f"{address}/#/experiments/1/runs/{own.seeded}"
    result = fetch(own, page, "--tracking-uri", own.uri)
    assert result.exit_code == 3
    assert "was not found" in result.stderr


# --- a fork's commit ----------------------------------------------------------------------


def test_a_commit_of_a_fork_is_fetched_by_its_ref_into_a_clone_of_our_own(
    lab: Lab, tmp_path: Path
) -> None:
    own = copy_of(lab, tmp_path)
    own.repo.git("checkout", "--quiet", "-b", "fork")
    first = own.repo.commit({"README.md": "1"})
    own.repo.commit({"README.md": "2"})
    own.repo.git("update-ref", "refs/pull/7/head", "HEAD")
    own.repo.git("checkout", "--quiet", "main")
    own.repo.git("branch", "--quiet", "-D", "fork")
    clone = tmp_path / "clone"
    own.repo.git("clone", "--quiet", "--depth=1", own.repo.path.as_uri(), str(clone))
    own.set_tag(own.seeded, COMMIT, first)
    config = clone / ".dvc/config"
    config.write_text(config.read_text().replace("../../remote", str(own.root / "remote")))
    ours = Repo.at(clone)
    before = ours.git("for-each-ref")
    args = ("--tracking-uri", own.uri, "--bundle", str(tmp_path / "b"), "--repo", str(clone))
    for ref, code in (("refs/pull/7/head", 0), ("-x", 2), ("refs/pull/../x", 2), ("main", 2)):
        result = own.reprocheck("fetch", own.seeded, *args, "--ref", ref, cwd=clone)
        assert result.exit_code == code, result.stderr
    assert open_bundle(tmp_path / "b").run_ids == (own.seeded,)
    assert ours.git("for-each-ref") == before


# --- what is asked of a bundle ------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab with a bundle of both runs."""
    own = copy_of(lab, tmp_path_factory.mktemp("bundled"))
    result = fetch(own, own.seeded, own.unseeded, "--tracking-uri", own.uri)
    assert result.exit_code == 0, result.stderr
    assert "2 runs with 1 input" in result.stdout
    return own


def test_the_run_is_named_where_a_bundle_has_several(bundled: Lab) -> None:
    result = from_bundle(bundled)
    assert (result.exit_code, "holds 2 runs" in result.stderr) == (2, True)
    dry = from_bundle(bundled, bundled.unseeded[:8], "--dry-run")
    assert (dry.exit_code, dry.report["record"]["run_id"]) == (0, bundled.unseeded)
    other = from_bundle(bundled, "f" * 32)
    assert (other.exit_code, other.report["failed_stage"]) == (2, "read")
    assert "no such run" in " ".join(other.stdout.split())


def test_of_a_sensitive_run_findings_are_told_without_words(bundled: Lab, tmp_path: Path) -> None:
    own = copy_of(bundled, tmp_path)
    own.set_tag(own.seeded, "reprocheck.sensitive", "true")
    own.set_tag(own.seeded, "reprocheck.tree", "PLANTED")
    own.sql("INSERT INTO params (run_uuid, key, value) VALUES (?, 'planted_password', 'PLANTED')",
            own.seeded)  # fmt: skip
    result = fetch(own, own.seeded, "--tracking-uri", own.uri, "--verbose")
    assert result.exit_code == 0, result.stderr
    assert "the details are left out" in result.stdout
    assert "planted" not in (result.stdout + result.stderr).lower()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--tracking-uri", "http://x"), "contradict each other"),
        (("--bundle", "nowhere"), "there is no bundle nowhere"),
    ],
)
def test_wrong_usage_of_a_bundle_exits_2(bundled: Lab, args: tuple[str, ...], words: str) -> None:
    result = from_bundle(bundled, *args)
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


def test_a_changed_input_in_the_bundle_is_told_before_anything_trains(
    bundled: Lab, tmp_path: Path
) -> None:
    own = copy_of(bundled, tmp_path)
    own.seeded = bundled.seeded
    (data,) = open_bundle(own.root / "bundle").data
    sha256 = data.files[0].sha256
    path = own.root / "bundle" / bundles.CONTENTS / sha256[:2] / sha256
    path.write_bytes(path.read_bytes()[::-1])
    result = from_bundle(own, own.seeded)
    assert (result.exit_code, result.report["trials"]) == (3, [])
    assert "has other content" in " ".join(result.stdout.split())


def test_what_a_folder_holds_that_is_no_bundle_stays(bundled: Lab, tmp_path: Path) -> None:
    own = copy_of(bundled, tmp_path)
    (own.root / "bundle/bundle.json").unlink()
    before = files_of(own.root / "bundle")
    result = fetch(own, bundled.seeded, "--tracking-uri", own.uri)
    assert (result.exit_code, "is no bundle" in result.stderr) == (2, True)
    assert files_of(own.root / "bundle") == before
    small = ("--tracking-uri", own.uri, "--max-size", "10", "--bundle", str(own.root / "b"))
    result = own.reprocheck("fetch", bundled.seeded, *small)
    assert (result.exit_code, "at most 10 bytes" in result.stderr) == (3, True), result.stderr
    assert not (own.root / "b").exists()


# --- git LFS ------------------------------------------------------------------------------


def test_objects_of_git_lfs_are_in_the_bundle_unless_the_commit_says_where_they_are(
    lab: Lab, tmp_path: Path, attacker: str
) -> None:
    need("git-lfs")
    own = copy_of(lab, tmp_path)
    own.repo.git("lfs", "install", "--local")
    own.repo.git("lfs", "track", "*.bin")
    commit = own.repo.commit({"weights.bin": b"w" * 3000})
    own.set_tag(own.seeded, COMMIT, commit)
    result = fetch(own, own.seeded, "--tracking-uri", own.uri)
    assert result.exit_code == 0, result.stderr
    assert len(open_bundle(own.root / "bundle").objects) == 1
    shutil.rmtree(own.repo.path / ".git/lfs/objects")
    assert own.verify(own.seeded, "--dry-run").exit_code == 3
    result = from_bundle(own, "--dry-run")
    assert result.exit_code == 0, result.stdout
    evil = {".lfsconfig": f"[lfs]\n\turl = http://{attacker}/x\n", "other.bin": b"v" * 3000}
    own.repo.git("checkout", "--quiet", "-b", "proposed")
    own.set_tag(own.seeded, COMMIT, own.repo.commit(evil))
    own.repo.git("-c", "filter.lfs.smudge=", "checkout", "--quiet", "--force", "HEAD~1", "--", ".")
    (own.repo.path / ".lfsconfig").unlink()
    result = fetch(own, own.seeded, "--tracking-uri", own.uri)
    assert (result.exit_code, ".lfsconfig" in result.stderr) == (3, True), result.stderr


# --- secrets ------------------------------------------------------------------------------


def test_a_hidden_parameter_costs_no_honest_rerun_its_verdict(lab: Lab, tmp_path: Path) -> None:
    own = copy_of(lab, tmp_path)
    train = (own.repo.path / "train.py").read_text()
    train = train.replace('"seed": args.seed}', '"seed": args.seed, "api_key": "hunter2hunter2"}')
    commit = own.repo.commit({"train.py": train})
    own.sql("INSERT INTO params VALUES ('api_key', 'hunter2hunter2', ?)", own.seeded)
    own.set_tag(own.seeded, COMMIT, commit)
    result = fetch(own, own.seeded, "--tracking-uri", own.uri)
    assert (result.exit_code, "hidden-in-bundle" in result.stdout) == (0, True), result.stderr
    result = from_bundle(own)
    assert (result.exit_code, result.verdict) == (0, "IDENTICAL"), result.stdout
    (trial,) = result.report["trials"]
    (aside,) = (each for each in trial["differences"] if each["name"] == "api_key")
    assert aside["excuse"] == "hidden in the bundle"
    assert "hidden-in-bundle" in {each["code"] for each in result.report["findings"]}
    config = (own.repo.path / "reprocheck.yaml").read_text()
    needs = config.replace("--seed {params.seed}", "--seed {params.seed} --key {params.api_key}")
    (own.root / "needs.yaml").write_text(needs)
    result = from_bundle(own, "--config", str(own.root / "needs.yaml"))
    assert (result.exit_code, result.report["failed_stage"]) == (3, "checkout")
    assert "an argument of the command is hidden" in " ".join(result.stdout.split())
