"""How numbers are written: every sentence and every report takes them from here."""

from __future__ import annotations

import math
import re

from reprocheck.model import Scale

_MOST_DIGITS = 17  # enough to tell any two doubles apart
_WHOLE = 1e15  # below this a whole number is written out


def format_value(x: float, beside: float = 0.0) -> str:
    """A metric's value in 6 significant digits, or as many as show a difference of `beside`."""
    if not math.isfinite(x):
        return _non_finite(x)
    if x.is_integer() and abs(x) < _WHOLE:
        return str(int(x))
    return _tidy(f"{x:.{_digits(x, beside)}g}")


def format_difference(x: float) -> str:
    """A difference with its sign, in 4 significant digits; zero has no sign."""
    if math.isfinite(x) and x == 0.0:
        return "0"
    sign = "+" if x > 0 else ""
    return sign + format_size(x)


def format_size(x: float) -> str:
    """A spread, a margin or a tolerance in 4 significant digits."""
    if not math.isfinite(x):
        return _non_finite(x)
    if x.is_integer() and abs(x) < _WHOLE:
        return str(int(x))
    return _tidy(f"{x:.4g}")


_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def format_bytes(size: float) -> str:
    """A number of bytes in 3 significant digits: `8.4 GB`."""
    unit, name = next(((unit, name) for unit, name in _UNITS if size >= unit), (1.0, "bytes"))
    return f"{format_size(float(f'{size / unit:.3g}'))} {name}"


def format_percent(x: float) -> str:
    """A percentage, given in percent, in 3 significant digits: `90 %`, `98.3 %`, `0.025 %`."""
    return f"{x:.0f} %" if abs(x) >= 100 else f"{_tidy(f'{x:.3g}')} %"


def _digits(x: float, beside: float) -> int:
    if beside == 0.0 or not math.isfinite(beside) or x == 0.0:
        return 6
    apart = math.floor(math.log10(abs(x))) - math.floor(math.log10(abs(beside)))
    return min(_MOST_DIGITS, max(6, apart + 2))


def _non_finite(x: float) -> str:
    if math.isnan(x):
        return "NaN"
    return "inf" if x > 0 else "-inf"


def _tidy(text: str) -> str:
    """An exponent without a plus sign and leading zeros: 1.5e-06 as 1.5e-6."""
    return re.sub(r"e(-?)\+?0*(\d)", r"e\1\2", text)


def counted(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_factor(x: float) -> str:
    """A difference of natural logarithms as the relative change that it is, with its sign."""
    if math.isnan(x) or x == 0.0:
        return "NaN" if math.isnan(x) else "0 %"
    percent = 100 * math.expm1(x) if x < 700 else math.inf
    return ("+" if x > 0 else "") + (format_percent(percent) if percent < math.inf else "inf")


def format_factor_size(x: float) -> str:
    """As `format_factor`, of a size: without the sign."""
    return format_factor(abs(x)).removeprefix("+")


def format_change(x: float, scale: Scale) -> str:
    """A difference as it is judged: in the metric's unit, or of logarithms as a factor."""
    return format_factor(x) if scale is Scale.LOG else format_difference(x)


def format_spread(x: float, scale: Scale) -> str:
    """A spread or half-width as it is judged, without a sign."""
    return format_factor_size(x) if scale is Scale.LOG else format_size(x)


def format_width(low: float, high: float, scale: Scale) -> str:
    """A margin of half-widths: `±0.005`, or both ends where they differ, `-0.01…+0.005`."""
    if low == high and scale is Scale.LINEAR:
        return f"±{format_size(high)}"
    return f"{format_change(-low, scale)}…{format_change(high, scale)}"
