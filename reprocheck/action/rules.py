"""By whose rules runs are judged: the base branch's, where it has a config.

A pull request may change how it trains: command, environment, data and limits are its own. What it
changes in how results are judged takes effect after the merge; until then the base branch's rules
count, and the changes are listed. Without a config on the base branch there is nothing to protect,
and the pull request's own counts. A config that the base branch has and that cannot be read or does
not validate is no licence for the pull request's: then nothing is verified, and it is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import config as configuration
from reprocheck import yaml_files
from reprocheck.action import finding
from reprocheck.config import Config
from reprocheck.errors import ConfigError, UsageError
from reprocheck.git import Git
from reprocheck.model import RuleChange
from reprocheck.temporary import temporary_folder

JUDGING = (
    *("tracker", "metrics", "baselines", "predictions", "products", "require", "fail_on"),
    *("report", "bundle", "record", "pass_env"),
)
"""Keys of the config that are the base branch's as a whole; variables that trainings see, too."""

PARTLY = {"parameters": ("ignore",), "reruns": ("min", "max", "alpha", "seeds", "budget")}
"""Keys of which the base branch's are only these parts."""

_DEPTH = 3  # of the keys that changes are listed by: metrics.accuracy.margin
_LONGEST = 300  # characters of a value in a list of changes
MOST_CHANGES = 100
_Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The config by which runs are judged, and what the pull request changes in it."""

    config: Config
    changes: tuple[RuleChange, ...] = ()
    of_base: bool = False  # the base branch has a config, and it counts


@contextlib.contextmanager
def in_force(git: Git | None, folder: Path, name: str, base_sha: str) -> Iterator[Rules]:
    """The rules for what is checked out in `folder`, its root, as long as the block lasts.

    `name` is the config's path from there; `base_sha` is "" where there is no base branch. The
    rules' config has a path: where both sides' count, it is a file of ours beside the pull
    request's own, since paths in a config start at its folder.
    Raises `ConfigError`, or `UsageError` where the base branch cannot be looked at.
    """
    head, own = _head(folder, name)
    base = _base(git, name, base_sha) if git and base_sha else None
    if base is None:
        yield Rules(config=own)
        return
    merged, changes = merge(base, head)
    if not changes and merged == head:
        yield Rules(config=own, of_base=True)
        return
    with _written(merged, folder / name) as path:
        yield Rules(config=configuration.load(path), changes=changes, of_base=True)


@contextlib.contextmanager
def of_base(git: Git | None, folder: Path, name: str, base_sha: str) -> Iterator[Config]:
    """The base branch's config alone, as long as the block lasts; the checkout's without a base.

    Raises as `in_force` does.
    """
    if not (git and base_sha):
        yield _head(folder, name)[1]
        return
    base = _base(git, name, base_sha)
    if base is None:
        yield Config()
        return
    _refuse_outside(folder / name, folder)
    with _written(base, folder / name) as path:
        yield configuration.load(path)


def merge(base: _Document, head: _Document) -> tuple[_Document, tuple[RuleChange, ...]]:
    """The head's config under the base's rules, and where the head's rules differ from them."""
    merged = {key: value for key, value in head.items() if key not in JUDGING}
    merged |= {key: base[key] for key in JUDGING if key in base}
    for key, parts in PARTLY.items():
        kept = {part: value for part, value in _part(head, key).items() if part not in parts}
        kept |= {part: value for part, value in _part(base, key).items() if part in parts}
        merged = {name: value for name, value in merged.items() if name != key}
        merged |= {key: kept} if kept else {}
    if "minimal" in (_part(base, "report").get("detail"), _part(head, "report").get("detail")):
        merged["report"] = {**_part(merged, "report"), "detail": "minimal"}
    return merged, tuple(_changes(_rules(base), _rules(head), ()))[:MOST_CHANGES]


def _rules(document: _Document) -> _Document:
    """The part of a config that judges."""
    whole = {key: document[key] for key in JUDGING if key in document}
    for key, parts in PARTLY.items():
        found = {part: value for part, value in _part(document, key).items() if part in parts}
        whole |= {key: found} if found else {}
    return whole


