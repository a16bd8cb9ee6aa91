"""Facts that reprocheck's own tags and common habits put into a run's tags."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from reprocheck import mending
from reprocheck.model import (
    Approval,
    Argv,
    Command,
    Finding,
    Material,
    MaterialPlace,
    Origin,
    OriginKind,
    Severity,
    Step,
)
from reprocheck.recipe import SEED_PARAMETERS
from reprocheck.trackers.mlflow_approvals import read_approvals
from reprocheck.trackers.mlflow_run import DatasetInput, FoundRun

ARGV, CWD, DATA, SEEDS = (f"reprocheck.{name}" for name in ("argv", "cwd", "data", "seeds"))
_DIGEST_TAGS = (("dvc.md5", "md5"), ("md5", "md5"), ("sha256", "sha256"))
_DIGESTS = {"md5": r"[0-9a-f]{32}(\.dir)?", "sha256": r"[0-9a-f]{64}"}


@dataclass(kw_only=True, slots=True)
class TagReader:
    """Reads facts out of a run's tags; one that cannot be read becomes a finding."""

    run: FoundRun
    beside: Mapping[str, str] = field(default_factory=dict)
    """What the tags would say, had they the room."""
    findings: list[Finding] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)

    def command(self) -> Command | None:
        """The recorded command, from `reprocheck.argv` and `reprocheck.cwd`."""
        args = self._json(ARGV)
        if args is None:
            return None
        if not _is_argv(args):
            self._bad(ARGV, "it is not a JSON list of strings")
            return None
        self.origins["/command"] = self._origin(ARGV)
        return Command(steps=(Step(run=Argv(args=tuple(args)), cwd=self._cwd()),))

    def seeds(self) -> Mapping[str, str]:
        """The recorded seeds, else the parameters that are named like one."""
        found = self._json(SEEDS)
        if isinstance(found, dict):
            self.origins["/seeds"] = _tag(SEEDS)
            return {str(name): str(value) for name, value in found.items()}
        if found is not None:
            self._bad(SEEDS, "it is not a JSON object")
        parameters = self.run.parameters
        named = {n: parameters[n] for n in SEED_PARAMETERS if parameters.get(n, "None") != "None"}
        if named:
            where = f"parameter {', '.join(named)}"
            self.origins["/seeds"] = Origin(kind=OriginKind.TRACKER, where=where)
        return named

    def data(self) -> tuple[Material, ...]:
        """The recorded materials: `reprocheck.data`, then the logged datasets."""
        found = self._own_data()
        known = {material.path for material in found}
        for dataset in self.run.datasets:
            material = self._dataset(dataset)
            if material.path not in known:
                found.append(material)
        for index, material in enumerate(found):
            self.origins[f"/data/{index}"] = material.origin
        return tuple(found)

    def approvals(self) -> tuple[Approval, ...]:
        """Sign-offs from the tags `approved_by` (a name, or JSON) and `approvals` (a JSON list)."""
        found, origins, bad = read_approvals(self.run.tags)
        self.origins.update(origins)
        for tag, why in bad.items():
            self._bad(tag, why)
        return found

    def dataset_version(self) -> str:
        """The data's version by the tag or the parameter `dataset_version`."""
        for kind, texts in (
            (OriginKind.TAG, self.run.tags),
            (OriginKind.TRACKER, self.run.parameters),
        ):
            if texts.get("dataset_version"):
                self.origins["/dataset_version"] = Origin(kind=kind, where="dataset_version")
                return texts["dataset_version"]
        return ""

    def _own_data(self) -> list[Material]:
        entries = self._json(DATA)
        if entries is None:
            return []
        materials = [_material(entry) for entry in entries] if isinstance(entries, list) else [None]
        if None in materials:
            self._bad(DATA, "an entry has no path with an md5 or sha256")
        return [material for material in materials if material]

    def _dataset(self, dataset: DatasetInput) -> Material:
        tags = dataset.tags
        path = _dataset_path(dataset)
        for tag, algorithm in _DIGEST_TAGS:
            if tag not in tags:
                continue
            if re.fullmatch(_DIGESTS[algorithm], tags[tag]):
                where = f"dataset {dataset.name}, tag {tag}"
                return _named(path, algorithm, tags[tag], where)
            self._bad(f"{tag} of dataset {dataset.name}", f"it is not a digest of {algorithm}")
        # MLflow's own digest covers the first rows only: it says little about the content.
        weak = _named(path, "mlflow", dataset.digest, f"dataset {dataset.name}")
        return Material(
            path=weak.path,
            algorithm=weak.algorithm,
            digest=weak.digest,
            size=None,
            files=None,
            origin=weak.origin,
            weak=True,
            source=dataset_source(dataset),
        )

    def _cwd(self) -> str:
        cwd = self.run.tags.get(CWD, ".") or "."
        path = PurePosixPath(cwd)
        if path.is_absolute() or ".." in path.parts:
            self._bad(CWD, "it leads out of the repository")
            return "."
        return str(path)

    def _json(self, tag: str) -> Any:  # noqa: ANN401  (JSON)
        text = self.run.tags.get(tag, self.beside.get(tag))
        if text is None:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            self._bad(tag, "it is not JSON, perhaps cut off by the tracker")
            return None

    def _origin(self, tag: str) -> Origin:
        if tag in self.run.tags:
            return _tag(tag)
        return Origin(kind=OriginKind.ARTIFACT, where="reprocheck/record.json")

    def _bad(self, tag: str, why: str) -> None:
        pointer = "/tags/" + tag.replace("~", "~0").replace("/", "~1")
        self.findings.append(
            Finding(
                code="bad-tag",
                severity=Severity.WARNING,
                message=f"The tag {tag} was ignored: {why}.",
                hint="Record the run with reprocheck-capture, or correct the tag in the tracker.",
                pointer=pointer,
                fix=mending.CAPTURE,
            )
        )


