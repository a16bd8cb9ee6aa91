"""A cache of the Hugging Face hub, and a hub: as its library lays and asks them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def lay(cache: Path, folder: str, files: Mapping[str, bytes], large: tuple[str, ...] = ()) -> Path:
    """Puts a repository into a cache; the large files are named by SHA-256."""
    repo = cache / folder
    (repo / "blobs").mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        name = hashlib.sha256(content).hexdigest() if path in large else git_sha1(content)
        (repo / "blobs" / name).write_bytes(content)
        target = repo / "snapshots" / COMMIT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.path.relpath(repo / "blobs" / name, target.parent))
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs/main").write_text(COMMIT)
    return repo


class Hub(ThreadingHTTPServer):
    """A hub with one model, org/tiny, that answers what its library asks."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.sent = dict(files)  # what is sent may differ from what is promised
        self.tokens: set[str | None] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _entry(name: str, content: bytes) -> dict[str, object]:
    entry = {"type": "file", "path": name, "size": len(content), "oid": git_sha1(content)}
    if not name.endswith(".bin"):
        return entry
    digest = hashlib.sha256(content).hexdigest()
    return entry | {"lfs": {"oid": digest, "size": len(content), "pointerSize": 130}}


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub = self.server
        hub.tokens.add(self.headers.get("Authorization"))
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/org/tiny/revision/"):
            names = [{"rfilename": name} for name in hub.files]
            document = {"id": "org/tiny", "modelId": "org/tiny", "sha": COMMIT, "siblings": names}
            self._send(json.dumps(document).encode(), {"Content-Type": "application/json"}, body)
            return
        if path.startswith("/api/models/org/tiny/tree/"):
            tree = [_entry(name, content) for name, content in hub.files.items()]
            self._send(json.dumps(tree).encode(), {"Content-Type": "application/json"}, body)
            return
        name = path.removeprefix(f"/org/tiny/resolve/{COMMIT}/")
        if name not in hub.files:
            self.send_error(404)
            return
        headers = {"ETag": f'"{git_sha1(hub.files[name])}"', "X-Repo-Commit": COMMIT}
        if name.endswith(".bin"):
            digest = hashlib.sha256(hub.files[name]).hexdigest()
            headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(hub.files[name]))}
        self._send(hub.sent[name], headers, body)

    def _send(self, content: bytes, headers: Mapping[str, str], body: bool) -> None:
        self.send_response(200)
        for key, text in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, text)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Hub]:
    with Hub(files) as hub:
        thread = threading.Thread(target=hub.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
