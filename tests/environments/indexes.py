"""Package indexes of this machine: with or without dates, logins and certificates of their own."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import io
import json
import ssl
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.utils import parse_wheel_filename

JSON = "application/vnd.pypi.simple.v1+json"


def wheel(name: str, version: str, *needs: str) -> dict[str, bytes]:
    """A wheel of one module by its file's name."""
    info = f"{name}-{version}.dist-info"
    asked = "".join(f"Requires-Dist: {need}\n" for need in needs)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}.py", f"version = '{version}'\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{asked}"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return {f"{name}-{version}-py3-none-any.whl": packed.getvalue()}


@contextlib.contextmanager
def index(
    files: Mapping[str, bytes],
    *,
    login: str = "",
    certificate: tuple[Path, Path] | None = None,
    dates: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """The host and port of a server; `login` is user:password, `dates` are upload times by file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            if login and base64.b64decode(given).decode() != login:
                return self.answer(401, b"")
            place, name = (*self.path.strip("/").split("/"), "", "")[:2]
            if place == "files" and name in files:
                return self.answer(200, files[name])
            known = [file for file in files if parse_wheel_filename(file)[0] == name]
            if place == "simple" and known:
                return self.answer(200, *listing(known, files, dates))
            return self.answer(404, b"")

        do_HEAD = do_GET  # noqa: N815 - its base calls it so

        def answer(self, status: int, body: bytes, kind: str = "application/zip") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def listing(
    known: list[str], files: Mapping[str, bytes], dates: Mapping[str, str] | None
) -> tuple[bytes, str]:
    digests = {file: hashlib.sha256(files[file]).hexdigest() for file in known}
    if dates is None:
        links = (f'<a href="/files/{file}#sha256={digests[file]}">{file}</a>' for file in known)
        return "\n".join(links).encode(), "text/html"
    listed = [
        {
            "filename": file,
            "url": f"/files/{file}",
            "hashes": {"sha256": digests[file]},
            "upload-time": dates[file],
        }
        for file in known
    ]
    name = parse_wheel_filename(known[0])[0]
    answer = {"meta": {"api-version": "1.1"}, "name": name, "files": listed}
    return json.dumps(answer).encode(), JSON
