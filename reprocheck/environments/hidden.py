"""The mounts that make a machine read-only, and hide what is secret in it.

Hidden are the caller's home (but for its folders whose names do not begin with a dot, which hold
data and projects, and the programs below), /tmp and /var/tmp, and /run with its sockets: a trial
that may speak to Docker or an SSH agent there is not confined. A home's own files and dot folders
are where keys, tokens and histories are.
"""

from __future__ import annotations

import contextlib
import enum
import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck.environments import mount_points
from reprocheck.environments.base import Shown
from reprocheck.environments.reach import Reach, refuse_cover

_NOT_DATA = ("secrets", "snap")  # Jenkins' keys, and the settings of browsers
# Below a home: where programs are installed that a command may name.
_PROGRAMS = (
    *(".local/bin", ".local/lib", ".local/opt", ".local/share/uv", ".local/share/pipx"),
    *(".local/share/mise", ".local/share/mamba", ".local/share/pypoetry", ".pyenv", ".asdf"),
    *(".conda/envs", ".conda/pkgs", ".mamba", ".micromamba", ".pixi", ".rye", ".nix-profile"),
    *(".virtualenvs", ".venv", ".venvs", ".cargo/bin", ".rustup", ".nvm", ".linuxbrew", ".juliaup"),
)
# Name servers, NixOS' programs and drivers, and disks that a desktop mounts.
_OF_RUN = (
    *(Path("/etc/resolv.conf"), Path("/run/current-system"), Path("/run/opengl-driver")),
    Path("/run/media"),
)
# Homes of services, which are no homes.
_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/etc", "/dev", "/proc", "/sys")))
_TOO_WIDE = (Path("/"), Path("/var"))
_MOST_LINKS = 40  # as the kernel


class Kind(enum.Enum):
    """Kinds of mounts."""

    EMPTY = "empty"  # a file system in memory
    LINK = "link"
    READABLE = "readable"
    WRITABLE = "writable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mount:
    """Something to put in a place."""

    kind: Kind
    source: str = ""  # a path of the machine, or what a link says