def _part(document: _Document, key: str) -> _Document:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _changes(base: _Document, head: _Document, above: tuple[str, ...]) -> Iterator[RuleChange]:
    for key in sorted(base.keys() | head.keys()):
        path, old, new = (*above, key), base.get(key), head.get(key)
        if old == new and (key in base) == (key in head):
            continue
        mappings = all(isinstance(side, dict | None) for side in (old, new))
        if mappings and len(path) < _DEPTH:
            yield from _changes(old or {}, new or {}, path)
        else:
            told = (_compact(base, key), _compact(head, key))
            yield RuleChange(key=".".join(path), base=told[0], head=told[1])


def _compact(document: _Document, key: str) -> str:
    if key not in document:
        return ""
    text = json.dumps(document[key], ensure_ascii=False, separators=(",", ":"), default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _head(folder: Path, name: str) -> tuple[_Document, Config]:
    """The config in the checkout; an empty one where there is none."""
    path = folder / name
    _refuse_outside(path, folder)
    if not path.exists() and not path.is_symlink():
        return {}, Config()
    try:
        return _loaded(path)
    except ConfigError as error:
        raise ConfigError(error.message.replace(f"{folder}/", ""), error.hint) from error


def _refuse_outside(path: Path, folder: Path) -> None:
    """Also one that a link of the pull request leads out of the checkout."""
    if not path.resolve().is_relative_to(folder.resolve()):
        name = os.path.relpath(path, folder)
        raise UsageError(
            f"the config {name} is outside of the checkout", "name one inside of the repository"
        )


def base_file(git: Git, name: str, sha: str) -> bytes | None:
    """The content of a regular file at a path from the base branch's root; None: there is none.

    Raises `ConfigError` for what is no regular file, and `UsageError` without the commit.
    """
    _bring(git, sha)
    found = git("ls-tree", "--full-tree", sha, "--", name, trusting=True).stdout
    listed = found.decode(errors="replace")
    if not listed:
        return None
    if not listed.startswith(("100644 blob ", "100755 blob ")):
        raise ConfigError(f"{name} of the base branch is no file", "make it one, on that branch")
    return git("cat-file", "blob", listed.split()[2], trusting=True).stdout


def _base(git: Git, name: str, sha: str) -> _Document | None:
    """The base branch's config, None where it has none."""
    content = base_file(git, name, sha)
    if content is None:
        return None
    with temporary_folder(keep=False) as scratch:
        path = Path(scratch) / Path(name).name
        path.write_bytes(content)
        try:
            return _loaded(path)[0]
        except ConfigError as error:
            told = error.message.replace(str(path), f"{name} of the base branch")
            raise ConfigError(told, f"mend it on the base branch: {error.hint}") from error


def _bring(git: Git, sha: str) -> None:
    """Makes sure that the base branch's commit is here: a shallow checkout lacks it."""
    if finding.has_commit(git, sha):
        return
    git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", sha, trusting=True, check=False)
    if not finding.has_commit(git, sha):
        raise UsageError(
            f"the base branch's commit {sha[:12]} is not in the checkout: its rules are not known",
            "check out with fetch-depth: 0",
        )


def _loaded(path: Path) -> tuple[_Document, Config]:
    """A config as it is written, and as it is meant. Raises `ConfigError`."""
    config = configuration.load(path)
    document = yaml_files.load(path).document
    return (document if isinstance(document, dict) else {}), config


@contextlib.contextmanager
def _written(document: _Document, beside: Path) -> Iterator[Path]:
    """A config file beside another, for as long as the block lasts. JSON is YAML."""
    folder = beside.parent
    try:
        handle, name = tempfile.mkstemp(prefix="reprocheck-base-rules-", suffix=".yaml", dir=folder)
    except OSError as error:
        raise UsageError(
            f"the base branch's rules for {beside.name} have no place in the checkout, in whose "
            f"folder {folder.name} their paths start: {error.strerror}",
            "keep the folder of the config in the pull request",
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps({"version": 1, **document}, indent=1))
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
