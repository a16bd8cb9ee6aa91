"""Which DVC remotes and caches may have an input, by the `.dvc` folder that is nearest to it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck import hostile
from reprocheck.datastores.base import Around
from reprocheck.datastores.dvc_objects import Folder, Place, Remote, Unusable
from reprocheck.datastores.trust import named, refusal
from reprocheck.errors import RestoreError, UsageError

TOP = PurePosixPath()  # the tree itself
CACHE = "this machine's DVC cache"

# A commit is hostile: its config must not name a command (bearer_token_command; credential_process
# in a file that configpath names), nor whom the caller's token is sent to.
_OF_A_COMMIT = {"url", "jobs", "type", "port", "user", "version_aware", "worktree", "timeout"}
_OF_A_COMMIT |= {"region", "use_ssl", "allow_anonymous_login", "listobjects", "projectname"}
_OF_A_COMMIT |= {"account_name", "read_timeout", "connect_timeout", "connection_timeout"}
_OF_A_COMMIT |= {"verify", "no_traverse", "cache_regions"}
_SECRET = re.compile(r"passw|passphrase|secret|token|key|credential|connection_string|header")
# With five tries of a minute, DVC's own, a server that only hangs takes 20 minutes an object.
_PATIENCE = {"connect_timeout": 15, "read_timeout": 30}  # seconds; a remote's own settings win
_TRIES = 2
_QUERY = re.compile(r"(\w://[^\s'\"?]+)\?[^\s'\"]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Remotes:
    """The remotes that may have an input, the default first; and this machine's cache."""

    places: tuple[Place, ...]
    versioned: tuple[tuple[str, Remote], ...]  # by name: they keep files under their own names
    cache: Folder | None
    root: str  # of the DVC repository, in the tree; "" where that is the tree's own
    secrets: frozenset[str]

    @property
    def is_far(self) -> bool:
        """Whether some object may have to come from another machine."""
        return any(not isinstance(place, Folder) for place in self.places)

    def plain(self, error: object) -> str:
        """An error's text on a line, without the logins that it may show."""
        text = _QUERY.sub(r"\1?***", hostile.redact(str(error), self.secrets))
        return hostile.cut(hostile.printable(text), 400)


def nearest(path: str, around: Around) -> PurePosixPath | None:
    """The folder with a `.dvc` of its own that is nearest above a path, in commit or repository."""
    for folder in PurePosixPath(path).parents:
        if any(_has_dvc(top, folder) for top in (around.tree, around.repository) if top):
            return folder
    return None


def remotes_for(folder: PurePosixPath | None, around: Around, only: str | None) -> Remotes:
    """What may have inputs below a folder.

    `only` is the name of the one remote to ask. Raises `RestoreError` for a config that cannot be
    read, and where there is no such remote.
    """
    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    own = own_folder(folder, around)
    own_config = config_of(own)
    of_commit = list(of_the_commit(folder or TOP, around))
    configs = [own_config, *of_commit]
    found: dict[tuple[str, str], tuple[Place, bool]] = {}
    for config in configs if around.trust is None else (own_config,):
        default = config["core"].get("remote")
        for name in sorted(config["remote"], key=lambda name: (name != default, name)):
            key = (str(config["remote"][name].get("url")), name)
            found.setdefault(key, _place(config, name))
    if around.trust is not None:
        found |= _refused(own_config, of_commit)
    _refuse_unknown(only, [name for _, name in found])
    chosen = [
        (name, place, kept)
        for (_, name), (place, kept) in found.items()
        if only is None or name == only.lower()
    ]
    return Remotes(
        places=tuple(place for _, place, _ in chosen),
        versioned=tuple(
            (name, place) for name, place, kept in chosen if kept and isinstance(place, Remote)
        ),
        cache=_cache(own, own_config),
        root="" if folder in (None, TOP) else str(folder),
        secrets=_secrets(configs),
    )


def _refused(own: Any, of_commit: Iterable[Any]) -> dict[tuple[str, str], tuple[Place, bool]]:  # noqa: ANN401
    """The commit's remotes at addresses that the user's own config does not have."""
    ours = [str(remote.get("url")) for remote in own["remote"].values()]
    told = [(name, str(each["url"])) for one in of_commit for name, each in one["remote"].items()]
    return {
        (url, name): (
            Unusable(
                words=f"DVC remote '{name}' of the commit",
                error=refusal(url, f"name it:  dvc remote add {name} URL"),
            ),
            False,
        )
        for name, url in told
        if not named(ours, url)
    }


def check_remote(around: Around, paths: Iterable[str]) -> None:
    """Raises `UsageError` where a remote was named that none of the inputs at these paths has."""
    if around.remote is None:
        return
    folders = sorted({nearest(path, around) or TOP for path in paths} or {TOP})
    known = [name for folder in folders for name in _names(folder, around)]
    if around.remote.lower() not in known:
        raise UsageError(*_unknown(around.remote, known))


def _names(folder: PurePosixPath, around: Around) -> list[str]:
    configs = [config_of(own_folder(folder, around))]
    configs += of_the_commit(folder, around) if around.trust is None else ()
    return [name for config in configs for name in config["remote"]]


def own_folder(folder: PurePosixPath | None, around: Around) -> Path | None:
    """The `.dvc` of the user's own: in the repository, else the nearest above the config."""
    repository = around.repository
    if repository is not None and (repository / (folder or "") / ".dvc").is_dir():
        return repository / (folder or "") / ".dvc"
    for parent in (around.folder, *around.folder.absolute().parents):
        # A tree of ours holds the commit's, which is not to be trusted as much.
        if (parent / ".dvc").is_dir() and not parent.is_relative_to(around.tree):
            return parent / ".dvc"
    return None