class Mounts:
    """What is mounted where, over a read-only view of the machine."""

    def __init__(self, caller: Mapping[str, str], reach: Reach) -> None:
        self._at: dict[Path, Mount] = {}
        self._masks: set[Path] = set()
        self.made: set[Path] = set()  # file systems in memory around what is shown
        self._hide_temporary(reach.temporary)
        homes = list(_homes(caller))
        for place in (*_runtime(), *homes):
            self._mask(place, Mount(kind=Kind.EMPTY))
        for home in homes:
            self._put_back(home)
        for place in reach.writable:
            self._put(place, Kind.WRITABLE)
        shown = (*_OF_RUN, *(home / name for home in homes for name in _PROGRAMS))
        for place in (*shown, *reach.readable):
            self._show(place)
        for place in reach.fixed:
            if os.access(place, os.F_OK):
                self._put(place, Kind.READABLE)
        for each in sorted(reach.shown, key=lambda each: len(Path(each.target).parts)):
            # Our own is shown where it is, and a variable may name it, too.
            own = (*reach.writable, *reach.fixed, *reach.readable)
            refuse_cover(each, () if each.target == str(each.source) else own)
            self._show_at(each)

    def __iter__(self) -> Iterator[tuple[Path, Mount]]:
        """In the order in which they must be made: what holds others comes first."""
        return iter(sorted(self._at.items(), key=lambda item: len(item[0].parts)))

    def hides(self, path: Path) -> bool:
        """Whether the machine's file or folder of that name is not there inside."""
        return self._cover(path) in self._masks

    def _cover(self, path: Path) -> Path | None:
        return next((each for each in (path, *path.parents) if each in self._at), None)

    def _mask(self, place: Path, mount: Mount) -> None:
        self._at.setdefault(place, mount)
        self._masks.add(place)

    def _hide_temporary(self, own: Path | None) -> None:
        empty = Mount(kind=Kind.EMPTY)
        given = empty if own is None else Mount(kind=Kind.WRITABLE, source=str(own.resolve()))
        for place in {Path("/tmp").resolve(), Path("/var/tmp").resolve()}:  # noqa: S108
            self._mask(place, given)

    def _put_back(self, home: Path) -> None:
        for entry in _visible(home):
            place = home / entry.name
            if entry.is_symlink():
                self._at[place] = Mount(kind=Kind.LINK, source=str(place.readlink()))
            elif entry.is_dir() and os.access(place, os.R_OK | os.X_OK):
                self._at[place] = Mount(kind=Kind.READABLE, source=str(place))

    def _show(self, place: Path) -> None:
        """Makes a place readable again that is hidden, with the links that lead there."""
        real = place.resolve()
        if os.access(real, os.F_OK) and real not in self._masks:
            self._lead(place)
            if self.hides(real):
                self._at[real] = Mount(kind=Kind.READABLE, source=str(real))

    def _put(self, place: Path, kind: Kind) -> None:
        self._lead(place)
        self._at[place.resolve()] = Mount(kind=kind, source=str(place.resolve()))

    def _show_at(self, each: Shown) -> None:
        """Puts a file or folder where the machine need not have any."""
        self._lead(Path(each.target))
        place, source = Path(each.target).resolve(), each.source.resolve()
        cover = self._cover(place.parent)
        mount = self._at.get(cover) if cover else None
        there = mount is None or mount.kind is Kind.READABLE
        if there and not mount_points.has_place(place, folder=source.is_dir()):
            self._open(place)
        for inner in [path for path in self._at if path.is_relative_to(place)]:
            del self._at[inner]
        self._at[place] = Mount(kind=Kind.READABLE, source=str(source))

    def _open(self, place: Path) -> None:
        """Makes room for a place that the machine does not have."""
        folder = mount_points.nearest_folder(place)
        for entry in mount_points.others(folder, place):
            target = folder / entry.name
            if entry.is_symlink():
                mount = Mount(kind=Kind.LINK, source=str(target.readlink()))
            else:
                mount = Mount(kind=Kind.READABLE, source=str(target))
            self._at.setdefault(target, mount)
        # Put back around another place, although nobody may look into it.
        self._at.pop(folder / place.relative_to(folder).parts[0], None)
        self._at[folder] = Mount(kind=Kind.EMPTY)
        self.made.add(folder)

    def _lead(self, place: Path) -> None:
        for link in _links(place):
            if self.hides(link):
                self._at[link] = Mount(kind=Kind.LINK, source=str(link.readlink()))


def _runtime() -> set[Path]:
    return {
        place.resolve() for place in (Path("/run"), Path("/var/run")) if os.access(place, os.R_OK)
    }


def _homes(caller: Mapping[str, str]) -> Iterator[Path]:
    """The homes of the caller: by the environment, by the machine, and before sudo."""
    named = [caller.get("HOME", "")]
    for who in (os.getuid(), caller.get("SUDO_USER", "")):
        with contextlib.suppress(KeyError):
            named.append((pwd.getpwuid(who) if isinstance(who, int) else pwd.getpwnam(who)).pw_dir)
    for home in {Path(name).resolve() for name in named if name.startswith("/")}:
        service = home in _TOO_WIDE or any(home.is_relative_to(each) for each in _SYSTEM)
        if not service and os.access(home, os.F_OK) and home.is_dir():
            yield home


def _visible(home: Path) -> list[os.DirEntry[str]]:
    """The entries of a home that hold data and projects, not secrets."""
    try:
        with os.scandir(home) as entries:
            return [each for each in entries if each.name[0] != "." and each.name not in _NOT_DATA]
    except PermissionError:
        return []


def _links(place: Path) -> Iterator[Path]:
    """The symbolic links that a path goes through, by their real places."""
    left, at, followed = list(place.absolute().parts[1:]), Path("/"), 0
    while left and followed < _MOST_LINKS:
        step = at / left.pop(0)
        if step.name == "..":
            at = at.parent
        elif os.path.islink(step):  # noqa: PTH114 - Path's raises where it may not look
            yield step
            target, followed = step.readlink(), followed + 1
            at = Path("/") if target.is_absolute() else at
            left = [*target.parts[1 if target.is_absolute() else 0 :], *left]
        else:
            at = step
