"""The content of numpy's files, never unpickled and never unpacked beyond a limit."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reprocheck.errors import OpaqueError
from reprocheck.model import Numbers, Tensors
from reprocheck.numeric_text import MOST_EXACT, MOST_NUMBERS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

MOST_UNPACKED = 256 * 2**20
MOST_MEMBERS = 10_000
# Coarsest first: where a file has several types, its double ones came out of the coarse ones.
_FLOATS = ("float16", "float32", "float64")


def read_npy(data: bytes) -> Numbers:
    """The numbers of one array."""
    arrays = {"": read_array(data)}
    if _count(arrays) > MOST_NUMBERS:
        raise OpaqueError(f"it holds more than {MOST_NUMBERS} numbers")
    return _numbers(arrays)


def read_npz(data: bytes) -> Numbers | Tensors:
    """The numbers of an archive of arrays, in the order of their names; of many, their digests."""
    arrays = {name: read_array(member) for name, member in _members(data).items()}
    if _count(arrays) > MOST_NUMBERS:
        return Tensors(
            digests={name: f"{_head(array)}:{_digest(array)}" for name, array in arrays.items()}
        )
    return _numbers(arrays)


def _members(data: bytes) -> Mapping[str, bytes]:
    members, left = {}, MOST_UNPACKED
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise OpaqueError(f"it holds more than {MOST_MEMBERS} arrays")
        for info in infos:
            # Other methods can ask for gigabytes before the first byte comes out.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise OpaqueError("it is packed in a way that numpy does not use")
            with archive.open(info) as member:  # its size may be a lie
                content = member.read(left + 1)
            left -= len(content)
            if left < 0:
                raise OpaqueError(f"it unpacks to more than {MOST_UNPACKED // 2**20} MB")
            members[info.filename.removesuffix(".npy")] = content
    return members


def read_array(data: bytes) -> Array:
    """The array as numpy.load gives it, but nothing is allocated that the file does not hold."""
    import numpy as np
    from numpy.lib import format as npy

    stream = io.BytesIO(data)
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = headers[npy.read_magic(stream)](stream)
    if dtype.hasobject:
        raise OpaqueError("it holds pickled objects, which are never opened")
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) - stream.tell():
        raise OpaqueError("its size is not that of the array that it describes")
    if count * dtype.itemsize == 0:
        return np.empty(shape, dtype)
    array = np.frombuffer(data, dtype, count, stream.tell())
    return array.reshape(shape, order="F" if fortran else "C")


def _count(arrays: Mapping[str, Array]) -> int:
    return sum(array.size for array in arrays.values())


def _numbers(arrays: Mapping[str, Array]) -> Numbers:
    rest = hashlib.sha256()
    values: list[float] = []
    floats = set()
    for name, array in sorted(arrays.items()):
        rest.update(f"{len(name)}:{name}{_head(array)};".encode())
        found = _values(array)
        if found is None:
            rest.update(_digest(array).encode())
            continue
        values += found.astype("float64").tolist()
        floats.add(found.dtype.name)
    dtype = next((name for name in _FLOATS if name in floats), "float64")
    return Numbers(skeleton=rest.hexdigest(), values=tuple(values), dtype=dtype)


def _values(array: Array) -> Array | None:
    """The numbers of an array, real parts beside imaginary ones; None: they fit no doubles."""
    flat = array.ravel()
    if flat.dtype.kind in "iu":
        return flat if all(abs(int(x)) <= MOST_EXACT for x in _ends(flat)) else None
    if flat.dtype.name in ("complex64", "complex128"):
        flat = flat.astype(flat.dtype.name).view("float32" if flat.itemsize == 8 else "float64")
    return flat if flat.dtype.name in _FLOATS else None


def _ends(array: Array) -> tuple[Any, ...]:
    return (array.min(), array.max()) if array.size else ()


def _head(array: Array) -> str:
    return f"{array.dtype.newbyteorder('<').str}{list(array.shape)}"


def _digest(array: Array) -> str:
    """Of the elements in C order and little-endian, however the file had them."""
    elements = array.astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(elements.tobytes()).hexdigest()
