"""Sends all that a trial logs with MLflow to the trial's own store, whatever address it names.

Runs inside the rerun training's Python (3.8 and up), before the training's own code. It uses the
standard library only, prints nothing, and does nothing until MLflow (1.30 to 3) is imported.
The store is named by REPROCHECK_STORE and not by MLFLOW_TRACKING_URI, which scripts overwrite.
"""

# ruff: noqa: ANN401, ARG001  (stands in for MLflow's own functions, of three major versions)

from __future__ import annotations

import importlib.abc
import os
import sys
from typing import Any, Callable  # noqa: UP035  (Python 3.8)
from urllib.parse import unquote

_STORE = os.environ.get("REPROCHECK_STORE", "")


def _patch_tracking_registry(module: Any) -> None:
    # Every store is made here: fluent API, explicit clients, databricks, other packages' schemes.
    registry = module.TrackingStoreRegistry
    original = registry.get_store

    def get_store(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(self, _STORE)

    registry.get_store = get_store


def _patch_model_registry(module: Any) -> None:
    registry = module.ModelRegistryStoreRegistry
    original = registry.get_store

    def get_store(self: Any, *args: Any, **kwargs: Any) -> Any:
        # MLflow 1 keeps registered models in databases only.
        return original(self, _STORE if "file" in self._registry else _registry_database())

    registry.get_store = get_store


def _registry_database() -> str:
    return "sqlite:///" + unquote(_STORE[len("file://") :]) + ".registry.db"


def _patch_tracking_uris(module: Any) -> None:
    module.set_tracking_uri = _ignore
    module.get_tracking_uri = _own_store
    module._resolve_tracking_uri = _own_store


def _patch_registry_uris(module: Any) -> None:
    module.set_registry_uri = _ignore
    module.get_registry_uri = _own_store
    module._resolve_registry_uri = _resolve_registry_uri


def _ignore(*args: Any, **kwargs: Any) -> None:
    return None


def _own_store(*args: Any, **kwargs: Any) -> str:
    return _STORE


def _resolve_registry_uri(registry_uri: str | None = None, *args: Any, **kwargs: Any) -> str:
    # The registry's get_store, patched above, is the only one that names another.
    return registry_uri if registry_uri == _registry_database() else _STORE


def _patch_file_store(module: Any) -> None:
    store = module.FileStore
    create_experiment = store.create_experiment
    create_with_id = store._create_experiment_with_id

    def create_here(self: Any, name: str, artifact_location: Any = None, tags: Any = None) -> Any:
        # An artifact location of the script's choice would be written outside the trial's folder.
        return create_experiment(self, name, None, tags)

    def create_unknown(self: Any, experiment_id: Any) -> None:
        # An experiment of the team's tracker, named by its id, is absent from a fresh store.
        name = str(experiment_id)
        if name.isdigit() and not self._has_experiment(name):
            create_with_id(self, "experiment " + name, name, None, None)

    store.create_experiment = create_here
    store.get_experiment = _after(create_unknown, store.get_experiment)
    store.create_run = _after(create_unknown, store.create_run)


def _after(first: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    def both(self: Any, experiment_id: Any, *args: Any, **kwargs: Any) -> Any:
        first(self, experiment_id)
        return original(self, experiment_id, *args, **kwargs)

    return both


def _patch_projects(module: Any) -> None:
    # A project that runs its steps as projects would build an environment for each of them, which
    # needs a network; the rebuilt one is the run's.
    original = getattr(module, "_run", None)
    if original is None:
        return

    def _run(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("backend_name", "local") == "local":
            kwargs["env_manager"] = "local"
        return original(*args, **kwargs)

    module._run = _run


_PATCHES = {
    "mlflow.projects": _patch_projects,
    "mlflow.tracking._tracking_service.registry": _patch_tracking_registry,
    "mlflow.tracking._tracking_service.utils": _patch_tracking_uris,
    "mlflow.tracking._model_registry.registry": _patch_model_registry,
    "mlflow.tracking._model_registry.utils": _patch_registry_uris,
    "mlflow.store.tracking.file_store": _patch_file_store,
}


def _apply(module: Any) -> None:
    _refuse_other_environment()
    try:
        _PATCHES[module.__name__](module)
    except AttributeError as error:
        # Better no trial than one that logs into the team's tracker.
        message = "reprocheck cannot redirect the logging of this MLflow: " + str(error)
        raise ImportError(message) from error


def _refuse_other_environment() -> None:
    # `uv run`, `conda run` or a Makefile may lead to a Python that is not the rebuilt one's.
    wanted = os.environ.get("REPROCHECK_PREFIX")
    if wanted and os.path.realpath(sys.prefix) != os.path.realpath(wanted):
        message = "reprocheck: the training runs in the Python environment " + sys.prefix
        raise ImportError(message + ", not in the one that was rebuilt for it, " + wanted)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds MLflow's modules as Python would, and patches them once they are executed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _PATCHES:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                _patch_after_loading(spec.loader)
                return spec
        return None


def _patch_after_loading(loader: Any) -> None:
    original = loader.exec_module

    def exec_module(module: Any) -> None:
        original(module)
        _apply(module)

    loader.exec_module = exec_module


def _install() -> None:
    for name in _PATCHES:
        if name in sys.modules:
            _apply(sys.modules[name])
    sys.meta_path.insert(0, _Finder())


if _STORE:
    _install()
