"""Finds the run that the user named: an id, its beginning, a URI of MLflow's, or its page."""

from __future__ import annotations

import re

from reprocheck.errors import ReadError, UnknownRunError
from reprocheck.trackers.mlflow_run import FoundRun
from reprocheck.trackers.mlflow_store import MlflowStore

_PAGE = re.compile(r"(https?://[^#?\s]+?)/?(?:\?[^#]*)?#/experiments/[^/]+/runs/([0-9a-zA-Z_-]+)")
_FULL = 32  # hexadecimal digits
_SHOWN = 10
_HINT = (
    "Name a run id, at least its first 4 characters, runs:/ID, models:/NAME/VERSION, "
    "models:/NAME@ALIAS, or the address of the run's page."
)


def uri_of_page(asked: str) -> str | None:
    """The tracker's address when the user named a run by its page in MLflow's UI."""
    match = _PAGE.match(asked.strip())
    return match[1] if match else None


def find_run(store: MlflowStore, asked: str) -> FoundRun:
    """The run that `asked` means. Raises `UnknownRunError` or `ReadError`."""
    asked = asked.strip()
    page = _PAGE.match(asked)
    if page:
        return store.run(page[2])
    if asked.startswith("models:/"):
        return store.run(_run_of_model(store, asked))
    run_id = asked.removeprefix("runs:/").strip("/").partition("/")[0]
    if not re.fullmatch(r"[0-9a-zA-Z][\w-]*", run_id):
        raise UnknownRunError(f"{asked!r} is not the name of a run.", _HINT)
    if len(run_id) < _FULL and re.fullmatch(r"[0-9a-fA-F]+", run_id):
        return _by_prefix(store, run_id.lower())
    return store.run(run_id)


def _by_prefix(store: MlflowStore, prefix: str) -> FoundRun:
    if len(prefix) < 4:
        raise UnknownRunError(f"{prefix!r} is too short for a run id.", _HINT)
    where = f"attributes.run_id LIKE '{prefix}%'"
    found = store.search(store.experiment_ids(), where, deleted=True)
    if not found:
        raise UnknownRunError(f"{store.shown} has no run whose id begins with {prefix}.", _HINT)
    if len(found) > 1:
        raise UnknownRunError(
            f"{len(found)} runs begin with {prefix}:\n{_candidates(found)}",
            "Name more of the id.",
        )
    # The search returns a run without its inputs in some stores.
    return store.run(found[0].run_id)


def _candidates(found: tuple[FoundRun, ...]) -> str:
    lines = [
        f"  {run.run_id}  {run.name or '(no name)'}  {run.started_at:%Y-%m-%d %H:%M} UTC"
        if run.started_at
        else f"  {run.run_id}  {run.name}"
        for run in found[:_SHOWN]
    ]
    more = len(found) - _SHOWN
    return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)


def _run_of_model(store: MlflowStore, asked: str) -> str:
    match = re.fullmatch(r"models:/([^/@]+)(?:/([^/]+)|(@[^/]+))?/?", asked)
    if match is None:
        raise UnknownRunError(f"{asked!r} is not the name of a model.", _HINT)
    name, version, alias = match.groups()
    if version or alias:
        run_id = store.registered_run(name, version or alias)
    else:
        run_id = store.model(name).source_run_id  # models:/m-… of MLflow 3
    if not run_id:
        raise ReadError(
            f"{asked} does not say which run made it.",
            "Name the run itself; a model that was registered from a file has none.",
        )
    return run_id