def _is_argv(args: Any) -> bool:  # noqa: ANN401  (JSON)
    return isinstance(args, list) and bool(args) and all(isinstance(arg, str) for arg in args)


def _tag(name: str) -> Origin:
    return Origin(kind=OriginKind.TAG, where=name)


def _material(entry: Any) -> Material | None:  # noqa: ANN401  (JSON)
    """None for an entry without a path or a digest that looks like one."""
    if not isinstance(entry, dict):
        return None
    if isinstance(entry.get("hub"), str):
        return _of_hub(entry["hub"], _text(entry.get("revision")))
    if isinstance(entry.get("cached_as"), str):  # what the training fetched into ~/.cache
        entry = entry | {"path": f".cache/{entry['cached_as']}"}
    if not isinstance(entry.get("path"), str):
        return None
    return _of_path(entry)


def _of_hub(name: str, revision: str) -> Material:
    return Material(
        path=name,
        algorithm="commit",
        digest=revision,
        size=None,
        files=None,
        origin=_tag(DATA),
        source=f"hf://{name}",
        place=MaterialPlace.HUB,
    )


def _of_path(entry: dict[str, Any]) -> Material | None:
    for algorithm, pattern in _DIGESTS.items():
        digest = entry.get(algorithm)
        if isinstance(digest, str) and re.fullmatch(pattern, digest):
            return Material(
                path=entry["path"],
                algorithm=algorithm,
                digest=digest,
                size=_count(entry.get("size")),
                files=_count(entry.get("files")),
                origin=_tag(DATA),
                source=_text(entry.get("url")),
                seen_as=_text(entry.get("seen_as")) or None,
                place=MaterialPlace.HOME if "cached_as" in entry else MaterialPlace.TREE,
            )
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:  # noqa: ANN401  (JSON)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _named(path: str, algorithm: str, digest: str, where: str) -> Material:
    return Material(
        path=path,
        algorithm=algorithm,
        digest=digest,
        size=None,
        files=None,
        origin=Origin(kind=OriginKind.TRACKER, where=where),
    )


def _dataset_path(dataset: DatasetInput) -> str:
    named = dataset.tags.get("path") or dataset_source(dataset) or dataset.name
    return named.removeprefix("file://")


def dataset_source(dataset: DatasetInput) -> str:
    """Where the data set was read; "" of one that the training's code made."""
    source = dataset.source
    return str(source.get("uri") or source.get("path") or source.get("url") or "")
