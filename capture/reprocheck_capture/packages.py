"""What is installed: a freeze of Python's packages, without pip, and conda's explicit list."""

import glob
import json
import os
import platform
import re
import subprocess
import sys
from typing import Dict, Iterator, List, Tuple

from reprocheck_capture.failures import guarded, lacks
from reprocheck_capture.git import git
from reprocheck_capture.hiding import without_login

_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info")
_OURS = "reprocheck-capture"
_EGG = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-py\d[\d.]*)?(-.*)?\.egg-info")


def python() -> str:
    """The version of this Python."""
    return platform.python_version()


@guarded("packages", dict)
def installed(root: str = "") -> Dict[str, str]:
    """By name, the lines of a freeze; `root` is the repository, whose own project is `-e .`.

    The folders' names are read, not the metadata in them: that takes a tenth of the time.
    """
    found: Dict[str, str] = {}
    for folder in sys.path:
        for name, line in sorted(_of_folder(folder or os.getcwd(), root)):
            found.setdefault(name, line)  # what comes first on the path is what is imported
    return found


def freeze(lines: Dict[str, str]) -> bytes:
    """The file's content."""
    return "".join(lines[name] + "\n" for name in sorted(lines)).encode()


def _of_folder(folder: str, root: str) -> Iterator[Tuple[str, str]]:
    try:
        names = os.listdir(folder)
    except OSError:
        return  # a zip file, or a folder that is not there
    for entry in names:
        if not entry.endswith(("-info", ".egg-link")):
            continue
        match = _FOLDER.fullmatch(entry) or _EGG.fullmatch(entry)
        if match is None or match["version"] in ("None", ""):
            name, version = _by_metadata(os.path.join(folder, entry))
        else:
            name, version = match["name"], match["version"]
        if not name:
            continue
        name = re.sub(r"[-_.]+", "-", name).lower()
        yield name, _line(name, version, os.path.join(folder, entry), root)


def _by_metadata(path: str) -> Tuple[str, str]:
    """For folders whose name tells no version."""
    if not os.path.isdir(path):
        return "", ""
    from importlib.metadata import PathDistribution  # not in every type checker's stubs
    from pathlib import Path

    found = PathDistribution(Path(path))
    return str(found.metadata["Name"] or ""), str(found.version or "")


def _line(name: str, version: str, info: str, root: str) -> str:
    plain = "{}=={}".format(name, version)
    if name == _OURS:
        return plain  # wherever it came from: a rebuild brings its own
    try:
        with open(os.path.join(info, "direct_url.json"), encoding="utf-8") as file:
            direct = json.load(file)
    except (OSError, ValueError):
        return _of_egg(plain, info, root)
    url = without_login(str(direct.get("url", "")))
    if "vcs_info" in direct:
        told = direct["vcs_info"]
        revision = told.get("commit_id") or told.get("requested_revision") or ""
        folder = direct.get("subdirectory")
        tail = "#subdirectory=" + folder if folder else ""
        return "{} @ {}+{}@{}{}".format(name, told.get("vcs", "git"), url, revision, tail)
    if direct.get("dir_info", {}).get("editable"):
        return _editable(plain, _path(url), root)
    if url.startswith("file://"):
        lacks("package " + name, "it was installed from a local file or folder")
        return plain
    return "{} @ {}".format(name, url)


def _of_egg(plain: str, info: str, root: str) -> str:
    """`setup.py develop` leaves its metadata beside the sources."""
    folder = os.path.dirname(info)
    if info.endswith(".egg-info") and not folder.endswith(("site-packages", "dist-packages")):
        return _editable(plain, folder, root)
    return plain


def _path(url: str) -> str:
    from urllib.parse import unquote

    return unquote(url[len("file://") :])


def _editable(plain: str, folder: str, root: str) -> str:
    folder = os.path.realpath(folder)
    top = os.path.realpath(root) if root else ""
    if top and (folder == top or folder.startswith(top + os.sep)):
        path = os.path.relpath(folder, top)
        return "-e ." if path == "." else "-e ./" + path
    try:
        own = os.path.realpath(os.fsdecode(git(folder, "rev-parse", "--show-toplevel")).strip())
        told = git(folder, "config", "--get", "remote.origin.url").decode().strip()
        commit = git(folder, "rev-parse", "HEAD").decode().strip()
    except (OSError, subprocess.SubprocessError):
        lacks("package " + plain, "it is installed editable from a folder without a remote")
        return plain
    inside = os.path.relpath(folder, own)
    tail = "" if inside == "." else "&subdirectory=" + inside
    name = plain.partition("==")[0]
    return "-e git+{}@{}#egg={}{}".format(without_login(told), commit, name, tail)


# --- conda --------------------------------------------------------------------------------


@guarded("conda packages", str)
def conda() -> str:
    """What `conda list --explicit --md5` prints; "" outside of a conda environment."""
    found = sorted(glob.glob(os.path.join(sys.prefix, "conda-meta", "*.json")))
    urls: List[str] = []
    subdir = ""
    for path in found:
        with open(path, encoding="utf-8") as file:
            package = json.load(file)
        url = re.sub(r"/t/[^/]+/", "/", without_login(str(package.get("url") or "")))
        if not url.startswith(("http://", "https://", "file://")):
            lacks("conda package " + str(package.get("name")), "its address is not known")
            continue
        known = package.get("subdir")
        subdir = known if known and known != "noarch" else subdir
        urls.append(url + ("#" + package["md5"] if package.get("md5") else ""))
    if not urls:
        return ""
    return "# platform: {}\n@EXPLICIT\n{}\n".format(subdir or "noarch", "\n".join(urls))
