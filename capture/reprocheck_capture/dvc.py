"""Inputs that DVC knows, with their digests, from *.dvc files and dvc.lock.

There may be no YAML reader in the training's environment. DVC writes a few plain keys, one a line,
in blocks; what looks otherwise is not read, and told.
"""

import hashlib
import os
import re
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from reprocheck_capture.failures import guarded, lacks
from reprocheck_capture.git import git

_LINE = re.compile(r"(?P<indent> *)(?P<dash>- )?(?P<key>[^\s:#'\"][^:#]*?): ?(?P<value>.*)")
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_FILES = (".dvc", "dvc.lock")
_READ_AT_MOST = 8000000  # bytes of inputs that are checked against their digest, in all
_MOST_FILES, _LARGEST = 500, 2000000

Entry = Dict[str, Any]


@guarded("DVC inputs", list)
def inputs(root: str, untracked: Iterable[str] = ()) -> List[Entry]:
    """Path, md5, size and count of files of each; paths are relative to the repository's root.

    `untracked` are files that git does not know, those of DVC among them.
    What is not in the working directory as its digest says is not the run's input, and left out.
    """
    if not root:
        return []
    outs: Dict[str, Entry] = {}
    deps: Dict[str, Entry] = {}
    for path in _files(root, untracked):
        for kind, entry in _entries(root, path):
            into = outs if kind == "outs" and path.endswith(".dvc") else deps
            if kind == "deps" or path.endswith(".dvc"):
                into.setdefault(entry["path"], entry)
    tracked = _known(root, ("--", *(":(literal)" + path for path in deps))) if deps else []
    # Scripts are dependencies of stages, too: git has them.
    found = {**{p: e for p, e in deps.items() if p not in tracked}, **outs}
    budget = [_READ_AT_MOST]
    return [found[path] for path in sorted(found) if _is_there(root, found[path], budget)]


def _files(root: str, untracked: Iterable[str]) -> List[str]:
    names = ("--", "*.dvc", "dvc.lock", "*/dvc.lock")
    found = {*_known(root, names), *(path for path in untracked if path.endswith(_FILES))}
    if len(found) > _MOST_FILES:
        lacks("DVC inputs", "there are {} files of DVC".format(len(found)))
    return sorted(found)[:_MOST_FILES]


def _known(root: str, paths: Iterable[str]) -> List[str]:
    told = git(root, "ls-files", "-z", *paths)  # the index alone: no walk over the tree
    return [os.fsdecode(path) for path in told.split(b"\0") if path]


def _entries(root: str, path: str) -> Iterator[Tuple[str, Entry]]:
    place = os.path.join(root, path)
    if not os.path.isfile(place) or os.path.getsize(place) > _LARGEST:
        return
    with open(place, encoding="utf-8", errors="replace") as file:
        text = file.read()
    folder = os.path.dirname(path)
    wdir = re.search(r"^wdir: (.+)$", text, re.MULTILINE)
    folder = os.path.join(folder, _scalar(wdir.group(1)) if wdir else "")
    for kind, fields in blocks(text):
        digest, name = fields.get("md5", ""), fields.get("path", "")
        if not name or not _MD5.fullmatch(digest):
            continue
        inside = os.path.normpath(os.path.join(folder, name))
        if os.path.isabs(name) or inside.startswith(".."):
            lacks("DVC input " + name, "it is outside of the repository")
            continue
        entry: Entry = {"path": inside.replace(os.sep, "/"), "md5": digest}
        for key, ours in (("size", "size"), ("nfiles", "files")):
            if fields.get(key, "").isdigit():
                entry[ours] = int(fields[key])
        yield kind, {**entry, "_plain": fields.get("hash") == "md5"}


def blocks(text: str) -> Iterator[Tuple[str, Dict[str, str]]]:
    """The lists `deps` and `outs` of a file of DVC, an item's plain keys at a time."""
    kind, level, item_at = "", -1, -1
    item: Optional[Dict[str, str]] = None
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        indent, key = len(match["indent"]), match["key"].strip()
        at = indent + (2 if match["dash"] else 0)
        if kind and (indent < level or (indent == level and not match["dash"])):
            if item is not None:
                yield kind, item
            kind, item = "", None
        if not kind:
            if key in ("deps", "outs") and not match["value"].strip() and not match["dash"]:
                kind, level = key, indent
            continue
        if match["dash"] and (item is None or at <= item_at):
            if item is not None:
                yield kind, item
            item, item_at = {}, at
        if item is not None and at == item_at:
            item[key] = _scalar(match["value"])
    if kind and item is not None:
        yield kind, item


def _scalar(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"' and "\\" not in text:
        return text[1:-1]
    return "" if text[:1] in ('"', "'", "&", "*", "|", ">", "[", "{") else text


def _is_there(root: str, entry: Entry, budget: List[int]) -> bool:
    """Whether the tree has it; a file's size, and up to a limit its digest, must be the known."""
    plain = entry.pop("_plain")
    place = os.path.join(root, entry["path"])
    if not os.path.exists(place):
        lacks("DVC input " + entry["path"], "it is not in the working directory")
        return False
    if entry["md5"].endswith(".dir") or not os.path.isfile(place):
        return True
    size = os.path.getsize(place)
    other = "size" in entry and plain and size != entry["size"]
    if not other and plain and size <= budget[0]:
        budget[0] -= size
        with open(place, "rb") as file:
            other = hashlib.md5(file.read()).hexdigest() != entry["md5"]  # noqa: S324  (DVC's)
    if other:
        lacks("DVC input " + entry["path"], "it is not what DVC's file says")
    return not other
