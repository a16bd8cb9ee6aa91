"""Inputs with a place outside of the tree: at absolute paths, in ~/.cache, in the hub's cache."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reprocheck import absolute_paths
from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.datastores import hub, hub_cache
from reprocheck.datastores.addresses import shown
from reprocheck.datastores.unpinned import UNPINNED
from reprocheck.errors import ConfigError
from reprocheck.model import (
    Finding,
    Material,
    MaterialPlace,
    Origin,
    OriginKind,
    RunRecord,
    Severity,
)

CACHE = ".cache"
_DIGITS = {"md5": 32, "sha256": 64}
# They would lead libraries past the trial's own ~/.cache.
_ELSEWHERE = ("XDG_CACHE_HOME", "TORCH_HOME", "KERAS_HOME", "TFHUB_CACHE_DIR", "NLTK_DATA")

Substitute = Callable[[str, RunRecord], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """A record and a config without what lies outside of the tree, and that."""

    record: RunRecord
    config: Config
    outside: tuple[Material, ...]


def split(record: RunRecord, config: Config, substitute: Substitute) -> Split:
    """Takes the inputs apart that the training fetches itself. The config's win over recorded ones.

    Raises `ConfigError` for a rule or a recorded input that cannot be meant.
    """
    recorded = [_recorded(item) for item in record.data if _is_fetched(item)]
    ruled = [
        _of_rule(rule, lambda text: substitute(text, record).strip())
        for rule in config.data
        if not rule.path
    ]
    named = {(item.place, item.path): item for item in (*recorded, *ruled)}
    return Split(
        record=dataclasses.replace(
            record, data=tuple(item for item in record.data if not _is_fetched(item))
        ),
        config=dataclasses.replace(config, data=tuple(rule for rule in config.data if rule.path)),
        outside=tuple(named.values()),
    )


def _is_fetched(material: Material) -> bool:
    return material.place is not MaterialPlace.TREE


def _of_rule(rule: DataRule, filled: Callable[[str], str]) -> Material:
    origin = Origin(kind=OriginKind.CONFIG, where=rule.place)
    if rule.hub is not None:
        return _of_hub(filled(rule.hub), filled(rule.revision or ""), origin)
    address = filled(rule.url or "")
    return _of_address(address, rule.cached_as or "", _digest_of(rule, filled), origin)


def _digest_of(rule: DataRule, filled: Callable[[str], str]) -> str:
    return filled(rule.digest or "").lower()


def _recorded(material: Material) -> Material:
    if material.place is MaterialPlace.HUB:
        return _of_hub(material.source.removeprefix(hub.SCHEME), material.digest, material.origin)
    path = str(PurePosixPath(material.path))
    return _of_address(
        material.source, path.removeprefix(f"{CACHE}/"), material.digest, material.origin
    )


def _of_hub(name: str, revision: str, origin: Origin) -> Material:
    repo = hub_cache.repository(name, origin.where)
    return Material(
        path=repo.folder,
        algorithm=hub.ALGORITHM,
        digest=hub_cache.checked_revision(revision, origin.where) or "main",
        size=None,
        files=None,
        origin=origin,
        source=f"{hub.SCHEME}{repo.shown}",
        place=MaterialPlace.HUB,
    )


def _of_address(address: str, below: str, digest: str, origin: Origin) -> Material:
    path = PurePosixPath(below)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in below:
        raise ConfigError(
            f"{origin.where}: cached_as {below[:120]!r} is no path below ~/.cache",
            "write it as  cached_as: torch/hub/checkpoints/resnet18-f37072fd.pth",
        )
    # A record must not choose a file of this machine.
    if not re.match("https?://[^-]", address):
        raise ConfigError(
            f"{origin.where}: {shown(address)[:120]!r} is no address that a training fetches",
            "write an http or https address; what is kept elsewhere goes under path and url",
        )
    algorithm = next((name for name, size in _DIGITS.items() if len(digest) == size), None)
    if digest and (algorithm is None or not re.fullmatch("[0-9a-f]+", digest)):
        raise ConfigError(
            f"{origin.where}: the hash of what {shown(address)[:120]} held is no digest",
            "give its sha256, or none: then what it holds now is told",
        )
    return Material(
        path=str(PurePosixPath(CACHE, path)),
        algorithm=algorithm or "sha256",
        digest=digest or UNPINNED,
        size=None,
        files=None,
        origin=origin,
        source=address,
        place=MaterialPlace.HOME,
    )


# --- absolute paths -----------------------------------------------------------------------


def seen(
    materials: Iterable[Material], config: Config, record: RunRecord, substitute: Substitute
) -> tuple[Material, ...]:
    """The inputs with the absolute paths that the config says the run read them at.

    Raises `ConfigError` where nothing can be shown, and for paths inside each other.
    """
    asked = {
        str(PurePosixPath(rule.path)): (substitute(rule.seen_as, record).strip(), rule.place)
        for rule in config.data
        if rule.seen_as is not None
    }
    found = tuple(_seen(item, asked.get(item.path)) for item in materials)
    _refuse_overlaps(found)
    return found


def _seen(material: Material, asked: tuple[str, str] | None) -> Material:
    text, where = asked or (material.seen_as, material.origin.where)
    if text is None or material.place is not MaterialPlace.TREE:
        return material
    return dataclasses.replace(material, seen_as=absolute_paths.checked(text, where))


def _refuse_overlaps(materials: Iterable[Material]) -> None:
    places = [PurePosixPath(item.seen_as) for item in materials if item.seen_as]
    for one, other in itertools.permutations(places, 2):
        if one.is_relative_to(other):
            raise ConfigError(
                f"two inputs cannot be seen at {one} and {other}: one is inside of the other",
                "name the folder that holds both, as one input",
            )


# --- where they are put -------------------------------------------------------------------


def target_of(folder: Path, material: Material) -> Path:
    """Where an input is restored to, beside or in the folder of those of the tree."""
    match material.place:
        case MaterialPlace.TREE:
            return folder / material.path
        case MaterialPlace.HOME | MaterialPlace.HUB:
            return folder.with_name(f"{folder.name}-{material.place.value}") / material.path


def trial_env(materials: Iterable[Material], folder: Path) -> dict[str, str]:
    """Variables that lead trials to what the training would fetch, and nowhere else."""
    found = tuple(materials)
    view = folder.with_name(f"{folder.name}-{MaterialPlace.HUB.value}")
    home = any(item.place is MaterialPlace.HOME for item in found)
    return dict.fromkeys(_ELSEWHERE if home else (), "") | hub.trial_env(found, view)


def homes(materials: Iterable[Material], folder: Path) -> Iterator[tuple[Path, str]]:
    """What each trial gets a copy of in its home, and where below it."""
    for material in materials:
        if material.place is MaterialPlace.HOME:
            yield target_of(folder, material), material.path


def unpinned(materials: Iterable[Material]) -> Iterator[Finding]:
    """A warning for each input of which nothing says what the run loaded."""
    for item in materials:
        if item.place is MaterialPlace.HUB and not hub_cache.COMMIT.fullmatch(item.digest):
            said = f"no commit, only '{item.digest}', which can move"
            yield _unpinned("revision", item.source.removeprefix(hub.SCHEME), said, "commit")
        elif item.place is MaterialPlace.HOME and item.digest == UNPINNED:
            yield _unpinned("url", shown(item.source), "no digest", "sha256")


def _unpinned(kind: str, name: str, said: str, pin: str) -> Finding:
    key = "revision" if kind == "revision" else pin
    return Finding(
        code=f"unpinned-{kind}",
        severity=Severity.WARNING,
        message=f"of {name} the record has {said}: the trials load what it is now",
        hint=f"write  {key}: …  under data if you know what the run loaded, and log the {pin} with "
        "each run",
        pointer="/data",
    )
