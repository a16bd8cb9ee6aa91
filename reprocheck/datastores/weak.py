"""Data sets whose recorded digest does not cover their content, as MLflow's own do not.

MLflow hashes the first 10,000 rows at most: an equal digest proves little, so it is never compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files
from reprocheck.config import Config
from reprocheck.datastores.addressed import LAKEFS_COMMIT
from reprocheck.datastores.addresses import scheme_of, shown
from reprocheck.datastores.storage import is_commit, lakefs_ref
from reprocheck.model import Finding, Material, RunRecord, Severity


def sources(record: RunRecord, config: Config) -> Mapping[str, str]:
    """Where the run says that it read an input of the config, by the input's path.

    Only an address, or a path that is absolute: what is relative lies in the tree.
    """
    return {
        path: material.source
        for path in (str(PurePosixPath(rule.path)) for rule in config.data)
        for material in record.data
        if material.weak and _is_elsewhere(material.source) and _names(material.source, path)
    }


def pinned(record: RunRecord, config: Config, tree: Path) -> Mapping[str, Material]:
    """Data sets that were read from a commit of lakeFS, whose id names the content for good, by
    their path in the tree: the recorded one, else that of an input of the config.
    """
    paths = [str(PurePosixPath(rule.path)) for rule in config.data]
    found = {}
    for material in record.data:
        commit = lakefs_ref(material.source) if material.weak else None
        if commit is None or not is_commit(commit):
            continue
        own = [material.path] if not _is_elsewhere(material.path) else []
        for path in [*own, *(path for path in paths if _names(material.source, path))]:
            if not (tree / path).exists():
                found[path] = dataclasses.replace(
                    material, path=path, algorithm=LAKEFS_COMMIT, digest=commit, weak=False
                )
    return found


def unproved(record: RunRecord, chosen: Iterable[Material], tree: Path) -> tuple[Material, ...]:
    """The weak materials that no other digest stands for, each once.

    A file that git brought is proved by the commit.
    """
    proved = {material.path for material in chosen}
    found = {
        material.path: material
        for material in record.data
        if material.weak
        and not any(_is_inside(place, path) for place in _places(material) for path in proved)
        and not any(dvc_files.is_brought(tree / place) for place in _places(material))
    }
    return tuple(found.values())


def uncovered(materials: Iterable[Material], listed: tuple[Material, ...]) -> tuple[Material, ...]:
    """Those of unproved materials that were read elsewhere, and that no input of the config's list
    stands for: neither by its file's name nor by where it is kept or was seen.
    """
    known = [text.rstrip("/") for item in listed for text in (item.source, item.seen_as) if text]
    return tuple(
        item
        for item in materials
        if _is_elsewhere(item.source)
        and not any(_names(item.source, each.path) for each in listed)
        and not any(_is_inside(item.source, place) for place in known)
    )


def findings(materials: tuple[Material, ...], proved: int) -> tuple[Finding, ...]:
    """A finding for each data set that the reruns may read otherwise than the run did; the
    materials stand in the record after those that are proved.
    """
    found = []
    for index, material in enumerate(materials, proved):
        found.append(
            Finding(
                code="unproved-data",
                severity=Severity.WARNING,
                message=_told(material),
                hint=_hint(material),
                pointer=f"/data/{index}",
            )
        )
        found.extend(mutable(material.path, material.source, f"/data/{index}"))
    return tuple(found)


def mutable(path: str, source: str, pointer: str, more: str = "") -> tuple[Finding, ...]:
    """A finding for an address that lakeFS may move to other content."""
    ref = lakefs_ref(source)
    if ref is None or is_commit(ref):
        return ()
    return (
        Finding(
            code="mutable-reference",
            severity=Severity.WARNING,
            message=f"{shown(path)}: {shown(source)} names a branch or tag of lakeFS, "
            f"which can move to other content{more}",
            hint="name the commit id (64 hexadecimal digits): lakectl log lakefs://REPOSITORY/REF",
            pointer=pointer,
        ),
    )


def _told(material: Material) -> str:
    where = f", read from {shown(material.source)}" if material.source else ""
    return (
        f"the data set {shown(material.path)}{where} is not proved to be what the run read: its "
        f"only digest, {material.algorithm} {material.digest}, does not cover the content"
    )


def _hint(material: Material) -> str:
    url = f", url: {shown(material.source)}" if _is_elsewhere(material.source) else ""
    return (
        "name the file and its digest in reprocheck.yaml: "
        f"data: [{{path: FILE, sha256: DIGEST{url}}}]"
    )


def _is_elsewhere(source: str) -> bool:
    return bool(scheme_of(source)) or source.startswith("/")


def _names(source: str, path: str) -> bool:
    """Whether an address ends in a path of the tree, or in its file's name."""
    plain = source.partition("?")[0] if scheme_of(source) else source
    return plain == path or plain.endswith((f"/{path}", f"/{PurePosixPath(path).name}"))


def _places(material: Material) -> Iterator[str]:
    """Where in the tree the data set may lie: an absolute path may be that of another checkout."""
    for said in {material.path, material.source.removeprefix("file://")} - {""}:
        parts = PurePosixPath(said).parts
        if scheme_of(said) or ".." in parts:
            continue
        if parts[0] != "/":
            yield str(PurePosixPath(said))
        for start in range(1, len(parts)) if parts[0] == "/" else ():
            yield "/".join(parts[start:])


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
