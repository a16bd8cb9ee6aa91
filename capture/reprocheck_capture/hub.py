"""Which revisions of models and data sets this process has read from Hugging Face's cache."""

import functools
import importlib.util
import os
import re
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from reprocheck_capture.failures import guarded

_LIBRARIES = ("huggingface_hub", "transformers", "datasets", "diffusers")
_REPOSITORY = re.compile(r"(models|datasets|spaces)--(.+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_REPOSITORIES, _MOST_FILES = 300, 50
_LOADED = time.time()
_DOWNLOADS = "huggingface_hub.file_download"
_PLACE = "_get_pointer_path"  # every file that is taken from the cache or put into it goes by here

_resolved: Set[Tuple[str, str]] = set()  # folders of the cache with a commit, as they are asked for
_watched: List[bool] = []


class _Watching:
    """A finder of modules that finds the hub's downloads as they are, and listens to them."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:  # noqa: ANN401, ARG002
        """The module's own spec; None for any other module."""
        if name != _DOWNLOADS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader = getattr(spec, "loader", None)
        if loader is not None:
            _after(loader, "exec_module", _listen)
        return spec


def watch() -> None:
    """Takes note of the revisions that the hub's library resolves, if it is not loaded yet."""
    if not _watched and _DOWNLOADS not in sys.modules:
        sys.meta_path.insert(0, _Watching())
        _watched.append(True)


@guarded("hub revisions", lambda: None)
def _listen(module: Any) -> None:  # noqa: ANN401
    if hasattr(module, _PLACE):
        _after(module, _PLACE, _note)
    else:  # an older version: the times of reading tell
        _watched[:] = []


def _note(folder: Any, revision: Any, *_: Any, **__: Any) -> None:  # noqa: ANN401
    _resolved.add((os.path.basename(str(folder)), str(revision)))


def _after(owner: Any, name: str, listener: Callable[..., None]) -> None:  # noqa: ANN401
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        result = original(*args, **named)
        listener(*(*args, *named.values()))
        return result

    setattr(owner, name, call)


@guarded("hub revisions", list)
def revisions() -> List[Dict[str, str]]:
    """Those that the hub's library resolved in this process, or whose files are mapped into it.

    Where that library was loaded before us, those whose files were read or written since this
    process began: a file system that keeps no times of reading (noatime) tells less. Nothing is
    looked for unless one of the hub's libraries is loaded.
    """
    if not any(name in sys.modules for name in _LIBRARIES):
        return []
    since, mapped = (float("inf") if _watched else _began()), _mapped()
    found = []
    for kind, name, folder in _repositories(_cache()):
        for commit in _commits(folder):
            resolved = (os.path.basename(folder), commit) in _resolved
            if resolved or _is_touched(os.path.join(folder, "snapshots", commit), since, mapped):
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
