"""Whether DVC's remotes can be reached for reading. Nothing of them is fetched or written."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reprocheck import process
from reprocheck.datastores.dvc_config import config_of

_CONNECT_S, _ANSWER_S = 4.0, 6.0
_DEPTH = 4  # folders below the root that are looked into for repositories


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """A remote of a repository's own config, the local part included."""

    name: str
    url: str  # perhaps with a password
    default: bool
    settings: Mapping[str, Any]
    folder: str = ""  # of the sub-repository that names it

    @property
    def path(self) -> str:
        """Its name, after the folder of a sub-repository."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """What was found at a remote."""

    usable: bool
    told: str
    mend: str = ""


def repositories(root: Path) -> tuple[str, ...]:
    """The folders below a root that are DVC repositories of their own; "" is the root itself."""
    found = []
    for folder, names, _ in os.walk(root):
        inside = Path(folder).relative_to(root)
        if ".dvc" in names and (Path(folder) / ".dvc").is_dir():
            found.append("" if inside == Path() else inside.as_posix())
        deep = len(inside.parts) >= _DEPTH
        names[:] = [] if deep else sorted(name for name in names if not name.startswith("."))
    return tuple(found)


def remotes(root: Path) -> tuple[Remote, ...]:
    """All remotes, each repository's default first.

    Raises `RestoreError` for a config that cannot be read.
    """
    return tuple(remote for folder in repositories(root) for remote in _remotes(root, folder))


def _remotes(root: Path, folder: str) -> list[Remote]:
    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    config = config_of(root / folder / ".dvc")
    default = config["core"].get("remote")
    found = [
        Remote(
            name=name,
            url=str(settings.get("url", "")),
            default=name == default,
            settings=settings,
            folder=folder,
        )
        for name, settings in config["remote"].items()
    ]
    return sorted(found, key=lambda remote: (not remote.default, remote.name))


def reach(remote: Remote, root: Path, env: Mapping[str, str]) -> Reached:
    """Whether a remote can be read: a folder is looked at, a server is asked, and for a cloud's
    storage its plugin is looked for.
    """
    from dvc.fs import get_cloud_fs

    try:
        cls, options, root = get_cloud_fs(
            config_of(root / remote.folder / ".dvc"), name=remote.name
        )
        missing = cls.get_missing_deps()
    except ImportError as error:
        return _without_plugin(remote, str(error))
    if missing:
        return _without_plugin(remote, f"lacks {', '.join(missing)}")
    match cls.protocol:
        case "local":
            return _folder(remote, Path(root))
        case "http" | "https":
            return _http(remote)
        case "ssh":
            return _ssh(remote, options, env)
        case _:
            return Reached(
                usable=True, told="the plugin is installed; the storage itself was not asked"
            )


def _without_plugin(remote: Remote, told: str) -> Reached:
    known = re.search(r"dvc-(\w+)", told)
    extra = known[1] if known else urlsplit(remote.url).scheme
    return Reached(usable=False, told=told, mend=f"pip install 'dvc[{extra}]'")


def _folder(remote: Remote, folder: Path) -> Reached:
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:
        mend = f"mount it,  or  dvc push --remote {remote.name}  from a machine that has the data"
        return Reached(usable=False, told="there is no such folder", mend=mend)
    except OSError as error:
        mend = "ask its owner to let this user read it"
        return Reached(usable=False, told=f"it cannot be read: {error.strerror}", mend=mend)
    return Reached(usable=True, told="it can be read")


def _http(remote: Remote) -> Reached:
    import requests
    from requests.exceptions import RequestException, SSLError

    check = "check the address and the network"
    settings = remote.settings
    login = (str(settings.get("user", "")), str(settings.get("password", "")))
    try:
        answer = requests.head(
            remote.url,
            timeout=(_CONNECT_S, _ANSWER_S),
            allow_redirects=True,
            auth=login if settings.get("auth") == "basic" and all(login) else None,
            verify=settings.get("ssl_verify", True),
        )
    except SSLError:
        mend = f"dvc remote modify --local {remote.name} ssl_verify /path/to/ca-bundle.pem"
        return Reached(usable=False, told="its certificate was refused", mend=mend)
    except RequestException as error:
        return Reached(usable=False, told=f"no answer: {type(error).__name__}", mend=check)
    status = answer.status_code
    if status in (401, 403):
        mend = f"dvc remote modify --local {remote.name} auth basic,  then user and password"
        return Reached(usable=False, told=f"it refuses us (HTTP {status})", mend=mend)
    if status >= 500:
        return Reached(usable=False, told=f"it fails (HTTP {status})", mend="try again later")
    # An address without an index is not found, and its objects are there all the same.
    return Reached(usable=True, told=f"it answers (HTTP {status})")


def _ssh(remote: Remote, options: Mapping[str, Any], env: Mapping[str, str]) -> Reached:
    named = urlsplit(remote.url)
    host = str(options.get("host") or named.hostname or "")
    known = _ssh_settings(host, env)
    if {"proxycommand", "proxyjump"} & known.keys():
        return Reached(usable=True, told="behind a jump host, which was not asked")
    port = int(options.get("port") or named.port or known.get("port", "22"))
    try:
        with socket.create_connection((known.get("hostname", host), port), _CONNECT_S):
            return Reached(usable=True, told=f"port {port} is open; the login was not tried")
    except OSError as error:
        told = f"{host}, port {port}: {error.strerror or error}"
        return Reached(usable=False, told=told, mend=f"check it with  ssh -p {port} {host}")


def _ssh_settings(host: str, env: Mapping[str, str]) -> dict[str, str]:
    """What ssh's own config says of a host, which may be an alias there."""
    argv = ("ssh", "-G", "--", host)
    with contextlib.suppress(OSError):
        done = process.run(process.Call(argv=argv, cwd=Path("/"), env=env, timeout_s=_CONNECT_S))
        lines = done.stdout.decode(errors="replace").splitlines()
        pairs = (line.partition(" ") for line in lines)
        return {key: value for key, _, value in pairs if value not in ("", "none")}
    return {}
