"""Base images that are made on the machine, since nothing here can pull one."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from reprocheck.environments import docker_engine
from tests.conftest import absent

TOOLS = [
    "sh",
    "bash",
    "base64",
    "basename",
    "cat",
    "chmod",
    "cksum",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "echo",
    "env",
    "find",
    "grep",
    "head",
    "id",
    "ls",
    "mkdir",
    "mktemp",
    "mount",
    "mv",
    "nproc",
    "printf",
    "ps",
    "readlink",
    "realpath",
    "rm",
    "sed",
    "seq",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "timeout",
    "touch",
    "tr",
    "true",
    "uname",
    "uniq",
    "wc",
    "xargs",
    "git",
    "git-upload-pack",
]
NAME = "reprocheck-test/python"


def engine() -> Any:
    """The SDK's client of a running engine; without one the test is skipped."""
    import docker
    from docker.errors import DockerException

    if not docker_engine.answers(os.environ):  # the SDK would leave a socket open, a warning
        absent("no container engine answers")
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        absent(f"no container engine answers: {error}")
    return client


def base_version() -> str:
    """The Python of the images that ask for no other: one that can be copied from here."""
    return "3.11" if _of_pyenv("3.11") else sysconfig.get_python_version()


@cache
def base_image(version: str | None = None) -> str:
    """The tag of an image with that Python; built once a machine."""
    client = engine()
    version = version or base_version()
    python = interpreter(version)
    made = hashlib.sha256(Path(__file__).read_bytes() + str(python).encode()).hexdigest()[:12]
    tag = f"{NAME}:{version}-{made}"
    if not client.images.list(name=tag):
        repository, _, name = tag.partition(":")
        client.api.import_image_from_data(
            _archive(python, version), repository=repository, tag=name, changes=['CMD ["python3"]']
        )
    return tag


def interpreter(version: str) -> Path:
    """The prefix of a Python of that version: the newest of pyenv, else this one's own."""
    found = _of_pyenv(version)
    if not found and sysconfig.get_python_version() != version:
        pytest.skip(f"no Python {version} of pyenv to make an image from")
    return found[-1] if found else Path(sys.base_prefix)


def _of_pyenv(version: str) -> list[Path]:
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return sorted(versions.glob(f"{version}.*")) or sorted(versions.glob(version))


def _archive(python: Path, version: str) -> bytes:
    """A root file system with a Python, a shell and some tools."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _tree(root)
        (_system_python if python == Path("/usr") else _own_python)(root, python, version)
        shutil.copy2(find_uv_bin(), root / "usr/local/bin/uv")
        binaries = [path for tool in TOOLS if (path := shutil.which(tool))]
        for binary in binaries:
            _copy(Path(binary), root / "usr/bin" / Path(binary).name)
        linked = [*binaries, find_uv_bin(), *_extensions(python, version)]
        for library in sorted(_libraries(linked)):
            _copy(library, root / str(library.resolve()).lstrip("/"))
            _copy(library, root / str(library).lstrip("/"))
        subprocess.run(["/sbin/ldconfig", "-r", str(root)], check=True, capture_output=True)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(root, arcname=".", filter=_as_root)
        return packed.getvalue()


def _own_python(root: Path, python: Path, version: str) -> None:
    """A Python with a folder of its own moves to /usr/local."""
    target = root / "usr/local"
    shutil.copytree(python, target, symlinks=True, dirs_exist_ok=True, ignore=_left_out)
    for script in (target / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        text = script.read_bytes()
        if text.startswith(b"#!") and str(python).encode() in text:
            script.write_bytes(text.replace(str(python).encode(), b"/usr/local"))


def _system_python(root: Path, python: Path, version: str) -> None:
    """The system's Python stays where it was built for, and gets a pip in /usr/local."""
    library = f"lib/python{version}"
    shutil.copytree(python / library, root / "usr" / library, symlinks=True, ignore=_left_out)
    _copy(python / f"bin/python{version}", root / f"usr/bin/python{version}")
    for link in ("python3", "python"):
        (root / "usr/bin" / link).symlink_to(f"python{version}")
    packages = root / "usr/local" / library / "dist-packages"
    packages.mkdir(parents=True)
    asked = [find_uv_bin(), "pip", "install", "-q", "--python-version", version]
    subprocess.run([*asked, "--target", str(packages), "pip", "setuptools"], check=True)
    pip = root / "usr/local/bin/pip"
    pip.parent.mkdir()
    pip.write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
    pip.chmod(0o755)


def _tree(root: Path) -> None:
    for folder in ("usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "usr/local", "etc", "tmp"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for link in ("bin", "lib", "lib64", "sbin"):
        (root / link).symlink_to(f"usr/{link}")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    (root / "etc/ld.so.conf").write_text("/usr/local/lib\n")


def _libraries(binaries: list[str]) -> set[Path]:
    found = set()
    extra = (
        "libgomp.so.1",
        "libgcc_s.so.1",
        "libstdc++.so.6",
        "libnss_dns.so.2",
        "libnss_files.so.2",
    )
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"):
        found |= {path for name in extra if (path := Path(folder, name)).exists()}
    for start in range(0, len(binaries), 50):
        told = subprocess.run(
            ["ldd", *binaries[start : start + 50]], capture_output=True, text=True, check=False
        )
        found |= {Path(name) for name in re.findall(r"(?:=> |^\t)(/\S+) \(", told.stdout, re.M)}
    return {path for path in found if path.exists() and "versions" not in path.parts}


def _extensions(python: Path, version: str) -> Iterator[str]:
    library = f"lib/python{version}/lib-dynload/*.so"
    for pattern in (f"bin/python{version}", "lib/libpython3*.so*", library):
        yield from (str(path) for path in sorted(python.glob(pattern)))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(source, target)


def _left_out(folder: str, names: list[str]) -> set[str]:
    left_out = {
        "test",
        "tests",
        "__pycache__",
        "idlelib",
        "lib2to3",
        "ensurepip",
        "dist-packages",
        "EXTERNALLY-MANAGED",
    } & set(names)
    if Path(folder).name == "site-packages":  # only what a fresh Python has
        left_out |= {name for name in names if not name.startswith(("pip", "setuptools", "_dist"))}
    return left_out | {name for name in names if name.endswith(".a")}


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
