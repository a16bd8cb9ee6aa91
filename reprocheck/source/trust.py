"""Addresses in a commit's own files, which count only where the user's own repository has them.

Of a pull request's commit, .gitmodules and .lfsconfig are anybody's words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from reprocheck.errors import SourceError
from reprocheck.git import Git
from reprocheck.hostile import cut, printable, redact
from reprocheck.source.base import CheckoutRequest
from reprocheck.source.places import is_url, plain, remotes

_SETTINGS = ".lfsconfig"


def checker(home: Path | None, request: CheckoutRequest) -> Callable[[str], None]:
    """What refuses the address of a submodule that the user's repository does not name."""
    if not request.trusted:
        return lambda _: None
    urls = (*remotes(home, request.env), *_own_submodules(home, request)) if home else ()
    known, hosts = set(map(plain, urls)), {_host(url) for url in urls} - {""}

    def check(url: str) -> None:
        if plain(url) not in known and (not is_url(url) or _host(url) not in hosts):
            raise _refused(f"a submodule of the commit is at {_shown(url)}", ".gitmodules")

    return check


def check_lfs(git: Git, home: Path | None, request: CheckoutRequest) -> None:
    """Raises `SourceError` for settings of git LFS that are not those of the user's repository."""
    if not request.trusted:
        return
    # git-lfs reads the file of the tree, of the index or of HEAD; a patch may have made one.
    theirs = {_content(git.folder / _SETTINGS)}
    theirs |= {git.text("show", f"{place}:{_SETTINGS}") for place in ("", "HEAD")}
    if theirs - {"", _content(home / _SETTINGS) if home else ""}:
        raise _refused("the commit has settings of git LFS of its own", _SETTINGS)


def _own_submodules(home: Path, request: CheckoutRequest) -> tuple[str, ...]:
    options = ("config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.url$")
    listed = Git(home, request.env).text(*options)
    return tuple(line.partition(" ")[2] for line in listed.splitlines())


def _content(path: Path) -> str:
    plain_file = path.is_file() and not path.is_symlink()
    return path.read_text(errors="replace").strip() if plain_file else ""


def _host(url: str) -> str:
    """The server that an address names, with its scheme; ssh's short form is user@host:path."""
    if "://" in url:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
    return f"ssh://{url.partition(':')[0].rpartition('@')[2]}".lower() if is_url(url) else ""


def _shown(url: str) -> str:
    return cut(printable(redact(url)), 200)


def _refused(said: str, file: str) -> SourceError:
    return SourceError(
        f"{said}, which only the commit names; it is not asked",
        f"if it is yours, merge {file} into the base branch first",
    )
