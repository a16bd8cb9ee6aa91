"""Files whose address the config names: a path, a web address, or storage of a cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reprocheck.datastores.addresses import WEB, local_path, scheme_of, shown
from reprocheck.datastores.base import Around, Stop
from reprocheck.datastores.fetching import (
    AbsentError,
    MismatchError,
    Source,
    Wanted,
    copy,
    fetch,
)
from reprocheck.datastores.local import Local
from reprocheck.datastores.storage import Storage
from reprocheck.datastores.web import Web
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace, Severity

WORKERS = 8  # a file of a server costs a round trip; the work is waiting
LAKEFS_COMMIT = "lakefs"
"""The algorithm of a material that only a commit id of lakeFS names; its digest is that id."""


def source_of(address: str, around: Around) -> Source:
    """What reads an address. Raises `RestoreError` for one that nothing can or may read."""
    if around.trust is not None:
        around.trust.check(address)
    path = local_path(address, around.folder)
    if path is not None:
        return Local(path, address)
    if scheme_of(address) in WEB:
        return Web(address, WORKERS)
    return Storage(address, around.env)


class AddressedStore:
    """Single files by MD5 or SHA-256 from the address that names them."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._stop = Stop(around.stop)

    def accepts(self, material: Material) -> bool:
        """Whether it has an address of its own, and no list of files."""
        return (
            bool(material.source)
            and material.listing is None
            and material.place is not MaterialPlace.HUB
            and not material.weak
        )

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file to `target`, its digest recomputed. Raises `RestoreError`."""
        with told(material):
            source = source_of(material.source, self._around)
            if material.algorithm == LAKEFS_COMMIT:
                return (self._by_commit(source, material, target),)
            wanted = Wanted(
                name="", algorithm=material.algorithm, digest=material.digest, size=material.size
            )
            fetch(source, wanted, target, self._stop, self._teller(material))
        return ()

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """None: they are single files."""

    def _teller(self, material: Material) -> Callable[[str], None]:
        return lambda size: self._around.progress.update(f"{material.path}: {size}")

    def _by_commit(self, source: Source, material: Material, target: Path) -> Finding:
        target.parent.mkdir(parents=True, exist_ok=True)
        found, size = copy(source, "", target, "sha256", self._stop, self._teller(material))
        return Finding(
            code="only-commit-id",
            severity=Severity.NOTE,
            message=f"{material.path} is named by lakeFS commit {material.digest[:12]}… only, and "
            f"no digest was there to check it: it has sha256 {found} ({size} bytes)",
            hint=f"give sha256: {found} beside its url",
            pointer="/data",
        )


@contextmanager
def told(material: Material) -> Iterator[None]:
    """Makes each failure say which input it was, where from, and what was expected of it."""
    where = f"restoring {material.path} from {shown(material.source)} ({material.origin.where})"
    try:
        yield
    except AbsentError as error:
        raise RestoreError(
            f"{where}: it is not there; expected {material.algorithm} {material.digest}",
            "check the address under data, or put the file back",
        ) from error
    except MismatchError as error:
        raise RestoreError(
            f"{where}: {error}", "it was changed or cut off: put the file back that the run read"
        ) from error
    except RestoreError as error:
        raise RestoreError(f"{where}: {error.message}", error.hint) from error
