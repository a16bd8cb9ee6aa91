"""Conda channels in folders, made of this machine's own Python and of packages of one file.

What conda-build would write, in pure Python: archives with an info folder, and a repodata.json.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import sysconfig
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PYTHON = platform.python_version()
MINOR = ".".join(map(str, sys.version_info[:2]))
SUBDIR = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}.get(platform.machine(), "linux-64")
OLD = datetime(2020, 1, 1, tzinfo=UTC)
NEW = datetime(2022, 1, 1, tzinfo=UTC)
METADATA = "Metadata-Version: 2.1\n"
_LEFT_OUT = {"site-packages", "dist-packages", "__pycache__", "sitecustomize.py"}


class Channel:
    """A channel in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._packages: dict[str, dict[str, Any]] = {"noarch": {}, SUBDIR: {}}
        self._write_index()

    @classmethod
    def at(cls, folder: Path) -> Channel:
        """One that exists; nothing is added to it."""
        channel = object.__new__(cls)
        channel.folder = folder
        return channel

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(
        self,
        name: str,
        version: str,
        files: Mapping[str, bytes | Path],
        *,
        built: datetime | None = OLD,
        build: str = "0",
        subdir: str = "noarch",
        depends: tuple[str, ...] = (),
    ) -> str:
        """Adds a package and returns its file's address; a path stands for a link to it."""
        index = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": 0,
            "subdir": subdir,
            "depends": list(depends),
            **({"noarch": "python"} if subdir == "noarch" else {}),
            **({"timestamp": int(built.timestamp() * 1000)} if built else {}),
        }
        archive = _archive(files, index)
        file = f"{name}-{version}-{build}.tar.bz2"
        (self.folder / subdir / file).write_bytes(archive)
        self._packages[subdir][file] = {
            **index,
            "md5": hashlib.md5(archive).hexdigest(),
            "sha256": hashlib.sha256(archive).hexdigest(),
            "size": len(archive),
        }
        self._write_index()
        return f"{self.url}/{subdir}/{file}"

    def add_module(self, name: str, version: str, *, text: str = "", **options: Any) -> str:
        """Adds a Python package of one module, which knows its version, with its metadata."""
        source = f"__version__ = '{version}'\n{text}"
        info = f"site-packages/{name}-{version}.dist-info"
        files = {
            f"site-packages/{name}.py": source.encode(),
            f"{info}/METADATA": f"{METADATA}Name: {name}\nVersion: {version}\n".encode(),
            f"{info}/INSTALLER": b"conda\n",
        }
        return self.add(name, version, files, depends=("python",), **options)

    def add_python(self) -> str:
        """Adds the Python that runs the tests: its program, and links to its library."""
        base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
        library = Path(sysconfig.get_paths()["stdlib"])
        patched = _as_upstream(library)
        files: dict[str, bytes | Path] = {
            f"lib/python{MINOR}/{entry.name}": entry
            for entry in library.iterdir()
            if entry.name not in _LEFT_OUT and not (patched and entry.name == "sysconfig")
        }
        files |= patched
        files |= {
            f"bin/python{MINOR}": base.read_bytes(),
            "bin/python3": Path(f"python{MINOR}"),
            "bin/python": Path(f"python{MINOR}"),
            f"lib/python{MINOR}/site-packages/README.txt": b"",
        }
        return self.add("python", PYTHON, files, subdir=SUBDIR, build="0_cpython")

    def _write_index(self) -> None:
        for subdir, packages in self._packages.items():
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            repodata = {
                "info": {"subdir": subdir},
                "packages": packages,
                "packages.conda": {},
                "repodata_version": 1,
            }
            (self.folder / subdir / "repodata.json").write_text(json.dumps(repodata))


def _as_upstream(library: Path) -> dict[str, bytes | Path]:
    """What makes Debian's Python look into site-packages, as conda's does."""
    if "posix_local" not in sysconfig.get_scheme_names():
        return {}
    package = library / "sysconfig"  # since 3.13
    source = package / "__init__.py" if package.is_dir() else library / "sysconfig.py"
    text = source.read_text().replace(
        "prefix_scheme = 'posix_local'", "prefix_scheme = 'posix_prefix'"
    )
    folder = f"lib/python{MINOR}"
    custom = f"import site, sys; site.addsitedir(f'{{sys.prefix}}/{folder}/site-packages')\n"
    return {
        **({f"{folder}/sysconfig/{each.name}": each for each in package.glob("*.py")}),
        f"{folder}/{source.relative_to(library)}": text.encode(),
        f"{folder}/sitecustomize.py": custom.encode(),
    }


def _archive(files: Mapping[str, bytes | Path], index: Mapping[str, Any]) -> bytes:
    paths = [_path(name, content) for name, content in files.items()]
    info = {
        "info/index.json": index,
        "info/paths.json": {"paths": paths, "paths_version": 1},
        "info/about.json": {},
    }
    if index["subdir"] == "noarch":
        info["info/link.json"] = {"noarch": {"type": "python"}, "package_metadata_version": 1}
    written = {name: json.dumps(content).encode() for name, content in info.items()}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:bz2", compresslevel=1) as archive:
        for name, content in {**written, "info/files": "\n".join(files).encode(), **files}.items():
            _put(archive, name, content)
    return buffer.getvalue()


def _path(name: str, content: bytes | Path) -> dict[str, Any]:
    if isinstance(content, Path):
        return {"_path": name, "path_type": "softlink"}
    digest = hashlib.sha256(content).hexdigest()
    return {
        "_path": name,
        "path_type": "hardlink",
        "sha256": digest,
        "size_in_bytes": len(content),
    }


def _put(archive: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o755 if name.startswith("bin/") else 0o644
    if isinstance(content, Path):
        entry.type, entry.linkname = tarfile.SYMTYPE, os.fspath(content)
        archive.addfile(entry)
    else:
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
