"""A package index with a password, and a server with a certificate of its own, on the bridge."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import http.server
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import need
from tests.environments.images import engine

USER, PASSWORD = "robot", "hunter2-of-the-index"


def bridge() -> str:
    """The address of this machine as containers see it."""
    network = engine().networks.get("bridge").attrs["IPAM"]["Config"][0]
    return str(network.get("Gateway") or "172.17.0.1")


class _Handler(http.server.SimpleHTTPRequestHandler):
    login = ""

    def do_GET(self) -> None:
        wanted = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if self.login and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *args: object) -> None: ...


@contextlib.contextmanager
def served(folder: Path, login: str = "", context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serves a folder on the bridge; yields its address without scheme."""
    kind = type("Handler", (_Handler,), {"login": login})
    host = bridge()
    handler = functools.partial(kind, directory=str(folder))
    server = http.server.ThreadingHTTPServer((host, 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"{host}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextlib.contextmanager
def https_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """A server with a certificate that only its own authority signed."""
    key, certificate = folder / "key.pem", folder / "ca.pem"
    argv = [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    argv += ["-nodes", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    argv += ["-subj", "/CN=test", "-addext", f"subjectAltName=IP:{bridge()}"]
    subprocess.run(argv, check=True, capture_output=True)
    (folder / "served").mkdir()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with served(folder / "served", context=context) as address:
        yield f"https://{address}/", certificate


@contextlib.contextmanager
def private_index(folder: Path) -> Iterator[str]:
    """An index that wants a login and has one package, secretpkg 1.0; yields its address."""
    name = "secretpkg-1.0-py3-none-any.whl"
    place = folder / "simple/secretpkg"
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / name, "w") as wheel:
        wheel.writestr("secretpkg.py", "VALUE = 42\n")
        info = "secretpkg-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: secretpkg\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tag)
        wheel.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256((place / name).read_bytes()).hexdigest()
    (place / "index.html").write_text(f'<a href="{name}#sha256={digest}">{name}</a>')
    (folder / "simple/index.html").write_text('<a href="secretpkg/">secretpkg</a>')
    with served(folder, f"{USER}:{PASSWORD}") as address:
        yield f"http://{USER}:{PASSWORD}@{address}/simple/"
