"""Files in the storage of clouds and other machines, by fsspec's file systems.

lakeFS is read through its S3 gateway, which addresses an object as bucket REPOSITORY and key
REF/PATH.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reprocheck.datastores.addresses import LAKEFS, scheme_of, shown
from reprocheck.datastores.fetching import CHUNK, AbsentError, TransientError
from reprocheck.errors import RestoreError
from reprocheck.hostile import redact

_BLOCK = 8 << 20  # read at once, and so kept in memory
_EXTRAS = {"s3": "s3", "s3a": "s3", LAKEFS: "s3", "gs": "gs", "gcs": "gs"}
_EXTRAS |= {"az": "azure", "abfs": "azure", "abfss": "azure", "adl": "azure"}
_EXTRAS |= {"ssh": "ssh", "sftp": "ssh"}
# What is in this process, or on this machine behind another name, or wraps another address.
_REFUSED = {"memory", "local", "asynclocal", "dir", "data", "git", "dvc", "dask", "pyscript"}
_REFUSED |= {"cached", "blockcache", "filecache", "simplecache", "reference", "generic"}
_REFUSED |= {"zip", "tar", "libarchive", "async_wrapper", "asyncwrapper"}
_LAKEFS_ENDPOINT = "LAKECTL_SERVER_ENDPOINT_URL"
_LAKEFS_KEYS = ("LAKECTL_CREDENTIALS_ACCESS_KEY_ID", "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY")
_LAKEFS = re.compile(r"lakefs://(?P<repository>[^/]+)/(?P<ref>[^/]+)/(?P<path>.+)", re.IGNORECASE)


class Storage:
    """An address of fsspec's."""

    def __init__(self, address: str, env: Mapping[str, str]) -> None:
        self.shown = shown(address)
        with self._failures(""):
            self._fs, self._root = _file_system(address, env)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        """The content of an object."""
        path = f"{self._root.rstrip('/')}/{name}" if name else self._root
        with self._failures(name):
            file = self._fs.open(path, "rb", block_size=_BLOCK)
        with file:
            yield self._chunks(file, name)

    def _chunks(self, file: Any, name: str) -> Iterator[bytes]:  # noqa: ANN401 - fsspec's
        while True:
            with self._failures(name):
                chunk = file.read(CHUNK)
            if not chunk:
                return
            yield chunk

    @contextlib.contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        told = f"{self.shown.rstrip('/')}/{name}" if name else self.shown
        try:
            yield
        except RestoreError:
            raise
        except FileNotFoundError as error:
            raise AbsentError from error
        except ImportError as error:
            raise _without_plugin(told, str(error)) from error
        except (ConnectionError, TimeoutError) as error:
            raise TransientError(f"{told}: no answer: {type(error).__name__}") from error
        except Exception as error:  # each file system raises its own library's errors
            raise RestoreError(
                f"{told}: {type(error).__name__}: {redact(str(error))[:300]}",
                "check the address, and that its usual variables or files give a login",
            ) from error


def lakefs_ref(address: str) -> str | None:
    """The ref of a lakeFS address: a branch, a tag or a commit id. None where it is no such one."""
    found = _LAKEFS.fullmatch(address)
    return found["ref"] if found else None


def is_commit(ref: str) -> bool:
    """Whether a ref of lakeFS is a commit id, the only kind that never means something else."""
    return re.fullmatch(r"[0-9a-f]{64}", ref) is not None


def _file_system(address: str, env: Mapping[str, str]) -> tuple[Any, str]:
    scheme = scheme_of(address)
    if "::" in address or scheme in _REFUSED:
        raise RestoreError(
            f"{shown(address)}: addresses of this kind are not read",
            "give a path, or an address that begins with https, s3, gs, az or ssh",
        )
    if scheme == LAKEFS:
        return _lakefs(address, env)
    import fsspec

    fs, root = fsspec.core.url_to_fs(address, skip_instance_cache=True)
    return fs, str(root)


def _lakefs(address: str, env: Mapping[str, str]) -> tuple[Any, str]:
    found = _LAKEFS.fullmatch(address)
    if found is None:
        raise RestoreError(
            f"{shown(address)} is no address of lakeFS", "write lakefs://REPOSITORY/COMMIT/PATH"
        )
    missing = [name for name in (_LAKEFS_ENDPOINT, *_LAKEFS_KEYS) if not env.get(name)]
    if missing:
        raise RestoreError(
            f"{shown(address)}: lakeFS's server or login is not known",
            f"set {', '.join(missing)}, as for lakectl",
        )
    import s3fs

    fs = s3fs.S3FileSystem(
        key=env[_LAKEFS_KEYS[0]],
        secret=env[_LAKEFS_KEYS[1]],
        endpoint_url=env[_LAKEFS_ENDPOINT].rstrip("/").removesuffix("/api/v1"),
        config_kwargs={"s3": {"addressing_style": "path"}},
        skip_instance_cache=True,
    )
    return fs, f"{found['repository']}/{found['ref']}/{found['path']}"


def _without_plugin(told: str, said: str) -> RestoreError:
    extra = _EXTRAS.get(scheme_of(told))
    hint = f"pip install 'reprocheck[{extra}]'" if extra else "install the package that it names"
    return RestoreError(f"{told}: what reads such addresses is not installed: {said}", hint)