def config_of(folder: Path | None) -> Any:  # noqa: ANN401 - dvc.config.Config
    """DVC's config in a `.dvc` folder, with that of user and machine; None: only theirs.

    Raises `RestoreError` for one that cannot be read.
    """
    from dvc.config import Config, ConfigError

    try:
        return Config(dvc_dir=str(folder) if folder else None)
    except ConfigError as error:
        where = folder / "config" if folder else "the user's config of DVC"
        raise RestoreError(
            f"reading {where}: {error}", "mend the file, or ask DVC: dvc config --list"
        ) from error


def open_address(url: str, around: Around) -> tuple[Any, str]:
    """The file system of an address, and the path there. Raises what DVC's plugins raise."""
    from dvc.fs import get_cloud_fs

    config = config_of(own_folder(TOP, around))
    cls, options, path = get_cloud_fs(config, url=url)
    return _opened(cls, options), path


def close(opened: Iterable[Any]) -> None:
    """Ends the sessions with web servers, of which their library would complain on stderr."""
    from fsspec.asyn import sync

    for fs in opened:
        inner = vars(fs).get("fs")  # made when it was first asked
        session = getattr(inner, "_session", None)
        if inner is not None and session is not None and fs.protocol in ("http", "https"):
            inner._session = None  # fsspec hands the same one to whoever asks next
            with contextlib.suppress(Exception):
                sync(inner.loop, session.close, timeout=5)


def _has_dvc(top: Path, folder: PurePosixPath) -> bool:
    found = top / folder / ".dvc"
    return found.is_dir() and found.resolve().is_relative_to(top.resolve())


def of_the_commit(folder: PurePosixPath, around: Around) -> Iterator[Any]:
    """The commit's own config, with the settings that are safe to take from there."""
    from dvc.config import Config, ConfigError

    if not _has_dvc(around.tree, folder):
        return
    path = around.tree / folder / ".dvc"
    if (path / "config").is_symlink():
        raise RestoreError(f"reading {path / 'config'}: it is a symlink", "commit the file itself")
    try:
        config = Config(dvc_dir=str(path))  # proves all levels together
        config = config.validate(config.load_one("repo"))
    except ConfigError as error:
        raise RestoreError(
            f"reading {path / 'config'} of the commit: {error}", "mend the file and commit it"
        ) from error
    yield {
        "core": config["core"],
        "remote": {
            name: {
                **{key: value for key, value in remote.items() if key in _safe(remote)},
                "url": _at_home(remote["url"], folder, around),
            }
            for name, remote in config["remote"].items()
        },
    }


def _safe(remote: dict[str, Any]) -> set[str]:
    """A service of S3's kind is signed for, so that its address may be the commit's."""
    is_s3 = str(remote.get("url")).startswith("s3://")
    return _OF_A_COMMIT | ({"endpointurl"} if is_s3 else set())


def _at_home(url: str, folder: PurePosixPath, around: Around) -> str:
    """A relative path of the commit's config, counted from the user's repository."""
    from dvc.config_schema import RelPath

    if around.repository is None or not isinstance(url, RelPath):
        return str(url)
    inside = os.path.relpath(url, around.tree / folder / ".dvc")
    return os.path.normpath(around.repository / folder / ".dvc" / inside)


def _place(config: Any, name: str) -> tuple[Place, bool]:  # noqa: ANN401
    """A remote, and whether it keeps files under their own names."""
    from dvc.fs import get_cloud_fs

    words = f"DVC remote '{name}'"
    try:
        cls, options, root = get_cloud_fs(config, name=name)
        kept = bool(options.get("version_aware") or options.get("worktree"))
        if cls.protocol == "local":
            return Folder(words=words, root=Path(root)), kept
        return Remote(words=words, fs=_opened(cls, options), root=root), kept
    except Exception as error:  # a plugin that is absent must not hide the others
        return Unusable(words=words, error=error), False


def _opened(cls: Any, options: dict[str, Any]) -> Any:  # noqa: ANN401 - DVC's file systems
    """A remote's file system, patient and trusting within limits."""
    if cls.protocol in ("http", "https"):
        fs = cls(**{**_PATIENCE, **options})
        fs.SESSION_RETRIES = _TRIES
        return fs
    # DVC's SSH forwards the caller's agent to the remote's machine unless it is told not to.
    return cls(**({**options, "agent_forwarding": False} if "host" in options else options))


def _cache(own: Path | None, config: Any) -> Folder | None:  # noqa: ANN401
    configured = config["cache"].get("dir")
    folder = Path(configured) if configured else own / "cache" if own else None
    return Folder(words=CACHE, root=folder) if folder and folder.is_dir() else None


def _refuse_unknown(only: str | None, names: list[str]) -> None:
    if only is not None and only.lower() not in names:
        raise RestoreError(*_unknown(only, names))


def _unknown(name: str, names: list[str]) -> tuple[str, str]:
    known = ", ".join(dict.fromkeys(names)) or "there is none"
    return (
        f"no DVC remote is named '{hostile.printable(name)}'",
        f"name one that exists: {hostile.printable(known)}",
    )


def _secrets(configs: list[Any]) -> frozenset[str]:
    settings = [remote for config in configs for remote in config["remote"].values()]
    return frozenset(
        value
        for remote in settings
        for name, value in remote.items()
        if isinstance(value, str) and len(value) > 3 and _SECRET.search(name)
    )
