"""How one product differs from another: by its numbers, its tensors, or only by its bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reprocheck.compare.ladder import TOLERANCES, Tolerance
from reprocheck.model import Numbers, Product, Tensors
from reprocheck.numbers import counted, format_size

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SAME, TOLERANCE, NUMBERS, TENSORS, DIFFERS, STRUCTURE = REASONS = (
    "same",
    "tolerance",
    "numbers",
    "tensors",
    "differs",
    "structure",
)
"""What was found of a product, from the same content to one of another structure."""

_NAMES_TOLD = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinship:
    """How a rerun's product relates to the original's."""

    reason: str
    text: str  # what differs, in words

    @property
    def rank(self) -> int:
        """The larger, the further apart."""
        return REASONS.index(self.reason)


def kinship(original: Product, rerun: Product) -> Kinship:
    """Compares by digest, then by what is inside, where that is known of both."""
    if original.sha256.lower() == rerun.sha256.lower():
        return Kinship(reason=SAME, text="")
    match original.content, rerun.content:
        case Numbers() as ours, Numbers() as theirs:
            return _of_numbers(ours, theirs)
        case Tensors() as ours, Tensors() as theirs:
            return _of_tensors(ours, theirs)
        case _:
            why = original.opaque or rerun.opaque
            compared = f" (compared by digest: {why})" if why else ""
            return Kinship(reason=DIFFERS, text=f"other content{compared}")


def _of_numbers(ours: Numbers, theirs: Numbers) -> Kinship:
    if ours.skeleton != theirs.skeleton or len(ours.values) != len(theirs.values):
        text = "other text, rows, keys or shapes around its numbers"
        return Kinship(reason=STRUCTURE, text=text)
    import numpy as np

    x, y = np.array(ours.values, "float64"), np.array(theirs.values, "float64")
    apart = ~_same_bits(x, y)
    if not apart.any():
        return Kinship(reason=SAME, text="")
    tolerance = _tolerance(ours.dtype, x, y)
    close = _is_close(x, y, tolerance)
    if close[apart].all():
        text = f"equal to {format_size(tolerance.relative)}{_most_ulps(x, y, tolerance)}"
        return Kinship(reason=TOLERANCE, text=text)
    beyond = apart & ~close
    text = _differ(int(beyond.sum()), len(x), "number")
    return Kinship(reason=NUMBERS, text=text + _largest(x[beyond], y[beyond]))


def _of_tensors(ours: Tensors, theirs: Tensors) -> Kinship:
    names = [*ours.digests, *(name for name in theirs.digests if name not in ours.digests)]
    differing = [name for name in names if ours.digests.get(name) != theirs.digests.get(name)]
    if not differing:
        return Kinship(reason=SAME, text="")
    told = ", ".join(differing[:_NAMES_TOLD]) + (", …" if len(differing) > _NAMES_TOLD else "")
    text = f"{_differ(len(differing), len(names), 'tensor')} ({told})"
    if any(_shape(ours.digests.get(n, "")) != _shape(theirs.digests.get(n, "")) for n in differing):
        return Kinship(reason=STRUCTURE, text=f"{text}, in name, type or shape")
    return Kinship(reason=TENSORS, text=text)


def _differ(count: int, of: int, noun: str) -> str:
    return f"{count} of {counted(of, noun)} differ{'s' if count == 1 else ''}"


def _shape(digest: str) -> str:
    return digest.rpartition(":")[0]


def _tolerance(dtype: str | None, x: Array, y: Array) -> Tolerance:
    """By the file's type; a text's is float32 if all its fractions are, as of metrics."""
    if dtype is not None:
        return TOLERANCES.get(dtype, TOLERANCES["float64"])
    import numpy as np

    values = np.concatenate([x, y])
    fractions = values[np.isfinite(values) & (values != np.floor(values))]
    with np.errstate(over="ignore"):
        single = fractions.size > 0 and bool((fractions.astype("float32") == fractions).all())
    return TOLERANCES["float32" if single else "float64"]


def _same_bits(x: Array, y: Array) -> Array:
    import numpy as np

    equal = (x == y) & (np.signbit(x) == np.signbit(y))
    both: Array = equal | (np.isnan(x) & np.isnan(y))
    return both


def _is_close(x: Array, y: Array, tolerance: Tolerance) -> Array:
    """`ladder.same_number` of every pair; but two integers are counts, and equal or not."""
    import numpy as np

    with np.errstate(all="ignore"):
        absolute = np.minimum(tolerance.absolute, 1e-3 * np.abs(x))
        relative = tolerance.relative * np.maximum(np.abs(x), np.abs(y))
        inside = np.abs(x - y) <= np.maximum(absolute, relative)
        counts = (x == np.floor(x)) & (y == np.floor(y))
    close: Array = (x == y) | (inside & np.isfinite(x) & np.isfinite(y) & ~counts)
    return close


def _most_ulps(x: Array, y: Array, tolerance: Tolerance) -> str:
    import numpy as np

    apart = (x != y) & ~np.isnan(x)
    distances = abs(_ordinals(x[apart], tolerance.dtype) - _ordinals(y[apart], tolerance.dtype))
    most = int(distances.max()) if distances.size else 0
    return f", at most {most} ULP apart in {tolerance.dtype}"


def _ordinals(x: Array, dtype: str) -> Array:
    """`ladder.ulps` of many: the place of each among all values of the dtype, 0 for both zeros."""
    import numpy as np

    integer = {"float64": "int64", "float16": "int16"}.get(dtype, "int32")
    with np.errstate(all="ignore"):
        narrow = np.abs(x).astype("float32" if dtype == "bfloat16" else dtype)
    bits = narrow.view(integer).astype("int64")
    if dtype == "bfloat16":
        bits >>= 16  # a bfloat16 is the upper half of a float32
    places: Array = np.where(np.signbit(x), -bits, bits)
    return places


def _largest(x: Array, y: Array) -> str:
    most = float(_relative(x, y).max())
    return f", the largest relative difference is {format_size(most)}"


def _relative(x: Array, y: Array) -> Array:
    """|x - y| to the larger of the two; 0 for a pair alike, infinite where one is not finite."""
    import numpy as np

    with np.errstate(all="ignore"):
        larger = np.maximum(np.abs(x), np.abs(y))
        shares: Array = np.where(x == y, 0.0, np.abs(x / larger - y / larger))
    shares[np.isnan(shares)] = np.where(np.isnan(x) & np.isnan(y), 0.0, math.inf)[np.isnan(shares)]
    return shares
