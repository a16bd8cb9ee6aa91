"""Whether to write in colours, by the variables that other programs know."""

from __future__ import annotations

from collections.abc import Mapping


def wants_color(env: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether a stream gets colours: NO_COLOR forbids, FORCE_COLOR and CLICOLOR_FORCE ask for them,
    and else a terminal has them, unless it is dumb or CLICOLOR is 0.
    """
    if env.get("NO_COLOR"):
        return False
    if any(env.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    dumb = env.get("TERM", "dumb") in ("dumb", "unknown")
    return is_terminal and not dumb and env.get("CLICOLOR") != "0"
