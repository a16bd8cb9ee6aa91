"""How durations are written, in one place."""

from __future__ import annotations

import math


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
