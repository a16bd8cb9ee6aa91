"""Models and data sets that the training loads from the Hugging Face hub.

They come from the caller's cache, else from ours, else from the hub, and every file is checked by
the name of its blob. Trials get a cache that holds the recorded snapshots and nothing else, which
they cannot write where the sandbox keeps them from it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from reprocheck.datastores import hub_cache, hub_fetch
from reprocheck.datastores.base import Around, StoppedError
from reprocheck.datastores.hub_cache import COMMIT, Repository
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace, Severity
from reprocheck.progress import growing

ALGORITHM = "commit"
SCHEME = "hf://"
_USED = ".used"  # when its content was last restored
_KEPT_S = 7 * 24 * 3600.0  # at least: trials that run read it where it is


def trial_env(materials: Iterable[Material], view: Path) -> dict[str, str]:
    """Variables that lead the hub's libraries to a cache, and nowhere else."""
    if all(material.place is not MaterialPlace.HUB for material in materials):
        return {}
    unset = (
        *("HF_HOME", "HF_DATASETS_CACHE", "XDG_CACHE_HOME"),
        *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT"),
    )
    return {
        "HF_HUB_CACHE": str(view),
        "HUGGINGFACE_HUB_CACHE": str(view),  # its name before huggingface_hub 0.20
        **dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"), "1"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # What they prepare and write goes below ~/.cache of the trial; a token is none of its
        # business.
        **dict.fromkeys(unset, ""),
    }


def caller_cache(env: Mapping[str, str]) -> Path | None:
    """The cache that the hub's libraries would use for the caller."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if env.get(name):
            return Path(env[name]).expanduser()
    if env.get("HF_HOME"):
        return Path(env["HF_HOME"]).expanduser() / "hub"
    if env.get("XDG_CACHE_HOME"):
        return Path(env["XDG_CACHE_HOME"]) / "huggingface/hub"
    return Path(env["HOME"]) / ".cache/huggingface/hub" if env.get("HOME") else None


class HubStore:
    """The Hugging Face hub, and caches of it."""

    def __init__(self, around: Around) -> None:
        self._env, self._cache, self._progress = around.env, around.cache, around.progress
        self._stop, self._trust = around.stop, around.trust

    def accepts(self, material: Material) -> bool:
        """Whether it is a repository of the hub."""
        return material.place is MaterialPlace.HUB

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """None: a repository has no list of digests of its own."""
        del material
        return None

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Lays a repository's folder with the recorded snapshot, every file's digest recomputed.

        Raises `RestoreError` when it is nowhere, or a file is not what its name says.
        """
        text = material.source.removeprefix(SCHEME)
        repo = hub_cache.repository(text, material.origin.where)
        asked = hub_cache.checked_revision(material.digest, material.origin.where)
        cache, env = self._cache, self._env
        if self._trust is not None and repo.shown not in self._trust.hubs:
            cache, env = None, hub_fetch.anonymous(env)
        own = (cache or target.parent.with_name("kept")) / "hub" / repo.folder
        self._progress.update(f"{repo.shown} at {asked or 'main'}")
        commit, source = self._bring(repo, asked, own, env)
        (own / _USED).touch()
        hub_cache.lay_view(target, own, commit, asked)
        _make_readable(own / "blobs")
        if COMMIT.fullmatch(asked):
            return ()
        return (_resolved(repo, asked, commit, source),)

    def _bring(
        self, repo: Repository, asked: str, own: Path, env: Mapping[str, str]
    ) -> tuple[str, str]:
        """Makes our copy of a snapshot whole; its commit, and who said so."""
        theirs = (caller_cache(env) or Path("/nonexistent")) / repo.folder
        commit = asked if COMMIT.fullmatch(asked) else hub_cache.resolved(theirs, asked)
        if commit is None:
            commit = self._fetch(repo, asked, own, env)
            return commit, hub_fetch.endpoint(env)
        given = hub_cache.blobs(theirs, commit)
        # What we have may have changed since it was checked.
        for name in hub_cache.wrong(own, {*given.values(), *_names(own, commit)}):
            (own / "blobs" / name).unlink(missing_ok=True)
        if given:
            hub_cache.take(theirs, own, commit)
        names = _names(own, commit)
        if not names or not all((own / "blobs" / name).exists() for name in names):
            self._fetch(repo, commit, own, env)
        return commit, str(theirs.parent)

    def _end_if_stopped(self) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _fetch(self, repo: Repository, revision: str, own: Path, env: Mapping[str, str]) -> str:
        with growing(self._progress, own, f"fetching {repo.shown}"):
            commit = hub_fetch.fetch(repo, revision, own.parent, env, self._end_if_stopped)
        self._progress.update(f"checking {repo.shown}")
        place = hub_fetch.endpoint(env)
        files = hub_cache.blobs(own, commit)
        wrong = hub_cache.wrong(own, files.values())
        for path, name in files.items():
            if name in wrong:
                (own / "blobs" / name).unlink(missing_ok=True)
                raise hub_cache.mismatch(f"{repo.shown}: {path}", name, wrong[name], place)
        if not files:
            raise RestoreError(
                f"{repo.shown} at {commit} is empty at {place}", "check its name and revision"
            )
        return commit


def remove_unused(cache: Path, older_than_s: float) -> int:
    """Removes the repositories of our cache that were not used for so long. Returns how many."""
    removed = 0
    before = time.time() - max(older_than_s, _KEPT_S)
    for used in sorted((cache / "hub").glob(f"*/{_USED}")):
        if used.stat().st_mtime < before:
            used.unlink()
            shutil.rmtree(used.parent, ignore_errors=True)
            removed += 1
    return removed


def _names(own: Path, commit: str) -> set[str]:
    return set(hub_cache.blobs(own, commit).values())


def _make_readable(folder: Path) -> None:
    # A container's user is another; and nobody has a reason to write them.
    for path in folder.iterdir():
        if not path.is_symlink() and path.is_file():
            path.chmod(0o444)


def _resolved(repo: Repository, asked: str, commit: str, source: str) -> Finding:
    return Finding(
        code="resolved-revision",
        severity=Severity.NOTE,
        message=f"{repo.shown} at {asked or 'main'} is commit {commit} now ({source}): "
        "the trials load that",
        hint=f"write  revision: {commit}  under data if that is what the run loaded, and log the "
        "commit with each run",
        pointer="/data",
    )
