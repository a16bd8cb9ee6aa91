"""Writes a bundle: into a folder beside, renamed in last, so that there is a whole one or none."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from reprocheck import __version__, bundles, detail, record_documents
from reprocheck.bundles import BundledData, BundledRun
from reprocheck.detail import Document
from reprocheck.errors import BundleError, MachineError, UsageError
from reprocheck.numbers import format_bytes

_CHUNK = 1 << 20


class BundleWriter:
    """Takes contents in, each once; `most` is how many bytes there may be, None: any number."""

    def __init__(self, folder: Path, most: int | None) -> None:
        self.folder = folder
        self.files: dict[str, int] = {}
        self.most = most

    @property
    def size(self) -> int:
        """Bytes so far."""
        return sum(self.files.values())

    def add(self, content: bytes) -> str:
        """Keeps a content, and returns its SHA-256. Raises `BundleError` beyond the limit."""
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self.files:
            self._refuse(len(content))
            self._place(sha256).write_bytes(content)
            self.files[sha256] = len(content)
        return sha256

    def add_file(self, path: Path) -> str:
        """Keeps a file's content, and returns its SHA-256. Raises `BundleError`."""
        self._refuse(path.stat().st_size)
        made, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=self.folder)
        with path.open("rb") as source, os.fdopen(handle, "wb") as target:
            while chunk := source.read(_CHUNK):
                made.update(chunk)
                target.write(chunk)
                size += len(chunk)
        sha256 = made.hexdigest()
        if sha256 in self.files:
            Path(name).unlink()
        else:
            Path(name).chmod(0o644)
            Path(name).rename(self._place(sha256))
            self.files[sha256] = size
        return sha256

    def write(
        self,
        runs: tuple[BundledRun, ...],
        data: tuple[BundledData, ...],
        lists: Mapping[str, Mapping[str, str]],
        addresses: Mapping[str, str],
        objects: frozenset[str],
    ) -> None:
        """Writes what is in it; the last thing that is written. Raises `MachineError`."""
        document = {
            "schema_version": bundles.VERSION,
            "tool_version": __version__,
            "created_at": detail.time(datetime.now(UTC)),
            "files": dict(sorted(self.files.items())),
            "runs": [_run(each) for each in runs],
            "data": [_data(each) for each in data],
            "lists": {digest: dict(files) for digest, files in lists.items()},
            "addresses": dict(addresses),
            "objects": sorted(objects),
        }
        path = self.folder / bundles.FILE
        with _written(path):
            path.write_text(detail.dump(document), encoding="utf-8")

    def _place(self, sha256: str) -> Path:
        folder = self.folder / bundles.CONTENTS / sha256[:2]
        folder.mkdir(parents=True, exist_ok=True)
        return folder / sha256

    def _refuse(self, more: int) -> None:
        if self.most is not None and self.size + more > self.most:
            raise too_large(self.size + more, self.most)


def too_large(size: int, most: int) -> BundleError:
    """What is told of a bundle that would be larger than it may be."""
    return BundleError(
        f"the bundle would have {format_bytes(size)} or more; at most {format_bytes(most)} are "
        "written",
        "allow more with --max-size, or list under data in reprocheck.yaml what the run reads",
    )


@contextlib.contextmanager
def writing(target: Path, most: int | None = None) -> Iterator[BundleWriter]:
    """A writer of a bundle that is at `target` afterwards; after a failure all is as before.

    Raises `UsageError` for a folder that holds something else, `MachineError`.
    """
    target = target.absolute()
    refuse_other(target)
    with _written(target):
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with _written(target):
            (folder / bundles.CONTENTS).mkdir()
        yield BundleWriter(folder, most)
        with _written(target):
            folder.chmod(0o755)
            _rename(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"writing the bundle {path}: {error.strerror}",
            "make room, or name a folder that can be written",
        ) from error


def refuse_other(target: Path) -> None:
    """Raises `UsageError` for what is there and is neither a bundle nor an empty folder."""
    if not target.parent.is_dir():
        raise UsageError(
            f"the bundle {target} cannot be written: there is no folder {target.parent}",
            "name a folder in an existing one",
        )
    if not os.path.lexists(target) or (bundles.is_bundle(target) and not target.is_symlink()):
        return
    if target.is_symlink() or not target.is_dir() or any(target.iterdir()):
        raise UsageError(
            f"{target} is there and is no bundle; it is not overwritten",
            "name another folder, or remove it",
        )


def _rename(folder: Path, target: Path) -> None:
    refuse_other(target)
    if not target.exists():
        folder.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        target.rename(old / "old")
        folder.rename(target)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _run(run: BundledRun) -> Document:
    return {
        "run_id": run.run_id,
        "asked": list(run.asked),
        "baseline": run.baseline,
        "record": run.record,
        "contents": dict(run.contents),
        "artifacts": dict(run.artifacts),
        "products": {
            "files": [
                {"path": each.path, "sha256": each.sha256, "size": each.size}
                for each in run.products
            ],
            "kept": dict(run.kept),
            "findings": [record_documents.finding(each) for each in run.findings],
        },
        "hidden": list(run.hidden),
    }


def _data(data: BundledData) -> Document:
    return {
        "path": data.path,
        "place": data.place.value,
        "algorithm": data.algorithm,
        "digest": data.digest,
        "source": data.source,
        "revision": data.revision,
        "files": [
            {"path": each.path, "sha256": each.sha256, "digest": each.digest} for each in data.files
        ],
        "findings": [record_documents.finding(each) for each in data.findings],
    }
