"""Inputs out of a bundle, in place of all other stores: no network, no credentials.

Every file is proved by the digest that the record, the commit or the config has, as anywhere else.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from reprocheck import dvc_files
from reprocheck.bundles import Bundle, BundledData, BundledFile
from reprocheck.datastores import dvc_lists, hub_cache
from reprocheck.datastores.base import Around, StoppedError
from reprocheck.datastores.copies import digest_of
from reprocheck.datastores.inputs import check_path
from reprocheck.datastores.manifest import add_commits_own
from reprocheck.datastores.unpinned import UNPINNED
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace

_MD5S = ("md5", "md5-dos2unix")


class BundleStore:
    """All inputs that a bundle holds; what it lacks is asked for nowhere."""

    def __init__(self, around: Around, bundle: Bundle) -> None:
        self._around, self._bundle = around, bundle

    def accepts(self, material: Material) -> bool:
        """Whether its digest says what it is: nobody else is asked."""
        return not material.weak

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """Of a directory, as the bundle or a manifest has it."""
        return material.listing or self._bundle.lists.get(material.digest)

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the input to `target`, every file's digest recomputed.

        Raises `RestoreError` for what the bundle lacks, `BundleError` for what was changed there.
        """
        found = _find(self._bundle, material)
        if found is None:
            raise RestoreError(
                f"restoring {material.label}: the bundle {self._bundle.path} does not hold it at "
                f"{material.algorithm} {material.digest} ({material.origin.where})",
                "make the bundle anew with this commit and config: reprocheck fetch RUN_ID "
                "--bundle DIR",
            )
        if material.place is MaterialPlace.HUB:
            self._lay_snapshot(material, found, target)
            return found.findings
        files = {file.path: file for file in found.files}
        for name, digest in digests_of(material, self.listing(material)).items():
            path = target / name if name else target
            self._lay(material, files.get(name), name, path)
            prove(path, material, name, digest)
        if material.listing is not None:
            add_commits_own(self._around.tree, material, target)
        return found.findings

    def _lay(self, material: Material, file: BundledFile | None, name: str, target: Path) -> None:
        if self._around.stop.is_set():
            raise StoppedError
        if file is None:
            raise RestoreError(
                f"restoring {material.label}: the bundle lacks its file {name!r}",
                "make the bundle anew: reprocheck fetch RUN_ID --bundle DIR",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._bundle.file(file.sha256), target)

    def _lay_snapshot(self, material: Material, found: BundledData, target: Path) -> None:
        """A cache of the hub with one snapshot, each blob proved by its name."""
        own = target.parent.with_name("kept") / "hub" / target.name
        if not hub_cache.COMMIT.fullmatch(found.revision):
            raise RestoreError(f"restoring {material.label}: the bundle names no commit of it")
        for file in found.files:
            check_path(file.path)
            blob = own / "blobs" / hub_cache.checked_blob(file.digest)
            self._lay(material, file, file.path, blob)
            if hub_cache.digest(blob, file.digest) != file.digest:
                raise hub_cache.mismatch(file.path, file.digest, "another", self._bundle.path)
            blob.chmod(0o444)
            hub_cache.link(own / "snapshots" / found.revision / file.path, blob)
        asked = hub_cache.checked_revision(material.digest, material.origin.where)
        hub_cache.lay_view(target, own, found.revision, asked)


def digests_of(material: Material, listing: Mapping[str, str] | None) -> Mapping[str, str]:
    """What each file of an input must be, by its path inside; "" where nothing says it.

    Raises `RestoreError` for a list that is not the digest's.
    """
    if material.listing is not None:
        return material.listing
    if not material.digest.endswith(".dir"):
        known = material.algorithm in (*_MD5S, "sha256") and material.digest != UNPINNED
        return {"": material.digest if known else ""}
    if listing is None or dvc_files.directory_digest(listing) != material.digest:
        raise RestoreError(
            f"restoring {material.label}: the list of its files is not that of {material.digest}",
            "make the bundle anew: reprocheck fetch RUN_ID --bundle DIR",
        )
    return dvc_lists.checked(listing.items(), material.label)


def prove(path: Path, material: Material, name: str, digest: str) -> None:
    """Raises `RestoreError` unless a restored file has the digest; DVC 2 hashed text with LF."""
    algorithms = _MD5S if material.algorithm in _MD5S else (material.algorithm,)
    if digest and all(_digest_of(path, each) != digest for each in algorithms):
        inside = f"/{name}" if name else ""
        raise RestoreError(
            f"restoring {material.label}{inside}: expected {material.algorithm} {digest}, found "
            f"{_digest_of(path, algorithms[0])} in the bundle",
            "make the bundle anew: reprocheck fetch RUN_ID --bundle DIR",
        )


def bundled(
    material: Material, target: Path, listing: Mapping[str, str] | None
) -> tuple[tuple[str, Path, str], ...]:
    """The files of a restored input to put into a bundle: path inside, where it is, digest.

    Raises `RestoreError` where its digest cannot be proved again.
    """
    if material.place is MaterialPlace.HUB:
        return _snapshot(material, target)
    wanted = digests_of(material, listing)
    files = tuple(
        (name, target / name if name else target, digest) for name, digest in wanted.items()
    )
    for name, path, digest in files:
        prove(path, material, name, digest)
    return files


def revision_of(material: Material, target: Path) -> str:
    """The commit of a restored repository of the hub; "" of anything else."""
    if material.place is not MaterialPlace.HUB:
        return ""
    if hub_cache.COMMIT.fullmatch(material.digest):
        return material.digest
    return hub_cache.resolved(target, material.digest) or ""


def _snapshot(material: Material, target: Path) -> tuple[tuple[str, Path, str], ...]:
    commit = revision_of(material, target)
    names = hub_cache.blobs(target, commit)
    blobs = (target / "blobs").resolve()
    return tuple((path, blobs / name, name) for path, name in names.items())


def _find(bundle: Bundle, material: Material) -> BundledData | None:
    """What has the digest; of what none names the content of, what also has the place."""
    same = [
        each
        for each in bundle.data
        if (each.algorithm.removesuffix("-dos2unix"), each.digest, each.place)
        == (material.algorithm.removesuffix("-dos2unix"), material.digest, material.place)
    ]
    here = [each for each in same if each.path == material.path]
    proved = material.place is MaterialPlace.TREE and material.algorithm in (*_MD5S, "sha256")
    found = here or (same if proved else [])
    return found[0] if found else None


def _digest_of(path: Path, algorithm: str) -> str:
    if algorithm in _MD5S:
        return dvc_files.digest_of(path, algorithm)
    return digest_of(path, algorithm)
