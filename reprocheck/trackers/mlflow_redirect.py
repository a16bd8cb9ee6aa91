"""A trial's own MLflow store: a file store in the trial's folder, which needs no server."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck.errors import RerunError
from reprocheck.model import Point
from reprocheck.trackers.base import LoggedRun
from reprocheck.trackers.mlflow_collect import collect_runs, last_points

INJECTED = Path(__file__).parent / "injected"

# What could lead a trial to another tracker, another run or someone's credentials.
_UNSET = (
    "DATABRICKS_HOST",
    "DATABRICKS_TOKEN",
    "MLFLOW_ARTIFACT_URI",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_RUN_ID",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MlflowRedirection:
    """The trial's folder: the store in `mlruns`, the hook that leads there in `injected`."""

    folder: Path

    @property
    def store(self) -> Path:
        """The root of the file store; it appears when the trial first logs."""
        return self.folder / "mlruns"

    @property
    def env(self) -> Mapping[str, str]:
        """Variables to set in the trial; "" unsets, PYTHONPATH goes in front of the trial's."""
        uri = self.store.as_uri()
        injected = str(self.folder / "injected")
        return {
            **dict.fromkeys(_UNSET, ""),
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_REGISTRY_URI": uri,
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "REPROCHECK_CAPTURE": "off",  # a trial's record is the report
            "REPROCHECK_STORE": uri,
            "REPROCHECK_REDIRECT": injected,
            "PYTHONPATH": injected,
        }

    def peek(self) -> Mapping[str, Point]:
        """The last point of each metric logged so far."""
        return last_points(self.store)

    def collect(self) -> tuple[LoggedRun, ...]:
        """All runs that the trial logged, by start time; none is an empty tuple.

        Raises `RerunError` when the trial's store cannot be read.
        """
        try:
            return collect_runs(self.store)
        except OSError as error:
            raise RerunError(
                f"Reading what the trial logged in {self.store}: {error.strerror or error}.",
                "Check the permissions of that folder; the training may have changed them.",
            ) from error


def redirect(folder: Path) -> MlflowRedirection:
    """Prepares `folder` (made if absent) to receive what a trial logs with MLflow."""
    injected = folder.absolute() / "injected"
    # A copy for each trial: a container sees the trial's folder but not this package.
    injected.mkdir(parents=True, exist_ok=True)
    for source in sorted(INJECTED.glob("*.py")):
        shutil.copyfile(source, injected / source.name)
    return MlflowRedirection(folder=folder.absolute())
