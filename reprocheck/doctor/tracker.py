"""The tracker: whether it answers, and what it is; and our own client."""

from __future__ import annotations

from importlib import metadata

from reprocheck.doctor.base import Check, Kind, Request, Status
from reprocheck.errors import ReadError


def check_tracker(request: Request) -> tuple[Check, ...]:
    """Whether the tracker that was named, or that is here, can be read."""
    from reprocheck import trackers

    if request.tracking_uri is None:
        told = "none is named, and there is no mlflow.db here"
        mend = (
            "export MLFLOW_TRACKING_URI=…,  or name it by --tracking-uri or tracker.uri in "
            f"{request.config.name}"
        )
        return (_tracker(Status.MISSING, told, mend),)
    try:
        told = trackers.about(request.tracking_uri, request.scratch)
    except ReadError as error:
        return (_tracker(Status.ERROR, error.message, error.hint),)
    return (_tracker(Status.OK, told),)


def _tracker(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.TRACKER, name="tracker", status=status, told=told, mend=mend)


def check_client(request: Request) -> tuple[Check, ...]:
    """Our MLflow client; a second MLflow of another version has overwritten half of it."""
    del request
    ours = _version("mlflow-skinny")
    other = _version("mlflow")
    if ours is None:
        told, mend = "mlflow-skinny is not installed", "pip install --force-reinstall reprocheck"
        return (_client(Status.ERROR, told, mend),)
    if other not in (None, ours):
        told = f"mlflow {other} and mlflow-skinny {ours} overwrite each other's files"
        return (_client(Status.WARNING, told, f"pip install --force-reinstall mlflow=={ours}"),)
    return (_client(Status.OK, ours),)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _client(status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=Kind.MLFLOW, name="MLflow client", status=status, told=told, mend=mend)
