"""Where the run recorded another digest than DVC's files at the commit, and what that means.

The recorded one is what is restored: it is what the run read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from reprocheck import dvc_files
from reprocheck.datastores.base import DataStore
from reprocheck.hostile import printable
from reprocheck.model import Finding, Material, Severity

_SHOWN = 10  # names of each kind


def disagreements(
    materials: Iterable[Material], tree: Path, stores: Iterable[DataStore] = ()
) -> tuple[Finding, ...]:
    """A finding for each input that the commit has at another digest.

    With stores to ask, it names the files of a directory that were added, removed and changed.
    Their lists are all that is fetched.
    """
    committed = dvc_files.at_commit(tree)
    asked = tuple(stores)
    return tuple(
        _finding(index, material, other, _files(material, other, asked))
        for index, material in enumerate(materials)
        if (other := committed.get(material.path)) is not None and _disagree(material, other)
    )


def _disagree(one: Material, other: Material) -> bool:
    """An MD5 and a SHA-256 tell nothing about each other."""
    return bool(other.digest) and one.digest != other.digest and _kind(one) == _kind(other)


def _kind(material: Material) -> str:
    return material.algorithm.removesuffix("-dos2unix")


def _finding(index: int, material: Material, other: Material, files: str) -> Finding:
    return Finding(
        code="data-differs",
        severity=Severity.NOTE,
        message=f"{material.path}: the run recorded {material.digest[:12]}… "
        f"({material.origin.where}), the commit has {other.digest[:12]}…; "
        f"the recorded one is restored{files}",
        hint="commit the .dvc file before training",
        pointer=f"/data/{index}",
    )


def _files(material: Material, other: Material, stores: tuple[DataStore, ...]) -> str:
    """What changed between the two directories, as far as their lists are there."""
    both = (material, other)
    if not stores or not any(item.digest.endswith(".dir") for item in both):
        return ""
    if material.digest.endswith(".dir") != other.digest.endswith(".dir"):
        return "; one is a directory, the other a file"
    lists = [_listing(item, stores) for item in both]
    recorded, committed = lists
    if recorded is None or committed is None:
        gone = [side for side, found in zip(("run", "commit"), lists, strict=True) if found is None]
        return f"; which files differ is not known: the directory list of the {_and(gone)} is gone"
    return f"; against the commit, {_changes(recorded, committed)}"


def _and(sides: list[str]) -> str:
    return " and that of the ".join(sides)


def _listing(material: Material, stores: tuple[DataStore, ...]) -> Mapping[str, str] | None:
    lists = (store.listing(material) for store in stores if store.accepts(material))
    return next((found for found in lists if found is not None), None)


def _changes(recorded: Mapping[str, str], committed: Mapping[str, str]) -> str:
    both = recorded.keys() & committed.keys()
    kinds = {
        "added": recorded.keys() - committed.keys(),
        "removed": committed.keys() - recorded.keys(),
        "changed": {name for name in both if recorded[name] != committed[name]},
    }
    told = [_named(kind, names) for kind, names in kinds.items() if names]
    return "the run had " + ", ".join(told) if told else "no file differs"


def _named(kind: str, names: Iterable[str]) -> str:
    ordered = sorted(names)
    shown = ", ".join(printable(name) for name in ordered[:_SHOWN])
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return f"{len(ordered)} {kind} ({shown}{more})"
