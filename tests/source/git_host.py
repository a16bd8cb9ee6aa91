"""A git host: `git http-backend`, the server that git itself comes with, behind HTTP."""

from __future__ import annotations

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Host:
    """What it serves, and what it was asked for."""

    folder: Path
    port: int = 0
    login: str = ""  # user:password, without which it answers 401
    asked: list[str] = field(default_factory=list)

    def url(self, name: str, login: str = "") -> str:
        return f"http://{login + '@' if login else ''}127.0.0.1:{self.port}/{name}"


@contextmanager
def serving(folder: Path) -> Iterator[Host]:
    """Serves the repositories in a folder."""
    host = Host(folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(host)) as listening:
        host.port = listening.server_port
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield host
        listening.shutdown()


def _handler(host: Host) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            host.asked.append(self.path)
            given = "Basic " + base64.b64encode(host.login.encode()).decode()
            if host.login and self.headers.get("Authorization") != given:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            done = subprocess.run(
                ("git", "http-backend"),
                input=body,
                env=self._env(),
                capture_output=True,
                check=True,
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _env(self) -> dict[str, str]:
            path, _, query = self.path.partition("?")
            return {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(host.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
            }

    return Handler
