"""Requirement pinned-environment: all that is installed can be installed again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from reprocheck.model import Requirement
from reprocheck.numbers import counted
from reprocheck.recording.base import Foreseen, Lack, Situation, lack, listed, not_known

_PINNED = re.compile(
    r"[\w.-]+==\S+"
    r"|[\w.-]+ @ (?:git|hg|svn|bzr)\+\S+@[0-9a-f]{40,64}(?:#\S*)?"
    r"|[\w.-]+ @ https?://\S+"
    r"|-e \.\S*"
    r"|-e git\+\S+@[0-9a-f]{40,64}#\S+"
)
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def check(situation: Situation) -> tuple[Lack, ...]:
    """A lack for packages that no index has, unless the config names an image that is pinned."""
    foreseen = situation.foreseen
    if _has_pinned_image(situation):
        return ()
    if not foreseen.freeze:
        return (_silent(),)
    loose = unpinned(foreseen)
    if not loose:
        return ()
    return (
        lack(
            Requirement.PINNED_ENVIRONMENT,
            "unpinned-packages",
            f"{counted(len(loose), 'package')} cannot be installed again as it is: {listed(loose)}",
            hint="install from an index, or from a commit that is pushed",
            fix=_reinstalled(loose, foreseen.freeze),
        ),
    )


def unpinned(foreseen: Foreseen) -> list[str]:
    """The packages of local files and folders, and those of a version control without a commit."""
    local = [
        name.removeprefix("package ")
        for name in foreseen.missing
        if name.startswith(("package ", "conda package "))
    ]
    by_pip = [name for name in local if name.partition("==")[0] not in foreseen.from_conda]
    lines = [line for line in foreseen.freeze if not _PINNED.fullmatch(line)]
    return sorted({*by_pip, *lines})


def _reinstalled(loose: Sequence[str], freeze: Sequence[str]) -> str:
    """An environment that uv made has no pip."""
    names = [re.split(r" @ |@", line.removeprefix("-e "))[0] for line in loose]
    if not any(line.startswith("pip==") for line in freeze):
        return f"uv pip install --python python --reinstall --no-deps {shlex.join(names)}"
    return f"python -m pip install --force-reinstall --no-deps {shlex.join(names)}"


def _silent() -> Lack:
    return not_known(
        Requirement.PINNED_ENVIRONMENT,
        "unknown-environment",
        "the training's own Python could not be asked what is installed",
        "start it by its interpreter, in the environment that it trains in",
    )


def _has_pinned_image(situation: Situation) -> bool:
    """Whether the config's Dockerfile is in the record, and starts from digests alone."""
    root, config = situation.foreseen.root, situation.asked.config
    name = config.environment_file
    if root is None or not name or config.environment_kind not in ("docker", "auto"):
        return False
    path = root / name
    if "dockerfile" not in path.name.lower() or not path.is_file() or not situation.is_known(path):
        return False
    named = _FROM.findall(path.read_text(encoding="utf-8", errors="replace"))
    stages = {stage.lower() for _, stage in named if stage}
    images = [image for image, _ in named if image.lower() not in {*stages, "scratch"}]
    return bool(images) and all(map(_DIGEST.search, images))
