"""Places where inputs are kept: a folder, a web server, S3 (moto's), and lakeFS's gateway on it."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from reprocheck.datastores import fetching
from tests.conftest import snapshot

COMMIT = "c" * 64  # of lakeFS


class S3:
    """An S3 server in this process, with a bucket for each name that is asked for."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"

    def client(self):
        import boto3

        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    server = S3()
    yield server
    server.stop()


def s3_variables(patch: pytest.MonkeyPatch, server: S3) -> None:
    """What leads boto3, s3fs and DVC to the server."""
    patch.setenv("AWS_ENDPOINT_URL", server.url)
    patch.setenv("AWS_ACCESS_KEY_ID", "key")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Shelf:
    """A folder of files in some place. `address` is a folder's; files are put below it."""

    address: str
    env: dict[str, str]

    def put(self, name: str, content: bytes) -> None:
        raise NotImplementedError

    def remove(self, name: str) -> None:
        raise NotImplementedError

    def content(self) -> dict[str, object]:
        """All that is there."""
        raise NotImplementedError


class Folder(Shelf):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)
        self.env = {}

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o444)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def content(self) -> dict[str, object]:
        return dict(snapshot(self.folder))


class Objects(Shelf):
    """A bucket of S3; or a repository of lakeFS, whose gateway addresses REF/PATH as a key."""

    def __init__(self, server: S3, bucket: str, lakefs: bool) -> None:
        self._client = server.client()
        self._client.create_bucket(Bucket=bucket)
        self._bucket = bucket
        self._start = f"{COMMIT}/" if lakefs else ""
        self.address = f"lakefs://{bucket}/{COMMIT}/a b" if lakefs else f"s3://{bucket}/a b"
        self.env = {
            "LAKECTL_SERVER_ENDPOINT_URL": f"{server.url}/api/v1",
            "LAKECTL_CREDENTIALS_ACCESS_KEY_ID": "key",
            "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY": "secret",
        }

    def put(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=f"{self._start}a b/{name}", Body=content)

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=f"{self._start}a b/{name}")

    def content(self) -> dict[str, object]:
        listed = self._client.list_objects_v2(Bucket=self._bucket)
        return {item["Key"]: item["ETag"] for item in listed.get("Contents", ())}


class Site(Shelf):
    """A web server that can be made to fail."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.site = self  # type: ignore[attr-defined]
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.fail: list[str] = []  # what to do with the next requests: "500", "401", "cut", "wait"
        self.go = threading.Event()  # for the last byte of those that wait
        self.login: str | None = None  # "user:password"
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://{self.host}/a%20b"
        self.env = {}
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def put(self, name: str, content: bytes) -> None:
        self.files[f"/a b/{name}"] = content

    def remove(self, name: str) -> None:
        del self.files[f"/a b/{name}"]

    def content(self) -> dict[str, object]:
        return dict(self.files)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        path = unquote(urlsplit(self.path).path)
        site.asked.append(f"{self.command} {self.path}")
        said = f"Basic {base64.b64encode((site.login or '').encode()).decode()}"
        doing = site.fail.pop(0) if site.fail else ""
        content = site.files.get(path)
        if doing.isdigit():
            self._answer(int(doing), b"")
        elif site.login and self.headers.get("Authorization") != said:
            self._answer(401, b"")
        elif path.startswith("/moved/"):
            self._answer(302, b"", Location=path.removeprefix("/moved").replace(" ", "%20"))
        elif content is None:
            self._answer(404, b"no such file")
        elif doing == "cut":
            self._answer(200, content[: len(content) // 2], length=len(content))
        elif doing == "wait":
            self._answer(200, content[:-1], length=len(content))
            site.go.wait(10)
            self.wfile.write(content[-1:])
        elif "gzip" in self.headers.get("Accept-Encoding", ""):
            self._answer(200, gzip.compress(content), **{"Content-Encoding": "gzip"})
        else:
            self._answer(200, content)

    def _answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(fetching, "PAUSES_S", (0.0, 0.0))
    site = Site()
    yield site
    site.stop()
