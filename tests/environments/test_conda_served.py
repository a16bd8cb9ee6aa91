"""conda: packages that come over HTTP, where a cache is between the channel and the prefix."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from reprocheck.errors import RebuildError
from reprocheck.model import EnvironmentKind
from tests.environments.channels import PYTHON, SUBDIR, Channel
from tests.environments.samples import spec


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): ...


@pytest.fixture
def served(tmp_path):
    """A folder that a server of this machine offers, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def line(address: str, file: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm, file.read_bytes()).hexdigest()
    return f"{address}/{file.name}#{algorithm}:{digest}"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_another_channels_package_of_the_same_name_is_never_taken(
    build, channel, served, algorithm
):
    folder, address = served
    python = line(
        f"{channel.url}/{SUBDIR}",
        channel.folder / SUBDIR / f"python-{PYTHON}-0_cpython.tar.bz2",
        algorithm,
    )
    for name in ("one", "two"):
        Channel(folder / name).add_module("same", "1.0", text=f"# of {name}\n")
        file = folder / name / "noarch/same-1.0-0.tar.bz2"
        same = line(f"{address}/{name}/noarch", file, algorithm)
        sandbox = build(listed(python, same))
        (module,) = sandbox.folder.glob("lib/python*/site-packages/same.py")
        assert f"# of {name}" in module.read_text()
    with pytest.raises(RebuildError, match="not the one whose digest is recorded"):
        build(listed(python, same[:-8] + "0" * 8))


def listed(*lines: str):
    text = "\n".join(("@EXPLICIT", *lines))
    return spec(text, file="conda-list.txt", kind=EnvironmentKind.CONDA, python=None)
