"""What the command line and the current directory say about the project: its config and tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck import config as configuration
from reprocheck.cli.options import RunOptions
from reprocheck.config import Config, Overrides
from reprocheck.errors import MissingStoreError

if TYPE_CHECKING:
    from reprocheck.account import Request
    from reprocheck.model import Acceptance


def run_request(
    run_id: str,
    given: RunOptions,
    overrides: Overrides,
    env: Mapping[str, str],
    bundle: Path | None = None,
) -> Request:
    """What to do with a run, from options, config and environment; with a bundle, no tracker.

    Raises `UsageError`, `ConfigError` or `MissingStoreError`.
    """
    from reprocheck.account import Request

    cwd = Path.cwd()
    root = root_of(given.repo, cwd, env)
    config = configuration.override(load_config(given.config, root), overrides)
    uri = ""
    if bundle is None:
        uri = tracking_uri(given.tracking_uri, (run_id,), config, (cwd, root), env)
    return Request(
        asked=run_id,
        tracking_uri=uri,
        bundle=bundle and bundle.absolute(),
        config=config,
        repo=given.repo,
        gates=given.gate,
        accepted=accepted_baselines(given.accepted, root),
        cwd=cwd,
        env=dict(env),
    )


def root_of(repo: str | None, cwd: Path, env: Mapping[str, str]) -> Path:
    """The root of the repository that was named, else of the current one, else the directory."""
    from reprocheck.source import local_path, repository_root

    folder = local_path(repo) if repo and local_path(repo).is_dir() else cwd
    return repository_root(folder, env) or folder


def load_config(path: Path | None, root: Path) -> Config:
    """The config that was named, else the one in the root, else all defaults.

    Raises `ConfigError`.
    """
    default = root / configuration.FILE_NAME
    return configuration.load(path or default) if path or default.is_file() else Config()


def accepted_baselines(named: str | None, root: Path) -> tuple[Acceptance, ...]:
    """The acceptances of the file that was named, "" for none, else of the one in the root.

    Raises `ConfigError`.
    """
    from reprocheck import accepted

    if named is None:
        return accepted.load(root / accepted.FILE_NAME)
    return accepted.load(Path(named), optional=False) if named else ()


def tracking_uri(
    named: str | None,
    asked: Sequence[str],
    config: Config,
    folders: Sequence[Path],
    env: Mapping[str, str],
) -> str:
    """The address of the tracker: named, of a run's page among `asked`, of the environment or the
    config, or of a store in one of the folders.

    Raises `MissingStoreError`.
    """
    from reprocheck.trackers import uri_of_page

    pages = (uri_of_page(run) for run in asked)
    found = (
        named
        or next((page for page in pages if page), None)
        or env.get("MLFLOW_TRACKING_URI")
        or config.tracking_uri
    )
    if found:
        return found
    for folder in folders:
        if (folder / "mlflow.db").is_file():
            return f"sqlite:///{folder / 'mlflow.db'}"
    raise MissingStoreError(
        "no tracker is named, and there is no mlflow.db here",
        "name one with --tracking-uri, MLFLOW_TRACKING_URI or tracker.uri in reprocheck.yaml",
    )
