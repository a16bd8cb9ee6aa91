"""What a sandbox refused to a failed trial or setup, from its own words."""

from __future__ import annotations

import re

TRIAL = "the trial"
_NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|Network is unreachable|"
    r"Could not resolve host|No address associated with hostname|Failed to resolve|"
    r"unable to resolve host",
    re.IGNORECASE,
)
_HOSTS = (
    re.compile(r"host='([\w.-]+)'"),
    re.compile(r"resolve (?:host(?: address)?:? )?['‘]?([\w-]+(?:\.[\w-]+)+)"),
    re.compile(r"https?://([\w.-]+)"),
)
_WRITTEN = re.compile(r"Read-only file system: '(/[^'\n]+)'|'?(/[^'\n:]+)'?: Read-only file")
_MISSED = re.compile(r"No such file or directory: '(/[^'\n]+)'|'?(/[^'\n:]+)'?: No such file or")


def network(output: str, who: str, where: str) -> str:
    """Says that somebody wanted the network, and which host, if the output does; else ""."""
    if not _NETWORK.search(output):
        return ""
    found = (match[1] for pattern in _HOSTS if (match := pattern.search(output)))
    host = next(found, None)
    wanted = f" ({host})" if host else ""
    allows = "limits.network: full" if who == TRIAL else "environment.network: build"
    return (
        f"{who} wanted the network{wanted}, which it does not have in {where}; "
        f"{allows} in reprocheck.yaml allows it"
    )


def written(output: str) -> str | None:
    """The last path that could not be written because it is read-only."""
    return _last(_WRITTEN, output)


def missed(output: str) -> str | None:
    """The last absolute path that was not there."""
    return _last(_MISSED, output)


def _last(pattern: re.Pattern[str], output: str) -> str | None:
    found = [match[1] or match[2] for match in pattern.finditer(output)]
    return found[-1] if found else None
