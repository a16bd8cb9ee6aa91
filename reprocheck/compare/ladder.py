"""The tolerance ladder: the same bits, or the same number up to floating-point arithmetic."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from reprocheck.model import Metric

# MLflow's SQL stores keep ±inf as ±1.7976931348623157e308.
_LARGEST_STORED = 1.797e308


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerance:
    """How far two results of the same arithmetic may lie apart."""

    dtype: str
    relative: float
    absolute: float

    def width(self, original: float, rerun: float = 0.0) -> float:
        """How far the two may lie apart; without a rerun, how far one may lie from the original."""
        # Capped, so that a loss of 1e-6 does not pass by the absolute tolerance alone.
        absolute = min(self.absolute, 1e-3 * abs(original))
        return max(absolute, self.relative * max(abs(original), abs(rerun)))


TOLERANCES = {
    "float64": Tolerance(dtype="float64", relative=1e-9, absolute=1e-12),
    "float32": Tolerance(dtype="float32", relative=1.3e-6, absolute=1e-5),
    "float16": Tolerance(dtype="float16", relative=1e-3, absolute=1e-5),
    "bfloat16": Tolerance(dtype="bfloat16", relative=1.6e-2, absolute=1e-5),
}
"""By dtype; the relative ones below float64 are those of torch.testing.assert_close."""


def storable(x: float) -> float:
    """The value as every store can hold it: what a SQL store clamped is infinite again."""
    return math.copysign(math.inf, x) if abs(x) >= _LARGEST_STORED else x


def same_bits(original: float, rerun: float) -> bool:
    """Whether both are the same double; all NaNs are one.

    SQL stores drop the sign of -0.0, so a rerun's -0.0 equals an original +0.0; an original
    -0.0 comes from a store that keeps signs, and differs from +0.0.
    """
    if math.isnan(original) or math.isnan(rerun):
        return math.isnan(original) and math.isnan(rerun)
    if storable(original) != storable(rerun):
        return False
    return original != 0.0 or not (_is_negative(original) and not _is_negative(rerun))


def same_number(original: float, rerun: float, tolerance: Tolerance) -> bool:
    """Whether both are equal up to the arithmetic's tolerance, or non-finite alike."""
    if same_bits(original, rerun):
        return True
    if not (math.isfinite(storable(original)) and math.isfinite(storable(rerun))):
        return False
    return abs(original - rerun) <= tolerance.width(original, rerun)


def tolerance_of(dtype: str | None, metrics: Iterable[Metric]) -> Tolerance:
    """The declared dtype's tolerance; else float32's if every logged value is a float32."""
    if dtype in TOLERANCES:
        return TOLERANCES[dtype]
    values = (point.value for metric in metrics for point in metric.history)
    return TOLERANCES["float32" if all(is_float32(value) for value in values) else "float64"]


def is_float32(x: float) -> bool:
    """Whether the double is exactly a float32; true of NaN and the infinities."""
    return math.isnan(x) or nearest_float32(x) == x


def ulps(original: float, rerun: float, dtype: str) -> int | None:
    """How many values of the dtype lie between the two; None where one is not finite."""
    if not (math.isfinite(storable(original)) and math.isfinite(storable(rerun))):
        return None
    try:
        return abs(_ordinal(original, dtype) - _ordinal(rerun, dtype))
    except OverflowError:  # too large for the dtype
        return abs(_ordinal(original, "float64") - _ordinal(rerun, "float64"))


def _ordinal(x: float, dtype: str) -> int:
    """The place of a value among all values of its dtype, 0 for both zeros."""
    code, integer = {"float64": ("d", "Q"), "float16": ("e", "H")}.get(dtype, ("f", "I"))
    bits = int(struct.unpack(f"<{integer}", struct.pack(f"<{code}", abs(x)))[0])
    if dtype == "bfloat16":
        bits >>= 16  # a bfloat16 is the upper half of a float32
    return -bits if _is_negative(x) else bits


def nearest_float32(x: float) -> float:
    """The value rounded to a float32, infinite where it is too large for one."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", x))[0])
    except OverflowError:
        return math.copysign(math.inf, x)


def _is_negative(x: float) -> bool:
    return math.copysign(1.0, x) < 0
