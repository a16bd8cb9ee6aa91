"""How numbers are written, in one place, so that all reports say the same."""

from __future__ import annotations

import math


def format_value(x: float) -> str:
    """A number with up to 6 significant digits; NaN, ∞ and −∞ by name."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    return f"{x:.6g}"
