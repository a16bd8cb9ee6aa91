"""Real servers that hold what a folder holds, as DVC remotes: web server, S3, SSH."""

from __future__ import annotations

import functools
import getpass
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import need, snapshot

KEY, SECRET = "a-key-of-ours", "a-secret-of-ours"  # moto takes any


@dataclass
class Storage:
    """A remote whose objects a test may damage. Here they are the files of a folder."""

    url: str
    folder: Path
    options: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: bytes, mode: int = 0o444) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def holds(self) -> object:
        return snapshot(self.folder)


@dataclass
class Bucket(Storage):
    """One in a bucket of moto's server."""

    def __post_init__(self) -> None:
        import boto3

        self.client = boto3.client(
            "s3",
            endpoint_url=self.options["endpointurl"],
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )
        self.bucket = self.url.removeprefix("s3://")
        self.client.create_bucket(Bucket=self.bucket)
        for path in filter(Path.is_file, self.folder.rglob("*")):
            self.put(path.relative_to(self.folder).as_posix(), path.read_bytes())

    def put(self, name: str, content: bytes, mode: int = 0) -> None:
        self.client.put_object(Bucket=self.bucket, Key=name, Body=content)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=name)

    def holds(self) -> object:
        listed = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {each["Key"]: (each["ETag"], each["LastModified"]) for each in listed}


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """A web server that shows a folder."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def ssh(folder: Path) -> Iterator[dict[str, str]]:
    """The machine's sshd on a free port; DVC's options for it. It lets this user in, by a key."""
    sshd = need(shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd")
    for name in ("host", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    shutil.copy(folder / "key.pub", folder / "authorized")
    port = free_port()
    lines = ("UsePAM no", "StrictModes no", "PasswordAuthentication no", "PermitRootLogin yes")
    lines += (f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/authorized")
    lines += ("PidFile none", "ListenAddress 127.0.0.1", "Subsystem sftp internal-sftp")
    (folder / "config").write_text("\n".join(lines))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it separates its privileges
    with running(
        [sshd, "-D", "-e", "-f", folder / "config", "-p", str(port)], port, folder / "log"
    ):
        yield {"port": str(port), "user": getpass.getuser(), "keyfile": str(folder / "key")}


@contextmanager
def running(argv: list[object], port: int, log: Path) -> Iterator[None]:
    """A server, from when it takes connections."""
    with log.open("wb") as file:
        server = subprocess.Popen([str(arg) for arg in argv], stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
