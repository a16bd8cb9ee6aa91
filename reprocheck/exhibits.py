"""Which products of a run can be looked at, and what both sides show of them.

Files come from strangers: only a few kinds are opened, within limits of bytes, pixels and time, and
one that cannot be read is told by name and digest. None of it counts for a verdict.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from reprocheck import pictures, tables
from reprocheck.errors import OpaqueError
from reprocheck.exhibit_documents import (
    MOST_BYTES,
    MOST_IN_ALL,
    exhibit,
    size_of,
    without_content,
)
from reprocheck.model import Exhibit, ExhibitKind, ExhibitSide, Grid, Picture, Product
from reprocheck.tables import NoTableError, thin

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_FILE_BYTES = 32_000_000  # of an image's file
MOST_LISTED = 1_000  # that are left out; the rest is told among the products
LONGEST_S = 20.0  # for all of them
MOST_READ = 400  # files
MOST_REFUSED = 8  # for want of room, before no further one is read in vain

_TOO_LONG = "reading the exhibits before it took too long"
_NO_ROOM = f"the exhibits before it take up the {MOST_IN_ALL // 1000} KB that there are for them"
_TOO_LARGE = f"its numbers take more than {MOST_BYTES // 1000} KB"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A product of the original and the same of one rerun."""

    original: Product  # its path is the exhibit's
    rerun: Product | None  # None: missing
    original_file: Path | None  # None: not at hand
    rerun_file: Path | None

    @property
    def differs(self) -> bool:
        """Whether the files are other ones, as far as is known."""
        return self.rerun is None or self.original.sha256 != self.rerun.sha256


@dataclass(slots=True)
class _Room:
    """What there still is of bytes, files and time."""

    bytes: int = MOST_IN_ALL
    files: int = MOST_READ
    refused: int = 0  # for want of room
    until: float = field(default_factory=lambda: time.monotonic() + LONGEST_S)

    def enter(self) -> None:
        """Counts a file that is about to be read. Raises `OpaqueError` where none is any more."""
        if self.refused >= MOST_REFUSED:
            raise OpaqueError(_NO_ROOM)
        if self.files <= 0 or time.monotonic() > self.until:
            raise OpaqueError(_TOO_LONG)
        self.files -= 1

    def take(self, size: int) -> None:
        """Takes so many bytes. Raises `OpaqueError`."""
        if size > self.bytes:
            self.refused += 1
            raise OpaqueError(_NO_ROOM)
        self.bytes -= size


def may_be_exhibit(path: str) -> bool:
    """Whether a product of this name may be one."""
    return _is_image(path) or tables.is_table(path)


def exhibits(pairs: Iterable[Pair], trial: int) -> tuple[Exhibit, ...]:
    """The exhibits among an original's products, beside those of the rerun of index `trial`.

    Those that differ come first, then by path, and get their room in this order. A folder with a
    model holds none: what is there describes it.
    """
    found = list(pairs)
    models = tuple(_models(pair.original.path for pair in found))
    may_be = (
        pair
        for pair in found
        if may_be_exhibit(pair.original.path) and not pair.original.path.startswith(models)
    )
    room = _Room()
    ordered = sorted(may_be, key=lambda pair: (not pair.differs, pair.original.path))
    shown = (_exhibit(pair, trial, room) for pair in ordered)
    known = [each for each in shown if each is not None]
    told = list(itertools.accumulate((bool(each.left_out) for each in known), initial=0))
    return tuple(each for each, before in zip(known, told, strict=False) if before < MOST_LISTED)


def _models(paths: Iterable[str]) -> Iterator[str]:
    for path in map(PurePosixPath, paths):
        if path.name == "MLmodel" and path.parent.name:
            yield f"{path.parent.as_posix()}/"


def _is_image(path: str) -> bool:
    return PurePosixPath(path.lower()).suffix in pictures.SUFFIXES


