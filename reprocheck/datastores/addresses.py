"""Addresses of inputs: where each leads, and how it is shown without its secrets."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from reprocheck.hostile import redact

WEB = ("http", "https")
LAKEFS = "lakefs"


def scheme_of(address: str) -> str:
    """The scheme in small letters; "" of a path."""
    scheme, mark, _ = address.partition("://")
    return scheme.lower() if mark else ""


def local_path(address: str, folder: Path) -> Path | None:
    """The path that an address means, relative ones counted from `folder`; None of a remote one."""
    match scheme_of(address):
        case "":
            return folder / Path(address).expanduser()
        case "file":
            return folder / unquote(address.partition("://")[2].removeprefix("localhost/"))
        case _:
            return None


def shown(address: str) -> str:
    """The address for people: without login, and without a query, which may hold a signature."""
    if not scheme_of(address):
        return address
    plain, query, _ = address.partition("?")
    return redact(plain) + ("?***" if query else "")


def below(address: str, name: str) -> str:
    """The address of a file in the folder that a web address names; its query is kept."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}", fragment=""))
