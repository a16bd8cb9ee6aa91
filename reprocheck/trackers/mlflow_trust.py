"""Which artifact roots may be asked where a run's own word does not count.

Whoever may log a run may say where its artifacts are. MLflow's client would send the tracker's
login to any web address, and read any folder of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from reprocheck.errors import ReadError
from reprocheck.hostile import cut, printable, redact

_CLOUDS = {"s3", "gs"}  # whose hosts are settled by the caller's own settings
_LOCAL = {"", "file", "sqlite"}


def check_root(uri: str, tracking_uri: str, named: Iterable[str]) -> None:
    """Raises `ReadError` unless an artifact root is the tracker's own, a bucket of a cloud whose
    host no run can name, or below one of the `named` addresses, which the config has.
    """
    plain = uri.partition("?")[0]
    if ".." not in plain.split("/"):
        if any(_is_below(uri, each) for each in named):
            return
        if _is_trackers(urlsplit(uri), urlsplit(tracking_uri), tracking_uri):
            return
    shown = cut(printable(redact(uri)), 200)
    raise ReadError(
        f"the run's artifacts are at {shown}, an address that only the run names",
        "if it is yours, name it in reprocheck.yaml of the base branch:  "
        f"tracker: {{artifact_roots: {{'{shown}': '{shown}'}}}}",
    )


def _is_below(uri: str, named: str) -> bool:
    start = named.rstrip("/")
    return uri in (named, start) or uri.startswith(f"{start}/")


def _is_trackers(root: SplitResult, tracker: SplitResult, tracking_uri: str) -> bool:
    local = tracker.scheme in _LOCAL and not tracking_uri.startswith("databricks")
    match root.scheme:
        case "" | "file":
            return local
        case "mlflow-artifacts":
            return not root.netloc or _host(root) == _host(tracker)
        case "http" | "https":
            return (root.scheme, _host(root)) == (tracker.scheme, _host(tracker))
        case "dbfs":
            return tracking_uri.startswith("databricks") and not root.netloc
        case scheme:
            return scheme in _CLOUDS


def _host(address: SplitResult) -> str:
    return address.netloc.rpartition("@")[2].lower()
