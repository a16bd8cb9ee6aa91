"""Versions of registered models, by alias or stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reprocheck.errors import ReadError, UnknownModelError, UnknownRunError, UsageError
from reprocheck.model import ModelVersion
from reprocheck.trackers.mlflow_store import MlflowStore

STAGES = ("Production", "Staging", "Archived", "None")
"""MLflow 3 still has them, and advises against them."""


def find_versions(
    store: MlflowStore, names: Sequence[str], *, alias: str = "", stage: str = ""
) -> tuple[ModelVersion, ...]:
    """As `Tracker.versions`; to be used inside `client_settings`."""
    found: list[ModelVersion] = []
    for name in names:
        if alias:
            found.append(_of_alias(store, name, alias))
        else:
            every = _every(store, name)
            found += _of_stage(every, store, name, stage) if stage else every[:1]
    return tuple(found)


def _of_alias(store: MlflowStore, name: str, alias: str) -> ModelVersion:
    what = f"registered model {name} with the alias {alias}"
    try:
        with store.asking(what):
            return _version(store.client.get_model_version_by_alias(name, alias))
    except UnknownRunError as error:
        raise _unknown(store, what) from error
    except ReadError as error:
        # The database's own client tells an alias that no version has as a wrong parameter.
        if getattr(error.__cause__, "error_code", "") != "INVALID_PARAMETER_VALUE":
            raise
        raise _unknown(store, what) from error


def _of_stage(
    every: Sequence[ModelVersion], store: MlflowStore, name: str, stage: str
) -> list[ModelVersion]:
    if stage.casefold() not in {each.casefold() for each in STAGES}:
        raise UsageError(
            f"{stage!r} is no stage of a registered model",
            f"MLflow's stages are {', '.join(STAGES)}; an alias is named as {name}@{stage}",
        )
    found = [each for each in every if each.stage.casefold() == stage.casefold()]
    if not found:
        raise _unknown(store, f"version of the registered model {name} in stage {stage}")
    return found


def _every(store: MlflowStore, name: str) -> list[ModelVersion]:
    """All versions, the newest first."""
    what = f"registered model {name}"
    # A filter has no escape for quotes.
    quote = '"' if "'" in name else "'"
    try:
        with store.asking(what):
            store.client.get_registered_model(name)
            where = f"name = {quote}{name}{quote}"
            found = store.paged(
                lambda token: store.client.search_model_versions(where, 1_000, page_token=token)
            )
    except UnknownRunError as error:
        raise _unknown(store, what) from error
    versions = [_version(each) for each in found if str(each.name) == name]
    if not versions:
        raise _unknown(store, f"version of the registered model {name}")
    return sorted(versions, key=_number, reverse=True)


def _number(version: ModelVersion) -> int:
    return int(version.version) if version.version.isdecimal() else 0


def _version(found: Any) -> ModelVersion:  # noqa: ANN401  (mlflow's ModelVersion)
    return ModelVersion(
        name=str(found.name),
        version=str(found.version),
        run_id=str(found.run_id or ""),
        aliases=tuple(str(each) for each in found.aliases or ()),
        stage=str(found.current_stage or "None"),
    )


def _unknown(store: MlflowStore, what: str) -> UnknownModelError:
    return UnknownModelError(
        f"{store.shown} has no {what}.",
        "Check the name, and that the registry is the tracker's own; models are named as "
        "NAME, NAME@ALIAS or NAME/STAGE.",
    )
