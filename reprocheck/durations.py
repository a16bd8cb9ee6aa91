"""How durations are written and read, in one place."""

from __future__ import annotations

import math
import re
from datetime import datetime

from reprocheck.errors import UsageError


def format_duration(seconds: float) -> str:
    """A duration as one says it: 0.4 s, 42 s, 3 min 20 s, 1 h 05 min."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60:02d} s" if whole % 60 else "")
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60:02d} min" if minutes % 60 else "")


def days(old: datetime, new: datetime) -> tuple[str, str]:
    """The days of two moments in UTC; their times, too, where both are of one day."""
    if old.date() != new.date():
        return old.date().isoformat(), new.date().isoformat()
    return f"{old:%Y-%m-%d %H:%M:%S} UTC", f"{new:%Y-%m-%d %H:%M:%S} UTC"


def parse_duration(text: str, place: str) -> float:
    """Seconds of a text such as 90, 90s, 30m, 4h or 1h30m; `place` is where it was written.

    Raises `UsageError`.
    """
    units = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}
    text = text.strip()
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)([dhms]?)", text)
    seconds = sum(float(number) * units[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not seconds > 0:
        raise UsageError(
            f"{place}: '{text}' is no duration", "write for example 90s, 30m, 4h or 1h30m"
        )
    return seconds
