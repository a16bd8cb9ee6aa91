"""Engines of a test's own, beside the one of the machine, which they leave alone.

Where one is installed and cannot start beside another, that is the machine's: a plain skip.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reprocheck.environments import docker_engine
from tests.conftest import need

_NUMBERS = itertools.count()


class Docker:
    """A second dockerd with a socket, a bridge and folders of its own, that can be killed."""

    def __init__(self, folder: Path, data: Path, *options: str) -> None:
        self.socket = folder / "docker.sock"
        self.address = f"unix://{self.socket}"
        self._folder, self.data, self._options = folder, data, options
        self._number = next(_NUMBERS)  # of this process
        self._bridge = f"rc{os.getpid()}-{self._number}"[:15]
        self._containerd = folder / "containerd.sock"

    def __enter__(self) -> Docker:
        need("dockerd")
        added = ["ip", "link", "add", self._bridge, "type", "bridge"]
        if os.getuid() != 0 or subprocess.run(added, capture_output=True, check=False).returncode:
            pytest.skip("a second engine needs root, and a bridge of its own")
        # Free for tests by RFC 5735; an engine wants an address there, each its own.
        network = f"198.{18 + self._number % 2}.{os.getpid() % 250}.1/24"
        address = ["ip", "addr", "add", network, "dev", self._bridge]
        subprocess.run(address, check=True, capture_output=True)
        subprocess.run(["ip", "link", "set", self._bridge, "up"], check=True)
        self._start_containerd()
        self.start()
        return self

    def _start_containerd(self) -> None:
        # Of its own, as systemd starts it: it lives on when dockerd is killed.
        config = self._folder / "containerd.toml"
        config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        argv = ["containerd", "--config", str(config), "--address", str(self._containerd)]
        argv += ["--root", str(self.data / "containerd"), "--state", str(self._folder / "state")]
        with (self._folder / "containerd.log").open("wb") as log:
            self._other = subprocess.Popen(argv, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not self._containerd.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    def start(self) -> None:
        """Starts it, also after `kill`; skips the test where it cannot run."""
        for _ in range(3):
            (self._folder / "docker.pid").unlink(missing_ok=True)
            argv = ["dockerd", "-H", self.address, "--data-root", str(self.data)]
            # With live-restore the same folder, or it would not find its containers again.
            argv += ["--exec-root", str(self._folder / "exec"), "-b", self._bridge]
            argv += ["--pidfile", str(self._folder / "docker.pid"), *self._options]
            argv += ["--iptables=false", "--ip6tables=false", "--containerd", str(self._containerd)]
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(argv, stdout=log, stderr=log)
            if self._answers():
                return
        pytest.skip(f"a second engine does not start: {(self._folder / 'log').read_text()[-1500:]}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < deadline:
            # An SDK that cannot connect leaves its socket open.
            if docker_engine.answers({"DOCKER_HOST": self.address}):
                with contextlib.suppress(Exception), self.client() as client:
                    client.ping()
                    return True
            time.sleep(0.1)
        return False

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        import docker

        client = docker.DockerClient(base_url=self.address, version="1.41", timeout=120)
        try:
            yield client
        finally:
            client.close()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception), self.client() as client:
            for container in client.containers.list(all=True):
                container.remove(force=True)
        for process in (self._process, self._other):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()
        subprocess.run(["ip", "link", "delete", self._bridge], check=False)
        for line in Path("/proc/mounts").read_text().splitlines():
            place = line.split()[1]
            if place.startswith((f"{self._folder}/", f"{self.data}/")):
                subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


@contextlib.contextmanager
def second_docker(folder: Path, data: Path | None = None, *options: str) -> Iterator[Docker]:
    """A second engine with the machine's own base image."""
    from tests.environments.images import base_image, engine

    engine()
    with Docker(folder, data or folder / "data", *options) as started:
        saved = b"".join(engine().images.get(base_image()).save(named=base_image()))
        with started.client() as client:
            client.images.load(saved)
        yield started


@contextlib.contextmanager
def podman(folder: Path) -> Iterator[str]:
    """podman's service, as an engine; yields its address."""
    import docker

    from tests.environments.images import base_image, engine

    program = need("podman")
    socket, conf = folder / "podman.sock", folder / "containers.conf"
    runtime = "crun" if shutil.which("crun") and not hybrid_cgroups() else "runc"
    conf.write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
        f'[engine]\nruntime = "{runtime}"\n'
    )
    runroot = tempfile.mkdtemp(prefix="rc")  # of at most 50 characters
    argv = [program, "--root", str(folder / "root"), "--runroot", runroot]
    argv += ["--cgroup-manager", "cgroupfs", "--events-backend", "file"]
    argv += ["system", "service", "--time=0", f"unix://{socket}"]
    env = {**os.environ, "CONTAINERS_CONF": str(conf)}
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 10
        while not socket.exists() and service.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if not socket.exists():
            pytest.skip(f"podman does not start: {(folder / 'log').read_text()[-500:]}")
        client = docker.DockerClient(base_url=f"unix://{socket}", version="auto", timeout=120)
        client.images.load(b"".join(engine().images.get(base_image()).save(named=base_image())))
        client.close()
        yield f"unix://{socket}"
    finally:
        service.terminate()
        service.wait()
        for line in Path("/proc/mounts").read_text().splitlines():
            if line.split()[1].startswith((f"{folder}/", f"{runroot}/")):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
        shutil.rmtree(runroot, ignore_errors=True)


def hybrid_cgroups() -> bool:
    """Both versions of cgroups mounted, which crun refuses."""
    mounts = Path("/proc/mounts").read_text()
    return " cgroup " in mounts and " cgroup2 " in mounts
