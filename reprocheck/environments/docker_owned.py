"""What reprocheck made in the engine: labelled with its owner, removed when the owner is dead."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reprocheck.environments.docker_engine import Engine, told

OWNER = "io.reprocheck.owner"  # machine, its boot, process namespace, process, its start
DEADLINE = "io.reprocheck.deadline"  # seconds since 1970, after which it is nobody's
SECRETIVE = "io.reprocheck.secretive"  # of an image that must not stay: its owner
KEY = "io.reprocheck.key"  # of an image
REPOSITORY = "reprocheck/env"
DERIVED = "reprocheck/base"


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What was removed."""

    containers: int = 0
    images: int = 0
    freed: int = 0  # bytes of the images, some of which others may share


def labels(deadline: float) -> dict[str, str]:
    """The labels of what this process makes; `deadline` is seconds since 1970."""
    return {OWNER: _identity(os.getpid()), DEADLINE: str(int(deadline))}


def remove_dead(engine: Engine) -> Removed:
    """Removes the containers of reprochecks that are dead, or whose time was up long ago."""
    removed = 0
    with told("removing the containers of dead reprochecks"):
        found = engine.client.containers.list(
            all=True, filters={"label": OWNER}, ignore_removed=True
        )
        for container in found:
            if not _is_owned(container.labels):
                with _gone_already():
                    container.remove(force=True, v=True)
                    removed += 1
        images = remove_secrets(engine, lambda owner: not _is_owned({OWNER: owner}))
    return Removed(containers=removed, images=images)


def secret_label() -> dict[str, str]:
    """The label of an image with secrets; whatever is made from it inherits it."""
    return {SECRETIVE: _identity(os.getpid())}


def remove_secrets(engine: Engine, whose: Callable[[str], bool] | None = None) -> int:
    """Removes the images with secrets of this process, or of the owners that `whose` says."""
    from docker.errors import APIError

    mine = _identity(os.getpid())
    chosen = whose or (lambda owner: owner == mine)
    removed = 0
    with told("removing images with secrets"):
        while True:  # children first; the engine refuses the others
            before = removed
            for image in engine.client.images.list(all=True, filters={"label": SECRETIVE}):
                if chosen((image.labels or {}).get(SECRETIVE, "")):
                    with contextlib.suppress(APIError):
                        engine.client.images.remove(image.id, force=True)
                        removed += 1
            if removed == before:
                return removed


def remove_images(engine: Engine, *, older_than_s: float, at_most: int, used: Path) -> Removed:
    """Removes the images that reprocheck built and has not used for so long, then the ones used
    longest ago until the rest takes at most so many bytes. An image in use stays.

    `used` is a folder with a file for each image, touched whenever it is used.
    """
    count = freed = 0
    with told("removing images that reprocheck built"):
        images = sorted(_images(engine), key=lambda image: _used_at(image, used))
        left = sum(int(image.attrs.get("Size") or 0) for image in images)
        for image in images:
            size = int(image.attrs.get("Size") or 0)
            if time.time() - _used_at(image, used) < older_than_s and left <= at_most:
                continue
            left -= size
            if _removed(engine, image):
                count, freed = count + 1, freed + size
                _mark(image, used).unlink(missing_ok=True)
    return Removed(images=count, freed=freed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What is in the engine of ours."""

    dead: int  # containers whose verification is over
    alive: int
    images: int
    size: int  # of the images, in bytes, some of which others may share


def left(engine: Engine) -> Left:
    """What reprochecks have left in the engine; nothing is removed."""
    with told("listing what reprocheck made"):
        found = engine.client.containers.list(
            all=True, filters={"label": OWNER}, ignore_removed=True
        )
        images = _images(engine)
        alive = sum(_is_owned(container.labels) for container in found)
    return Left(
        dead=len(found) - alive,
        alive=alive,
        images=len(images),
        size=sum(int(image.attrs.get("Size") or 0) for image in images),
    )


def mark_used(folder: Path, image_id: str) -> None:
    """Notes that an image is used now."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{image_id.rpartition(':')[2]}.used").touch()


def _images(engine: Engine) -> list[Any]:
    found = [
        image
        for name in (REPOSITORY, DERIVED)
        for image in engine.client.images.list(name=name)
        if any(_is_ours(tag) for tag in image.tags)
    ]
    return list({image.id: image for image in found}.values())


def _is_ours(tag: str) -> bool:
    name = re.sub(r"^(localhost|docker\.io)/", "", tag.rpartition(":")[0])  # podman's forms
    return name in (REPOSITORY, DERIVED)


def _removed(engine: Engine, image: Any) -> bool:  # noqa: ANN401 - the SDK's
    from docker.errors import APIError

    try:
        for tag in image.tags:
            if _is_ours(tag):  # a name that a user gave it keeps it
                engine.client.images.remove(tag)
    except APIError:  # a container uses it
        return False
    return True


def _used_at(image: Any, used: Path) -> float:  # noqa: ANN401
    try:
        return _mark(image, used).stat().st_mtime
    except OSError:
        return _created(image.attrs)


def _mark(image: Any, used: Path) -> Path:  # noqa: ANN401
    return used / f"{str(image.id).rpartition(':')[2]}.used"


def _created(attributes: Mapping[str, Any]) -> float:
    text = str(attributes.get("Created", ""))[:19]
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    return 0.0


@contextlib.contextmanager
def _gone_already() -> Any:  # noqa: ANN401 - another reprocheck that starts now removes the same
    from docker.errors import APIError

    try:
        yield
    except APIError as error:
        if error.status_code not in (404, 409):
            raise


# --- owners -------------------------------------------------------------------------------


def _is_owned(found: Mapping[str, str]) -> bool:
    """Whether the owner lives; of one that cannot be seen from here, whether its time is not up."""
    with contextlib.suppress(ValueError):
        machine, boot, namespace, pid, started = found[OWNER].split("|")
        here = _identity(os.getpid()).split("|")
        if machine == here[0] and boot != here[1]:
            return False  # the machine was started again since
        if [machine, boot, namespace] == here[:3]:
            return _started(int(pid)) == started
    try:
        return time.time() < float(found[DEADLINE])
    except (KeyError, ValueError):
        return False


def _identity(pid: int) -> str:
    return "|".join((socket.gethostname(), _boot(), _namespace(), str(pid), _started(pid)))


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "?"


def _namespace() -> str:
    # A reprocheck in a container sees other processes under the same numbers.
    with contextlib.suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return "?"


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks: its number alone may be another's by now."""
    with contextlib.suppress(OSError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return _lives_elsewhere(pid)


def _lives_elsewhere(pid: int) -> str:
    # Without /proc (macOS) a process that lives is taken for the owner.
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "lives"
