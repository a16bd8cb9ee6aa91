"""Where the run's commit is looked for: as told; else here, the recorded address, the remotes."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from reprocheck.errors import SourceError
from reprocheck.git import Git
from reprocheck.hostile import redact
from reprocheck.source.base import CheckoutRequest, Place

_OF_SSH = re.compile(r"[\w.-]+@[\w.-]+:|\w[\w.-]+:(?!:)")  # a letter and a colon is a drive


def repository_root(folder: Path, env: Mapping[str, str]) -> Path | None:
    """The root of the git repository around a folder, or None."""
    if not folder.is_dir():
        return None
    top = Git(folder, env)("rev-parse", "--show-toplevel", trusting=True, check=False)
    return Path(top.stdout.decode().strip()) if top.exit_code == 0 else None


def local_path(location: str) -> Path:
    """The path that a repository's location names, if it is no URL of a remote one."""
    if location.startswith("file://"):
        return Path(unquote(location.removeprefix("file://").partition("#")[0]))
    return Path(location.partition("#")[0]).expanduser()


def places(request: CheckoutRequest) -> Iterator[Place]:
    """Where to look, in order. What `--repo` names is all, with its own remotes."""
    if request.repo is not None:
        named = _place(request.repo, request, "--repo", {})
        yield named
        if named.local:
            for url in remotes(named.local, request.env):
                yield _place(url, request, "its remote", {plain(url): named.local})
        return
    here = repository_root(request.cwd, request.env)
    urls = remotes(here, request.env) if here else ()
    known = {plain(url): here for url in urls}
    if here:
        yield Place(location=str(here), local=here, words=f"{here} (here)")
    recorded = request.code.repository
    if request.trusted and recorded and plain(recorded) not in known:
        recorded = None  # an address that only the run names
    if recorded:
        yield _place(recorded, request, "recorded", known)
    for url in urls:
        if not recorded or plain(url) != plain(recorded):
            yield _place(url, request, "remote of the repository here", known)


def remotes(repository: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that a repository fetches from, origin's first; no relative path."""
    listed = Git(repository, env)(
        *("config", "--get-regexp", r"^remote\..*\.url$"), trusting=True, check=False
    )
    lines = [line.partition(" ")[::2] for line in listed.stdout.decode().splitlines()]
    lines.sort(key=lambda line: line[0] != "remote.origin.url")
    return tuple(dict.fromkeys(_absolute(url, repository) for _, url in lines if url))


def _absolute(url: str, repository: Path) -> str:
    """As git itself takes a path: from the repository's root."""
    return url if is_url(url) else os.path.normpath(repository / Path(url).expanduser())


def is_url(location: str) -> bool:
    """Whether it is an address that git asks a server at: `work:code.git` is one, by ssh."""
    return "://" in location or _OF_SSH.match(location) is not None


def plain(url: str) -> str:
    """An address by which two of the same repository can be told to be one."""
    return re.sub(r"(?<=://)[^/\s]*@", "", url).rstrip("/").removesuffix(".git")


def _place(
    location: str, request: CheckoutRequest, why: str, known: Mapping[str, Path | None]
) -> Place:
    path = local_path(location)
    path = path if path.is_absolute() else request.cwd / path
    place = Place(
        location=location.partition("#")[0],
        local=None,
        words=f"{redact(location)} ({why})",
        home=known.get(plain(location)),
    )
    if path.is_dir():
        root = repository_root(path, request.env)
        if root is None and (path / "objects").is_dir():  # a bare repository
            root = path
        if root is not None:
            return dataclasses.replace(place, location=str(root), local=root)
        said = "is not a git repository, or git does not trust its owner"
        return _refused(place, said, f"see what git says: git -C {path} status")
    if not is_url(location):
        return _refused(place, "does not exist", "give an existing path or a URL to --repo")
    if location.startswith("-"):
        return _refused(place, "is not a URL", "give a path or a URL")
    return place


def _refused(place: Place, said: str, hint: str) -> Place:
    return dataclasses.replace(place, problem=SourceError(f"{place.words} {said}", hint))
