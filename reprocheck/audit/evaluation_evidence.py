"""What a run says about the data that it was evaluated on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reprocheck.audit.places import Reach, reach
from reprocheck.audit.spelling import words
from reprocheck.model import RunSummary

TEST, VALIDATION, EVALUATION, WHOLE = "test", "validation", "evaluation", ""
"""What data are for; WHOLE: all the data of a run, those of the evaluation among them."""

_ROLES = {
    **dict.fromkeys(("test", "testing", "holdout"), TEST),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION),
    **dict.fromkeys(("eval", "evaluation"), EVALUATION),
}
_TRAINING = {"train", "training"}
_OBJECTS = {"path", "file", "filename", "data", "dataset", "datasets", "dir", "folder", "set"}
_OBJECTS |= {"csv", "parquet", "uri", "url", "md5", "sha256", "hash", "digest", "version", "name"}
_OBJECTS |= {"revision", "rev", "table"}
_SHARES = {"size", "fraction", "frac", "ratio", "split", "pct", "percent"}
_WHOLE = {"data", "dataset"}
_EMPTY = {"", "none", "null", "nan", "true", "false"}
_MOST_ENTRIES = 1_000  # of a recorded list of files
_MOST_TEXT = 200_000  # characters of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Facet:
    """A way to tell evaluation data from others; only values of one facet can be compared."""

    role: str
    place: str  # "dataset", an algorithm, or a tag's or parameter's name as MLflow's filters say it

    @property
    def is_digest(self) -> bool:
        """Whether it tells the content, not what somebody calls it."""
        return self.place in ("dataset", "md5", "sha256")

    @property
    def strict(self) -> bool:
        """Whether it says nothing of metrics that do not name the data's role.

        A part that is set aside within the training is not what other metrics are of.
        """
        return self.role == VALIDATION and not _SHARES.isdisjoint(words(self.place))


Evidence = Mapping[Facet, frozenset[str]]


def evidence(run: RunSummary) -> Evidence:
    """The values of every facet of a run. Of a role that has digests of files, only these."""
    found: dict[Facet, set[str]] = {}
    for facet, value in (*_files(run), *_datasets(run), *_declared(run)):
        found.setdefault(facet, set()).add(value)
    best = {facet.role: _rank(facet) for facet in sorted(found, key=_rank, reverse=True)}
    return {
        facet: frozenset(values)
        for facet, values in found.items()
        if _rank(facet) == best[facet.role]
    }


@lru_cache(maxsize=4096)
def role_of(name: str) -> str | None:
    """The data that a metric of this name is of; WHOLE: not said; None: of the training."""
    told = words(name)
    if _TRAINING.intersection(told):
        return None
    return next((_ROLES[word] for word in told if word in _ROLES), WHOLE)


def _rank(facet: Facet) -> int:
    if facet.place in ("md5", "sha256"):
        return 0
    return 1 if facet.place == "dataset" else 2


def _datasets(run: RunSummary) -> Iterator[tuple[Facet, str]]:
    for dataset in run.datasets:
        role = role_of(dataset.context)
        if role and dataset.digest:
            yield Facet(role=role, place="dataset"), dataset.digest


def _files(run: RunSummary) -> Iterator[tuple[Facet, str]]:
    text = run.tags.get("reprocheck.data", "")
    try:
        entries = json.loads(text) if 0 < len(text) <= _MOST_TEXT else []
    except (ValueError, RecursionError):
        return
    for entry in entries[:_MOST_ENTRIES] if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        role = role_of(str(entry.get("path", "")))
        for algorithm in ("sha256", "md5"):
            if role and isinstance(entry.get(algorithm), str):
                yield Facet(role=role, place=algorithm), entry[algorithm].lower()


def _declared(run: RunSummary) -> Iterator[tuple[Facet, str]]:
    for noun, values in (("tags", run.tags), ("params", run.parameters)):
        for name, value in values.items():
            role = _role_of_setting(name)
            if role is not None and _says_which(value.strip()):
                yield Facet(role=role, place=f"{noun}.`{name}`"), value.strip()


def _says_which(value: str) -> bool:
    """Whether the value can tell data apart: a folder of some machine, or a passing one, cannot."""
    if value.casefold() in _EMPTY or reach(value) is Reach.PASSING:
        return False
    return not is_absolute(value) or "." in file_name(value)


def is_absolute(value: str) -> bool:
    """Whether the value is a path that depends on the machine."""
    return value.startswith(("/", "~", "\\", "file:")) or bool(re.match(r"[A-Za-z]:[\\/]", value))


def file_name(value: str) -> str:
    """The last part of a path or address."""
    return re.split(r"[\\/]", value.rstrip("\\/"))[-1]


@lru_cache(maxsize=4096)
def _role_of_setting(name: str) -> str | None:
    told = words(name)
    if not told or name.startswith(("mlflow.", "reprocheck.")) or _TRAINING.intersection(told):
        return None
    if told[-1] == "256" or told[-1] == "5":  # of sha256 and md5
        told = (*told[:-2], "".join(told[-2:]))
    roles = [_ROLES[word] for word in told if word in _ROLES]
    if roles and told[-1] in _OBJECTS:
        return roles[0]
    if roles and len(told) == 2 and told[-1] in _SHARES:
        return roles[0]
    whole = not roles and told[0] in _WHOLE and len(told) <= 2 and told[-1] in _OBJECTS
    return WHOLE if whole else None
