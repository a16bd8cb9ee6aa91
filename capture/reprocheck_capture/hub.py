"""Which revisions of models and data sets this process has read from Hugging Face's cache."""

import os
import re
import sys
import time
from typing import Dict, Iterator, List, Set, Tuple

from reprocheck_capture.failures import guarded

_LIBRARIES = ("huggingface_hub", "transformers", "datasets", "diffusers")
_REPOSITORY = re.compile(r"(models|datasets|spaces)--(.+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_REPOSITORIES, _MOST_FILES = 300, 50
_LOADED = time.time()


@guarded("hub revisions", list)
def revisions() -> List[Dict[str, str]]:
    """Those whose files were read or written since this process began, or are mapped into it.

    Nothing is looked for unless one of the hub's libraries is loaded. A file system that keeps no
    times of reading (noatime) tells less.
    """
    if not any(name in sys.modules for name in _LIBRARIES):
        return []
    since, mapped = _began(), _mapped()
    found = []
    for kind, name, folder in _repositories(_cache()):
        for commit in _commits(folder):
            if _is_touched(os.path.join(folder, "snapshots", commit), since, mapped):
                prefix = "" if kind == "models" else kind + "/"
                found.append({"hub": prefix + name, "revision": commit})
    return found


def _cache() -> str:
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return os.environ[variable]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(os.environ.get("HF_HOME") or os.path.join(home, "huggingface"), "hub")


def _repositories(cache: str) -> Iterator[Tuple[str, str, str]]:
    names = sorted(os.listdir(cache)) if os.path.isdir(cache) else []
    for entry in names[:_MOST_REPOSITORIES]:
        match = _REPOSITORY.fullmatch(entry)
        if match:
            yield match[1], match[2].replace("--", "/"), os.path.join(cache, entry)


def _commits(folder: str) -> List[str]:
    snapshots = os.path.join(folder, "snapshots")
    names = os.listdir(snapshots) if os.path.isdir(snapshots) else []
    return sorted(name for name in names if _COMMIT.fullmatch(name))


def _is_touched(snapshot: str, since: float, mapped: Set[str]) -> bool:
    seen = 0
    for folder, _, names in os.walk(snapshot):
        for name in names:
            seen += 1
            if seen > _MOST_FILES:
                return False
            path = os.path.join(folder, name)
            try:
                told = os.stat(path)
            except OSError:
                continue
            if max(told.st_atime, told.st_mtime) >= since or os.path.realpath(path) in mapped:
                return True
    return False


def _began() -> float:
    """When this process began, in seconds since 1970; the clock's ticks may be two off."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", encoding="ascii") as file:
            boot = next(int(line.split()[1]) for line in file if line.startswith("btime"))
        return boot + ticks / os.sysconf("SC_CLK_TCK") - 2
    except (OSError, StopIteration, ValueError, IndexError):
        return _LOADED


def _mapped() -> Set[str]:
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            return {line.split(None, 5)[-1].rstrip("\n") for line in file if "/blobs/" in line}
    except OSError:
        return set()
