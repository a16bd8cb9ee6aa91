"""Lock files and the Dockerfile at the repository's root: which of them tell what is installed."""

import os
import re
from typing import Dict, List, Set, Tuple

from reprocheck_capture.container import is_contained
from reprocheck_capture.failures import guarded
from reprocheck_capture.git import sha256

LOCKS = (
    *("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "requirements.lock"),
    *("requirements-lock.txt", "conda-lock.yml", "Pipfile.lock", "pixi.lock"),
)
_LARGEST = 1000000  # more of a recorded file is not read
_IN_TOML = re.compile(r'^name = "([^"]+)"\s*\nversion = "([^"]+)"', re.MULTILINE)
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_IN_YAML = re.compile(r"^- name: (\S+)\n\s+version: ['\"]?([^\s'\"]+)", re.MULTILINE)


@guarded("lock files", lambda: ({}, []))
def found(root: str, lines: Dict[str, str]) -> Tuple[Dict[str, bytes], List[Dict[str, object]]]:
    """The files that belong to the record, and what is told of all.

    A lock of other versions than the installed ones, and a Dockerfile beside a training that runs
    in no container, would have the wrong environment rebuilt: they are only told.
    """
    kept: Dict[str, bytes] = {}
    told: List[Dict[str, object]] = []
    for name in (*LOCKS, "Dockerfile") if root else ():
        path = os.path.join(root, name)
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            continue
        with open(path, "rb") as file:
            content = file.read()
        applies = is_contained() if name == "Dockerfile" else agrees(content, lines)
        if applies:
            kept[name] = content
        told.append({"path": name, "sha256": sha256(content), "applies": applies})
    return kept, told


def agrees(content: bytes, lines: Dict[str, str]) -> bool:
    """Whether a lock pins the installed versions: of what both name, and at least of one."""
    text = content.decode("utf-8", "replace")
    pins: Dict[str, Set[str]] = {}
    for pattern in (_IN_TOML, _PINNED, _IN_YAML):
        for name, version in pattern.findall(text):
            pins.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(_public(version))
    have = {
        name: _public(line.partition("==")[2])
        for name, line in lines.items()
        if line.startswith(name + "==")
    }
    common = [name for name in pins if name in have]
    return bool(common) and all(have[name] in pins[name] for name in common)


def _public(version: str) -> str:
    """Without a local part: builds of PyTorch are 2.1.0+cpu where a lock has 2.1.0."""
    return version.partition("+")[0]