def _exhibit(pair: Pair, trial: int, room: _Room) -> Exhibit | None:
    """The exhibit with its contents, or with why they are left out; None: it is none."""
    path = pair.original.path
    kind = ExhibitKind.IMAGE if _is_image(path) else tables.kind_by_name(path)
    empty = Exhibit(
        path=path,
        kind=kind or ExhibitKind.MATRIX,
        original=_side(pair.original),
        rerun=_side(pair.rerun),
        trial=trial,
    )
    try:
        room.enter()
        found = _picture(empty, pair) if kind is ExhibitKind.IMAGE else _table(empty, pair)
        room.take(size_of(exhibit(found)))
    except NoTableError:
        return None
    except OpaqueError as error:
        return without_content(empty, str(error)) if kind else None
    except (OSError, ValueError, MemoryError):  # of an image that is decoded, and not written
        return without_content(empty, "it cannot be made an image of the report") if kind else None
    return found


def _side(product: Product | None) -> ExhibitSide:
    if product is None:
        return ExhibitSide(sha256="", size=None)
    return ExhibitSide(sha256=product.sha256.lower(), size=product.size)


def _files(pair: Pair, most: int) -> tuple[bytes, bytes | None]:
    """What both sides left; None: the same, or nothing. Raises `OpaqueError`."""
    original = _bytes("the original's", pair.original, pair.original_file, most)
    if pair.rerun is None or not pair.differs:
        return original, None
    return original, _bytes("the rerun's", pair.rerun, pair.rerun_file, most)


def _bytes(whose: str, product: Product, file: Path | None, most: int) -> bytes:
    if not product.sha256 or file is None:
        raise OpaqueError(f"{whose} was not read")
    if product.size > most:
        raise OpaqueError(f"{whose} has over {most // 1_000_000} MB")
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        raise OpaqueError(f"{whose} can no longer be read") from error
    if hashlib.sha256(data).hexdigest() != product.sha256.lower():
        raise OpaqueError(f"{whose} has changed since its digest was taken")
    return data


# --- images -------------------------------------------------------------------------------


def _picture(empty: Exhibit, pair: Pair) -> Exhibit:
    ours, theirs = _files(pair, MOST_FILE_BYTES)
    original = _decoded("the original's", ours)
    if theirs is None:
        return _with(empty, [pictures.fitted(original, _png_bytes(empty, 1))])
    rerun = _decoded("the rerun's", theirs)
    empty = dataclasses.replace(empty, pixels=pictures.differing(original, rerun))
    sides = [original] if empty.pixels == 0 else [original, rerun]
    most = _png_bytes(empty, len(sides))
    return _with(empty, [pictures.fitted(side, most) for side in sides])


def _decoded(whose: str, data: bytes) -> Image:
    try:
        return pictures.decode(data)
    except OpaqueError as error:
        raise OpaqueError(f"{whose}: {error}") from error


def _png_bytes(empty: Exhibit, sides: int) -> int:
    """The most bytes of each PNG, which base64 makes a third longer."""
    nothing = Picture(png=b"", width=pictures.LONGEST_SIDE, height=pictures.LONGEST_SIDE)
    rest = size_of(exhibit(_with(empty, [nothing] * sides)))
    return (MOST_BYTES - rest) // sides // 4 * 3


def _with(empty: Exhibit, contents: Sequence[Picture | Grid]) -> Exhibit:
    original, *others = contents
    rerun = others[0] if others else None
    return dataclasses.replace(
        empty,
        original=dataclasses.replace(empty.original, content=original),
        rerun=dataclasses.replace(empty.rerun, content=rerun),
    )


# --- tables -------------------------------------------------------------------------------


def _table(empty: Exhibit, pair: Pair) -> Exhibit:
    ours, theirs = _files(pair, tables.MOST_BYTES)
    kind, original = tables.read_table(pair.original.path, ours)
    grids = [original]
    if theirs is not None:
        try:
            other, rerun = tables.read_table(pair.original.path, theirs)
        except NoTableError as error:
            raise OpaqueError("the rerun's is no such table of numbers") from error
        if other is not kind:
            raise OpaqueError(f"the rerun's is no {kind.value}")
        grids.append(rerun)
    return _fitting(dataclasses.replace(empty, kind=kind), grids)


def _fitting(empty: Exhibit, grids: Sequence[Grid]) -> Exhibit:
    """A curve with as many of its points as fit."""
    for most in (tables.MOST_POINTS, 200, 80) if empty.kind is ExhibitKind.CURVE else (0,):
        found = _with(empty, [thin(grid, most) if most else grid for grid in grids])
        if size_of(exhibit(found)) <= MOST_BYTES:
            return found
    raise OpaqueError(_TOO_LARGE)
