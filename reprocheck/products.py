"""What is inside a product: its numbers or its tensors, so that noise can be told from change.

Files come from strangers. Nothing is unpickled, nothing is unpacked beyond a limit, and whatever
cannot be read is still compared by its digest, with the reason told.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from reprocheck import arrays, numeric_text, weights
from reprocheck.errors import OpaqueError
from reprocheck.model import Numbers, Product, Tensors

MOST_BYTES = 256 * 2**20  # of a file with arrays or weights, packed or not
MOST_TEXT_BYTES = 16 * 2**20  # parsed text takes many times its size in memory

Reader = Callable[[bytes], Numbers | Tensors]

READERS: Mapping[str, tuple[Reader, int]] = {
    ".json": (numeric_text.read_json, MOST_TEXT_BYTES),
    ".jsonl": (numeric_text.read_json_lines, MOST_TEXT_BYTES),
    ".ndjson": (numeric_text.read_json_lines, MOST_TEXT_BYTES),
    ".csv": (numeric_text.read_table, MOST_TEXT_BYTES),
    ".tsv": (numeric_text.read_table, MOST_TEXT_BYTES),
    ".npy": (arrays.read_npy, MOST_BYTES),
    ".npz": (arrays.read_npz, MOST_BYTES),
    ".safetensors": (weights.read_safetensors, MOST_BYTES),
    ".onnx": (weights.read_onnx, MOST_BYTES),
}
"""By suffix: what reads a file, and the most bytes that it is given."""

_PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".bin"}


def is_readable(path: str) -> bool:
    """Whether the content of a file of this name may tell more than its digest."""
    return _suffix(path) in READERS


def with_content(product: Product, file: Path) -> Product:
    """The product with what is inside its file, or with the reason why only the digest counts.

    No file makes it fail.
    """
    try:
        return dataclasses.replace(product, content=_content(product, file))
    except OpaqueError as error:
        return dataclasses.replace(product, opaque=str(error))


def opaque(product: Product) -> Product:
    """The product with the reason why its kind of file is compared by its digest alone."""
    pickled = _suffix(product.path) in _PICKLES
    reason = "a file that may be a pickle is never opened" if pickled else "its kind is not read"
    return dataclasses.replace(product, opaque=reason)


def _suffix(path: str) -> str:
    return PurePosixPath(path.lower()).suffix


def _content(product: Product, file: Path) -> Numbers | Tensors:
    read, limit = READERS[_suffix(product.path)]
    if product.size > limit:
        raise OpaqueError(f"it is larger than {limit // 2**20} MB")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise OpaqueError("it can no longer be read") from error
    if hashlib.sha256(data).hexdigest() != product.sha256:
        raise OpaqueError("it has changed since its digest was taken")
    try:
        return read(data)
    except OpaqueError:
        raise
    except Exception as error:  # whatever a broken or hostile file makes a parser raise
        kind = _suffix(product.path).removeprefix(".")
        raise OpaqueError(f"it is no {kind} file that can be read") from error
