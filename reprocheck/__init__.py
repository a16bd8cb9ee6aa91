"""reprocheck: does this training run reproduce?

`verify(Request(...))` returns a `Report`; both are imported when they are first used, so that
`import reprocheck` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reprocheck.account import Request
    from reprocheck.model import Report, Verdict
    from reprocheck.pipeline import verify

__version__ = "0.1.0"
__all__ = ["Report", "Request", "Verdict", "__version__", "verify"]

_HOMES = {
    "Report": "reprocheck.model",
    "Verdict": "reprocheck.model",
    "Request": "reprocheck.account",
    "verify": "reprocheck.pipeline",
}


def __getattr__(name: str) -> object:
    """The public names, from the modules that define them."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
