"""What a training run records about itself, so that reprocheck can verify it.

Installed beside MLflow it needs no code; `log_provenance` does the same by one line.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "log_provenance"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (module attributes)
    """`log_provenance`, imported when it is first used: importing this package costs nothing."""
    if name == "log_provenance":
        from reprocheck_capture.provenance import log_provenance

        return log_provenance
    raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))
