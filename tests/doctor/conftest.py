"""A request about a folder, and servers that answer one thing."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reprocheck.doctor import Request
from tests.conftest import Repo


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The address of a server that answers everything with a status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def dead() -> str:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def about(tmp_path: Path, repo: Repo) -> Callable[..., Request]:
    """A request about the repository; variables that are given are added to the environment."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def make(env: dict[str, str] | None = None, **fields: object) -> Request:
        given = {"root": repo.path, "repo": None, "scratch": scratch}
        return Request(**(given | {"env": {**os.environ, **(env or {})}} | fields))

    return make


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], str]:
    """Puts a shell script under a name into a folder of its own; returns the folder."""

    def make(name: str, script: str) -> str:
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return str(folder)

    return make
