"""Reads MLflow's file store as files: what a trial logged, also when it was killed in the middle.

Layout, from MLflow 1.30 to 3: `<experiment>/<run>/{meta.yaml,params,tags,metrics,artifacts}` and,
since MLflow 3, `<experiment>/models/<model>/{meta.yaml,artifacts}`. A name with a slash is a
folder; a line of a metric is `timestamp value step`, with a dataset's name and digest behind.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reprocheck.model import Metric, Point, Product
from reprocheck.trackers.base import LoggedRun
from reprocheck.trackers.mlflow_lineage import PARENT_TAG, by_start, place_runs
from reprocheck.trackers.mlflow_models import model_folders

_FINISHED = 3  # MLflow's RunStatus, as meta.yaml keeps it
_MAX_PRODUCTS = 20_000
_TAIL = 400  # bytes; a line of a metric is much shorter


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    """A run's folder, and what could be read of it."""

    path: Path
    meta: Mapping[str, Any]  # empty while it is being written
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def start_ms(self) -> int:
        start = self.meta.get("start_time")
        return start if isinstance(start, int) else 0


def last_points(store: Path) -> Mapping[str, Point]:
    """The last logged point of each metric; of several runs the latest counts."""
    found: dict[str, Point] = {}
    for run in _run_paths(store):
        for name, path in _named_files(run / "metrics"):
            point = _last_point(path)
            if point and (name not in found or point.timestamp_ms >= found[name].timestamp_ms):
                found[name] = point
    return found


def collect_runs(store: Path) -> tuple[LoggedRun, ...]:
    """All runs of the store by start time. Raises `OSError` when a folder cannot be read."""
    folders = sorted(
        (_open_folder(path) for path in _run_paths(store)),
        key=lambda found: by_start(found.start_ms, found.tags, found.parameters, found.run_id),
    )
    lineages = place_runs(
        {folder.run_id: folder.tags.get(PARENT_TAG) for folder in folders},
        {folder.run_id: folder.parameters for folder in folders},
    )
    models = _models_by_run(store)
    files = {
        folder.run_id: _files(folder.path / "artifacts", models.get(folder.run_id, {}))
        for folder in folders
    }
    return tuple(
        LoggedRun(
            run_id=folder.run_id,
            name=folder.tags.get("mlflow.runName") or str(folder.meta.get("run_name") or ""),
            finished=folder.meta.get("status") == _FINISHED,
            parameters=folder.parameters,
            metrics=_metrics(folder.path / "metrics"),
            tags=folder.tags,
            lineage=lineages[folder.run_id],
            products=tuple(_product(*found) for found in files[folder.run_id].items()),
            files=files[folder.run_id],
        )
        for folder in folders
    )


def _run_paths(store: Path) -> Iterator[Path]:
    # The trash, experiments' own tags and logged models are no runs.
    if not store.is_dir():
        return
    for experiment in sorted(store.iterdir()):
        if experiment.name in {".trash", "models"} or not experiment.is_dir():
            continue
        for path in sorted(experiment.iterdir()):
            if (path / "metrics").is_dir() or (path / "params").is_dir():
                yield path


def _open_folder(path: Path) -> _Folder:
    return _Folder(
        path=path,
        meta=_read_meta(path / "meta.yaml"),
        parameters=_texts(path / "params"),
        tags=_texts(path / "tags"),
    )


def _read_meta(path: Path) -> Mapping[str, Any]:
    try:
        meta = yaml.safe_load(path.read_bytes())
    except (FileNotFoundError, yaml.YAMLError, UnicodeDecodeError):
        return {}  # being written when the trial was stopped
    return meta if isinstance(meta, dict) else {}


def _named_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> Mapping[str, str]:
    return {name: path.read_text("utf-8", "replace") for name, path in _named_files(folder)}


def _metrics(folder: Path) -> Mapping[str, Metric]:
    metrics = {}
    for name, path in _named_files(folder):
        lines = _whole_lines(path.read_bytes())
        points = [point for line in lines if (point := _parse_point(line))]
        if points:
            points.sort(key=lambda point: (point.step, point.timestamp_ms))
            metrics[name] = Metric(name=name, history=tuple(points))
    return metrics


def _whole_lines(content: bytes) -> list[str]:
    # A last line without its end is being written: it may hold half a number.
    return content.decode("utf-8", "replace").split("\n")[:-1]


def _parse_point(line: str) -> Point | None:
    parts = line.split(" ")
    try:
        step = int(parts[2]) if len(parts) > 2 else 0
        return Point(step=step, timestamp_ms=int(parts[0]), value=float(parts[1]))
    except (ValueError, IndexError):
        return None


def _last_point(path: Path) -> Point | None:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = _whole_lines(file.read())
    except OSError:
        return None  # only shown while the trial runs
    return next((point for line in reversed(lines) if (point := _parse_point(line))), None)


def _models_by_run(store: Path) -> Mapping[str, Mapping[str, Path]]:
    """For each run its logged models' artifact folders, by their place among its artifacts."""
    found: dict[str, list[tuple[str, Path]]] = {}
    metas = [(_read_meta(path), path.parent) for path in store.glob("*/models/*/meta.yaml")]
    for meta, path in sorted(metas, key=lambda pair: (_created_ms(pair[0]), pair[1].name)):
        own = found.setdefault(str(meta.get("source_run_id")), [])
        own.append((str(meta.get("name") or path.name), path / "artifacts"))
    return {
        run_id: dict(
            zip(model_folders([name for name, _ in own]), [p for _, p in own], strict=True)
        )
        for run_id, own in found.items()
    }


def _created_ms(meta: Mapping[str, Any]) -> int:
    created = meta.get("creation_timestamp")
    return created if isinstance(created, int) else 0


def _files(artifacts: Path, models: Mapping[str, Path]) -> Mapping[str, Path]:
    roots = [("", artifacts), *models.items()]
    files = ((folder + name, path) for folder, root in roots for name, path in _named_files(root))
    return {
        name: path for name, path in itertools.islice(files, _MAX_PRODUCTS) if not path.is_symlink()
    }


def _product(name: str, path: Path) -> Product:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Product(path=name, sha256=digest, size=path.stat().st_size)
